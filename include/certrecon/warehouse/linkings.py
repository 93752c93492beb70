"""What people were asked to link in 4HSE, what they said, and the links that were created."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, text

from certrecon.errors import IntegrityError
from certrecon.warehouse.storable import storable_json, storable_text
from certrecon.words import Answered, Confirmed

_ADD = text("""
    INSERT INTO reconciliation.linking
           (run_id, action_id, plan, plan_sha256, asked_at, decided_at, decided_by, decision, reason, triggered_by)
    VALUES (:run_id, :action_id, CAST(:plan AS jsonb), :plan_sha256, :asked_at, :decided_at, :decided_by, :decision,
            :reason, :triggered_by)
    RETURNING linking_id""")
_READ = text("""
    SELECT linking_id, run_id, action_id, plan, plan_sha256, asked_at, decided_at, decided_by, decision, reason,
           triggered_by
      FROM reconciliation.linking WHERE run_id = :run_id ORDER BY linking_id""")
_APPROVED = text("SELECT decision FROM reconciliation.linking WHERE linking_id = :linking_id")
_ADD_LINK = text("""
    INSERT INTO reconciliation.created_link
           (linking_id, certificate_id, certificate_action_id, tenant_id, confirmed_by, created_at)
    VALUES (:linking_id, :certificate_id, :certificate_action_id, :tenant_id, :confirmed_by, clock_timestamp())
    ON CONFLICT (linking_id, certificate_id) DO NOTHING""")
_READ_LINKS = text("""
    SELECT linking_id, certificate_id, certificate_action_id, tenant_id, confirmed_by
      FROM reconciliation.created_link WHERE linking_id = :linking_id ORDER BY created_link_id""")


@dataclass(frozen=True, slots=True)
class Linking:
    """A question whether certificates are to be linked, and its answer; attributes are the columns.

    Attributes:
        run_id: Airflow's id of the run of `link_certificates`.
        action_id: The action to which they are to be linked.
        plan: What was asked about, as JSON value.
        plan_sha256: Digest of the plan.
        asked_at: When.
        decided_at: When it was decided, null = nobody answered.
        decided_by: By whom.
        decision: What was decided.
        reason: Why, in words.
        triggered_by: Who started the run.
    """

    run_id: str
    action_id: str
    plan: Any
    plan_sha256: str
    asked_at: dt.datetime
    decided_at: dt.datetime | None
    decided_by: str | None
    decision: str
    reason: str | None
    triggered_by: str | None


@dataclass(frozen=True, slots=True)
class RecordedLinking(Linking):
    """A question as the warehouse has it.

    Attributes:
        linking_id: Its number.
    """

    linking_id: int


@dataclass(frozen=True, slots=True)
class CreatedLink:
    """A link that was created in 4HSE.

    Attributes:
        linking_id: The approved question.
        certificate_id: The certificate.
        certificate_action_id: The link's id in 4HSE.
        tenant_id: The project.
        confirmed_by: Whether 4HSE answered the creation, or the link was found after the answer was lost.
    """

    linking_id: int
    certificate_id: str
    certificate_action_id: str
    tenant_id: str
    confirmed_by: Confirmed


def add_linking(conn: Connection, linking: Linking) -> int:
    """Append a question once it is decided and return its number."""
    values = asdict(linking) | {"plan": storable_json(linking.plan)}
    for name in ("run_id", "decided_by", "decision", "reason", "triggered_by"):
        values[name] = storable_text(values[name])
    number: int = conn.execute(_ADD, values).scalar_one()
    return number


def read_linkings(conn: Connection, run_id: str) -> Sequence[RecordedLinking]:
    """Return what was asked in a run, the oldest question first."""
    rows = conn.execute(_READ, {"run_id": storable_text(run_id)}).mappings()
    return [RecordedLinking(**row) for row in rows]


def add_created_link(conn: Connection, link: CreatedLink) -> None:
    """Append a link; one that is on the record already stays as it is.

    Raises:
        IntegrityError: Nobody approved the question, so there must be no link of it.
    """
    decision = conn.execute(_APPROVED, {"linking_id": link.linking_id}).scalar_one_or_none()
    if decision != Answered.APPROVED:
        message = f"Nobody approved the linking {link.linking_id}, so it can have no link."
        raise IntegrityError(message)
    values = asdict(link) | {"confirmed_by": link.confirmed_by.value}
    conn.execute(_ADD_LINK, values | {"certificate_action_id": storable_text(link.certificate_action_id)})


def read_created_links(conn: Connection, linking_id: int) -> Sequence[CreatedLink]:
    """Return the links of a question, in the order in which they were created."""
    rows = conn.execute(_READ_LINKS, {"linking_id": linking_id}).mappings()
    return [CreatedLink(**{**row, "confirmed_by": Confirmed(row["confirmed_by"])}) for row in rows]
