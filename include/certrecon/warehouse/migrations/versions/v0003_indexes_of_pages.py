"""What the pages search by: indexes over few distinct values, over few rows, or over ended rows alone.

B-trees store a repeated value once, so those over types and outcomes stay a few bytes a row; those
over ended rows cost nothing while new rows are loaded.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "reconciliation"
_OPEN = "ended_run_seq IS NULL"
_ENDED = "ended_run_seq IS NOT NULL"
_WORK = (
    f"{_OPEN} AND (findings <> '{{}}'::text[]"
    " OR disposition IN ('blocked', 'held', 'rejected', 'undelivered', 'refused'))"
)
_INDEXES: dict[str, tuple[list[str], str | None]] = {
    "claim_open_outcome": (["target", "disposition", "findings"], _OPEN),
    "claim_open_of_type": (["target", "certificate_type", "disposition", "tenant_id"], _OPEN),
    "claim_of_person": (["target", "left(resource_id, 160)"], None),
    "claim_open_work": (["since_run_seq", "certificate_id"], _WORK),
    "claim_ended_of_certificate": (["target", "certificate_id"], _ENDED),
    "claim_ended_outcome": (["target", "disposition", "findings"], _ENDED),
    "claim_ended_of_type": (["target", "certificate_type", "disposition", "tenant_id"], _ENDED),
    "claim_ended_of_tenant": (["target", "tenant_id"], _ENDED),
}
# Folding in SQL: marks off, letters of the design's table written out, small letters.
_FOLDED = r"""
    lower(replace(replace(replace(replace(translate(
        regexp_replace(normalize(person_name, NFKD), '[\u0300-\u036f]', '', 'g'),
        'øØđĐðÐłŁ', 'ooddddll'), 'æ', 'ae'), 'Æ', 'ae'), 'ß', 'ss'), 'þ', 'th'))"""


def upgrade() -> None:
    """Make the indexes, and the folded name of every person."""
    for name, (columns, where) in _INDEXES.items():
        condition = sa.text(where) if where else None
        # A text of any length would not fit an index entry; persons are cut as `claim_person` does.
        keys = [sa.text(column) if "(" in column else column for column in columns]
        op.create_index(name, "claim", keys, schema=SCHEMA, postgresql_where=condition)
    folded = f"ALTER TABLE {SCHEMA}.claim_person ADD COLUMN folded text GENERATED ALWAYS AS ({_FOLDED}) STORED"
    op.execute(folded)


def downgrade() -> None:
    """Drop the indexes and the column."""
    op.drop_column("claim_person", "folded", schema=SCHEMA)
    for name in _INDEXES:
        op.drop_index(name, table_name="claim", schema=SCHEMA)
