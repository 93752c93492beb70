"""What the pages say of names in the code, and of each other, holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from certrecon.stages.parameters import Parameters
from certrecon.words import Disposition, Guard, RunStatus
from certrecon_plugin.operators.base import Task

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
DECISIONS = ROOT / "docs" / "decisions"
PARTS = ["## Context", "## Choice", "## Consequence"]
MAX_IMAGE = 300_000


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for address, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        place = (page.parent / address) if address else page
        assert place.exists(), f"{address} is not there"
        assert not anchor or anchor in _anchors(place), f"{address} has no heading #{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_plain_punctuation(page: Path) -> None:
    assert not re.findall("[\u2013\u2014\U0001f300-\U0001faff]", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("README.md", list(Parameters.model_fields)),
        ("README.md", [str(name) for name in Disposition]),
        ("docs/runbook.md", [str(name) for name in Guard]),
        ("docs/runbook.md", [str(name) for name in Task]),
        ("docs/runbook.md", [str(name) for name in RunStatus]),
    ],
    ids=["parameters", "dispositions", "guards", "tasks", "statuses"],
)
def test_every_name_is_explained(page: str, names: list[str]) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [name for name in names if f"`{name}`" not in text] == []


def test_decisions_have_their_parts_and_are_listed() -> None:
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    listed = (DECISIONS / "README.md").read_text(encoding="utf-8")
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        lines = page.read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if line.startswith("## ")] == PARTS, page.name
        assert f"[{lines[0].removeprefix('# ')}]({page.name})" in listed


def test_images_are_small() -> None:
    assert [image.name for image in (ROOT / "docs/images").iterdir() if image.stat().st_size > MAX_IMAGE] == []


def test_every_image_is_on_a_page_and_taken_by_the_command() -> None:
    images = {image.stem for image in (ROOT / "docs/images").iterdir()}
    shown = {Path(address).stem for page in PAGES for address, _ in LINK.findall(page.read_text("utf-8"))}
    taken = set(re.findall(r'"([\w-]+)"', (ROOT / "tests/browser/pictures.py").read_text("utf-8")))
    assert images - shown == set()
    assert images - taken == set()
