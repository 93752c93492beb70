"""What a run wrote into tables that only grow: how many rows, and one digest a set.

They are part of the run's row and so of the chain: a row that is changed, deleted or added afterwards
no longer agrees with the record of its run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np
import pyarrow as pa
from psycopg import sql
from sqlalchemy import Connection, text

from certrecon.warehouse.bulk import copy_batches
from certrecon.warehouse.digests import row_digests
from certrecon.warehouse.engine import driver
from certrecon.warehouse.tables import SCHEMA

Record = dict[str, Any]
"""`rows` and `sha256`, and for sets that no run owns `upto`: the last id that the record covers."""

_WITHDRAWN = (
    "withdrawn_id", "target", "employee_number", "certificate_type", "certificate_id", "reason", "first_run_seq",
)  # fmt: skip
_DANGLING = (
    "dangling_id", "target", "tenant_id", "certificate_action_id", "certificate_id", "action_name", "action_type",
    "first_run_seq",
)  # fmt: skip
_ATTEMPT = (
    "attempt_id", "run_seq", "batch_id", "target", "employee_number", "certificate_type", "payload_sha256",
    "sent_at", "answered_at", "http_status", "message", "state",
)  # fmt: skip
_APPROVAL = (
    "approval_id", "run_seq", "guards", "plan_sha256", "asked_at", "decided_at", "decided_by", "decision", "reason",
    "triggered_by",
)  # fmt: skip
_PURGE = ("purge_id", "run_seq", "sha256", "purged_at", "reason")
_REMOVAL = (
    "removal_id", "target", "employee_number", "certificate_type", "certificate_id", "noted_at", "noted_by", "done",
    "note",
)  # fmt: skip
_PSEUDONYMISATION = (
    "pseudonymisation_id", "done_at", "ended_before", "reason", "persons", "claims", "sha256",
)  # fmt: skip
_LINKING = (
    "linking_id", "run_id", "action_id", "plan", "plan_sha256", "asked_at", "decided_at", "decided_by", "decision",
    "reason", "triggered_by",
)  # fmt: skip
_CREATED_LINK = (
    "created_link_id", "linking_id", "certificate_id", "certificate_action_id", "tenant_id", "confirmed_by",
    "created_at",
)  # fmt: skip
# The columns are written out, since a digest must stay the same when a later version adds a column.
_OF_RUN: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "attempts": ("ditio_attempt", _ATTEMPT, "run_seq"),
    "withdrawn_opened": ("withdrawn_upsert", _WITHDRAWN, "first_run_seq"),
    "withdrawn_ended": ("withdrawn_upsert", _WITHDRAWN, "ended_run_seq"),
    "dangling_opened": ("dangling_link", _DANGLING, "first_run_seq"),
    "dangling_ended": ("dangling_link", _DANGLING, "ended_run_seq"),
    "approvals": ("approval", _APPROVAL, "run_seq"),
}
"""Sets of rows that a run wrote: table, columns with the id first, and the column that names the run."""
_SINCE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "purges": ("evidence_purge", _PURGE),
    "removals": ("removal", _REMOVAL),
    "pseudonymisations": ("pseudonymisation", _PSEUDONYMISATION),
    "linkings": ("linking", _LINKING),
    "created_links": ("created_link", _CREATED_LINK),
}
"""Sets of rows that come between runs: table, and columns with the id first."""

_CLAIM = np.dtype([("claim_id", ">i8"), ("row_sha256", "V32"), ("since_run_seq", ">i8")])
# Some thousand claims a message instead of one a row, as in `history`.
_READ_CLAIMS = """
    COPY (SELECT string_agg(int8send(claim_id) || row_sha256 || int8send(since_run_seq), ''::bytea)
            FROM reconciliation.claim WHERE {column} = {run_seq} AND target = {target} GROUP BY claim_id / 4096)
      TO STDOUT (FORMAT binary)"""
_STRANGE_CLAIMS = "SELECT count(*) FROM reconciliation.claim WHERE {column} = :run_seq AND target <> :target"
_RUN = text("SELECT target, chain_no, records FROM reconciliation.run WHERE run_seq = :run_seq")
_BELOW_ALL = -(2**63)
_BEFORE = text("""
    SELECT records FROM reconciliation.run
     WHERE chain_no IS NOT NULL AND (CAST(:chain_no AS bigint) IS NULL OR chain_no < :chain_no)
     ORDER BY chain_no DESC LIMIT 1""")


def run_columns() -> tuple[tuple[str, str], ...]:
    """Return table and column of every set of rows that names the run it belongs to."""
    claims = (("claim", "first_run_seq"), ("claim", "ended_run_seq"), ("claim", "since_run_seq"))
    return (*claims, *((table, column) for table, _, column in _OF_RUN.values()))


def read_records(conn: Connection, run_seq: int) -> dict[str, Record]:
    """Return what the run wrote, by set, as the tables hold it now.

    Sets of the run: `claims_opened`, `claims_ended`, `attempts`, `withdrawn_opened`, `withdrawn_ended`,
    `dangling_opened`, `dangling_ended`, `approvals`. Sets of what came since the link before: `purges`,
    `removals`, `pseudonymisations`, `linkings`, `created_links`. Of a run in the chain these end where its own
    record says, and what its record lacks, because the version that wrote it did not know the set, is left
    out: the first run that knows it covers all rows until then. Of a running one they end with the last row, and the
    caller holds the chain's lock.
    """
    row = conn.execute(_RUN, {"run_seq": run_seq}).one()
    found = {
        "claims_opened": _claims(conn, "first_run_seq", run_seq, row.target),
        "claims_ended": _claims(conn, "ended_run_seq", run_seq, row.target),
    }
    for name, (table, columns, of_run) in _OF_RUN.items():
        found[name] = _rows(conn, table, columns, f"{of_run} = %(run_seq)s", {"run_seq": run_seq})
    before = conn.execute(_BEFORE, {"chain_no": row.chain_no}).scalar_one_or_none()
    own = row.records if row.chain_no is not None else None
    for name, (table, columns) in _SINCE.items():
        if own is not None and name not in own:
            continue
        found[name] = _since(conn, table, columns, _upto(before, name), _upto(own, name))
    return found


def _claims(conn: Connection, column: str, run_seq: int, target: str) -> Record:
    """Return the record of claims: in order of their ids, the id, the row's digest, and since when it is so."""
    query = sql.SQL(_READ_CLAIMS).format(
        column=sql.Identifier(column), run_seq=sql.Literal(run_seq), target=sql.Literal(target)
    )
    with driver(conn).cursor() as cursor, cursor.copy(query) as copy:
        copy.set_types(["bytea"])
        rows = np.frombuffer(b"".join(row[0] for row in copy.rows()), _CLAIM)
    ordered = rows[np.argsort(rows["claim_id"].astype(np.int64))]
    # A row of another target that names this run is none of its rows, and must not go unnoticed.
    strange = text(_STRANGE_CLAIMS.format(column=column))
    others: int = conn.execute(strange, {"run_seq": run_seq, "target": target}).scalar_one()
    return {"rows": len(rows) + others, "sha256": hashlib.sha256(ordered.tobytes()).hexdigest()}


def _rows(conn: Connection, table: str, columns: tuple[str, ...], where: str, values: Mapping[str, Any]) -> Record:
    """Return the record of rows: the SHA-256 over their digests, in order of their ids.

    A row's digest covers each column as PostgreSQL spells it in this project's sessions.
    """
    names = ", ".join(f"{name}::text" for name in columns)
    query = f"SELECT {names} FROM {SCHEMA}.{table} WHERE {where} ORDER BY {columns[0]}"  # noqa: S608 - constants
    digest, size = hashlib.sha256(), 0
    schema = pa.schema([(name, pa.string()) for name in columns])
    with closing(copy_batches(conn, query, values, schema)) as batches:
        for batch in batches:
            size += batch.num_rows
            digest.update(row_digests(batch).buffers()[1])
    return {"rows": size, "sha256": digest.hexdigest()}


def _since(conn: Connection, table: str, columns: tuple[str, ...], before: int | None, upto: int | None) -> Record:
    key, after = columns[0], _BELOW_ALL if before is None else before
    if upto is None:
        last = text(f"SELECT coalesce(max({key}), 0) FROM {SCHEMA}.{table}")  # noqa: S608 - constants
        upto = max(after, conn.execute(last).scalar_one())
    where = f"{key} > %(after)s AND {key} <= %(upto)s"
    return _rows(conn, table, columns, where, {"after": after, "upto": upto}) | {"upto": upto}


def _upto(records: Any, name: str) -> int | None:
    part = records.get(name) if isinstance(records, Mapping) else None
    upto = part.get("upto") if isinstance(part, Mapping) else None
    return upto if isinstance(upto, int) else None
