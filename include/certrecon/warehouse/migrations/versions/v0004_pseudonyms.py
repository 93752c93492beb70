"""What pseudonymising old claims puts on the record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "reconciliation"


def upgrade() -> None:
    """Add the mark to claims, and the table of what was done."""
    op.add_column("claim", sa.Column("pseudonymisation_id", sa.BigInteger), schema=SCHEMA)
    op.add_column("claim", sa.Column("pseudonym_sha256", sa.LargeBinary), schema=SCHEMA)
    both = "(pseudonymisation_id IS NULL) = (pseudonym_sha256 IS NULL)"
    op.create_check_constraint("claim_pseudonymised", "claim", both, schema=SCHEMA)
    op.create_table(
        "pseudonymisation",
        sa.Column("pseudonymisation_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("done_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_before", sa.Date, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("persons", sa.BigInteger, nullable=False),
        sa.Column("claims", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Drop the table and the mark; pseudonyms stay, and verification of their rows fails from then on."""
    op.drop_table("pseudonymisation", schema=SCHEMA)
    op.drop_constraint("claim_pseudonymised", "claim", schema=SCHEMA)
    op.drop_column("claim", "pseudonym_sha256", schema=SCHEMA)
    op.drop_column("claim", "pseudonymisation_id", schema=SCHEMA)
