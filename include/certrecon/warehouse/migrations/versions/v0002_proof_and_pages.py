"""What the proof and the pages need: digests of what runs wrote, ages, notes, and names to search."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "reconciliation"
TABLES = ("installation", "settings_version", "removal", "dangling_link", "claim_person")
_OPEN = sa.text("ended_run_seq IS NULL")


def upgrade() -> None:
    """Add columns and tables; claims that are there count as new in the run that wrote them."""
    op.add_column("run", sa.Column("records", JSONB), schema=SCHEMA)
    op.add_column("claim", sa.Column("since_run_seq", sa.BigInteger), schema=SCHEMA)
    op.execute(f"UPDATE {SCHEMA}.claim SET since_run_seq = first_run_seq")  # noqa: S608 - a constant
    op.alter_column("claim", "since_run_seq", nullable=False, schema=SCHEMA)
    _claim_person()
    _dangling_link()
    _removal()
    _settings_version()
    _installation()


def downgrade() -> None:
    """Drop the tables with everything in them, and the columns."""
    for table in TABLES:
        op.drop_table(table, schema=SCHEMA)
    op.drop_column("claim", "since_run_seq", schema=SCHEMA)
    op.drop_column("run", "records", schema=SCHEMA)


def _text(name: str, *, null: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=False)


def _identity(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _run_reference(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.run.run_seq"), nullable=null)


def _claim_person() -> None:
    op.create_table(
        "claim_person",
        _identity("claim_person_id"),
        _text("target", null=False),
        _text("resource_id"),
        _text("person_name", null=False),
        _text("employee_number"),
        schema=SCHEMA,
    )
    op.create_index("claim_person_once", "claim_person", ["target", "person_name", "resource_id", "employee_number"],
                    unique=True, schema=SCHEMA, postgresql_nulls_not_distinct=True)  # fmt: skip
    op.execute(f"""
        INSERT INTO {SCHEMA}.claim_person (target, resource_id, person_name, employee_number)
        SELECT DISTINCT target, resource_id, person_name, employee_number
          FROM {SCHEMA}.claim WHERE person_name IS NOT NULL""")  # noqa: S608 - a constant


def _dangling_link() -> None:
    op.create_table(
        "dangling_link",
        _identity("dangling_id"),
        *(_text(name, null=False) for name in ("target", "tenant_id", "certificate_action_id")),
        *(_text(name) for name in ("certificate_id", "action_name", "action_type")),
        _run_reference("first_run_seq"),
        _run_reference("ended_run_seq", null=True),
        schema=SCHEMA,
    )
    op.create_index("dangling_link_open_once", "dangling_link", ["target", "tenant_id", "certificate_action_id"],
                    unique=True, schema=SCHEMA, postgresql_where=_OPEN)  # fmt: skip


def _removal() -> None:
    op.create_table(
        "removal",
        _identity("removal_id"),
        *(_text(name, null=False) for name in ("target", "employee_number", "certificate_type")),
        _text("certificate_id"),
        _instant("noted_at"),
        _text("noted_by", null=False),
        sa.Column("done", sa.Boolean, nullable=False),
        _text("note"),
        schema=SCHEMA,
    )
    op.create_index("removal_of_key", "removal", ["target", "employee_number", "certificate_type"], schema=SCHEMA)


def _settings_version() -> None:
    op.create_table(
        "settings_version",
        sa.Column("settings_sha256", sa.Text, primary_key=True),
        _text("content", null=False),
        sa.Column("first_run_seq", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )


def _installation() -> None:
    op.create_table(
        "installation",
        sa.Column("installation_id", sa.Text, primary_key=True),
        _instant("made_at"),
        schema=SCHEMA,
    )
    op.execute(f"INSERT INTO {SCHEMA}.installation VALUES (gen_random_uuid()::text, now())")  # noqa: S608 - a constant
