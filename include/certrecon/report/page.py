"""The report as one HTML page that needs nothing from anywhere: no script, no request, no font, no image."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from certrecon.report.model import FindingCount, RunReport
from certrecon.report.status import headline
from certrecon.report.wording import DISPOSITIONS, OWNERS, REASONS, URGENCY
from certrecon.words import Disposition, Owner, Severity

BAR_WIDTH = 1000
"""The width of the bar of dispositions, in its own units."""

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the bar of dispositions."""

    name: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Style:
    """The page's style sheet, and the source that the content security policy allows."""

    css: Markup
    source: str


def number(value: int | None) -> str:
    """Return a count as it is read; a count that nobody gave as a word."""
    return "not stated" if value is None else f"{value:,}"


def sentence(text: str) -> str:
    """Return words as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def prose(text: str) -> Markup:
    """Return text as HTML in which what stands between backquotes is code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just here


def segments(dispositions: Mapping[Disposition, int]) -> tuple[Segment, ...]:
    """Return the bar of dispositions: what needs somebody first, what occurs at all visible."""
    claims = sum(dispositions.values())
    drawn: list[Segment] = []
    x = 0.0
    for name in (name for name in URGENCY if dispositions[name]):
        width = BAR_WIDTH * dispositions[name] / claims
        drawn.append(Segment(str(name), round(x, 2), round(width, 2)))
        x += width
    return tuple(drawn)


def by_owner(findings: tuple[FindingCount, ...]) -> dict[str, tuple[FindingCount, ...]]:
    """Return the findings that occur, by who can fix them, the heaviest first."""
    weight = list(Severity)
    found = sorted((one for one in findings if one.claims), key=lambda one: weight.index(one.severity))
    grouped = {owner: tuple(one for one in found if one.finding.owner is owner) for owner in Owner}
    return {OWNERS[owner]: own for owner, own in grouped.items() if own}


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("certrecon.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "sentence": sentence, "prose": prose}
    return environment


def _template() -> Template:
    return _environment().get_template("report.html.j2")


@lru_cache(maxsize=1)
def _style() -> Style:
    """Return the style sheet with the digest by which the page allows it and no other style."""
    css = Markup(_environment().get_template("report.css").render())  # noqa: S704 - a file of this package
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return Style(css, f"'sha256-{digest}'")


def render_html(report: RunReport) -> str:
    """Return the page of a run's report."""
    return _template().render(
        report=report,
        head=report.head,
        headline=headline(report),
        failed=bool(report.failure) or not report.decided,
        style=_style(),
        bar=segments(report.dispositions),
        bar_width=BAR_WIDTH,
        dispositions={name: (count, DISPOSITIONS[name]) for name, count in report.dispositions.items()},
        findings=by_owner(report.findings),
        silent=[one.finding.code for one in report.findings if not one.claims],
        owners={OWNERS.get(owner, owner): count for owner, count in report.owners.items()},
        reasons=REASONS,
        lists={str(name): excerpt for name, excerpt in report.excerpts.items()},
    )
