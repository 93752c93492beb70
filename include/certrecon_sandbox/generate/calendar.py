"""Dates as days from today, as ISO text."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache


class Calendar:
    """Turns offsets from `today` into dates; each is made once."""

    def __init__(self, today: dt.date) -> None:
        """Fix today."""
        self.today = today
        self.day = lru_cache(maxsize=None)(self._day)

    def _day(self, offset: int) -> str:
        return (self.today + dt.timedelta(days=offset)).isoformat()


def plus_years(day: str, years: int) -> str:
    """Move an ISO date by calendar years; 29 February becomes the 28th where there is none."""
    moved = int(day[:4]) + years
    if day.endswith("-02-29") and not (moved % 4 == 0 and (moved % 100 != 0 or moved % 400 == 0)):
        return f"{moved:04d}-02-28"
    return f"{moved:04d}{day[4:]}"
