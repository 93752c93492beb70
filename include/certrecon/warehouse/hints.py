"""Hints that something changed in 4HSE: stored as they come, settled by the run that looked."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Connection, text

from certrecon.warehouse.bulk import copy_out
from certrecon.warehouse.runs import require_running
from certrecon.warehouse.storable import storable_text
from certrecon.words import ChangeEvent, HintSource

HINT = pa.schema(
    [
        pa.field("hint_id", pa.int64(), nullable=False),
        pa.field("received_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("event", pa.string(), nullable=False),
        pa.field("entity_id", pa.string(), nullable=False),
        pa.field("certificate_ids", pa.list_(pa.string()), nullable=False),
    ]
)
"""What `waiting_hints` and `hints_since` return."""

_ADD = text("""
    INSERT INTO reconciliation.change_hint (received_at, source, event, entity_id, certificate_ids)
    SELECT clock_timestamp(), h.source, h.event, h.entity_id,
           ARRAY(SELECT jsonb_array_elements_text(h.certificate_ids))
      FROM jsonb_to_recordset(CAST(:hints AS jsonb))
           AS h (source text, event text, entity_id text, certificate_ids jsonb)""")
_COLUMNS = ", ".join(HINT.names)
_WAITING = f"SELECT {_COLUMNS} FROM reconciliation.change_hint WHERE settled_run_seq IS NULL ORDER BY hint_id"  # noqa: S608
_SINCE = f"""
    SELECT {_COLUMNS} FROM reconciliation.change_hint WHERE received_at >= %(since)s ORDER BY hint_id"""  # noqa: S608
_ANY_WAITING = text("SELECT EXISTS (SELECT FROM reconciliation.change_hint WHERE settled_run_seq IS NULL)")
_COUNT_WAITING = text("SELECT count(*), max(hint_id) FROM reconciliation.change_hint WHERE settled_run_seq IS NULL")
_SETTLE = text("""
    UPDATE reconciliation.change_hint SET settled_run_seq = :run_seq
     WHERE hint_id = ANY (CAST(:ids AS bigint[])) AND settled_run_seq IS NULL""")
_SETTLE_BEFORE = text("""
    UPDATE reconciliation.change_hint SET settled_run_seq = :run_seq
     WHERE settled_run_seq IS NULL
       AND received_at < (SELECT started_at FROM reconciliation.run WHERE run_seq = :run_seq)""")
_PURGE = text("""
    DELETE FROM reconciliation.change_hint
     WHERE settled_run_seq IS NOT NULL AND received_at < clock_timestamp() - make_interval(days => :days)""")


@dataclass(frozen=True, slots=True)
class Hint:
    """Where to look in 4HSE.

    Attributes:
        event: What is said to have happened.
        entity_id: The certificate, link or person.
        certificate_ids: Of a link, the certificates it is said to tie or to have tied, where known.
        source: Who says so.
    """

    event: ChangeEvent
    entity_id: str
    certificate_ids: tuple[str, ...] = ()
    source: HintSource = HintSource.WEBHOOK


@dataclass(frozen=True, slots=True)
class Waiting:
    """The hints that no run has settled.

    Attributes:
        hints: How many there are.
        newest: The number of the one that came last, null where there is none.
    """

    hints: int
    newest: int | None


def add_hints(conn: Connection, hints: Iterable[Hint]) -> int:
    """Store hints and return how many; none is refused for being there already."""
    rows = [
        {
            "source": hint.source.value,
            "event": hint.event.value,
            "entity_id": storable_text(hint.entity_id),
            "certificate_ids": [storable_text(one) for one in hint.certificate_ids],
        }
        for hint in hints
    ]
    return conn.execute(_ADD, {"hints": json.dumps(rows)}).rowcount if rows else 0


def hints_wait(conn: Connection) -> bool:
    """Return whether there is a hint that no run has settled."""
    found: bool = conn.execute(_ANY_WAITING).scalar_one()
    return found


def count_waiting(conn: Connection) -> Waiting:
    """Return how many hints no run has settled, and which came last."""
    return Waiting(*conn.execute(_COUNT_WAITING).one())


def waiting_hints(conn: Connection) -> pa.Table:
    """Return the hints that no run has settled (schema `HINT`), in the order in which they came."""
    return copy_out(conn, _WAITING, {}, HINT)


def hints_since(conn: Connection, since: dt.datetime) -> pa.Table:
    """Return the hints that came at or after a moment (schema `HINT`), settled ones too."""
    return copy_out(conn, _SINCE, {"since": since}, HINT)


def settle_hints(conn: Connection, run_seq: int, hint_ids: Sequence[int]) -> int:
    """Say that a running run has looked where these hints point, and return how many waited for it."""
    require_running(conn, run_seq)
    return conn.execute(_SETTLE, {"run_seq": run_seq, "ids": list(hint_ids)}).rowcount


def settle_hints_before(conn: Connection, run_seq: int) -> int:
    """Settle what came before a running run began, since it has read everything; return how many waited."""
    require_running(conn, run_seq)
    return conn.execute(_SETTLE_BEFORE, {"run_seq": run_seq}).rowcount


def purge_hints(conn: Connection, days: int) -> int:
    """Remove settled hints that came more than so many days ago, and return how many those were."""
    return conn.execute(_PURGE, {"days": days}).rowcount
