"""How old something is, in runs and in days."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from sqlalchemy import Connection, text

_RUNS = text("""
    SELECT run_seq, run_day - DATE '2000-01-01' AS day, scope ? 'by' AS by_hints FROM reconciliation.run
     WHERE target = :target AND mode = 'publish' AND status <> 'running' AND dispositions IS NOT NULL
     ORDER BY run_seq""")


@dataclass(frozen=True, slots=True)
class Ages:
    """The finalised publishing runs of a target that judged claims.

    Attributes:
        runs: Their numbers, the oldest first.
        days: Their days as numbers.
        counted: The numbers of those that followed no hints; runs by hints may come every ten minutes.
    """

    runs: tuple[int, ...]
    days: tuple[int, ...]
    counted: tuple[int, ...]

    def since(self, run_seq: int) -> tuple[int, int]:
        """Return how many runs left something so since `run_seq`, and the days from the first to the last.

        Of runs by hints only `run_seq` itself counts, as in the report.
        """
        return self._count(run_seq), self._days(run_seq)

    def _count(self, run_seq: int) -> int:
        place = bisect_left(self.counted, run_seq)
        is_counted = self.counted[place : place + 1] == (run_seq,)
        return len(self.counted) - place + (not is_counted)

    def _days(self, run_seq: int) -> int:
        place = bisect_left(self.runs, run_seq)
        return max(0, self.days[-1] - self.days[place]) if place < len(self.runs) else 0


def read_ages(conn: Connection, target: str) -> Ages:
    """Return the ages of a target's runs."""
    rows = conn.execute(_RUNS, {"target": target}).all()
    counted = tuple(row.run_seq for row in rows if not row.by_hints)
    return Ages(tuple(row.run_seq for row in rows), tuple(row.day for row in rows), counted)
