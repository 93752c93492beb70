"""Targets for which nothing has succeeded for too long, whoever or whatever is to blame."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

HOURS: Final = 26.0
"""After so many hours without success somebody is told: a nightly run, and two hours for it to take its time."""

_TARGETS = text("""
    SELECT target, max(run_seq) AS last_run_seq,
           max(run_seq) FILTER (WHERE status IN ('succeeded', 'succeeded_with_rejects')) AS success_run_seq,
           coalesce(max(finished_at) FILTER (WHERE status IN ('succeeded', 'succeeded_with_rejects')),
                    min(started_at)) AS since
      FROM reconciliation.run
     WHERE mode = 'publish' AND scope = CAST('{"tenant_ids": []}' AS jsonb)
     GROUP BY target
     ORDER BY max(run_seq) DESC""")


@dataclass(frozen=True, slots=True)
class Silence:
    """How long nothing has succeeded for a target.

    Attributes:
        target: The target's digest.
        last_run_seq: Its last publishing run, whatever became of it.
        success_run_seq: Its last succeeded one; None where there was none.
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


def read_silences(conn: Connection, now: dt.datetime) -> tuple[Silence, ...]:
    """Return for every target how long ago a publishing run of all its projects succeeded, the newest target first.

    Dry runs and runs limited to some projects are no success: the nightly run is the truth.
    """
    rows = conn.execute(_TARGETS).all()
    return tuple(
        Silence(row.target, row.last_run_seq, row.success_run_seq, row.since, (now - row.since).total_seconds() / 3600)
        for row in rows
    )
