"""The report as one HTML page that needs nothing from anywhere: no script, no request, no font, no image."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from certrecon.errors import EvidenceError
from certrecon.report.charts import expiry_chart, trend_chart
from certrecon.report.flow import flow_chart
from certrecon.report.heading import left_out_words, scope_words, told_words
from certrecon.report.model import Change, FindingCount, RunReport
from certrecon.report.status import headline
from certrecon.report.wording import DISPOSITIONS, OWNERS, REASONS, URGENCY, doubtful_words
from certrecon.words import Disposition, Owner, Severity

BAR_WIDTH = 1000
"""The width of the bar of dispositions, in its own units."""

SEAL_PLACE = '<dd id="seal">Put on when the run was finalised, after this page was made.</dd>'
"""Where the seal goes; a page has it exactly once."""

CHANGES: Final[dict[Change, tuple[str, str]]] = {
    Change.NEWLY_BLOCKED: ("Newly blocked", "blocked now, not in the previous run"),
    Change.SOLVED: ("Solved", "needed somebody in the previous run, and does not any more"),
    Change.NEWLY_EXPIRED: ("Newly expired", "expired since the previous run"),
    Change.NEWLY_DELIVERED: ("Newly delivered", "delivered now, not in the previous run"),
    Change.NEW: ("New", "not there in the previous run"),
    Change.GONE: ("Gone", "there in the previous run, not any more"),
    Change.OTHER: ("Otherwise changed", "something else differs"),
}
"""What became of a claim, and what that means."""

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


@dataclass(frozen=True, slots=True)
class Seal:
    """What was put on a run when it was finalised, after its report was made.

    Attributes:
        outcome_sha256: The digest of its outcome, this report among it; empty where there is none.
        chain_no: Its place in the chain of finalised runs; None where it has none.
        chain_sha256: Its digest in the chain.
        status: How it ended.
    """

    outcome_sha256: str
    chain_no: int | None
    chain_sha256: str | None
    status: str


def number(value: int | None) -> str:
    """Return a count as it is read; a count that nobody gave as a word."""
    return "not stated" if value is None else f"{value:,}"


def sentence(text: str) -> str:
    """Return words as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def sentence_start(text: str) -> str:
    """Return words as they stand at the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def words(name: str) -> str:
    """Return a word of the vocabularies as it is read."""
    return str(name).replace("_", " ")


def moment(when: dt.datetime | None) -> str:
    """Return a time as it is read; nothing where there is none."""
    return f"{when.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" if when else ""


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
    environment.filters |= {
        filter_.__name__: filter_ for filter_ in (number, sentence, sentence_start, words, moment, prose)
    }
    return environment


def _template() -> Template:
    return _environment().get_template("report.html.j2")


@lru_cache(maxsize=1)
def _style() -> Style:
    """Return the style sheet with the digest by which the page allows it and no other style."""
    css = Markup(_environment().get_template("report.css").render())  # noqa: S704 - a file of this package
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return Style(css, f"'sha256-{digest}'")


def _trend_names(report: RunReport) -> list[Disposition]:
    """Return the dispositions that occur in the last runs."""
    return [name for name in Disposition if any(run.dispositions[name] for run in report.trend)]


def _charts(report: RunReport) -> dict[str, Markup]:
    runs = report.trend
    by_disposition = {name: [run.dispositions[name] for run in runs] for name in _trend_names(report)}
    return {
        "flow": flow_chart(report.flow),
        "expiry": expiry_chart(report.outlook.weeks, report.outlook.counts),
        "trend": trend_chart([run.run_seq for run in runs], by_disposition),
    }


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
        charts=_charts(report),
        trend_names=_trend_names(report),
        change_words=CHANGES,
        scope_words=scope_words(report.head),
        left_out_words=left_out_words(report.head),
        doubtful_words=doubtful_words(report.doubtful.total),
        told_words=report.told and told_words(report.told),
        seal_place=Markup(SEAL_PLACE),  # noqa: S704 - a text of ours
    )


def with_seal(html: str, seal: Seal) -> str:
    """Return a page of `render_html` with the run's seal in its place.

    Raises:
        EvidenceError: The page does not have exactly one place for a seal.
    """
    if html.count(SEAL_PLACE) != 1:
        raise EvidenceError("The report has no place for its seal. Look at it as it was sealed, in the evidence.")
    return html.replace(SEAL_PLACE, _environment().get_template("seal.html.j2").render(seal=seal))
