"""The ledger: what a target has acknowledged and what waits, and every request that was made.

The outbox is written before the first request, so that no request is ever unknown here. What Ditio
last acknowledged (`acknowledged_*`) stays while a newer payload waits, fails or is refused.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, TextClause, text

from certrecon.schemas import ATTEMPT, LEDGER_STATES
from certrecon.warehouse.binary import copy_binary_in
from certrecon.warehouse.bulk import copy_batches, copy_out, stage
from certrecon.warehouse.runs import require_running
from certrecon.warehouse.storable import storable

_INSTANT = pa.timestamp("us", "UTC")
LEDGER = pa.schema(
    [
        ("employee_number", pa.string()), ("certificate_type", pa.string()), ("certificate_id", pa.string()),
        ("person_id", pa.string()), ("tenant_id", pa.string()), ("given_name", pa.string()),
        ("family_name", pa.string()), ("payload_sha256", pa.string()), ("state", pa.string()),
        ("in_doubt", pa.bool_()), ("acknowledged_payload_sha256", pa.string()), ("acknowledged_at", _INSTANT),
        ("first_acknowledged_at", _INSTANT), ("acknowledged_certificate_id", pa.string()),
        ("acknowledged_person_id", pa.string()), ("acknowledged_tenant_id", pa.string()),
        ("acknowledged_given_name", pa.string()), ("acknowledged_family_name", pa.string()),
        ("attempts", pa.int32()), ("http_status", pa.int32()), ("message", pa.string()),
        ("run_seq", pa.int64()),
    ]
)  # fmt: skip
"""What `read_ledger` returns, and `payload` as JSON text when asked for."""

LEDGER_WITH_PAYLOAD = LEDGER.append(pa.field("payload", pa.string()))
"""The same with `payload`."""

PLAN = pa.schema(
    [(name, pa.string()) for name in (
        "employee_number", "certificate_type", "certificate_id", "person_id", "tenant_id", "given_name",
        "family_name", "payload", "payload_sha256",
    )]
)  # fmt: skip
"""A row to send: its key, whose it is, and the payload as JSON text with its digest."""

RECORDED_ATTEMPT = pa.schema([("attempt_id", pa.int64()), *(field for field in ATTEMPT if field.name != "in_doubt")])
"""One row of one request as it was recorded; nothing changes it any more."""

KEY = pa.schema([("employee_number", pa.string()), ("certificate_type", pa.string())])
"""The key of an entry within its target."""

# A row a type and state, since a message a row costs more than all else.
_STATES_OF_RUN = text("""
    SELECT certificate_type, state, json_agg(employee_number) AS numbers FROM reconciliation.ditio_upsert
     WHERE target = :target AND run_seq = :run_seq
     GROUP BY certificate_type, state""")
_OUTBOX_COLUMNS = ", ".join(PLAN.names)
_SET_PLANNED = ", ".join(f"{name} = EXCLUDED.{name}" for name in PLAN.names if name not in KEY.names)
_OF_ENTRY = "{0}.employee_number = u.employee_number AND {0}.certificate_type = u.certificate_type"
_ANY = text("SELECT EXISTS (SELECT FROM reconciliation.ditio_upsert WHERE target = :target)")
_COUNT_PENDING = text("""
    SELECT count(*) FROM reconciliation.ditio_upsert WHERE target = :target AND state = 'pending'""")
_KNOWN = f"""
    SELECT p.employee_number, p.certificate_type
      FROM planned AS p JOIN reconciliation.ditio_upsert AS u ON {_OF_ENTRY.format("p")}
     WHERE u.target = %(target)s"""  # noqa: S608 - constants
_SETTLED = f"{_KNOWN} AND u.state <> 'pending'"
# A row that this very run has settled is not sent again when the run's publishing is retried. A row
# that is `pending` already may have been sent by whoever wrote it and died: it is in doubt.
_QUEUE = text(f"""
    INSERT INTO reconciliation.ditio_upsert AS u (target, {_OUTBOX_COLUMNS}, state, run_seq)
    SELECT :target, {_OUTBOX_COLUMNS}, 'pending', :run_seq FROM outbox
     ORDER BY employee_number, certificate_type
        ON CONFLICT (target, employee_number, certificate_type) DO UPDATE
       SET {_SET_PLANNED}, state = 'pending', run_seq = EXCLUDED.run_seq, http_status = NULL, message = NULL,
           in_doubt = u.in_doubt OR u.state = 'pending'
     WHERE NOT (u.run_seq = EXCLUDED.run_seq AND u.payload_sha256 = EXCLUDED.payload_sha256
                AND (u.state IN ('acknowledged', 'rejected') OR (u.state = 'pending' AND u.in_doubt)))""")  # noqa: S608
_LEFT_OVER = text(f"""
    UPDATE reconciliation.ditio_upsert AS u SET state = 'undelivered', in_doubt = true, run_seq = :run_seq
     WHERE u.target = :target AND u.state = 'pending'
       AND (CAST(:tenants AS text[]) IS NULL OR u.tenant_id = ANY (CAST(:tenants AS text[])))
       AND (CAST(:certificates AS text[]) IS NULL OR u.certificate_id = ANY (CAST(:certificates AS text[])))
       AND NOT EXISTS (SELECT FROM planned AS p WHERE {_OF_ENTRY.format("p")})""")  # noqa: S608 - constants
_SETTLE = text(f"""
    UPDATE reconciliation.ditio_upsert AS u
       SET {_SET_PLANNED.replace("EXCLUDED", "o")},
           state = 'acknowledged', http_status = NULL, message = NULL, run_seq = :run_seq
      FROM outbox AS o
     WHERE u.target = :target AND {_OF_ENTRY.format("o")}
       AND u.acknowledged_payload_sha256 = o.payload_sha256 AND NOT u.in_doubt
       AND u.state IN ('rejected', 'undelivered')""")  # noqa: S608 - constants
_ATTEMPTS_OF_RUN = f"""
    SELECT {", ".join(RECORDED_ATTEMPT.names)} FROM reconciliation.ditio_attempt
     WHERE run_seq = %(run_seq)s ORDER BY attempt_id"""  # noqa: S608 - constants
_AROUND = """
           AND (employee_number = ANY (%(numbers)s)
                OR certificate_id = ANY (%(certificates)s) OR acknowledged_certificate_id = ANY (%(certificates)s)
                OR (employee_number, certificate_type) IN (
                   SELECT DISTINCT ON (f.certificate_type) f.employee_number, f.certificate_type
                     FROM reconciliation.ditio_upsert AS f
                    WHERE f.target = %(target)s AND f.acknowledged_payload_sha256 IS NOT NULL
                    ORDER BY f.certificate_type, f.first_acknowledged_at, f.employee_number))"""
_DELIVERED = text("""
    SELECT DISTINCT acknowledged_certificate_id FROM reconciliation.ditio_upsert
     WHERE target = :target AND employee_number = ANY (CAST(:numbers AS text[]))
       AND acknowledged_certificate_id IS NOT NULL""")
_COUNT_ACKNOWLEDGED = text("""
    SELECT count(*) FROM reconciliation.ditio_upsert
     WHERE target = :target AND acknowledged_payload_sha256 IS NOT NULL""")
_UNDELIVERED = text(f"""
    UPDATE reconciliation.ditio_upsert AS u
       SET state = 'undelivered',
           in_doubt = u.in_doubt OR EXISTS (SELECT FROM doubted AS d WHERE {_OF_ENTRY.format("d")})
     WHERE u.target = :target AND u.run_seq = :run_seq AND u.state = 'pending'""")  # noqa: S608 - constants


def read_ledger(conn: Connection, target: str, *, with_payload: bool = False) -> pa.Table:
    """Return every entry of the target (schema `LEDGER`), by key.

    An entry still `pending` counts as in doubt: whoever wrote it may have sent it before it died.
    """
    return copy_out(
        conn,
        _select(with_payload=with_payload, where=""),
        {"target": target},
        _schema(with_payload=with_payload),
    )


def ledger_batches(conn: Connection, target: str) -> Generator[pa.Table, None, None]:
    """Yield what `read_ledger` returns with payloads, some megabytes at a time; see `copy_batches`."""
    query, schema = _select(with_payload=True, where=""), LEDGER_WITH_PAYLOAD
    return copy_batches(conn, query, {"target": target}, schema)


def read_ledger_around(conn: Connection, target: str, certificates: Sequence[str], numbers: Sequence[str]) -> pa.Table:
    """Return the entries of some certificates and employee numbers, with payloads (schema `LEDGER` and `payload`).

    With them comes the entry that was acknowledged first for each certificate type, since a type's spelling is held
    against those that Ditio has.
    """
    values = {"target": target, "certificates": list(certificates), "numbers": list(numbers)}
    return copy_out(conn, _select(with_payload=True, where=_AROUND), values, _schema(with_payload=True))


def delivered_certificates(conn: Connection, target: str, numbers: Sequence[str]) -> set[str]:
    """Return the certificates that Ditio acknowledged last for some employee numbers."""
    return set(conn.execute(_DELIVERED, {"target": target, "numbers": list(numbers)}).scalars())


def count_acknowledged(conn: Connection, target: str) -> int:
    """Return how many entries Ditio has acknowledged."""
    found: int = conn.execute(_COUNT_ACKNOWLEDGED, {"target": target}).scalar_one()
    return found


def read_states_of_run(conn: Connection, run_seq: int, target: str) -> pa.Table:
    """Return key and state of the entries that a run wrote last (schema `LEDGER_STATES`), in no order."""
    found = conn.execute(_STATES_OF_RUN, {"run_seq": run_seq, "target": target}).all()
    parts = [
        pa.table([row.numbers, *(pa.repeat(one, len(row.numbers)) for one in row[:2]),
                  pa.repeat(pa.scalar(run_seq, pa.int64()), len(row.numbers))], schema=LEDGER_STATES)
        for row in found
    ]  # fmt: skip
    return pa.concat_tables(parts).combine_chunks() if parts else LEDGER_STATES.empty_table()


def read_attempts(conn: Connection, run_seq: int) -> pa.Table:
    """Return every row of every request that a run made (schema `RECORDED_ATTEMPT`), in their order."""
    return copy_out(conn, _ATTEMPTS_OF_RUN, {"run_seq": run_seq}, RECORDED_ATTEMPT)


def attempt_batches(conn: Connection, run_seq: int) -> Generator[pa.Table, None, None]:
    """Yield what `read_attempts` returns, some megabytes at a time; see `copy_batches`."""
    return copy_batches(conn, _ATTEMPTS_OF_RUN, {"run_seq": run_seq}, RECORDED_ATTEMPT)


@dataclass(frozen=True, slots=True)
class Queued:
    """What became of a plan in the ledger.

    Attributes:
        changed: How many entries changed.
        left: What of the plan is to be sent (schema `PLAN`, as the ledger holds it), in the plan's order but for what
            an earlier try of the same run has settled.
    """

    changed: int
    left: pa.Table


def write_outbox(
    conn: Connection,
    run_seq: int,
    target: str,
    plan: pa.Table,
    scope_tenants: list[str] | None = None,
    certificates: Sequence[str] | None = None,
) -> Queued:
    """Put the plan (schema `PLAN`, no key twice) into the ledger as `pending`.

    What was `pending` before is in doubt from here on, since nobody knows whether its request was
    made; what of it this plan does not send is `undelivered`, within the tenants or certificates that a
    limited run speaks of. A second call by the same run leaves alone what that run has settled, so a retry
    may pass the whole plan again.
    """
    require_running(conn, run_seq)
    rows = storable(plan.select(PLAN.names).cast(PLAN))
    # No other run of the target can write entries before this transaction ends: the run's row is locked.
    if not conn.execute(_ANY, {"target": target}).scalar_one():
        _append(conn, run_seq, target, rows)
        return Queued(rows.num_rows, rows)
    waiting: int = conn.execute(_COUNT_PENDING, {"target": target}).scalar_one()
    if not rows.num_rows and not waiting:
        return Queued(0, rows)
    named = None if certificates is None else list(certificates)
    values = {"run_seq": run_seq, "target": target, "tenants": scope_tenants, "certificates": named}
    stage(conn, "planned", "ditio_upsert", rows.select(KEY.names))
    changed = _queue(conn, rows, values) if rows.num_rows else 0
    changed += conn.execute(_LEFT_OVER, values).rowcount if waiting else 0
    settled = copy_out(conn, _SETTLED, values, KEY)
    return Queued(changed, rows.filter(pc.invert(_are_among(rows, settled))) if settled.num_rows else rows)


def _append(conn: Connection, run_seq: int, target: str, rows: pa.Table) -> None:
    """Write entries (schema `PLAN`, storable) that are not in the ledger yet."""
    copy_binary_in(conn, "ditio_upsert", rows, {"target": target, "state": "pending", "run_seq": run_seq})


def _queue(conn: Connection, rows: pa.Table, values: dict[str, Any]) -> int:
    """Write entries, some of which are in the ledger already; return how many that changed."""
    known = _are_among(rows, copy_out(conn, _KNOWN, values, KEY))
    old, new = rows.filter(known), rows.filter(pc.invert(known))
    _append(conn, values["run_seq"], values["target"], new)
    merged = _merge(conn, old, _QUEUE, values) if old.num_rows else 0
    return int(new.num_rows) + merged


def _are_among(rows: pa.Table, keys: pa.Table) -> pa.ChunkedArray:
    """Return of each row whether its key is one of the others."""
    return pc.is_in(_spelled_keys(rows), value_set=_spelled_keys(keys).combine_chunks())


def _spelled_keys(rows: pa.Table) -> pa.ChunkedArray:
    """Return each key as one text; with its length before it no two are spelled alike."""
    number, kind = (rows.column(name) for name in KEY.names)
    return pc.binary_join_element_wise(pc.utf8_length(number).cast(pa.string()), number, kind, " ")


def settle_acknowledged(conn: Connection, run_seq: int, target: str, delivered: pa.Table) -> int:
    """Return entries to `acknowledged` whose source went back to what Ditio acknowledged last.

    A was acknowledged, B refused, and the source says A again: there is nothing to send, and the
    ledger must not go on showing the refusal of B. `delivered` has schema `PLAN`; entries that are
    acknowledged already, or in doubt, are not touched. Returns how many changed.
    """
    require_running(conn, run_seq)
    return _merge(conn, delivered, _SETTLE, {"run_seq": run_seq, "target": target}) if delivered.num_rows else 0


def mark_undelivered(conn: Connection, run_seq: int, target: str, in_doubt_keys: pa.Table) -> int:
    """Make what this run has still `pending` `undelivered`, and return how many entries that are.

    Args:
        conn: A connection in a transaction.
        run_seq: The run that writes; it must be running.
        target: The target's digest.
        in_doubt_keys: Keys (schema `KEY`) of rows whose request was made and not answered.
    """
    require_running(conn, run_seq)
    stage(conn, "doubted", "ditio_upsert", in_doubt_keys.select(KEY.names).cast(KEY))
    return conn.execute(_UNDELIVERED, {"run_seq": run_seq, "target": target}).rowcount


def _merge(conn: Connection, rows: pa.Table, statement: TextClause, values: dict[str, Any]) -> int:
    stage(conn, "outbox", "ditio_upsert", rows.select(PLAN.names).cast(PLAN))
    changed: int = conn.execute(statement, values).rowcount
    return changed


def _schema(*, with_payload: bool) -> pa.Schema:
    return LEDGER_WITH_PAYLOAD if with_payload else LEDGER


def _select(*, with_payload: bool, where: str) -> str:
    names = ", ".join(_schema(with_payload=with_payload).names).replace("in_doubt", "in_doubt OR state = 'pending'")
    return f"""
        SELECT {names} FROM reconciliation.ditio_upsert WHERE target = %(target)s {where}
         ORDER BY employee_number, certificate_type"""  # noqa: S608 - constants
