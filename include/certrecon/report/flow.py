"""The control totals as a flow: boxes with counts, and arrows from what a count is made of to what it becomes."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from certrecon.report.charts import COLOURS, WIDTH, plain_text, shortened
from certrecon.report.model import Flow, FlowEdge, FlowNode
from certrecon.report.svg import INK, Mark, chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS: Final = {"vendor": "#4f86b5", "sent": "#4f86b5", "ledger": "#3f8f6b"}
"""Kinds of boxes in colours that can be told apart on a light and on a dark page; a disposition has its own."""

_PLAIN = "#8c959a"
_GAP = 0.62
_TALL = 0.66
_BETWEEN = 0.16
_LANE = 0.14
_MARGIN = 0.06
_NAME = 9.0
_SMALL = 8.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a box lies, in inches from the lower left; a lane is a box without height that an arrow runs through."""

    left: float
    right: float
    middle: float


@dataclass(frozen=True, slots=True)
class _Layout:
    boxes: Mapping[str, _Place]
    lanes: Mapping[tuple[FlowEdge, int], _Place]
    height: float
    wide: float


def _lanes(boxes: Mapping[str, FlowNode], arrows: Iterable[FlowEdge]) -> list[tuple[FlowEdge, int]]:
    """Return the columns between the ends of each arrow, which it has to pass beside their boxes."""
    passed = []
    for arrow in arrows:
        low, high = sorted((boxes[arrow.source].column, boxes[arrow.target].column))
        passed += [(arrow, column) for column in range(low + 1, high)]
    return passed


def _laid(boxes: Sequence[FlowNode], arrows: Sequence[FlowEdge]) -> _Layout:
    by_key = {box.key: box for box in boxes}
    lanes = _lanes(by_key, arrows)
    columns = max(box.column for box in boxes) + 1
    wide = (WIDTH - 2 * _MARGIN - _GAP * (columns - 1)) / columns
    tall = {
        column: sum(_TALL + _BETWEEN for box in boxes if box.column == column)
        + sum(_LANE + _BETWEEN for _, own in lanes if own == column)
        for column in range(columns)
    }
    height = max(tall.values()) + 2 * _MARGIN
    upper = {column: (height + own) / 2 for column, own in tall.items()}

    def place(column: int, high: float) -> _Place:
        left = _MARGIN + column * (wide + _GAP)
        middle = upper[column] - (high + _BETWEEN) / 2
        upper[column] -= high + _BETWEEN
        return _Place(left, left + wide, middle)

    placed = {box.key: place(box.column, _TALL) for box in boxes}
    return _Layout(placed, {lane: place(lane[1], _LANE) for lane in lanes}, height, wide)


def _spread(ends: Sequence[tuple[float, int]]) -> dict[int, float]:
    """Return how far from its box's middle each arrow ends, so that arrows do not cross there.

    Args:
        ends: The height at which each arrow's other end lies, and the arrow's place.
    """
    ordered = sorted(ends, key=lambda end: -end[0])
    step = min(0.13, (_TALL - 0.12) / max(1, len(ordered)))
    return {arrow: step * ((len(ordered) - 1) / 2 - rank) for rank, (_, arrow) in enumerate(ordered)}


def _offsets(arrows: Sequence[FlowEdge], places: Mapping[str, _Place]) -> dict[tuple[int, str], float]:
    """Return, by arrow and box, how far from the box's middle the arrow begins or ends."""
    found: dict[tuple[int, str], float] = {}
    for name, place in places.items():
        for right in (False, True):
            ends = [
                (places[other].middle, number)
                for number, arrow in enumerate(arrows)
                if name in {arrow.source, arrow.target}
                for other in ({arrow.source, arrow.target} - {name})
                if (places[other].left > place.left) is right
            ]
            found |= {(number, name): offset for number, offset in _spread(ends).items()}
    return found


def _curve(points: Sequence[Point]) -> tuple[list[Point], list[int]]:
    """Return a line that leaves and reaches each point level, as matplotlib's vertices and codes."""
    vertices, codes = [points[0]], [1]
    for place, ((x, y), (to_x, to_y)) in enumerate(pairwise(points)):
        if place % 2:  # through a column, beside its boxes
            vertices, codes = [*vertices, (to_x, to_y)], [*codes, 2]
        else:
            bend = (to_x - x) / 2
            vertices, codes = [*vertices, (x + bend, y), (to_x - bend, to_y), (to_x, to_y)], [*codes, 4, 4, 4]
    return vertices, codes


def _stops(number: int, arrow: FlowEdge, layout: _Layout, offsets: Mapping[tuple[int, str], float]) -> list[Point]:
    """Return the points through which an arrow goes."""
    start, end = layout.boxes[arrow.source], layout.boxes[arrow.target]
    forward = end.left > start.left
    passed = [place for (own, _), place in layout.lanes.items() if own is arrow]
    stops = [(start.right if forward else start.left, start.middle + offsets[number, arrow.source])]
    for lane in sorted(passed, key=lambda place: place.left if forward else -place.left):
        ends = (lane.left, lane.right) if forward else (lane.right, lane.left)
        stops += [(x, lane.middle) for x in ends]
    return [*stops, (end.left if forward else end.right, end.middle + offsets[number, arrow.target])]


def _draw_arrow(axes: Axes, stops: list[Point], weight: float, gid: str) -> None:
    from matplotlib.patches import FancyArrowPatch  # noqa: PLC0415 - half a second only for those who draw
    from matplotlib.path import Path  # noqa: PLC0415 - as above

    vertices, codes = _curve(stops)
    line = FancyArrowPatch(
        path=Path(vertices, codes), arrowstyle="-|>,head_length=4,head_width=2", color=INK, alpha=0.35,
        linewidth=weight, capstyle="butt", joinstyle="miter", clip_on=False,
    )  # fmt: skip
    line.set_gid(gid)
    axes.add_patch(line)


def _colour(box: FlowNode) -> str:
    return COLOURS.get(box.disposition or "", KINDS.get(box.kind, _PLAIN))


def _style(box: FlowNode) -> str:
    return f"fill-{box.disposition}" if box.disposition in COLOURS else f"flow-{box.kind}"


def _words_of(arrow: FlowEdge, boxes: Mapping[str, FlowNode]) -> str:
    return f"{boxes[arrow.source].name} to {boxes[arrow.target].name}: {arrow.count:,}"


def _draw_box(axes: Axes, box: FlowNode, place: _Place, gid: str) -> None:
    from matplotlib.patches import FancyBboxPatch  # noqa: PLC0415 - as above

    colour = _colour(box)
    corner = (place.left, place.middle - _TALL / 2)
    shape: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.06", "linewidth": 1.2, "clip_on": False}
    body = FancyBboxPatch(corner, place.right - place.left, _TALL, facecolor=(colour, 0.16), edgecolor=colour, **shape)
    body.set_gid(gid)
    axes.add_patch(body)
    middle = (place.left + place.right) / 2
    most = int((place.right - place.left) * 72 / (_SMALL * 0.62))
    lines = textwrap.wrap(box.name, most, max_lines=3, placeholder=" \u2026") or [""]
    centred: dict[str, Any] = {"ha": "center", "va": "center", "color": INK, "linespacing": 1.05}
    axes.text(middle, place.middle + 0.2, f"{box.count:,}", fontsize=_NAME + 1, fontweight="bold", **centred)
    for line, words in enumerate(lines):
        high = place.middle - 0.11 + 0.063 * (len(lines) - 1) - 0.125 * line
        axes.text(middle, high, shortened(words, most), fontsize=_SMALL, **centred)


def _told(arrow: FlowEdge, arrows: Sequence[FlowEdge], boxes: Mapping[str, FlowNode]) -> bool:
    """Return whether the count of an arrow is one that no box says."""
    into = [other for other in arrows if other.target == arrow.target]
    return len(into) > 1 or arrow.count != boxes[arrow.target].count


def _draw_count(axes: Axes, stops: list[Point], count: int) -> None:
    (x, y), (to_x, to_y) = stops[-2:]
    middle = ((x + to_x) / 2, (y + to_y) / 2 + 0.06)
    axes.text(*middle, f"{count:,}", fontsize=_SMALL - 0.5, ha="center", va="bottom", color=INK)


def _drawn(boxes: Sequence[FlowNode], arrows: Sequence[FlowEdge]) -> tuple[Figure, dict[str, Mark]]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    layout = _laid(boxes, arrows)
    figure = Figure(figsize=(WIDTH, layout.height))
    figure.patch.set_visible(False)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, layout.height))
    axes.set_axis_off()
    offsets = _offsets(arrows, layout.boxes)
    by_key = {box.key: box for box in boxes}
    most = math.log1p(max([1, *(arrow.count for arrow in arrows)]))
    marks = {}
    for number, arrow in enumerate(arrows):
        stops = _stops(number, arrow, layout, offsets)
        _draw_arrow(axes, stops, 0.8 + 2.4 * math.log1p(arrow.count) / most, f"arrow-{number}")
        marks[f"arrow-{number}"] = Mark("flow-arrow", _words_of(arrow, by_key))
        if _told(arrow, arrows, by_key):
            _draw_count(axes, stops, arrow.count)
    for number, box in enumerate(boxes):
        _draw_box(axes, box, layout.boxes[box.key], f"box-{number}")
        marks[f"box-{number}"] = Mark(_style(box), f"{box.name}: {box.count:,}")
    return figure, marks


def flow_chart(flow: Flow) -> Markup:
    """Return the control totals as boxes with counts and the arrows between them.

    Returns:
        An SVG element; nothing at all where there are no boxes.
    """
    if not flow.nodes:
        return Markup()
    boxes = [replace(node, name=plain_text(node.name)) for node in flow.nodes]
    return chart("The control totals, from the vendors' counts to Ditio", lambda: _drawn(boxes, flow.edges))
