"""What lies ahead and how runs went: expiries by week, dispositions by run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from certrecon.words import Disposition


@dataclass(frozen=True, slots=True)
class Outlook:
    """What expires in the 90 days from the day on which validity is judged, of what Ditio has or should have.

    Attributes:
        weeks: The Mondays of the weeks, in order, weeks in which nothing expires among them.
        counts: Claims that expire by certificate type, one count a week, the most frequent type first;
            `other types` last where there are more than eight types.
    """

    weeks: tuple[dt.date, ...] = ()
    counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many expire in all."""
        return sum(sum(own) for own in self.counts.values())


@dataclass(frozen=True, slots=True)
class TrendRun:
    """A run of the trend.

    Attributes:
        run_seq: Its number.
        run_day: Its day.
        mode: Its mode; only the last one can be a dry run.
        status: How it ended; None for the run of the report itself.
        limited: Whether it speaks of some tenants or certificates only.
        claims: How many claims it had.
        dispositions: Its claims by disposition, all nine.
    """

    run_seq: int
    run_day: dt.date
    mode: str
    status: str | None
    limited: bool
    claims: int
    dispositions: Mapping[Disposition, int]
