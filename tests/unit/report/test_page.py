from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from certrecon.errors import EvidenceError
from certrecon.report import ReportInputs, build_report, render_html
from certrecon.report.charts import expiry_chart
from certrecon.report.flow import flow_chart
from certrecon.report.page import SEAL_PLACE, Seal, with_seal
from tests.unit.report.full import FOREIGN, FULL
from tests.unit.report.golden import DRY, HEAD, PUBLISHED
from tests.unit.report.snapshot import assert_snapshot

PAGES = {
    "published": render_html(build_report(PUBLISHED)),
    "dry": render_html(build_report(DRY)),
    "full": render_html(FULL),
    "by hints": render_html(build_report(replace(PUBLISHED, head=replace(HEAD, certificates=("c04",), hints=1)))),
    "undecided": render_html(build_report(ReportInputs(HEAD, failure="<img src=x onerror=alert(1)>"))),
}

VOID = {"meta", "br", "rect"}

SEAL = Seal("ab" * 32, 57, "cd" * 32, "succeeded_with_rejects")


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
    values = [value or "" for _, attributes in reader.elements for value in attributes.values()]
    assert not [value for value in values if "://" in value]
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
    assert "<code>&lt;b&gt;bold&lt;/b&gt;</code>" in PAGES["published"]
    assert "&lt;img src=x onerror=alert(1)&gt;" in PAGES["undecided"]
    assert "\u202e" not in PAGES["published"]
    assert PAGES["full"].count("&lt;script&gt;") > 90
    assert FOREIGN not in PAGES["full"]
    assert "<script" not in PAGES["full"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("published", "HTTP 400: Certificate type is closed"),
        ("published", "Ditio still has 3 certificates that nothing in 4HSE supports any more"),
        ("published", "Is blocked now: has an employee number that Ditio does not know; has an issue date"),
        ("published", "Guard <code>withdrawn</code> tripped: accepted by whoever started the run."),
        ("published", "Looked for and not found: <code>ISSUED_MISSING</code>"),
        ("published", "4HSE 31, Ditio 4"),
        ("dry", "What a publishing run would send"),
        ("dry", "validUntilDateTime: 2026-03-01 -&gt; 2028-03-01<br>certificateNumber: c00 -&gt; c03"),
        ("dry", "judged as of 2026-12-01"),
        ("dry", "limited to 2 tenants"),
        ("full", "number 57 (run 41), SHA-256 <code>1212"),
        ("full", "<dt>Days without a run</dt><dd>2 between the two</dd>"),
        ("full", "<code>first_publish</code> by kari"),
        ("full", "<code>guards.max_drop</code>"),
        ("full", "Crosswalk entries: 1 added, 0 removed, 2 changed."),
        ("full", "2026-11-23 04:05:06 UTC"),
        ("full", "does not add up: +1"),
        ("full", "<h4>Blocked claims: 1,051</h4>"),
        ("full", "... and 1,050 more, see the CSV"),
        ("full", '3 runs<br><span class="soft">5 days</span>'),
        ("full", '<a href="#withdrawn">'),
        ("full", "They are a suggestion only, and never applied."),
        ("full", "\n  action_code: [A1]</pre>"),
        ("full", "<h3>Newly blocked: 1</h3>"),
        ("full", "valid_until: 2026-01-01 -&gt; 2027-01-01<br>person_name"),
        (
            "full",
            '<tr><th scope="row" class="day">2027-02-15</th><td class="n">12</td><td class="n">2</td><td class="n">14</td></tr>',
        ),
        (
            "full",
            '<tfoot><tr><th scope="row">All</th><td class="n">78</td><td class="n">26</td><td class="n">104</td></tr></tfoot>',
        ),
        ("full", '<th scope="row">20*</th>'),
        ("by hints", '<th scope="row">42*</th>'),
        ("by hints", "* limited to some tenants or certificates."),
        ("published", "another of the same type is preferred: by expiry, issue date, then id"),
        ("undecided", "The run did not come to deciding claims."),
    ],
)
def test_it_says(name: str, words: str) -> None:
    assert words in PAGES[name]


def test_charts_are_in_the_page_as_they_are() -> None:
    assert PAGES["full"].count('<svg class="chart" role="img"') == 3
    for chart in (flow_chart(FULL.flow), expiry_chart(FULL.outlook.weeks, FULL.outlook.counts)):
        assert chart in PAGES["full"]


def test_sections_come_in_the_order_of_the_contract() -> None:
    sections = [attributes["id"] for attributes in Reader(PAGES["full"]).all_of("section")]
    assert sections == ["run", "totals", "needs", "changes", "outlook", "findings", "sending", "withdrawn"]


def test_it_prints_on_paper() -> None:
    css = PAGES["full"].partition("@media print")[2]
    assert "@page { size: A4;" in PAGES["full"]
    assert "color-scheme: light;" in css
    assert "thead { display: table-header-group; }" in css
    assert "break-inside: avoid" in css


def test_the_seal_goes_where_its_place_is(page: str) -> None:
    assert page.count(SEAL_PLACE) == 1
    sealed = with_seal(page, SEAL)
    assert SEAL_PLACE not in sealed
    assert sealed.count("ab" * 32) == page.count("ab" * 32) + 1
    assert sealed.count("cd" * 32) == page.count("cd" * 32) + 1
    assert "Number 57 of the chain" in sealed
    assert "<code>succeeded_with_rejects</code>" in sealed
    assert Reader(sealed).open == []
    start = sealed.index('<dd id="seal">')
    assert page == sealed[:start] + SEAL_PLACE + sealed[sealed.index("</dd>", start) + len("</dd>") :]


def test_a_seal_without_an_outcome_or_a_chain_says_so_little() -> None:
    sealed = with_seal(SEAL_PLACE, Seal("", None, None, "<b>"))
    assert sealed == '<dd id="seal">The run ended as <code>&lt;b&gt;</code>.\n</dd>'


@pytest.mark.parametrize("html", ["", SEAL_PLACE * 2, "<dd id=seal></dd>"], ids=["none", "two", "another"])
def test_a_page_without_one_place_for_a_seal_is_refused(html: str) -> None:
    with pytest.raises(EvidenceError, match="no place for its seal"):
        with_seal(html, SEAL)


@pytest.mark.parametrize("name", ["published", "dry"])
def test_the_page_is_as_it_was(name: str) -> None:
    """Without style and charts, which have tests of their own and say nothing to whoever compares two files."""
    bare = re.sub(r"<(svg|style)\b.*?</\1>", r"<\1></\1>", PAGES[name], flags=re.DOTALL)
    assert_snapshot(f"{name}_page.html", re.sub(r"'sha256-[^']+'", "'sha256-'", bare).encode())
