"""The forms in which 4HSE and Ditio write days, and numbers."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from certrecon.claims.dates import DateState, parse_days, parse_loose_days, parse_positive

MAY = dt.date(1990, 5, 17)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("2024-02-29", DateState.VALID),
        ("2023-02-29", DateState.INVALID),
        ("2024-04-31", DateState.INVALID),
        ("2024-00-10", DateState.INVALID),
        ("2024-13-01", DateState.INVALID),
        ("2024-01-00", DateState.INVALID),
        ("0000-01-01", DateState.INVALID),
        ("0001-01-01", DateState.VALID),
        ("9999-12-31", DateState.VALID),
        ("10000-01-01", DateState.INVALID),
        ("-2024-01-01", DateState.INVALID),
        ("2024-1-1", DateState.INVALID),
        ("20240101", DateState.INVALID),
        ("01.02.2024", DateState.INVALID),
        ("2024-01-01T00:00:00", DateState.INVALID),
        (" 2024-01-01", DateState.INVALID),
        ("2024-01-01\n", DateState.INVALID),
        ("٢٠٢٤-٠١-٠١", DateState.INVALID),
        ("", DateState.MISSING),
        ("  ", DateState.MISSING),
        (None, DateState.MISSING),
    ],
)
def test_days_of_4hse(text: str | None, state: DateState) -> None:
    assert parse_days(pa.array([text], pa.string())).state[0] == state


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1990-05-17", MAY),
        ("1990-05-17T00:00:00", MAY),
        ("1990-05-17T23:59:59.999Z", MAY),
        ("1990-05-17 00:00", MAY),
        ("17.05.1990", MAY),
        (" 17.05.1990 ", MAY),
        ("17/05/1990", None),
        ("05-17-1990", None),
        ("31.02.1990", None),
        ("1990-05-17X", None),
        ("", None),
        (None, None),
    ],
)
def test_days_of_ditio(text: str | None, day: dt.date | None) -> None:
    assert parse_loose_days(pa.array([text], pa.string())).to_dates().to_pylist() == [day]


def test_no_days_at_all() -> None:
    assert parse_days(pa.array([], pa.string())).to_dates().to_pylist() == []


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("03", 3), ("3.0", 3), ("0", 0), ("-3", 0), ("+3", 0), ("1.5", 0), ("1e3", 0), (" 3", 0), ("", 0), (None, 0),
     ("true", 0)],
)  # fmt: skip
def test_whole_numbers_above_zero(text: str | None, number: int) -> None:
    assert parse_positive(pa.array([text], pa.string())).tolist() == [number]


@pytest.mark.parametrize("digits", [8, 18, 19, 40])
def test_numbers_beyond_any_calendar(digits: int) -> None:
    """They lead past year 9999, however long they are; none becomes small by overflow."""
    assert parse_positive(pa.array(["9" * digits]))[0] > 3_700_000
