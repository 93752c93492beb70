"""The ledger: what a target has acknowledged and what waits, and every request that was made.

The outbox is written before the first request, so that no request is ever unknown here. What Ditio
last acknowledged (`acknowledged_*`) stays while a newer payload waits, fails or is refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, TextClause, text

from certrecon.errors import IntegrityError
from certrecon.warehouse.bulk import copy_out, stage
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

PLAN = pa.schema(
    [(name, pa.string()) for name in (
        "employee_number", "certificate_type", "certificate_id", "person_id", "tenant_id", "given_name",
        "family_name", "payload", "payload_sha256",
    )]
)  # fmt: skip
"""A row to send: its key, whose it is, and the payload as JSON text with its digest."""

ATTEMPT = pa.schema(
    [
        ("batch_id", pa.string()), ("employee_number", pa.string()), ("certificate_type", pa.string()),
        ("payload_sha256", pa.string()), ("sent_at", _INSTANT), ("answered_at", _INSTANT),
        ("http_status", pa.int32()), ("message", pa.string()), ("state", pa.string()),
        ("in_doubt", pa.bool_()),
    ]
)  # fmt: skip
"""One row of one request; `state` is `acknowledged`, `rejected` or null = nothing final came back."""

RECORDED_ATTEMPT = pa.schema([("attempt_id", pa.int64()), *(field for field in ATTEMPT if field.name != "in_doubt")])
"""One row of one request as it was recorded; nothing changes it any more."""

KEY = pa.schema([("employee_number", pa.string()), ("certificate_type", pa.string())])
"""The key of an entry within its target."""

STATE = pa.schema([*KEY, *(LEDGER.field(name) for name in ("state", "acknowledged_payload_sha256", "run_seq"))])
"""What became of an entry."""

_STATES_OF_RUN = f"""
    SELECT {", ".join(STATE.names)} FROM reconciliation.ditio_upsert
     WHERE target = %(target)s AND run_seq = %(run_seq)s
     ORDER BY employee_number, certificate_type"""  # noqa: S608 - constants
_OUTBOX_COLUMNS = ", ".join(PLAN.names)
_SET_PLANNED = ", ".join(f"{name} = EXCLUDED.{name}" for name in PLAN.names if name not in KEY.names)
_OF_ENTRY = "{0}.employee_number = u.employee_number AND {0}.certificate_type = u.certificate_type"
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
       AND NOT EXISTS (SELECT FROM outbox AS o WHERE {_OF_ENTRY.format("o")})""")  # noqa: S608 - constants
_SETTLE = text(f"""
    UPDATE reconciliation.ditio_upsert AS u
       SET {_SET_PLANNED.replace("EXCLUDED", "o")},
           state = 'acknowledged', http_status = NULL, message = NULL, run_seq = :run_seq
      FROM outbox AS o
     WHERE u.target = :target AND {_OF_ENTRY.format("o")}
       AND u.acknowledged_payload_sha256 = o.payload_sha256 AND NOT u.in_doubt
       AND u.state IN ('rejected', 'undelivered')""")  # noqa: S608 - constants
# A column a parameter, as JSON: a third of the time of psycopg's arrays, and these calls are many.
_COLUMNS = ", ".join(f"json_array_elements_text(CAST(:{name} AS json))" for name in ATTEMPT.names)
_CASTS = {
    "sent_at": "timestamptz",
    "answered_at": "timestamptz",
    "http_status": "integer",
    "in_doubt": "boolean",
}
_TYPED = ", ".join(f"CAST({name} AS {_CASTS[name]}) AS {name}" if name in _CASTS else name for name in ATTEMPT.names)
_ATTEMPTED = ", ".join(name for name in ATTEMPT.names if name != "in_doubt")
_IF_ACKNOWLEDGED = "{0} = CASE WHEN l.state = 'acknowledged' THEN {1} ELSE u.{0} END"
_ACKNOWLEDGED = ",\n           ".join(
    [
        _IF_ACKNOWLEDGED.format("acknowledged_payload_sha256", "l.payload_sha256"),
        _IF_ACKNOWLEDGED.format("acknowledged_at", "l.answered_at"),
        _IF_ACKNOWLEDGED.format("first_acknowledged_at", "coalesce(u.first_acknowledged_at, l.answered_at)"),
        *(
            _IF_ACKNOWLEDGED.format(f"acknowledged_{name}", f"u.{name}")
            for name in ("certificate_id", "person_id", "tenant_id", "given_name", "family_name")
        ),
    ]
)
_RECORD = text(f"""
    WITH answered AS (
        SELECT {_TYPED}, place
          FROM ROWS FROM ({_COLUMNS}) WITH ORDINALITY AS a ({", ".join(ATTEMPT.names)}, place)
    ), appended AS (
        INSERT INTO reconciliation.ditio_attempt (run_seq, target, {_ATTEMPTED})
        SELECT :run_seq, :target, {_ATTEMPTED} FROM answered ORDER BY place
    ), latest AS (
        SELECT DISTINCT ON (employee_number, certificate_type) *,
               count(*) OVER of_key AS tries, bool_or(in_doubt) OVER of_key AS doubted
          FROM answered
        WINDOW of_key AS (PARTITION BY employee_number, certificate_type)
         ORDER BY employee_number, certificate_type, place DESC
    )
    UPDATE reconciliation.ditio_upsert AS u
       SET attempts = u.attempts + l.tries, http_status = l.http_status, message = l.message,
           run_seq = :run_seq, state = coalesce(l.state, u.state),
           in_doubt = l.state IS DISTINCT FROM 'acknowledged' AND (u.in_doubt OR l.doubted),
           {_ACKNOWLEDGED}
      FROM latest AS l
     WHERE u.target = :target AND {_OF_ENTRY.format("l")}
       AND u.payload_sha256 = l.payload_sha256""")  # noqa: S608
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


def read_ledger_around(conn: Connection, target: str, certificates: Sequence[str], numbers: Sequence[str]) -> pa.Table:
    """Return the entries of some certificates and employee numbers, with payloads (schema `LEDGER` and `payload`).

    With them comes the entry that was acknowledged first for each certificate type, since a type's spelling is held
    against those that Ditio has.
    """
    values = {"target": target, "certificates": list(certificates), "numbers": list(numbers)}
    return copy_out(conn, _select(with_payload=True, where=_AROUND), values, _schema(with_payload=True))


def count_acknowledged(conn: Connection, target: str) -> int:
    """Return how many entries Ditio has acknowledged."""
    found: int = conn.execute(_COUNT_ACKNOWLEDGED, {"target": target}).scalar_one()
    return found


def read_states_of_run(conn: Connection, run_seq: int, target: str) -> pa.Table:
    """Return key, state and acknowledged payload of the entries that a run wrote last (schema `STATE`), by key."""
    return copy_out(conn, _STATES_OF_RUN, {"target": target, "run_seq": run_seq}, STATE)


def read_pending(conn: Connection, run_seq: int, target: str) -> pa.Table:
    """Return what this run's outbox still has to send, with payloads: all a retry needs."""
    query = _select(with_payload=True, where="AND run_seq = %(run_seq)s AND state = 'pending'")
    return copy_out(conn, query, {"target": target, "run_seq": run_seq}, _schema(with_payload=True))


def read_attempts(conn: Connection, run_seq: int) -> pa.Table:
    """Return every row of every request that a run made (schema `RECORDED_ATTEMPT`), in their order."""
    return copy_out(conn, _ATTEMPTS_OF_RUN, {"run_seq": run_seq}, RECORDED_ATTEMPT)


def write_outbox(
    conn: Connection,
    run_seq: int,
    target: str,
    plan: pa.Table,
    scope_tenants: list[str] | None = None,
    certificates: Sequence[str] | None = None,
) -> int:
    """Put the plan (schema `PLAN`) into the ledger as `pending` and return how many entries that changed.

    What was `pending` before is in doubt from here on, since nobody knows whether its request was
    made; what of it this plan does not send is `undelivered`, within the tenants or certificates that a
    limited run speaks of. A second call by the same run leaves alone what that run has settled, so a retry
    may pass the whole plan again.
    """
    require_running(conn, run_seq)
    named = None if certificates is None else list(certificates)
    values = {"run_seq": run_seq, "target": target, "tenants": scope_tenants, "certificates": named}
    return _merge(conn, plan, (_QUEUE, _LEFT_OVER), values)


def settle_acknowledged(conn: Connection, run_seq: int, target: str, delivered: pa.Table) -> int:
    """Return entries to `acknowledged` whose source went back to what Ditio acknowledged last.

    A was acknowledged, B refused, and the source says A again: there is nothing to send, and the
    ledger must not go on showing the refusal of B. `delivered` has schema `PLAN`; entries that are
    acknowledged already, or in doubt, are not touched. Returns how many changed.
    """
    require_running(conn, run_seq)
    return _merge(conn, delivered, (_SETTLE,), {"run_seq": run_seq, "target": target}) if delivered.num_rows else 0


def record_attempts(conn: Connection, run_seq: int, target: str, rows: pa.Table) -> None:
    """Append what one or more requests brought (schema `ATTEMPT`) and bring their entries up to date.

    Raises:
        IntegrityError: A row is not in the outbox with this payload.
    """
    require_running(conn, run_seq)
    if not rows.num_rows:
        return
    answered = storable(rows.select(ATTEMPT.names).cast(ATTEMPT))
    keys = answered.group_by(KEY.names).aggregate([]).num_rows
    values: dict[str, Any] = {name: _json_column(answered.column(name)) for name in ATTEMPT.names}
    updated = conn.execute(_RECORD, values | {"run_seq": run_seq, "target": target}).rowcount
    if updated != keys:
        raise IntegrityError(f"Answers for {keys} rows came in, but only {updated} of them are in the outbox.")


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


def _json_column(column: pa.ChunkedArray) -> str:
    return json.dumps(column.cast(pa.string()).to_pylist())


def _merge(conn: Connection, plan: pa.Table, statements: tuple[TextClause, ...], values: dict[str, Any]) -> int:
    stage(conn, "outbox", "ditio_upsert", plan.select(PLAN.names).cast(PLAN))
    return sum(conn.execute(statement, values).rowcount for statement in statements)


def _schema(*, with_payload: bool) -> pa.Schema:
    return LEDGER.append(pa.field("payload", pa.string())) if with_payload else LEDGER


def _select(*, with_payload: bool, where: str) -> str:
    names = ", ".join(_schema(with_payload=with_payload).names).replace("in_doubt", "in_doubt OR state = 'pending'")
    return f"""
        SELECT {names} FROM reconciliation.ditio_upsert WHERE target = %(target)s {where}
         ORDER BY employee_number, certificate_type"""  # noqa: S608 - constants
