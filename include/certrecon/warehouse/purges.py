"""Removals of evidence past its retention, on the record."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from certrecon.warehouse.storable import storable_text

_RECORD = text("""
    INSERT INTO reconciliation.evidence_purge (run_seq, sha256, purged_at, reason)
    VALUES (:run_seq, :sha256, clock_timestamp(), :reason)""")
_READ = text("SELECT run_seq, sha256, purged_at, reason FROM reconciliation.evidence_purge ORDER BY purge_id")


@dataclass(frozen=True, slots=True)
class Purge:
    """A removal of evidence.

    Attributes:
        run_seq: The run whose evidence was removed.
        sha256: The digest of the removed part.
        purged_at: When it was put on the record.
        reason: Why, in words.
    """

    run_seq: int
    sha256: str
    purged_at: dt.datetime
    reason: str


def record_purge(conn: Connection, run_seq: int, sha256: str, reason: str) -> None:
    """Put the removal of a part of a run's evidence on the record; do so before the files go."""
    conn.execute(_RECORD, {"run_seq": run_seq, "sha256": sha256, "reason": storable_text(reason)})


def purged_runs(conn: Connection) -> dict[int, tuple[Purge, ...]]:
    """Return every removal by run, in the order in which they were recorded."""
    found: dict[int, tuple[Purge, ...]] = {}
    for row in conn.execute(_READ).mappings():
        purge = Purge(**row)
        found[purge.run_seq] = (*found.get(purge.run_seq, ()), purge)
    return found
