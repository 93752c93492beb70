from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from certrecon.report import ReportInputs, build_report, render_html
from tests.unit.report.golden import DRY, HEAD, PUBLISHED

PAGES = {
    "published": render_html(build_report(PUBLISHED)),
    "dry": render_html(build_report(DRY)),
    "undecided": render_html(build_report(ReportInputs(HEAD, failure="<img src=x onerror=alert(1)>"))),
}

VOID = {"meta", "br", "rect"}


class Reader(HTMLParser):
    """Notes elements and attributes, and whether every element is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all_of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return PAGES[request.param]


def test_it_is_well_formed(page: str) -> None:
    reader = Reader(page)
    assert reader.open == []
    ids = Counter(attributes["id"] for _, attributes in reader.elements if "id" in attributes)
    assert set(ids.values()) <= {1}
    targets = [attributes["href"] for attributes in reader.all_of("a")]
    assert {target[1:] for target in targets if target} <= set(ids)
    labels = {attributes["aria-labelledby"] for attributes in reader.all_of("section")}
    assert labels <= set(ids)


def test_it_asks_for_nothing_and_runs_nothing(page: str) -> None:
    reader = Reader(page)
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "video", "audio"}
    names = {name for _, attributes in reader.elements for name in attributes}
    assert not {name for name in names if name.startswith("on")}
    assert not names & {"src", "srcset", "style", "action", "background", "ping", "xlink:href"}
    assert all((attributes["href"] or "").startswith("#") for attributes in reader.all_of("a"))
    css = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert css
    assert "url(" not in css[1]
    assert "@import" not in css[1]


def test_its_policy_allows_its_own_style_and_nothing_else(page: str) -> None:
    css = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert css
    digest = base64.b64encode(hashlib.sha256(css[1].encode()).digest()).decode()
    (policy,) = [meta["content"] for meta in Reader(page).all_of("meta") if meta.get("http-equiv")]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert page.index("Content-Security-Policy") < page.index("<style>")


def test_it_can_be_read_by_everybody(page: str) -> None:
    reader = Reader(page)
    assert reader.all_of("html") == [{"lang": "en"}]
    assert all("scope" in attributes for attributes in reader.all_of("th"))
    assert len(reader.all_of("caption")) == len(reader.all_of("table"))
    assert all("aria-label" in box for box in reader.all_of("div") if box.get("class") == "scroll")
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_foreign_text_is_text() -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Moe" in PAGES["published"]
    assert "<code>&lt;b&gt;bold&lt;/b&gt;</code>" in PAGES["published"]
    assert "&lt;img src=x onerror=alert(1)&gt;" in PAGES["undecided"]
    assert "\u202e" not in PAGES["published"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("published", "Ditio refused 2 rows"),
        ("published", "HTTP 400: Certificate type is closed"),
        ("published", "1 not delivered"),
        ("published", "2 certificates without a link"),
        ("published", "2 dangling links"),
        ("published", "Ditio still has 3 certificates that nothing in 4HSE supports any more"),
        ("published", "Is blocked now: has an employee number that Ditio does not know; has an issue date"),
        ("published", "Guard <code>withdrawn</code> tripped: accepted by whoever started the run."),
        ("published", "Looked for and not found: <code>ISSUED_MISSING</code>"),
        ("published", "4HSE 31, Ditio 4"),
        ("dry", "What a publishing run would send"),
        ("dry", "validUntilDateTime: 2026-03-01 -&gt; 2028-03-01<br>certificateNumber: c00 -&gt; c03"),
        ("dry", "judged as of 2026-12-01"),
        ("dry", "limited to 2 tenants"),
        ("undecided", "The run did not come to deciding claims."),
    ],
)
def test_it_says(name: str, words: str) -> None:
    assert words in PAGES[name]
