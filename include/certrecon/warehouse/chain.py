"""The hash chain of finalised runs: each link's digest covers the one before and the run's whole record.

Who changes a run's row must recompute its link and every later one, and the copies of the head that
were kept elsewhere no longer agree.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import Connection, text

from certrecon.errors import IntegrityError
from certrecon.warehouse.records import read_records
from certrecon.warehouse.runmodel import GENESIS, ChainLink, RunRecord
from certrecon.warehouse.runrow import read_run
from certrecon.warehouse.storable import storable_json, storable_text
from certrecon.words import RunStatus

__all__ = [
    "GENESIS", "ChainLink", "add_link", "canonical_record", "chain_digest", "hold_chain", "installation_id",
    "read_chain_head", "wait_for_chain",
]  # fmt: skip

# `sql/40_proof.sql` waits for the same lock.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('certrecon chain'))")
_WAIT = text("SELECT pg_advisory_xact_lock_shared(hashtext('certrecon chain'))")
_HEAD = text("""
    SELECT chain_no, run_seq, previous_sha256, chain_sha256, status
      FROM reconciliation.run WHERE chain_no IS NOT NULL ORDER BY chain_no DESC LIMIT 1""")
# Where the run stands in the chain is written first, so that the digest is made of the row as the
# warehouse holds it; the second statement is the last one that the row ever takes.
_PLACE = text("""
    UPDATE reconciliation.run
       SET chain_no = :chain_no, previous_sha256 = :previous_sha256, records = CAST(:records AS jsonb)
     WHERE run_seq = :run_seq RETURNING clock_timestamp()""")
_CLOSE = text("""
    UPDATE reconciliation.run
       SET status = :status, failure = :failure, finished_at = :finished_at, chain_sha256 = :chain_sha256
     WHERE run_seq = :run_seq""")
_INSTALLATION = text("SELECT installation_id FROM reconciliation.installation")


def hold_chain(conn: Connection) -> None:
    """Let nobody else finalise a run, load claims or pseudonymise until the transaction ends."""
    conn.execute(_LOCK)


def wait_for_chain(conn: Connection) -> None:
    """Wait until no finalising is under way, and let none begin until the transaction ends."""
    conn.execute(_WAIT)


def canonical_record(record: RunRecord) -> bytes:
    """Return the run's row as the chain covers it: JSON with sorted keys, of every column but `chain_sha256`.

    Instants are in UTC with microseconds, days as `YYYY-MM-DD`. The same row always gives the same bytes,
    so take it from `read_run` and not from the values that were written.
    """
    columns = {each.name: getattr(record, each.name) for each in fields(record) if each.name != "chain_sha256"}
    spelled = json.dumps(columns, default=_spelled, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return spelled.encode()


def chain_digest(previous_sha256: str, record: RunRecord) -> str:
    """Return the SHA-256, in hex, over the previous link's digest (its 64 digits) and the run's canonical record."""
    return hashlib.sha256(previous_sha256.encode() + canonical_record(record)).hexdigest()


def add_link(conn: Connection, run_seq: int, status: RunStatus, failure: str | None) -> ChainLink:
    """Finalise a run's row as the next link: its records, its place, how it ended, and its digest.

    The caller holds the lock of the run's row, has seen that the run is `running`, and has written
    everything else of the row. The chain's lock is held until the transaction ends; take no lock of
    another run's row after it.
    """
    hold_chain(conn)
    head = read_chain_head(conn)
    chain_no, previous = (head.chain_no + 1, head.chain_sha256) if head else (1, GENESIS)
    records = storable_json(read_records(conn, run_seq))
    place = {"run_seq": run_seq, "chain_no": chain_no, "previous_sha256": previous, "records": records}
    finished_at: dt.datetime = conn.execute(_PLACE, place).scalar_one()
    written = read_run(conn, run_seq)
    if written is None:
        raise IntegrityError(f"Run {run_seq} is gone while it is finalised.")
    ended = replace(written, status=status.value, failure=storable_text(failure), finished_at=finished_at)
    link = ChainLink(chain_no, run_seq, previous, chain_digest(previous, ended), status.value)
    conn.execute(_CLOSE, asdict(link) | {"failure": ended.failure, "finished_at": finished_at})
    return link


def read_chain_head(conn: Connection) -> ChainLink | None:
    """Return the last link, or null before the first run of the chain is finalised."""
    row = conn.execute(_HEAD).mappings().one_or_none()
    return None if row is None else ChainLink(**row)


def installation_id(conn: Connection) -> str:
    """Return which warehouse this is; it is given once, by the migration."""
    found: str = conn.execute(_INSTALLATION).scalar_one()
    return found


def _spelled(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"A run's row holds no {type(value).__name__}.")
