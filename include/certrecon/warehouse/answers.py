"""What Ditio answered: every request on the record, and the ledger's entries brought up to date.

An entry that was acknowledged keeps what was (`acknowledged_*`) while a newer payload waits, fails or is refused.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, text

from certrecon.errors import IntegrityError
from certrecon.schemas import ATTEMPT
from certrecon.warehouse.binary import copy_binary_in
from certrecon.warehouse.ledger import KEY
from certrecon.warehouse.runs import require_running
from certrecon.warehouse.storable import array_literals, storable

_OF_ROW = {
    "employee_number": "text", "certificate_type": "text", "payload_sha256": "text", "answered_at": "timestamptz",
}  # fmt: skip
"""What differs from row to row of the answers of one kind."""

_OF_KIND = {"http_status": "integer", "message": "text", "state": "text", "tries": "integer", "doubted": "boolean"}
"""What all rows of a kind share: the last answer, how many there were for the key, whether any leaves it in doubt."""

# Of a ledger that was written a moment ago PostgreSQL has no statistics or those of the empty one, and a join planned
# by them reads all of it for every call. So each key is looked up by itself (LATERAL and OFFSET keep it so), and its
# entry is then fetched by its place, the only kind of scan that is left.
_BY_PLACE = text(
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; "
    "SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off"
)
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
_ROWS = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _OF_ROW.items())
_KIND = ", ".join(f"CAST(:{name} AS {kind}) AS {name}" for name, kind in _OF_KIND.items())
_UPDATE = text(f"""
    UPDATE reconciliation.ditio_upsert AS u
       SET attempts = u.attempts + l.tries, http_status = l.http_status, message = l.message,
           run_seq = :run_seq, state = coalesce(l.state, u.state),
           in_doubt = l.state IS DISTINCT FROM 'acknowledged' AND (u.in_doubt OR l.doubted),
           {_ACKNOWLEDGED}
      FROM (SELECT r.*, {_KIND}, e.place
              FROM unnest({_ROWS}) AS r ({", ".join(_OF_ROW)})
             CROSS JOIN LATERAL (
                   SELECT o.ctid AS place FROM reconciliation.ditio_upsert AS o
                    WHERE o.target = :target AND o.employee_number = r.employee_number
                      AND o.certificate_type = r.certificate_type AND o.payload_sha256 = r.payload_sha256
                   OFFSET 0) AS e
            OFFSET 0) AS l
     WHERE u.ctid = l.place""")  # noqa: S608 - constants


def record_attempts(conn: Connection, run_seq: int, target: str, rows: pa.Table) -> None:
    """Append what one or more requests brought (schema `ATTEMPT`) and bring their entries up to date.

    Args:
        conn: A connection in a transaction; how it plans is another one from here to its end.
        run_seq: The run that writes; it must be running.
        target: The target's digest.
        rows: The rows, in the order of their answers.

    Raises:
        IntegrityError: A row is not in the outbox with this payload.
    """
    require_running(conn, run_seq)
    if not rows.num_rows:
        return
    answered = storable(rows.select(ATTEMPT.names).cast(ATTEMPT))
    with ThreadPoolExecutor(1) as beside:
        latest = beside.submit(_latest, answered)
        attempts = answered.drop_columns(["in_doubt"])
        copy_binary_in(conn, "ditio_attempt", attempts, {"run_seq": run_seq, "target": target})
        keys, kinds = latest.result()
    conn.execute(_BY_PLACE)
    own = {"run_seq": run_seq, "target": target}
    updated = sum(conn.execute(_UPDATE, kind | own).rowcount for kind in kinds)
    if updated != keys:
        raise IntegrityError(f"Answers for {keys} rows came in, but only {updated} of them are in the outbox.")


def _latest(answered: pa.Table) -> tuple[int, list[dict[str, Any]]]:
    """Return how many keys there are, and what came of them: for each kind its values, and an array a column."""
    placed = answered.append_column("place", pa.array(np.arange(answered.num_rows)))
    by_key = placed.group_by(KEY.names, use_threads=False)
    keys = by_key.aggregate([("place", "max"), ("in_doubt", "any"), ([], "count_all")])
    last = answered.take(keys.column("place_max"))
    last = last.append_column("tries", keys.column("count_all")).append_column("doubted", keys.column("in_doubt_any"))
    return last.num_rows, [_of_kind(last.take(rows)) for rows in _rows_by_kind(last)]


def _rows_by_kind(last: pa.Table) -> list[pa.Array]:
    """Return the places of the rows of each kind; nearly always there is one kind: acknowledged at once."""
    places = last.select(list(_OF_KIND)).append_column("place", pa.array(np.arange(last.num_rows)))
    kinds = places.group_by(list(_OF_KIND), use_threads=False).aggregate([("place", "list")])
    return [scalar.values for scalar in kinds.column("place_list")]


def _of_kind(rows: pa.Table) -> dict[str, Any]:
    shared = {name: rows.column(name)[0].as_py() for name in _OF_KIND}
    return shared | {name: _literal(rows.column(name).combine_chunks()) for name in _OF_ROW}


def _literal(values: pa.Array) -> str:
    """Return texts or instants as one PostgreSQL array."""
    # All rows of a request have one instant, and spelling it is slow.
    coded = values.dictionary_encode() if pa.types.is_timestamp(values.type) else None
    texts = values if coded is None else coded.dictionary.cast(pa.string()).take(coded.indices)
    return str(array_literals(pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts))[0])
