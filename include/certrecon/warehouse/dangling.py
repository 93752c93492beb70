"""Links whose certificate is not there, over the runs."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlalchemy import Connection, text

from certrecon.warehouse.bulk import copy_out, stage
from certrecon.warehouse.history import HistoryChange
from certrecon.warehouse.runs import require_running

DANGLING = pa.schema(
    [
        pa.field("tenant_id", pa.string(), nullable=False),
        pa.field("certificate_action_id", pa.string(), nullable=False),
        ("certificate_id", pa.string()),
        ("action_name", pa.string()),
        ("action_type", pa.string()),
    ]
)
"""A dangling link: its tenant and id, the certificate that it names, and its action."""

OPEN_DANGLING = DANGLING.append(pa.field("first_run_seq", pa.int64(), nullable=False))
"""A dangling link, and the run that found it so first."""

_OPEN = text("SELECT count(*) FROM reconciliation.dangling_link WHERE target = :target AND ended_run_seq IS NULL")
_END = text("""
    UPDATE reconciliation.dangling_link AS d SET ended_run_seq = :run_seq
     WHERE d.target = :target AND d.ended_run_seq IS NULL
       AND (CAST(:tenants AS text[]) IS NULL OR d.tenant_id = ANY (CAST(:tenants AS text[])))
       AND (CAST(:certificates AS text[]) IS NULL OR d.certificate_id = ANY (CAST(:certificates AS text[])))
       AND NOT EXISTS (
           SELECT FROM incoming_dangling AS i
            WHERE i.tenant_id = d.tenant_id AND i.certificate_action_id = d.certificate_action_id
              AND i.certificate_id IS NOT DISTINCT FROM d.certificate_id
              AND i.action_name IS NOT DISTINCT FROM d.action_name
              AND i.action_type IS NOT DISTINCT FROM d.action_type)""")
_BEGIN = text("""
    INSERT INTO reconciliation.dangling_link
           (target, tenant_id, certificate_action_id, certificate_id, action_name, action_type, first_run_seq)
    SELECT DISTINCT ON (i.tenant_id, i.certificate_action_id)
           :target, i.tenant_id, i.certificate_action_id, i.certificate_id, i.action_name, i.action_type, :run_seq
      FROM incoming_dangling AS i
     WHERE NOT EXISTS (
           SELECT FROM reconciliation.dangling_link AS d
            WHERE d.target = :target AND d.tenant_id = i.tenant_id
              AND d.certificate_action_id = i.certificate_action_id AND d.ended_run_seq IS NULL)
     ORDER BY i.tenant_id, i.certificate_action_id""")
_OPEN_ROWS = f"""
    SELECT {", ".join(OPEN_DANGLING.names)}
      FROM reconciliation.dangling_link WHERE target = %(target)s AND ended_run_seq IS NULL
     ORDER BY tenant_id, certificate_action_id"""  # noqa: S608 - constants


def write_dangling(
    conn: Connection,
    run_seq: int,
    target: str,
    dangling: pa.Table,
    scope_tenants: list[str] | None,
    certificates: Sequence[str] | None = None,
) -> HistoryChange:
    """Make `dangling` (schema `DANGLING`) the open rows of the target, or of the tenants in scope.

    A row ends when its link dangles no longer or says something else; what stayed the same is not touched.

    Args:
        conn: A connection in a transaction.
        run_seq: The run that writes; it must be running.
        target: The target's digest.
        dangling: Every dangling link of the run.
        scope_tenants: The tenants that a limited run speaks of; null = all.
        certificates: The certificates that a run by ids speaks of; null = all.
    """
    require_running(conn, run_seq)
    named = None if certificates is None else list(certificates)
    values = {"run_seq": run_seq, "target": target, "tenants": scope_tenants, "certificates": named}
    before: int = conn.execute(_OPEN, values).scalar_one()
    if not before and not dangling.num_rows:
        return HistoryChange(0, 0, 0)
    stage(conn, "incoming_dangling", "dangling_link", dangling.select(DANGLING.names).cast(DANGLING))
    ended = conn.execute(_END, values).rowcount
    opened = conn.execute(_BEGIN, values).rowcount
    return HistoryChange(opened, ended, before - ended)


def open_dangling(conn: Connection, target: str) -> pa.Table:
    """Return the links that dangle now (schema `OPEN_DANGLING`), by tenant and id."""
    return copy_out(conn, _OPEN_ROWS, {"target": target}, OPEN_DANGLING)
