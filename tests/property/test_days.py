"""Days, validity and expiry against plain calendar arithmetic."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from certrecon.claims.dates import DateState, Days, add_validity, add_years, day_number, parse_days, parse_positive
from certrecon.claims.expiry import Expiries, govern
from tests.property.strategies import ANY_TEXT, DAYS, NEAR_DATES, ODD_DATES

MANY = settings(max_examples=200, deadline=None)
TEXTS = st.one_of(
    st.none(),
    DAYS.map(date.isoformat),
    st.sampled_from([*NEAR_DATES, *(text for text in ODD_DATES if isinstance(text, str))]),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True),
    ANY_TEXT,
)
VALIDITIES = st.one_of(st.none(), st.integers(-3, 12_000).map(str), st.sampled_from(["1.5", "x", "", "9" * 18]))


def plain_day(text: str | None) -> tuple[DateState, date | None]:
    """Read a date the slow way."""
    if text is None or not text.strip():
        return DateState.MISSING, None
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return DateState.INVALID, None
    try:
        return DateState.VALID, date.fromisoformat(text)
    except ValueError:
        return DateState.INVALID, None


def plain_later(day: date, count: int, unit: str) -> date | None:
    """Return the day so much later, month ends clamped; None past year 9999."""
    if unit == "DAY":
        return day + timedelta(days=count) if count <= (date.max - day).days else None
    months = day.month - 1 + count * (12 if unit == "YEAR" else 1)
    year, month = day.year + months // 12, months % 12 + 1
    if year > date.max.year:
        return None
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def read_back(days: Days) -> list[tuple[DateState, date | None]]:
    """Return states and days as plain values."""
    return list(zip(map(DateState, days.state.tolist()), days.to_dates().to_pylist(), strict=True))


@MANY
@given(st.lists(TEXTS, max_size=20))
def test_days_are_read_as_the_calendar_has_them(texts: list[str | None]) -> None:
    assert read_back(parse_days(pa.array(texts, pa.string()))) == [plain_day(text) for text in texts]


@MANY
@given(st.lists(st.tuples(DAYS, VALIDITIES, st.sampled_from(["YEAR", "MONTH", "DAY", "WEEK", "", None])), max_size=20))
def test_validity_is_added_as_on_paper(rows: list[tuple[date, str | None, str | None]]) -> None:
    start = parse_days(pa.array([day.isoformat() for day, _, _ in rows], pa.string()))
    counts = parse_positive(pa.array([count for _, count, _ in rows], pa.string()))
    units = pa.array([unit for _, _, unit in rows], pa.string())
    assert read_back(add_validity(start, counts, units)) == [_plain_validity(*row) for row in rows]


def _plain_validity(day: date, count: str | None, unit: str | None) -> tuple[DateState, date | None]:
    whole = int(count) if count is not None and count.isdecimal() else 0
    if whole <= 0 or unit not in {"YEAR", "MONTH", "DAY"}:
        return DateState.MISSING, None
    later = plain_later(day, whole, unit)
    return (DateState.VALID, later) if later else (DateState.INVALID, None)


def test_validity_without_an_issue_date_is_none() -> None:
    days = add_validity(parse_days(pa.array([None, "2025-13-01"])), np.array([3, 3]), pa.array(["YEAR", "YEAR"]))
    assert read_back(days) == [(DateState.MISSING, None)] * 2


@MANY
@given(st.lists(st.tuples(DAYS, st.integers(1, 60)), min_size=1, max_size=20))
def test_years_are_calendar_years(rows: list[tuple[date, int]]) -> None:
    days = np.array([day_number(day) for day, _ in rows], np.int32)
    later = add_years(days, np.array([years for _, years in rows], np.int64))
    for (day, years), number in zip(rows, later.tolist(), strict=True):
        plain = plain_later(day, years, "YEAR")
        assert plain is None or number == day_number(plain)


@MANY
@given(st.data())
def test_the_earliest_expiry_governs_and_a_malformed_one_before_all(data: st.DataObject) -> None:
    claims = data.draw(st.integers(1, 4))
    texts = st.one_of(st.none(), st.sampled_from(["2027-01-01", "2028-01-01", "2029-01-01", "x", "y"]))
    links = data.draw(st.lists(st.tuples(st.integers(0, claims - 1), texts), max_size=12))
    column = pa.array([text for _, text in links], pa.string())
    days = parse_days(column)
    ranks = np.array(
        [0 if text is None else ["", *sorted(t for _, t in links if t)].index(text) for _, text in links], np.int64
    )
    expiries = Expiries(days, np.ones(len(links), np.int8))
    governed = govern(expiries, ranks, np.array([claim for claim, _ in links], np.int64), claims)
    for claim in range(claims):
        own = [text for at, text in links if at == claim and text is not None]
        malformed = sorted(text for text in own if plain_day(text)[0] is DateState.INVALID)
        expected = malformed[0] if malformed else min(own, default=None)
        link = int(governed.link[claim])
        assert (links[link][1] if link >= 0 else None) == expected
        assert bool(governed.disagrees[claim]) == (len(set(own)) > 1)
