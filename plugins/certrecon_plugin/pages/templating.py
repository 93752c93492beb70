"""Renders the pages: every value escaped, a missing one an error, dates and counts in one form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from certrecon.browse.claims import UNMAPPED
from certrecon.findings import CATALOGUE
from certrecon.report.page import prose, sentence
from certrecon.report.wording import DISPOSITIONS, OWNERS, titles
from certrecon.words import Disposition
from certrecon_plugin.pages.words import GUARDS, LEDGER_STATES, MODES, STATUSES, TRIGGERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from certrecon.browse.runs import TrendPoint

NOTHING: Final = "\N{EN DASH}"
"""What stands where there is nothing to say."""

_BAR: Final = 1000


def number(value: int | None) -> str:
    """Return a count as it is read."""
    return NOTHING if value is None else f"{value:,}"


def day(value: dt.date | str | None) -> str:
    """Return a day as `YYYY-MM-DD`."""
    return NOTHING if value is None else str(value)


def moment(value: dt.datetime | None) -> str:
    """Return an instant in UTC, to the minute."""
    return NOTHING if value is None else f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def short(digest: str | None) -> str:
    """Return the beginning of a digest, enough to tell two apart."""
    return NOTHING if digest is None else digest[:12]


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def query(values: Mapping[str, Any], **changes: Any) -> str:
    """Return a query string of what has a value."""
    merged = {**values, **changes}
    return urlencode({name: value for name, value in merged.items() if value not in (None, "")})


def bar(counts: Mapping[str, int] | None) -> list[tuple[str, float, float, int]]:
    """Return the parts of a bar of dispositions: name, where it starts, width and count, of 1000 in all."""
    counts = counts or {}
    total = sum(counts.values()) or 1
    parts, x = [], 0.0
    for name in (str(name) for name in Disposition if counts.get(name)):
        width = _BAR * counts[name] / total
        parts.append((name, round(x, 2), round(width, 2), counts[name]))
        x += width
    return parts


def used(points: Sequence[TrendPoint]) -> list[str]:
    """Return the dispositions that occur in a trend, in the order of the design."""
    return [str(name) for name in Disposition if any(point.dispositions.get(name) for point in points)]


def guard(name: str) -> str:
    """Return what a guard is about, in words."""
    return GUARDS.get(name, name)


def ledger_state(name: str) -> str:
    """Return a state of the ledger in words."""
    return LEDGER_STATES.get(name, name)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("certrecon_plugin.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number, "day": day, "moment": moment, "short": short, "sentence": sentence, "prose": prose,
        "bar": bar, "titles": titles, "used": used, "guard": guard, "ledger_state": ledger_state,
    }  # fmt: skip
    environment.globals |= {
        "plural": plural, "query": query, "NOTHING": NOTHING, "DISPOSITIONS": DISPOSITIONS, "OWNERS": OWNERS,
        "CATALOGUE": CATALOGUE, "STATUSES": STATUSES, "MODES": MODES, "TRIGGERS": TRIGGERS, "UNMAPPED": UNMAPPED,
    }  # fmt: skip
    return environment


def base(request: Request) -> str:
    """Return the address below which the pages are, as a path without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def airflow_path(request: Request) -> str:
    """Return the address below which Airflow itself is, as a path without a slash at its end."""
    return base(request).removesuffix("/certrecon")


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page.

    Args:
        request: What is answered.
        template: The template's name.
        status: The answer's status.
        values: What the template shows; `title` always.
    """
    shown = {"base": base(request), "here": request.url.path, "bare": False, **values}
    return HTMLResponse(_environment().get_template(template).render(shown), status)
