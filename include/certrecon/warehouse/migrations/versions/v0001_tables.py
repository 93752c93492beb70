"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "reconciliation"
TABLES = (
    "evidence_purge", "approval", "withdrawn_upsert", "ditio_attempt", "ditio_upsert", "claim",
    "finding_catalogue", "run",
)  # fmt: skip
_OPEN = sa.text("ended_run_seq IS NULL")


def upgrade() -> None:
    """Make the tables and their indexes."""
    _run()
    _claim()
    _ledger()
    _attempt()
    _withdrawn()
    _approval_and_purge()
    _catalogue()


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in TABLES:
        op.drop_table(table, schema=SCHEMA)


def _text(name: str, *, null: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _instant(name: str, *, null: bool = True) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=null)


def _count(name: str, *, null: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null)


def _json(name: str, *, null: bool = True) -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=null)


def _identity(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _run_reference(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.run.run_seq"), nullable=null)


def _index(name: str, table: str, columns: list[str], **options: object) -> None:
    op.create_index(name, table, columns, schema=SCHEMA, **options)  # type: ignore[arg-type]


def _run() -> None:
    op.create_table(
        "run",
        _identity("run_seq"),
        _text("run_id", null=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        *(_text(name, null=False) for name in ("target", "mode", "trigger")),
        _text("triggered_by"),
        sa.Column("run_day", sa.Date, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        _json("scope", null=False),
        _text("status", null=False),
        _text("failure"),
        _instant("started_at", null=False),
        _instant("finished_at"),
        *(_count(name) for name in ("certificates", "links", "persons", "employees", "claims", "sent", "withdrawn")),
        *(_json(name) for name in ("tenants", "dispositions", "findings", "guards")),
        *(_text(name) for name in ("evidence_uri", "inputs_sha256", "outcome_sha256")),
        _text("settings_sha256", null=False),
        _text("code_version", null=False),
        _count("chain_no"),
        _text("previous_sha256"),
        _text("chain_sha256"),
        sa.UniqueConstraint("run_id", "attempt", name="run_attempt_once"),
        sa.UniqueConstraint("chain_no", name="run_chain_no_once"),
        sa.CheckConstraint("mode IN ('publish', 'dry_run')", name="run_mode"),
        sa.CheckConstraint("status IN ('running', 'succeeded', 'succeeded_with_rejects', 'failed')", name="run_status"),
        sa.CheckConstraint("(status = 'running') = (finished_at IS NULL)", name="run_finished"),
        schema=SCHEMA,
    )
    _index("run_of_target", "run", ["target", "run_seq"])


def _claim() -> None:
    op.create_table(
        "claim",
        _identity("claim_id"),
        _text("target", null=False),
        _text("certificate_id", null=False),
        _text("certificate_type"),
        _text("tenant_id", null=False),
        *(_text(name) for name in ("certificate_name", "action_type", "resource_type", "resource_id")),
        *(_text(name) for name in ("person_name", "employee_number")),
        sa.Column("issued_on", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("linked", sa.Boolean, nullable=False),
        _text("disposition", null=False),
        sa.Column("findings", ARRAY(sa.Text), nullable=False),
        _json("detail"),
        _count("first_run_seq", null=False),
        _count("ended_run_seq"),
        sa.Column("row_sha256", sa.LargeBinary, nullable=False),
        schema=SCHEMA,
    )
    _index("claim_open_once", "claim", ["target", "certificate_id", "certificate_type"], unique=True,
           postgresql_nulls_not_distinct=True, postgresql_where=_OPEN)  # fmt: skip
    _index("claim_open_of_tenant", "claim", ["target", "tenant_id"], postgresql_where=_OPEN)
    _index("claim_of_employee", "claim", ["target", "employee_number", "certificate_type"])
    _index("claim_first", "claim", ["first_run_seq"], postgresql_using="brin")
    _index("claim_ended", "claim", ["ended_run_seq"], postgresql_where=sa.text("ended_run_seq IS NOT NULL"))


def _ledger() -> None:
    op.create_table(
        "ditio_upsert",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("target", "employee_number", "certificate_type")),
        _text("certificate_id", null=False),
        *(_text(name) for name in ("person_id", "tenant_id", "given_name", "family_name")),
        _json("payload", null=False),
        _text("payload_sha256", null=False),
        _text("state", null=False),
        sa.Column("in_doubt", sa.Boolean, nullable=False, server_default=sa.text("false")),
        _text("acknowledged_payload_sha256"),
        _instant("acknowledged_at"),
        _instant("first_acknowledged_at"),
        *(_text(f"acknowledged_{name}") for name in ("certificate_id", "person_id", "tenant_id")),
        *(_text(f"acknowledged_{name}") for name in ("given_name", "family_name")),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("http_status", sa.Integer),
        _text("message"),
        _count("run_seq", null=False),
        sa.CheckConstraint(
            "state IN ('pending', 'acknowledged', 'rejected', 'undelivered')", name="ditio_upsert_state"
        ),
        schema=SCHEMA,
        # Each entry is updated once or twice after it is written: room on its page keeps that cheap.
        postgresql_with={"fillfactor": "70"},
    )


def _attempt() -> None:
    op.create_table(
        "ditio_attempt",
        _identity("attempt_id"),
        _count("run_seq", null=False),
        *(_text(name, null=False) for name in ("batch_id", "target", "employee_number", "certificate_type")),
        _text("payload_sha256", null=False),
        _instant("sent_at", null=False),
        _instant("answered_at"),
        sa.Column("http_status", sa.Integer),
        _text("message"),
        _text("state"),
        sa.CheckConstraint("state IN ('acknowledged', 'rejected')", name="ditio_attempt_state"),
        schema=SCHEMA,
    )
    _index(
        "ditio_attempt_of_key",
        "ditio_attempt",
        ["target", "employee_number", "certificate_type", "attempt_id"],
    )
    _index("ditio_attempt_of_run", "ditio_attempt", ["run_seq"], postgresql_using="brin")


def _withdrawn() -> None:
    op.create_table(
        "withdrawn_upsert",
        _identity("withdrawn_id"),
        *(_text(name, null=False) for name in ("target", "employee_number", "certificate_type")),
        _text("certificate_id"),
        _text("reason", null=False),
        _run_reference("first_run_seq"),
        _run_reference("ended_run_seq", null=True),
        schema=SCHEMA,
    )
    key = ["target", "employee_number", "certificate_type"]
    _index("withdrawn_upsert_open_once", "withdrawn_upsert", key, unique=True, postgresql_where=_OPEN)
    _index("withdrawn_upsert_of_run", "withdrawn_upsert", ["target", "first_run_seq"])


def _approval_and_purge() -> None:
    op.create_table(
        "approval",
        _identity("approval_id"),
        _run_reference("run_seq"),
        _json("guards", null=False),
        _text("plan_sha256", null=False),
        _instant("asked_at", null=False),
        _instant("decided_at"),
        *(_text(name) for name in ("decided_by", "decision", "reason", "triggered_by")),
        schema=SCHEMA,
    )
    _index("approval_of_run", "approval", ["run_seq"])
    op.create_table(
        "evidence_purge",
        _identity("purge_id"),
        _run_reference("run_seq"),
        _text("sha256", null=False),
        _instant("purged_at", null=False),
        _text("reason", null=False),
        schema=SCHEMA,
    )
    _index("evidence_purge_of_run", "evidence_purge", ["run_seq"])


def _catalogue() -> None:
    op.create_table(
        "finding_catalogue",
        sa.Column("code", sa.Text, primary_key=True),
        *(_text(name, null=False) for name in ("severity", "owner", "title", "advice")),
        sa.Column("overridable", sa.Boolean, nullable=False),
        schema=SCHEMA,
    )
