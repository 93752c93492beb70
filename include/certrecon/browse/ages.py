"""How old something is, in runs and in days."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from sqlalchemy import Connection, text

_RUNS = text("""
    SELECT run_seq, run_day - DATE '2000-01-01' AS day FROM reconciliation.run
     WHERE target = :target AND mode = 'publish' AND status <> 'running' AND dispositions IS NOT NULL
     ORDER BY run_seq""")


@dataclass(frozen=True, slots=True)
class Ages:
    """The finalised publishing runs of a target that judged claims, oldest first: numbers, and days as numbers."""

    runs: tuple[int, ...]
    days: tuple[int, ...]

    def since(self, run_seq: int) -> tuple[int, int]:
        """Return how many runs left something so since `run_seq`, and the days from the first to the last."""
        place = bisect_left(self.runs, run_seq)
        count = len(self.runs) - place
        return count, max(0, self.days[-1] - self.days[place]) if count else 0


def read_ages(conn: Connection, target: str) -> Ages:
    """Return the ages of a target's runs."""
    rows = conn.execute(_RUNS, {"target": target}).all()
    return Ages(tuple(row.run_seq for row in rows), tuple(row.day for row in rows))
