"""What 4HSE says of changes as they happen, and the addresses at which it says so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "reconciliation"


def upgrade() -> None:
    """Add the addresses of webhooks and the hints that came in."""
    instant = TIMESTAMP(timezone=True)
    op.create_table(
        "webhook_address",
        sa.Column("address_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("token_sha256", sa.Text, nullable=False, unique=True),
        sa.Column("made_at", instant, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("revoked_at", instant),
        sa.Column("revoked_by", sa.Text),
        schema=SCHEMA,
    )
    op.create_table(
        "change_hint",
        sa.Column("hint_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("received_at", instant, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("entity_id", sa.Text, nullable=False),
        sa.Column("certificate_ids", ARRAY(sa.Text), nullable=False),
        sa.Column("settled_run_seq", sa.BigInteger),
        schema=SCHEMA,
    )
    waiting = sa.text("settled_run_seq IS NULL")
    op.create_index("change_hint_waiting", "change_hint", ["hint_id"], schema=SCHEMA, postgresql_where=waiting)
    op.create_index("change_hint_received", "change_hint", ["received_at"], schema=SCHEMA)


def downgrade() -> None:
    """Drop both; addresses made before answer no more."""
    op.drop_table("change_hint", schema=SCHEMA)
    op.drop_table("webhook_address", schema=SCHEMA)
