"""Turns a figure of matplotlib's into SVG that may stand inside a page.

The page's policy allows no style but its own sheet, so that what matplotlib says in style attributes is said in
presentation attributes. Text stays text in the page's own font, black follows the page's colour of text, and
nothing has an id, so that any number of charts fit into one page. The same figure gives the same bytes.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK: Final = "#000000"
"""What is drawn in this colour follows the page's colour of text."""

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_LEFT_OUT = frozenset({"defs", "metadata", "style"})
_SAID = frozenset(
    {
        "fill", "fill-opacity", "font-size", "font-weight", "opacity", "stroke", "stroke-dasharray", "stroke-linecap",
        "stroke-linejoin", "stroke-opacity", "stroke-width", "text-anchor",
    }
)  # fmt: skip
_PLACED = ("d", "transform", "x", "y", "width", "height")
_RULES: Final = {"svg.fonttype": "none", "svg.hashsalt": "certrecon", "text.parse_math": False, "font.size": 9.0}

# Matplotlib keeps its settings for the whole process, and Airflow's pages are made in several threads.
_ALONE = threading.Lock()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a part of a chart stands for.

    Attributes:
        style: The class by which a page's style sheet may colour it.
        words: What it says when it is pointed at, as text; empty for nothing.
    """

    style: str
    words: str = ""


def import_matplotlib() -> None:
    """Import what draws, so that a thread may do so before anything is drawn."""
    from matplotlib import figure, style  # noqa: F401, PLC0415 - half a second that only those who draw should pay
    from matplotlib.backends import backend_svg  # noqa: F401, PLC0415 - as above


@contextmanager
def _own_settings() -> Iterator[None]:
    from matplotlib import style  # noqa: PLC0415 - half a second that only those who draw should pay

    with _ALONE, style.context(["default", _RULES]), warnings.catch_warnings():
        # The reader's fonts show the text, so that a letter that matplotlib's own font lacks does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        yield


def _attributes(element: ET.Element) -> dict[str, str]:
    pairs = [rule.partition(":") for rule in element.get("style", "").split(";")]
    said = {name.strip(): value.strip() for name, _, value in pairs}
    placed = {name: element.attrib[name] for name in _PLACED if name in element.attrib}
    if placed.get("transform", "").startswith("rotate(-0 "):
        del placed["transform"]
    if "d" in placed:
        placed["d"] = " ".join(placed["d"].split())
    return placed | {name: "currentColor" if said[name] == INK else said[name] for name in sorted(_SAID & set(said))}


def _marked(element: ET.Element, mark: Mark) -> None:
    """Give a group its class; the one colour of its parts becomes its own, so that the class can replace it."""
    element.set("class", mark.style)
    colours = {part.get("fill", "none") for part in element}
    if len(colours) == 1 and colours != {"none"}:
        element.set("fill", colours.pop())
        for part in element:
            del part.attrib["fill"]
    if mark.words:
        title = ET.Element("title")
        title.text = mark.words
        element.insert(0, title)


def _cleaned(element: ET.Element, marks: Mapping[str, Mark]) -> list[ET.Element]:
    """Return an element without what a page cannot take; a group that says nothing gives way to what is in it."""
    tag = element.tag.removeprefix(_NAMESPACE)
    if tag in _LEFT_OUT:
        return []
    inner = [kept for child in element for kept in _cleaned(child, marks)]
    clean = ET.Element(tag, _attributes(element))
    clean.text = element.text if tag == "text" else None
    clean.extend(inner)
    mark = marks.get(element.get("id", ""))
    if mark:
        _marked(clean, mark)
    return inner if tag == "g" and not mark and not clean.attrib else [clean]


def _drawn(figure: Figure) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - as above

    sink = io.StringIO()
    figure.set_canvas(FigureCanvasSVG(figure))
    figure.savefig(sink, format="svg", metadata={"Date": None})
    return sink.getvalue()


def chart(title: str, draw: Callable[[], tuple[Figure, Mapping[str, Mark]]]) -> Markup:
    """Return a chart as an SVG element for a page.

    Args:
        title: What the chart shows, as text: the element's accessible name.
        draw: Makes the figure, and says what its parts stand for, by their group ids. It is called alone, under
            settings in which foreign text stays text.
    """
    with _own_settings():
        figure, marks = draw()
        drawn = ET.fromstring(_drawn(figure))  # noqa: S314 - matplotlib wrote it just now
    svg = ET.Element(
        "svg", {"class": "chart", "role": "img", "viewBox": drawn.attrib["viewBox"], "fill": "currentColor"}
    )
    ET.SubElement(svg, "title").text = title
    svg.extend(kept for child in drawn for kept in _cleaned(child, marks))
    return Markup(ET.tostring(svg, encoding="unicode"))  # noqa: S704 - ElementTree escapes texts and attributes
