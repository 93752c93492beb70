"""`docs/privacy.md` classifies every column of the warehouse and of the evidence: a new one fails here until it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from tests.contract.pipeline import Pipeline
from tests.privacy.canaries import Aviary
from tests.privacy.planted import DAY, planted_world
from tests.privacy.vendors import CanaryServer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
ROW = re.compile(r"^\| `([a-z_]+)` \|([^|]*)\|([^|]*)\|", re.MULTILINE)
NAME = re.compile(r"`([A-Za-z0-9_]+)`")
NAMELESS = re.compile(r"-[0-9a-f]{12}$")
ENDINGS = {".parquet", ".json", ".yaml", ".html", ".xlsx", ".csv", ".zip", ".txt"}
_COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'reconciliation'"
_VIEWS = "SELECT table_name FROM information_schema.views WHERE table_schema = 'reconciliation'"


def classified(section: str) -> dict[str, tuple[set[str], set[str]]]:
    """Return what a section of the page says: by table or file, its personal columns and its others."""
    page = PAGE.read_text(encoding="utf-8")
    start = page.index(f"## {section}\n")
    body = page[start : page.find("\n## ", start + 1)]
    rows = ROW.findall(body)
    assert rows, f"the section {section} has no table"
    found: dict[str, tuple[set[str], set[str]]] = {}
    for name, personal, other in rows:
        assert name not in found, f"{name} is listed twice in {section}"
        found[name] = set(NAME.findall(personal)), set(NAME.findall(other))
        assert not found[name][0] & found[name][1], f"a column of {name} is both"
    return found


def compare(listed: dict[str, tuple[set[str], set[str]]], real: dict[str, set[str]]) -> None:
    """Say what is not classified, and what is classified and not there."""
    said = {name: personal | other for name, (personal, other) in listed.items()}
    unclassified = {name: sorted(columns - said.get(name, set())) for name, columns in real.items()}
    gone = {name: sorted(columns - real.get(name, set())) for name, columns in said.items()}
    assert {name: columns for name, columns in unclassified.items() if columns or name not in said} == {}
    assert {name: columns for name, columns in gone.items() if columns or name not in real} == {}


@pytest.fixture
def evidence(vendors: CanaryServer, birds: Aviary, pipeline_of: Callable[..., Pipeline]) -> dict[str, list[Path]]:
    """The files of two nights' evidence by what they hold."""
    world = planted_world(birds)
    vendors.speak_of(world)
    pipeline = pipeline_of(world.settings)
    for _ in range(2):
        assert pipeline.run(DAY).errors == {}
    found: dict[str, list[Path]] = {}
    for path in (pipeline.folder / "evidence").rglob("*"):
        if path.is_file():
            found.setdefault(NAMELESS.sub("", path.stem), []).append(path)
    return found


def test_every_column_of_the_warehouse_is_classified(warehouse: Engine) -> None:
    real: dict[str, set[str]] = {}
    with warehouse.connect() as conn:
        views = set(conn.execute(text(_VIEWS)).scalars())
        for table, column in conn.execute(text(_COLUMNS)):
            if table not in views:
                real.setdefault(table, set()).add(column)
    compare(classified("In the warehouse"), real)


def test_every_column_of_the_evidence_is_classified(evidence: dict[str, list[Path]]) -> None:
    real = {
        name: {column for path in paths if path.suffix == ".parquet" for column in pq.read_schema(path).names}
        for name, paths in evidence.items()
    }
    compare(classified("In the evidence"), real)


def test_a_column_that_nobody_classified_is_noticed() -> None:
    real = {name: personal | other for name, (personal, other) in classified("In the warehouse").items()}
    compare(classified("In the warehouse"), real)
    with pytest.raises(AssertionError, match="shoe_size"):
        compare(classified("In the warehouse"), real | {"claim": real["claim"] | {"shoe_size"}})
    with pytest.raises(AssertionError, match="wardrobe"):
        compare(classified("In the warehouse"), real | {"wardrobe": {"shoe_size"}})


def test_birth_dates_are_classified_as_personal_and_only_in_the_inputs() -> None:
    evidence = classified("In the evidence")
    assert {name for name, (personal, _) in evidence.items() if "birth_date" in personal} == {"persons", "employees"}
    assert not any(
        "birth" in column for part in classified("In the warehouse").values() for side in part for column in side
    )


def test_only_the_owner_can_read_the_evidence(evidence: dict[str, list[Path]]) -> None:
    files = [path for paths in evidence.values() for path in paths]
    folders = {folder for path in files for folder in path.parents if "evidence" in folder.parts}
    assert {path.suffix for path in files} <= ENDINGS
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
