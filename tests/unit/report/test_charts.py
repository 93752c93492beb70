from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup

from certrecon.report.charts import Series, bars_chart, expiry_chart, trend_chart
from certrecon.report.flow import flow_chart
from certrecon.report.model import Flow, FlowEdge, FlowNode
from certrecon.words import Disposition
from tests.unit.report.full import FLOW
from tests.unit.report.full import FOREIGN as NAME

WEEKS = [dt.date(2026, 11, 23) + dt.timedelta(weeks=week) for week in range(13)]

FOREIGN = {
    "markup": "<script>alert(1)</script>",
    "quotes": """"><svg onload='x'>""",
    "formula": "$x^2$ and \\frac{1}{2}",
    "hidden": "_hidden",
    "letters": "日本語 Łęć",
    "control": "one\x00\x1b[31mtwo\u202e\ufffe",
    "percent": "100 % {name} %s",
    "empty": "",
}


def expiry(name: str = "Byggekort") -> Markup:
    return expiry_chart(WEEKS, {name: [*range(13)], "other types": [3] * 13})


def trend() -> Markup:
    return trend_chart(range(1, 31), {Disposition.DELIVERED: [900_000] * 30, Disposition.BLOCKED: [7] * 30})


def flow() -> Markup:
    return flow_chart(FLOW)


CHARTS: dict[str, Callable[[], Markup]] = {"expiry": expiry, "trend": trend, "flow": flow}


def read(chart: str) -> ET.Element:
    return ET.fromstring(chart)  # noqa: S314 - our own


@pytest.fixture(params=CHARTS)
def chart(request: pytest.FixtureRequest) -> str:
    return CHARTS[request.param]()


def test_it_needs_nothing_that_a_page_does_not_allow(chart: str) -> None:
    elements = list(read(chart).iter())
    assert {element.tag for element in elements} <= {"svg", "title", "g", "path", "text"}
    names = {name for element in elements for name in element.attrib}
    assert not names & {"style", "id", "href", "clip-path", "font-family"}
    assert not [name for name in names if name.startswith(("on", "{"))]
    assert "http" not in chart
    assert "url(" not in chart


def test_it_has_a_name_and_follows_the_page(chart: str) -> None:
    svg = read(chart)
    assert svg.attrib["role"] == "img"
    assert svg[0].tag == "title"
    assert svg[0].text
    assert {"currentColor"} == {svg.attrib["fill"]} | {text.get("fill", "currentColor") for text in svg.iter("text")}
    assert "#000000" not in chart
    assert "#ffffff" not in chart


def test_it_is_the_same_each_time(chart: str, request: pytest.FixtureRequest) -> None:
    assert CHARTS[request.node.callspec.params["chart"]]() == chart


@pytest.mark.parametrize("name", FOREIGN.values(), ids=FOREIGN)
def test_foreign_text_is_text(name: str) -> None:
    chart = expiry(name)
    shown = "one [31mtwo" if "\x00" in name else name
    svg = read(chart)
    assert {element.tag for element in svg.iter()} <= {"svg", "title", "g", "path", "text"}
    assert f"30 Nov, {shown}: 1" in [title.text for title in svg.iter("title")]
    assert not shown or shown in [text.text for text in svg.iter("text")]
    assert "<script" not in chart


def test_every_count_can_be_pointed_at() -> None:
    said = [title.text or "" for title in read(trend()).iter("title")]
    assert "30, delivered: 900,000" in said
    assert len([words for words in said if "delivered" in words]) == 30


def test_bars_can_be_coloured_by_the_page() -> None:
    classes = re.findall(r'class="(fill-[a-z_]+)"', trend())
    assert classes.count("fill-delivered") == 31  # the legend's too
    assert classes.count("fill-blocked") == 31


def test_bars_stand_on_one_another() -> None:
    svg = read(bars_chart("Two", ["a"], [Series("low", "l", "#111111", [1]), Series("high", "h", "#222222", [3])]))
    drawn = {group.attrib["class"]: group for group in svg.iter("g") if group.find("title") is not None}
    low, high = (
        sorted({float(y) for y in re.findall(r"[ML] \S+ (\S+)", drawn[name].find("path").attrib["d"])}) for name in "lh"
    )
    assert high[1] == pytest.approx(low[0])
    assert high[1] - high[0] == pytest.approx(3 * (low[1] - low[0]), rel=1e-3)


@pytest.mark.parametrize(
    "chart",
    [bars_chart("None", [], []), expiry_chart(WEEKS, {}), expiry_chart(WEEKS, {"Byggekort": [0] * 13})],
    ids=["no bars", "no types", "only zeros"],
)
def test_nothing_to_count_gives_no_chart(chart: str) -> None:
    assert chart == ""


def test_one_run_is_enough() -> None:
    assert "text" in trend_chart([1], {Disposition.DELIVERED: [1]})


def test_many_runs_leave_room_for_their_numbers() -> None:
    labels = {text.text for text in read(trend_chart(range(10_001, 10_031), {Disposition.HELD: [1] * 30})).iter("text")}
    assert "10030" in labels
    assert len([label for label in labels if label and label.startswith("100")]) <= 20


def test_the_flow_says_every_count_both_ways() -> None:
    said = [title.text for title in read(flow()).iter("title")]
    assert {f"{node.name}: {node.count:,}" for node in FLOW.nodes} <= set(said)
    names = {node.key: node.name for node in FLOW.nodes}
    assert {f"{names[edge.source]} to {names[edge.target]}: {edge.count:,}" for edge in FLOW.edges} <= set(said)
    assert f"dropped {NAME}: 2" in said


def test_the_flow_writes_the_counts_that_no_box_says() -> None:
    written = [text.text for text in read(flow()).iter("text")]
    assert written.count("11") == 2  # the box, and the arrow to the claims that are one more
    assert written.count("3") == 2  # the box, and one of two arrows to the ledger


def test_a_flow_of_one_box_and_of_none() -> None:
    assert flow_chart(Flow()) == ""
    assert "5" in flow_chart(Flow((FlowNode("a", "a", 5, 0, "vendor"),)))


def test_an_arrow_that_passes_a_column_goes_beside_its_boxes() -> None:
    nodes = tuple(FlowNode(str(column), str(column), 1, column, "read") for column in range(3))
    straight = read(flow_chart(Flow(nodes, (FlowEdge("0", "1", 1),))))
    beside = read(flow_chart(Flow(nodes, (FlowEdge("0", "2", 1),))))
    assert float(beside.attrib["viewBox"].split()[3]) > float(straight.attrib["viewBox"].split()[3])
