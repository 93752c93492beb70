"""Calendar days as integers, vectorised: parsing, validity periods, plausible years.

A day is the number of days since 1970-01-01 (`int32`), beside a state that says whether there is
one. Dates are `YYYY-MM-DD` (4HSE Certificate API, *string format: date*).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import Bools, Coded, Rows

Ints = npt.NDArray[np.int64]
DayNumbers = npt.NDArray[np.int32]

EPOCH = dt.date(1970, 1, 1)
LAST_DAY = (dt.date.max - EPOCH).days
FIRST_DAY = (dt.date.min - EPOCH).days
MOST_UNITS = 4_000_000
"""More units than lead past year 9999 from anywhere, in every unit."""

MOST_DIGITS = 18
"""More digits than any number of 64 bits is sure to hold."""

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_POSITIVE = r"^[0-9]+(\.0+)?$"


class DateState(IntEnum):
    """Whether a date is there and can be read."""

    MISSING = 0
    INVALID = 1
    VALID = 2


@dataclass(frozen=True, slots=True)
class Days:
    """A column of days.

    Attributes:
        state: `DateState` of each row, `int8`.
        day: Day number where the state is VALID, else 0, `int32`.
    """

    state: npt.NDArray[np.int8]
    day: DayNumbers

    @classmethod
    def missing(cls, rows: int) -> Days:
        """Return `rows` missing days."""
        return cls(np.zeros(rows, np.int8), np.zeros(rows, np.int32))

    @property
    def valid(self) -> Bools:
        """Which rows have a readable day."""
        return np.asarray(self.state == DateState.VALID)

    def take(self, positions: Rows) -> Days:
        """Return the rows at `positions`; -1 takes a missing day."""
        return Days(np.append(self.state, np.int8(0))[positions], np.append(self.day, np.int32(0))[positions])

    def otherwise(self, other: Days) -> Days:
        """Return these days, and those of `other` where these are missing."""
        missing = self.state == DateState.MISSING
        return Days(np.where(missing, other.state, self.state), np.where(missing, other.day, self.day))

    def to_dates(self) -> pa.Array:
        """Return an Arrow `date32` column; null where there is no readable day."""
        return pa.array(self.day, pa.int32(), mask=~self.valid).cast(pa.date32())


def day_number(day: dt.date) -> int:
    """Return the day number of a date."""
    return (day - EPOCH).days


def _days_of_months(months: Ints) -> tuple[Ints, Ints]:
    """Return first day number and length in days of months counted from 1970-01."""
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    following = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return first, following - first


def _parse_distinct(texts: pa.Array) -> Days:
    blank = np.asarray(pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), True))
    shaped = np.asarray(pc.fill_null(pc.match_substring_regex(texts, _DATE), False))
    digits = pc.if_else(pa.array(shaped), texts, pa.scalar("0001-01-01"))
    year, month, day = (
        np.asarray(pc.utf8_slice_codeunits(digits, start, stop).cast(pa.int64()))
        for start, stop in ((0, 4), (5, 7), (8, 10))
    )
    real = shaped & (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    first, length = _days_of_months(np.where(real, (year - 1970) * 12 + month - 1, 0))
    real &= day <= length
    state = np.where(real, DateState.VALID, np.where(blank, DateState.MISSING, DateState.INVALID))
    return Days(state.astype(np.int8), np.where(real, first + day - 1, 0).astype(np.int32))


def parse_days(column: pa.Array | Coded) -> Days:
    """Read a string column of dates.

    Null and blank are MISSING; what is no calendar date `YYYY-MM-DD` of the years 1 to 9999 is INVALID.
    """
    coded = Coded.of(column)
    return _parse_distinct(coded.texts).take(coded.codes)


def parse_loose_days(column: pa.Array) -> Days:
    """Read dates as Ditio writes them: also with a time of day, and `dd.MM.yyyy` (apis.md 3.4)."""
    dotted = pc.replace_substring_regex(column, r"^\s*([0-9]{2})\.([0-9]{2})\.([0-9]{4})\s*$", r"\3-\2-\1")
    return parse_days(pc.replace_substring_regex(dotted, r"^\s*([0-9]{4}-[0-9]{2}-[0-9]{2})([T ].*)?$", r"\1"))


def _clamped_months(day: Ints, months: Ints) -> Ints:
    """Return the day that many months later; a day past the month's end becomes its last."""
    start = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    day_of_month = day - _days_of_months(start)[0]
    first, length = _days_of_months(start + months)
    return np.asarray(first + np.minimum(day_of_month, length - 1))


def add_years(day: DayNumbers, years: npt.NDArray[np.int64]) -> Ints:
    """Return the day numbers that many calendar years later; 29 February clamps to the 28th."""
    return _clamped_months(day.astype(np.int64), years.astype(np.int64) * 12)


def parse_positive(column: pa.Array) -> Ints:
    """Read whole numbers above zero from a string column, however large; everything else is 0."""
    fits = pc.fill_null(pc.match_substring_regex(column, _POSITIVE), False)
    whole = pc.replace_substring_regex(pc.if_else(fits, column, pa.scalar("0")), r"^0+|\.0+$", "")
    huge = pc.greater(pc.utf8_length(whole), MOST_DIGITS)
    digits = pc.if_else(huge, pa.scalar(str(MOST_UNITS)), pc.if_else(pc.equal(whole, ""), pa.scalar("0"), whole))
    return np.asarray(digits.cast(pa.int64()))


def add_validity(start: Days, count: Ints, unit: pa.Array | Coded) -> Days:
    """Return `start` plus `count` times `unit`.

    Args:
        start: Issue dates.
        count: Numbers of units; 0 means none.
        unit: String column `YEAR`, `MONTH` or `DAY`; anything else means none.

    Returns:
        Missing where there is no start, count or unit; INVALID past year 9999 (*Fine print*, expiry).
    """
    units = Coded.of(unit)
    months = np.select([np.asarray(pc.equal(units.texts, name)) for name in ("YEAR", "MONTH", "DAY")], [12, 1, 0], -1)
    months_per_unit = np.append(months, -1)[units.codes]
    there = start.valid & (count > 0) & (months_per_unit >= 0)
    number = np.where(there, np.minimum(count, MOST_UNITS), 0)
    day = start.day.astype(np.int64)
    later = np.where(months_per_unit > 0, _clamped_months(day, number * np.maximum(months_per_unit, 0)), day + number)
    fits = later <= LAST_DAY
    state = np.where(there, np.where(fits, DateState.VALID, DateState.INVALID), DateState.MISSING)
    return Days(state.astype(np.int8), np.where(there & fits, later, 0).astype(np.int32))
