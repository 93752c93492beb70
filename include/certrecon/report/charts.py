"""The charts of a report as SVG elements: what expires, how runs went, and how counts flow to Ditio.

Each chart has its numbers in a table beside it; a chart is never the only place of a number. Matplotlib is
imported when something is drawn, so that nobody else waits for it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from certrecon.report.safe import one_line
from certrecon.report.svg import INK, Mark, chart
from certrecon.words import Disposition

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 9.6
"""Inches; a page scales the chart to its own width."""

COLOURS: Final[dict[str, str]] = {
    Disposition.DELIVERED: "#3f8f6b",
    Disposition.PLANNED: "#4f86b5",
    Disposition.SUPERSEDED: "#9fb8ac",
    Disposition.NOT_APPLICABLE: "#a9b0ac",
    Disposition.HELD: "#d9a63c",
    Disposition.BLOCKED: "#c5594e",
    Disposition.REJECTED: "#b03a5b",
    Disposition.UNDELIVERED: "#8a5a9e",
    Disposition.REFUSED: "#6f6aa8",
}
"""Dispositions in colours that can be told apart on a light and on a dark page."""

SERIES: Final = (
    "#4f86b5", "#d9a63c", "#3f8f6b", "#c5594e", "#8a5a9e", "#5aa6a6", "#b0753a", "#8a9440", "#8c959a",
)  # fmt: skip
"""Colours of what has none of its own, in turn."""

_TALL = 1.9
_FOOT = 0.32
_LEFT = 0.72
_LEGEND_LINE = 0.2
_LEGEND_COLUMNS = 4
_NAME = 30
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNWRITABLE = dict.fromkeys([0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])


@dataclass(frozen=True, slots=True)
class Series:
    """One part of every bar.

    Attributes:
        name: What is counted, as text.
        style: The class by which a page's style sheet may colour it.
        colour: The colour that it has otherwise, as `#rrggbb`.
        counts: One count a bar.
    """

    name: str
    style: str
    colour: str
    counts: Sequence[int]


def plain_text(text: str) -> str:
    """Return foreign text as an SVG can hold it: on one line, nothing that XML forbids."""
    return one_line(text.translate(_UNWRITABLE))


def shortened(text: str, most: int = _NAME) -> str:
    """Return text cut to at most so many characters, an ellipsis for the rest."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "\u2026"


def _labelled(axes: Axes, labels: Sequence[str]) -> None:
    """Write labels below the bars, as many as there is room for."""
    room = 60 / max(1, max(map(len, labels)) + 1) * 2.2
    step = math.ceil(len(labels) / room)
    shown = range(len(labels) - 1, -1, -step)[::-1]
    axes.set_xticks(list(shown), [labels[place] for place in shown])


def _plain(axes: Axes) -> None:
    """Leave nothing of the axes but counts on the left, with faint lines, and the ground line."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415 - half a second only for those who draw

    axes.patch.set_visible(False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(INK)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y", color=INK, alpha=0.15, linewidth=0.6, clip_on=False)
    axes.tick_params(bottom=False, left=False, labelcolor=INK)
    axes.set_axisbelow(True)


def _legend(figure: Figure, series: Sequence[Series], marks: dict[str, Mark]) -> None:
    from matplotlib.patches import Patch  # noqa: PLC0415 - as above

    # Labels are set afterwards, because matplotlib leaves out those that begin with an underscore.
    handles = [Patch(facecolor=one.colour, linewidth=0, label=str(place)) for place, one in enumerate(series)]
    legend = figure.legend(
        handles=handles, loc="upper left", ncols=_LEGEND_COLUMNS, frameon=False, bbox_to_anchor=(0.02, 1.0),
        borderpad=0.2, handlelength=1.0, handleheight=1.0, labelspacing=0.35, columnspacing=1.6,
    )  # fmt: skip
    for place, (one, handle, label) in enumerate(zip(series, legend.legend_handles, legend.get_texts(), strict=True)):
        label.set_text(shortened(one.name))
        if handle is not None:
            handle.set_gid(f"legend-{place}")
        marks[f"legend-{place}"] = Mark(one.style)


def _stacked(axes: Axes, labels: Sequence[str], series: Sequence[Series]) -> Iterator[tuple[str, Mark]]:
    """Draw the bars; yields what each part of them stands for, by its group id."""
    below = [0] * len(labels)
    for row, one in enumerate(series):
        bars = axes.bar(range(len(labels)), one.counts, bottom=below, color=one.colour, linewidth=0, clip_on=False)
        for place, (bar, count) in enumerate(zip(bars, one.counts, strict=True)):
            bar.set_visible(count > 0)
            bar.set_gid(f"bar-{row}-{place}")
            yield f"bar-{row}-{place}", Mark(one.style, f"{labels[place]}, {one.name}: {count:,}")
        below = [low + count for low, count in zip(below, one.counts, strict=True)]
    axes.set_xlim(-0.6, max(len(labels), 5) - 0.4)
    axes.set_ylim(0, max(*below, 1) * 1.05)


def _bars(labels: Sequence[str], series: Sequence[Series]) -> tuple[Figure, dict[str, Mark]]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    lines = math.ceil(len(series) / _LEGEND_COLUMNS)
    height = _TALL + _FOOT + 0.18 + _LEGEND_LINE * lines
    figure = Figure(figsize=(WIDTH, height))
    figure.patch.set_visible(False)
    axes = figure.add_axes((_LEFT / WIDTH, _FOOT / height, (WIDTH - _LEFT - 0.05) / WIDTH, _TALL / height))
    _plain(axes)
    marks = dict(_stacked(axes, labels, series))
    _labelled(axes, labels)
    _legend(figure, series, marks)
    return figure, marks


def bars_chart(title: str, labels: Sequence[str], series: Sequence[Series]) -> Markup:
    """Return stacked bars.

    Args:
        title: What the chart shows.
        labels: What stands below the bars, one a bar.
        series: The parts of the bars from the bottom up, each with as many counts as there are labels.

    Returns:
        An SVG element; nothing at all where there is nothing to count.
    """
    named = [Series(plain_text(one.name), one.style, one.colour, one.counts) for one in series if any(one.counts)]
    if not named:
        return Markup()
    return chart(title, lambda: _bars(labels, named))


def expiry_chart(weeks: Sequence[dt.date], counts: Mapping[str, Sequence[int]]) -> Markup:
    """Return what expires, in bars by week and certificate type.

    Args:
        weeks: The Mondays of the weeks, in order.
        counts: Certificates that expire, by type, one count a week.
    """
    series = [
        Series(name, f"series-{place % len(SERIES)}", SERIES[place % len(SERIES)], own)
        for place, (name, own) in enumerate(counts.items())
    ]
    labels = [f"{day.day} {_MONTHS[day.month - 1]}" for day in weeks]
    return bars_chart("Certificates that expire, by week and type", labels, series)


def trend_chart(runs: Sequence[int], counts: Mapping[Disposition, Sequence[int]]) -> Markup:
    """Return the claims of the last runs, in bars by disposition.

    Args:
        runs: The runs' numbers, in order.
        counts: Claims by disposition, one count a run.
    """
    series = [Series(name.value, f"fill-{name.value}", COLOURS[name], own) for name, own in counts.items()]
    return bars_chart("Claims of the last runs, by disposition", [str(run) for run in runs], series)
