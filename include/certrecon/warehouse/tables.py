"""The tables of schema `reconciliation`, for queries; the migrations make them (design, *Warehouse*).

Tables that grow by a row a claim or a row a request carry no foreign key: each would cost an index
probe a row, and `require_running` has the run's row locked whenever they are written.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

SCHEMA = "reconciliation"
metadata = MetaData(schema=SCHEMA)


def _text(name: str, *, null: bool = True) -> Column[str]:
    return Column(name, Text, nullable=null)


def _instant(name: str, *, null: bool = True) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True), nullable=null)


def _count(name: str, *, null: bool = True) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _json(name: str, *, null: bool = True) -> Column[object]:
    return Column(name, JSONB, nullable=null)


def _identity(name: str) -> Column[int]:
    return Column(name, BigInteger, Identity(always=True), primary_key=True)


run = Table(
    "run", metadata,
    _identity("run_seq"), _text("run_id", null=False), Column("attempt", Integer, nullable=False),
    _text("target", null=False), _text("mode", null=False), _text("trigger", null=False),
    _text("triggered_by"), Column("run_day", Date, nullable=False), Column("as_of", Date, nullable=False),
    _json("scope", null=False), _text("status", null=False), _text("failure"),
    _instant("started_at", null=False), _instant("finished_at"),
    _count("certificates"), _count("links"), _count("persons"), _count("employees"), _count("claims"),
    _count("sent"), _count("withdrawn"),
    _json("tenants"), _json("dispositions"), _json("findings"), _json("guards"),
    _text("evidence_uri"), _text("inputs_sha256"), _text("outcome_sha256"),
    _text("settings_sha256", null=False), _text("code_version", null=False), _json("records"),
    _count("chain_no"), _text("previous_sha256"), _text("chain_sha256"),
    UniqueConstraint("run_id", "attempt", name="run_attempt_once"),
    UniqueConstraint("chain_no", name="run_chain_no_once"),
    CheckConstraint("mode IN ('publish', 'dry_run')", name="run_mode"),
    CheckConstraint("status IN ('running', 'succeeded', 'succeeded_with_rejects', 'failed')",
                    name="run_status"),
    CheckConstraint("(status = 'running') = (finished_at IS NULL)", name="run_finished"),
    Index("run_of_target", "target", "run_seq"),
)  # fmt: skip
"""A run, dry ones too; a finalised row never changes."""

claim = Table(
    "claim", metadata,
    _identity("claim_id"), _text("target", null=False),
    _text("certificate_id", null=False), _text("certificate_type"), _text("tenant_id", null=False),
    _text("certificate_name"), _text("action_type"), _text("resource_type"), _text("resource_id"),
    _text("person_name"), _text("employee_number"), Column("issued_on", Date), Column("valid_until", Date),
    Column("linked", Boolean, nullable=False), _text("disposition", null=False),
    Column("findings", ARRAY(Text), nullable=False), _json("detail"),
    _count("first_run_seq", null=False), _count("ended_run_seq"),
    Column("row_sha256", LargeBinary, nullable=False), _count("since_run_seq", null=False),
    _count("pseudonymisation_id"), Column("pseudonym_sha256", LargeBinary),
    # Only the migration knows the expression: a released one never changes.
    Column("findings_key", BigInteger, FetchedValue()),
    CheckConstraint("(pseudonymisation_id IS NULL) = (pseudonym_sha256 IS NULL)", name="claim_pseudonymised"),
    Index("claim_open_once", "target", "certificate_id", "certificate_type", unique=True,
          postgresql_nulls_not_distinct=True, postgresql_where=text("ended_run_seq IS NULL")),
    Index("claim_open_of_tenant", "target", "tenant_id", "certificate_type",
          postgresql_where=text("ended_run_seq IS NULL")),
    Index("claim_of_employee", "employee_number", postgresql_where=text("employee_number IS NOT NULL")),
    Index("claim_first", "first_run_seq", postgresql_using="brin"),
    Index("claim_ended", "ended_run_seq", postgresql_where=text("ended_run_seq IS NOT NULL")),
    Index("claim_open_outcome", "target", "disposition", "findings_key",
          postgresql_where=text("ended_run_seq IS NULL")),
    Index("claim_of_person", text("left(resource_id, 160)")),
    Index("claim_open_work", "since_run_seq", "certificate_id", postgresql_where=text(
        "ended_run_seq IS NULL AND (findings <> '{}'::text[]"
        " OR disposition IN ('blocked', 'held', 'rejected', 'undelivered', 'refused'))")),
    Index("claim_ended_of_certificate", "target", "certificate_id",
          postgresql_where=text("ended_run_seq IS NOT NULL")),
    Index("claim_ended_outcome", "target", "disposition", "findings_key",
          postgresql_where=text("ended_run_seq IS NOT NULL")),
    Index("claim_ended_of_tenant", "target", "tenant_id", "certificate_type",
          postgresql_where=text("ended_run_seq IS NOT NULL")),
)  # fmt: skip
"""A claim over the publishing runs in which it stayed the same.

Later only `ended_run_seq` is set, and in an ended row a pseudonym takes the person's place, each once.
`since_run_seq` is the run since which the claim has had its disposition, over all changes of other columns.
`pseudonym_sha256` is the digest of a pseudonymised row as it is now; `row_sha256` stays what it was.
`findings_key` is a number of the list `findings` (`hash_array_extended`), for indexes: a B-tree keeps a repeated number
once, but a list anew for each row.
"""

claim_person = Table(
    "claim_person", metadata,
    _identity("claim_person_id"), _text("target", null=False), _text("resource_id"),
    _text("person_name", null=False), _text("employee_number"),
    # Only the migration knows the expression: a released one never changes.
    Column("folded", Text, FetchedValue()),
    Index("claim_person_once", "target", "person_name", "resource_id", "employee_number", unique=True,
          postgresql_nulls_not_distinct=True),
)  # fmt: skip
"""Every name under which claims of a target are on the record, a row a person, name and number: what pages search.

A row goes when the last claim of its person is pseudonymised.

A million claims have some tens of thousands of them, so a part of a name is found without an index on names.
"""

dangling_link = Table(
    "dangling_link", metadata,
    _identity("dangling_id"), _text("target", null=False), _text("tenant_id", null=False),
    _text("certificate_action_id", null=False), _text("certificate_id"), _text("action_name"), _text("action_type"),
    Column("first_run_seq", BigInteger, ForeignKey(f"{SCHEMA}.run.run_seq"), nullable=False),
    Column("ended_run_seq", BigInteger, ForeignKey(f"{SCHEMA}.run.run_seq")),
    Index("dangling_link_open_once", "target", "tenant_id", "certificate_action_id", unique=True,
          postgresql_where=text("ended_run_seq IS NULL")),
)  # fmt: skip
"""A link whose certificate is not there, over the publishing runs in which it stayed so."""

ditio_upsert = Table(
    "ditio_upsert", metadata,
    Column("target", Text, primary_key=True), Column("employee_number", Text, primary_key=True),
    Column("certificate_type", Text, primary_key=True),
    _text("certificate_id", null=False), _text("person_id"), _text("tenant_id"),
    _text("given_name"), _text("family_name"),
    _json("payload", null=False), _text("payload_sha256", null=False), _text("state", null=False),
    Column("in_doubt", Boolean, nullable=False, server_default=text("false")),
    _text("acknowledged_payload_sha256"), _instant("acknowledged_at"), _instant("first_acknowledged_at"),
    _text("acknowledged_certificate_id"), _text("acknowledged_person_id"), _text("acknowledged_tenant_id"),
    _text("acknowledged_given_name"), _text("acknowledged_family_name"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("http_status", Integer), _text("message"), _count("run_seq", null=False),
    CheckConstraint("state IN ('pending', 'acknowledged', 'rejected', 'undelivered')",
                    name="ditio_upsert_state"),
    postgresql_with={"fillfactor": "40"},
)  # fmt: skip
"""The ledger. `acknowledged_*` is what Ditio last acknowledged, kept while a newer payload waits."""

ditio_attempt = Table(
    "ditio_attempt", metadata,
    _identity("attempt_id"), _count("run_seq", null=False), _text("batch_id", null=False),
    _text("target", null=False), _text("employee_number", null=False), _text("certificate_type", null=False),
    _text("payload_sha256", null=False), _instant("sent_at", null=False), _instant("answered_at"),
    Column("http_status", Integer), _text("message"), _text("state"),
    CheckConstraint("state IN ('acknowledged', 'rejected')", name="ditio_attempt_state"),
    Index("ditio_attempt_of_key", "target", "employee_number", "certificate_type", "attempt_id"),
    Index("ditio_attempt_of_run", "run_seq", postgresql_using="brin"),
)  # fmt: skip
"""One row of one request, append-only; `state` is what the answer meant for the row, null = nothing final."""

withdrawn_upsert = Table(
    "withdrawn_upsert", metadata,
    _identity("withdrawn_id"), _text("target", null=False), _text("employee_number", null=False),
    _text("certificate_type", null=False), _text("certificate_id"), _text("reason", null=False),
    Column("first_run_seq", BigInteger, ForeignKey(f"{SCHEMA}.run.run_seq"), nullable=False),
    Column("ended_run_seq", BigInteger, ForeignKey(f"{SCHEMA}.run.run_seq")),
    Index("withdrawn_upsert_open_once", "target", "employee_number", "certificate_type", unique=True,
          postgresql_where=text("ended_run_seq IS NULL")),
    Index("withdrawn_upsert_of_run", "target", "first_run_seq"),
)  # fmt: skip
"""A ledger entry over the runs in which no eligible claim supported it."""

approval = Table(
    "approval", metadata,
    _identity("approval_id"),
    Column("run_seq", BigInteger, ForeignKey(f"{SCHEMA}.run.run_seq"), nullable=False),
    _json("guards", null=False), _text("plan_sha256", null=False),
    _instant("asked_at", null=False), _instant("decided_at"), _text("decided_by"), _text("decision"),
    _text("reason"), _text("triggered_by"),
    Index("approval_of_run", "run_seq"),
)  # fmt: skip
"""A request to a person, written once it is decided, append-only."""

evidence_purge = Table(
    "evidence_purge", metadata,
    _identity("purge_id"), Column("run_seq", BigInteger, ForeignKey(f"{SCHEMA}.run.run_seq"), nullable=False),
    _text("sha256", null=False), _instant("purged_at", null=False), _text("reason", null=False),
    Index("evidence_purge_of_run", "run_seq"),
)  # fmt: skip
"""A removal of evidence, append-only."""

pseudonymisation = Table(
    "pseudonymisation", metadata,
    _identity("pseudonymisation_id"), _instant("done_at", null=False), Column("ended_before", Date, nullable=False),
    _text("reason", null=False), _count("persons", null=False), _count("claims", null=False),
    _text("sha256", null=False),
)  # fmt: skip
"""A set of closed claims that were pseudonymised at once, append-only.

`sha256` is over number and `pseudonym_sha256` of each, by number; they had all ended before the day `ended_before`.
"""

removal = Table(
    "removal", metadata,
    _identity("removal_id"), _text("target", null=False), _text("employee_number", null=False),
    _text("certificate_type", null=False), _text("certificate_id"), _instant("noted_at", null=False),
    _text("noted_by", null=False), Column("done", Boolean, nullable=False), _text("note"),
    Index("removal_of_key", "target", "employee_number", "certificate_type"),
)  # fmt: skip
"""What a person noted on a delivery that is to be removed in Ditio by hand, append-only.

`done` says that it was removed there; the last row of a key counts, of rows since its last acknowledgement.
"""

settings_version = Table(
    "settings_version", metadata,
    Column("settings_sha256", Text, primary_key=True), _text("content", null=False),
    _count("first_run_seq", null=False),
)  # fmt: skip
"""The settings that runs used, as JSON text with the crosswalk, a row a digest."""

installation = Table(
    "installation", metadata,
    Column("installation_id", Text, primary_key=True), _instant("made_at", null=False),
)  # fmt: skip
"""Which warehouse this is, one row: evidence of another one is told apart by it."""

finding_catalogue = Table(
    "finding_catalogue", metadata,
    Column("code", Text, primary_key=True), _text("severity", null=False), _text("owner", null=False),
    _text("title", null=False), _text("advice", null=False), Column("overridable", Boolean, nullable=False),
)  # fmt: skip
"""The catalogue of findings in words, for the views."""

webhook_address = Table(
    "webhook_address", metadata,
    _identity("address_id"), _text("event", null=False),
    Column("token_sha256", Text, nullable=False, unique=True), _instant("made_at", null=False),
    _text("made_by", null=False), _instant("revoked_at"), _text("revoked_by"),
)  # fmt: skip
"""An address that 4HSE may call for one event; only the digest of its token is kept."""

change_hint = Table(
    "change_hint", metadata,
    _identity("hint_id"), _instant("received_at", null=False), _text("source", null=False),
    _text("event", null=False), _text("entity_id", null=False),
    Column("certificate_ids", ARRAY(Text), nullable=False), _count("settled_run_seq"),
    Index("change_hint_waiting", "hint_id", postgresql_where=text("settled_run_seq IS NULL")),
    Index("change_hint_received", "received_at"),
)  # fmt: skip
"""A hint that something changed in 4HSE: where to look, never what is there. Null `settled_run_seq` = it waits."""

linking = Table(
    "linking", metadata,
    _identity("linking_id"), _text("run_id", null=False), _text("action_id", null=False), _json("plan", null=False),
    _text("plan_sha256", null=False), _instant("asked_at", null=False), _instant("decided_at"), _text("decided_by"),
    _text("decision", null=False), _text("reason"), _text("triggered_by"),
    Index("linking_of_run", "run_id", "plan_sha256"),
)  # fmt: skip
"""A question whether certificates are to be linked in 4HSE, written once it is decided, append-only.

`run_id` is Airflow's. `plan` has ids, types and digests and no names; `plan_sha256` is over its canonical text.
"""

created_link = Table(
    "created_link", metadata,
    _identity("created_link_id"),
    Column("linking_id", BigInteger, ForeignKey(f"{SCHEMA}.linking.linking_id"), nullable=False),
    _text("certificate_id", null=False), _text("certificate_action_id", null=False), _text("tenant_id", null=False),
    _text("confirmed_by", null=False), _instant("created_at", null=False),
    UniqueConstraint("linking_id", "certificate_id", name="created_link_once"),
)  # fmt: skip
"""A link that the project created in 4HSE, append-only: at most one a certificate and approval."""

JSON_COLUMNS = frozenset(
    column.name for table in metadata.tables.values() for column in table.columns if isinstance(column.type, JSONB)
)
"""Names of the columns whose text is JSON."""
