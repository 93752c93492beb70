"""The targets that runs were for; almost always one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

_TARGETS = text("""
    WITH RECURSIVE known AS (
        (SELECT target, run_seq FROM reconciliation.run ORDER BY target DESC, run_seq DESC LIMIT 1)
        UNION ALL
        SELECT n.target, n.run_seq
          FROM known
         CROSS JOIN LATERAL (
               SELECT r.target, r.run_seq FROM reconciliation.run AS r
                WHERE r.target < known.target ORDER BY r.target DESC, r.run_seq DESC LIMIT 1) AS n)
    SELECT r.target, r.run_seq, r.run_day, r.status
      FROM known JOIN reconciliation.run AS r USING (run_seq)
     ORDER BY r.run_seq DESC""")


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A target, known from its last run."""

    target: str
    last_run_seq: int
    last_run_day: dt.date
    last_status: str


def list_targets(conn: Connection) -> tuple[TargetLine, ...]:
    """Return every target, the one with the newest run first."""
    return tuple(TargetLine(*row) for row in conn.execute(_TARGETS))
