"""Issue date and expiry of a claim, and the findings about them (From certificates to claims, 3)."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tests.oracle.text import text, trimmed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.oracle.world import Row

OLDEST = date(1950, 1, 1)
LONGEST_YEARS = 50
MONTHS = {"YEAR": 12, "MONTH": 1}


@dataclass(frozen=True)
class Expiry:
    """An expiry some source gives; `day` is None when it is malformed."""

    received: str
    day: date | None
    derived: bool = False


@dataclass(frozen=True)
class Dates:
    """The dates of a claim and what was found about them."""

    issued_on: date | None
    valid_until: date | None
    findings: frozenset[str]


def day_of(received: str | None) -> date | None:
    """A calendar date written exactly `YYYY-MM-DD`, else None."""
    if received is None or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", received):
        return None
    try:
        return date.fromisoformat(received)
    except ValueError:
        return None


def loose_day(value: object) -> date | None:
    """A Ditio or birth date: `yyyy-MM-dd`, with or without a time behind it, or `dd.MM.yyyy`."""
    received = trimmed(value) or ""
    turned = re.fullmatch(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})", received)
    return day_of("-".join(turned.groups()[::-1]) if turned else re.split("[T ]", received)[0])


def add_months(day: date, months: int) -> date | None:
    """Calendar arithmetic where month ends clamp; None past year 9999."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        return None
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def judge(certificate: Row, links: list[Row], years: Iterable[int], as_of: date, settings: Row) -> Dates:
    """Dates of the claim that these links make (none = the certificate is unlinked), and their findings."""
    received = text(certificate.get("date_release"))
    issued = day_of(received)
    given = [e for e in (_expiry(certificate, link) for link in links or [{}]) if e is not None]
    findings = _issue_findings(received, issued, as_of)
    if len({e.day or e.received for e in given}) > 1:
        findings.add("EXPIRY_DISAGREES")
    if not given:
        findings.add("EXPIRY_MISSING")
        sentinel = settings["no_expiry_date"] if settings["no_expiry"] == "sentinel" else None
        findings |= _expiry_findings(issued, sentinel, as_of, settings)
        return Dates(issued, sentinel, frozenset(findings))
    days = [e.day for e in given if e.day is not None]
    if len(days) < len(given):
        return Dates(issued, None, frozenset(findings | {"EXPIRY_INVALID"}))
    expiry = min(days)
    if any(e.derived and e.day == expiry for e in given):
        findings.add("EXPIRY_DERIVED")
    if _too_long(issued, expiry, years):
        findings.add("DATE_IMPLAUSIBLE")
    return Dates(issued, expiry, frozenset(findings | _expiry_findings(issued, expiry, as_of, settings)))


def _issue_findings(received: str | None, issued: date | None, as_of: date) -> set[str]:
    if received is None:
        return {"ISSUED_MISSING"}
    if issued is None:
        return {"ISSUED_INVALID"}
    found = {"ISSUED_IN_FUTURE"} if issued > as_of else set()
    return found | ({"DATE_IMPLAUSIBLE"} if issued < OLDEST else set())


def _expiry_findings(issued: date | None, expiry: date | None, as_of: date, settings: Row) -> set[str]:
    if expiry is None:
        return set()
    found = {"EXPIRY_NOT_AFTER_ISSUE"} if issued is not None and expiry <= issued else set()
    if expiry < as_of:
        found.add("EXPIRED")
    elif expiry <= as_of + timedelta(days=settings["expiring_within_days"]):
        found.add("EXPIRES_SOON")
    return found


def _too_long(issued: date | None, expiry: date, longest_years: Iterable[int]) -> bool:
    if issued is None:
        return False
    limits = (add_months(issued, 12 * years) for years in (LONGEST_YEARS, *longest_years))
    return any(limit is not None and expiry > limit for limit in limits)


def _expiry(certificate: Row, link: Row) -> Expiry | None:
    for row in (link, certificate):
        received = text(row.get("date_expire"))
        if received is not None:
            return Expiry(received, day_of(received))
    return _derived(certificate)


def _derived(certificate: Row) -> Expiry | None:
    issued = day_of(text(certificate.get("date_release")))
    validity, unit = text(certificate.get("validity")) or "", text(certificate.get("validity_unit"))
    if issued is None or not re.fullmatch("[0-9]{1,18}", validity) or int(validity) == 0:
        return None
    if unit not in {"YEAR", "MONTH", "DAY"}:
        return None
    amount = int(validity)
    day = _days_later(issued, amount) if unit == "DAY" else add_months(issued, amount * MONTHS[unit])
    return Expiry(f"{validity} {unit}", day, derived=True)


def _days_later(day: date, days: int) -> date | None:
    return None if days > date.max.toordinal() - day.toordinal() else day + timedelta(days=days)
