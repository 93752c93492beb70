"""What a run left in the ledger, some megabytes at a time.

Nothing else may use the connection until the last piece; whoever may stop before closes the generator.
"""

from __future__ import annotations

from collections.abc import Generator

import pyarrow as pa
from sqlalchemy import Connection

from certrecon.warehouse.bulk import copy_batches
from certrecon.warehouse.ledger import LEDGER

ENTRY = pa.schema(
    [LEDGER.field(name) for name in (
        "employee_number", "certificate_type", "state", "acknowledged_payload_sha256", "acknowledged_certificate_id",
        "acknowledged_tenant_id", "run_seq", "http_status", "message",
    )]
)  # fmt: skip
"""What became of an entry of the ledger."""

_ENTRIES = f"""
    SELECT {", ".join(ENTRY.names)} FROM reconciliation.ditio_upsert
     WHERE target = %(target)s AND run_seq = %(run_seq)s
     ORDER BY employee_number, certificate_type"""  # noqa: S608 - constants


def entries_of_run(conn: Connection, run_seq: int, target: str) -> Generator[pa.Table, None, None]:
    """Yield the entries of the target that a run wrote last (schema `ENTRY`), by key."""
    return copy_batches(conn, _ENTRIES, {"target": target, "run_seq": run_seq}, ENTRY)
