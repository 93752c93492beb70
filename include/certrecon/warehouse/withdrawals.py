"""What is withdrawn: acknowledged entries that no eligible claim supports any more, over the runs."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import Connection, text

from certrecon.warehouse.bulk import copy_out, stage
from certrecon.warehouse.history import HistoryChange
from certrecon.warehouse.ledger import KEY
from certrecon.warehouse.runs import require_running

WITHDRAWN = pa.schema(
    [
        pa.field("employee_number", pa.string(), nullable=False),
        pa.field("certificate_type", pa.string(), nullable=False),
        ("certificate_id", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""A withdrawn ledger entry: its key, the certificate that Ditio acknowledged, and why."""

OPEN_WITHDRAWN = WITHDRAWN.append(pa.field("first_run_seq", pa.int64(), nullable=False))
"""A withdrawn ledger entry, and the run that found it so first."""

_OPEN = text("SELECT count(*) FROM reconciliation.withdrawn_upsert WHERE target = :target AND ended_run_seq IS NULL")
_END = text("""
    UPDATE reconciliation.withdrawn_upsert AS w SET ended_run_seq = :run_seq
     WHERE w.target = :target AND w.ended_run_seq IS NULL
       AND NOT EXISTS (
           SELECT FROM incoming_withdrawn AS i
            WHERE i.employee_number = w.employee_number AND i.certificate_type = w.certificate_type
              AND i.certificate_id IS NOT DISTINCT FROM w.certificate_id AND i.reason = w.reason)
       AND (:everything
            OR EXISTS (
               SELECT FROM judged AS j
                WHERE j.employee_number = w.employee_number AND j.certificate_type = w.certificate_type))""")
_BEGIN = text("""
    INSERT INTO reconciliation.withdrawn_upsert
           (target, employee_number, certificate_type, certificate_id, reason, first_run_seq)
    SELECT :target, i.employee_number, i.certificate_type, i.certificate_id, i.reason, :run_seq
      FROM incoming_withdrawn AS i
     WHERE NOT EXISTS (
           SELECT FROM reconciliation.withdrawn_upsert AS w
            WHERE w.target = :target AND w.employee_number = i.employee_number
              AND w.certificate_type = i.certificate_type AND w.ended_run_seq IS NULL)
     ORDER BY i.employee_number, i.certificate_type""")
_OPEN_ROWS = """
    SELECT employee_number, certificate_type, certificate_id, reason, first_run_seq
      FROM reconciliation.withdrawn_upsert
     WHERE target = %(target)s AND ended_run_seq IS NULL
     ORDER BY employee_number, certificate_type"""
_AT = """
    SELECT employee_number, certificate_type, certificate_id, reason
      FROM reconciliation.withdrawn_upsert
     WHERE target = %(target)s AND first_run_seq <= %(at)s
       AND (ended_run_seq IS NULL OR ended_run_seq > %(at)s)
     ORDER BY employee_number, certificate_type"""


def write_withdrawn(
    conn: Connection, run_seq: int, target: str, withdrawn: pa.Table, judged: pa.Table | None
) -> HistoryChange:
    """Make `withdrawn` (schema `WITHDRAWN`) the open rows of the target, or of those judged.

    A row ends when its entry is withdrawn no longer, or for another reason or certificate; what
    stayed the same is not touched.

    Args:
        conn: A connection in a transaction.
        run_seq: The run that writes; it must be running.
        target: The target's digest.
        withdrawn: Every withdrawn entry of the run.
        judged: The keys that a limited run speaks of; null = all.
    """
    require_running(conn, run_seq)
    values = {"run_seq": run_seq, "target": target, "everything": judged is None}
    before: int = conn.execute(_OPEN, values).scalar_one()
    if not before and not withdrawn.num_rows:
        return HistoryChange(0, 0, 0)
    stage(conn, "incoming_withdrawn", "withdrawn_upsert", withdrawn.select(WITHDRAWN.names).cast(WITHDRAWN))
    keys = (judged if judged is not None else withdrawn).select(KEY.names).cast(KEY)
    stage(conn, "judged", "withdrawn_upsert", keys)
    ended = conn.execute(_END, values).rowcount
    opened = conn.execute(_BEGIN, values).rowcount
    return HistoryChange(opened, ended, before - ended)


def open_withdrawn_keys(conn: Connection, target: str, at_run_seq: int) -> pa.Table:
    """Return what was withdrawn as the run `at_run_seq` left it (schema `WITHDRAWN`)."""
    return copy_out(conn, _AT, {"target": target, "at": at_run_seq}, WITHDRAWN)


def open_withdrawn(conn: Connection, target: str) -> pa.Table:
    """Return what is withdrawn now (schema `OPEN_WITHDRAWN`), by key."""
    return copy_out(conn, _OPEN_ROWS, {"target": target}, OPEN_WITHDRAWN)
