"""For how long nothing has succeeded, whoever or whatever is to blame."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from certrecon.warehouse import tables
from certrecon.warehouse.runs import is_night, is_success

HOURS: Final = 26.0
"""After so many hours without success somebody is told: a nightly run, and two hours for it to take its time."""

_RUN = tables.run.c
_LAST = func.max(_RUN.run_seq)
# A target that was left has its last success for ever. The nights say which one counts.
_PRESENT_TARGET = (
    select(
        _RUN.target,
        _LAST.label("last_run_seq"),
        _LAST.filter(is_success()).label("success_run_seq"),
        func.coalesce(func.max(_RUN.finished_at).filter(is_success()), func.min(_RUN.started_at)).label("since"),
    )
    .where(is_night())
    .group_by(_RUN.target)
    .order_by(_LAST.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Silence:
    """How long nothing has succeeded for the present target.

    Attributes:
        target: The target's digest.
        last_run_seq: Its last publishing run, whatever became of it.
        success_run_seq: Its last one that succeeded with a plan that nobody refused; None where there was none.
        since: When that one ended; where there was none, when the first one began.
        hours: How many hours ago that is.
    """

    target: str
    last_run_seq: int
    success_run_seq: int | None
    since: dt.datetime
    hours: float

    @property
    def problem(self) -> str:
        """What this silence is known by as long as it lasts: a success ends it, and the next one is another."""
        return f"{self.target}:{self.success_run_seq or 0}"


def read_silence(conn: Connection, now: dt.datetime) -> Silence | None:
    """Return how long ago a publishing run of all projects succeeded for the present target; None before the first one.

    Dry runs and runs limited to some projects are no success: the nightly run is the truth. A run whose plan was
    refused, or left without an answer, sent nothing and is none either. The present target is that
    of the last nightly run: after a move to another Ditio company nobody waits for a success at the old one.
    """
    row = conn.execute(_PRESENT_TARGET).one_or_none()
    if row is None:
        return None
    hours = (now - row.since).total_seconds() / 3600
    return Silence(row.target, row.last_run_seq, row.success_run_seq, row.since, hours)
