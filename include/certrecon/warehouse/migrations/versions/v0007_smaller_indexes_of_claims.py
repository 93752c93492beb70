"""Indexes of `claim` that cost a load less: no list of findings in any, and fewer columns and indexes.

A B-tree keeps a repeated value once, but never a list: a number of the list stands for it. The column is made for
every row that is there, so the table is written anew once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "reconciliation"
_OPEN = "ended_run_seq IS NULL"
_ENDED = "ended_run_seq IS NOT NULL"
_BEFORE: dict[str, tuple[list[str], str | None]] = {
    "claim_open_outcome": (["target", "disposition", "findings"], _OPEN),
    "claim_ended_outcome": (["target", "disposition", "findings"], _ENDED),
    "claim_open_of_tenant": (["target", "tenant_id"], _OPEN),
    "claim_open_of_type": (["target", "certificate_type", "disposition", "tenant_id"], _OPEN),
    "claim_ended_of_tenant": (["target", "tenant_id"], _ENDED),
    "claim_ended_of_type": (["target", "certificate_type", "disposition", "tenant_id"], _ENDED),
    "claim_of_employee": (["target", "employee_number", "certificate_type"], None),
    "claim_of_person": (["target", "left(resource_id, 160)"], None),
}
_AFTER: dict[str, tuple[list[str], str | None]] = {
    "claim_open_outcome": (["target", "disposition", "findings_key"], _OPEN),
    "claim_ended_outcome": (["target", "disposition", "findings_key"], _ENDED),
    "claim_open_of_tenant": (["target", "tenant_id", "certificate_type"], _OPEN),
    "claim_ended_of_tenant": (["target", "tenant_id", "certificate_type"], _ENDED),
    # A number or a person has few claims whatever their targets are.
    "claim_of_employee": (["employee_number"], "employee_number IS NOT NULL"),
    "claim_of_person": (["left(resource_id, 160)"], None),
}


def upgrade() -> None:
    """Add the number of the findings, and put the new indexes in the old ones' place."""
    _drop(_BEFORE)
    op.execute(
        f"ALTER TABLE {SCHEMA}.claim ADD COLUMN findings_key bigint"
        " GENERATED ALWAYS AS (hash_array_extended(findings, 0)) STORED"
    )
    _make(_AFTER)


def downgrade() -> None:
    """Put the old indexes back."""
    _drop(_AFTER)
    op.drop_column("claim", "findings_key", schema=SCHEMA)
    _make(_BEFORE)


def _drop(indexes: dict[str, tuple[list[str], str | None]]) -> None:
    for name in indexes:
        op.drop_index(name, table_name="claim", schema=SCHEMA)


def _make(indexes: dict[str, tuple[list[str], str | None]]) -> None:
    for name, (columns, where) in indexes.items():
        keys = [sa.text(column) if "(" in column else column for column in columns]
        condition = sa.text(where) if where else None
        op.create_index(name, "claim", keys, schema=SCHEMA, postgresql_where=condition)
