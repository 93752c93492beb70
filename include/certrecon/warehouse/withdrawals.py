"""What is withdrawn: acknowledged entries that no eligible claim supports any more, over the runs."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import Connection, text

from certrecon.warehouse.bulk import copy_out, stage
from certrecon.warehouse.history import HistoryChange
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

_OPEN = text("SELECT count(*) FROM reconciliation.withdrawn_upsert WHERE target = :target AND ended_run_seq IS NULL")
_END = text("""
    UPDATE reconciliation.withdrawn_upsert AS w SET ended_run_seq = :run_seq
     WHERE w.target = :target AND w.ended_run_seq IS NULL
       AND NOT EXISTS (
           SELECT FROM incoming_withdrawn AS i
            WHERE i.employee_number = w.employee_number AND i.certificate_type = w.certificate_type
              AND i.certificate_id IS NOT DISTINCT FROM w.certificate_id AND i.reason = w.reason)
       AND (CAST(:tenants AS text[]) IS NULL
            OR EXISTS (
               SELECT FROM incoming_withdrawn AS i
                WHERE i.employee_number = w.employee_number AND i.certificate_type = w.certificate_type)
            OR EXISTS (
               SELECT FROM reconciliation.ditio_upsert AS u
                WHERE u.target = w.target AND u.employee_number = w.employee_number
                  AND u.certificate_type = w.certificate_type
                  AND coalesce(u.acknowledged_tenant_id, u.tenant_id) = ANY (CAST(:tenants AS text[]))))""")
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
_AT = """
    SELECT employee_number, certificate_type, certificate_id, reason
      FROM reconciliation.withdrawn_upsert
     WHERE target = %(target)s AND first_run_seq <= %(at)s
       AND (ended_run_seq IS NULL OR ended_run_seq > %(at)s)
     ORDER BY employee_number, certificate_type"""


def write_withdrawn(
    conn: Connection, run_seq: int, target: str, withdrawn: pa.Table, scope_tenants: list[str] | None
) -> HistoryChange:
    """Make `withdrawn` (schema `WITHDRAWN`) the open rows of the target, or of the tenants in scope.

    A row ends when its entry is withdrawn no longer, or for another reason or certificate; what
    stayed the same is not touched.

    Args:
        conn: A connection in a transaction.
        run_seq: The run that writes; it must be running.
        target: The target's digest.
        withdrawn: Every withdrawn entry of the run.
        scope_tenants: The tenants that a limited run speaks of; null = all. An entry lies in scope
            by the tenant of the certificate that Ditio last acknowledged for it.
    """
    require_running(conn, run_seq)
    values = {"run_seq": run_seq, "target": target, "tenants": scope_tenants}
    before: int = conn.execute(_OPEN, values).scalar_one()
    if not before and not withdrawn.num_rows:
        return HistoryChange(0, 0, 0)
    stage(conn, "incoming_withdrawn", "withdrawn_upsert", withdrawn.select(WITHDRAWN.names).cast(WITHDRAWN))
    ended = conn.execute(_END, values).rowcount
    opened = conn.execute(_BEGIN, values).rowcount
    return HistoryChange(opened, ended, before - ended)


def open_withdrawn_keys(conn: Connection, target: str, at_run_seq: int) -> pa.Table:
    """Return what was withdrawn as the run `at_run_seq` left it (schema `WITHDRAWN`)."""
    return copy_out(conn, _AT, {"target": target, "at": at_run_seq}, WITHDRAWN)
