"""What people were asked to link in 4HSE, and the links that came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "reconciliation"


def upgrade() -> None:
    """Add the questions and the links."""
    instant = TIMESTAMP(timezone=True)
    op.create_table(
        "linking",
        sa.Column("linking_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("action_id", sa.Text, nullable=False),
        sa.Column("plan", JSONB, nullable=False),
        sa.Column("plan_sha256", sa.Text, nullable=False),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("decided_at", instant),
        sa.Column("decided_by", sa.Text),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("triggered_by", sa.Text),
        schema=SCHEMA,
    )
    op.create_index("linking_of_run", "linking", ["run_id", "plan_sha256"], schema=SCHEMA)
    op.create_table(
        "created_link",
        sa.Column("created_link_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("linking_id", sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.linking.linking_id"), nullable=False),
        sa.Column("certificate_id", sa.Text, nullable=False),
        sa.Column("certificate_action_id", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("confirmed_by", sa.Text, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.UniqueConstraint("linking_id", "certificate_id", name="created_link_once"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Drop both with everything in them; the links stay in 4HSE."""
    op.drop_table("created_link", schema=SCHEMA)
    op.drop_table("linking", schema=SCHEMA)
