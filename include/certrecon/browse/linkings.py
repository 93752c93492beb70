"""Certificates that are to be linked in 4HSE, what people were asked about that, and what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from certrecon.browse.paging import checked_limit
from certrecon.browse.tuning import tune

_LAST: Final = text("""
    SELECT l.linking_id, l.run_id, l.action_id, l.asked_at, l.decided_at, l.decided_by, l.decision, l.reason,
           l.triggered_by, jsonb_array_length(l.plan -> 'candidates') AS certificates,
           (SELECT count(*) FROM reconciliation.created_link AS c WHERE c.linking_id = l.linking_id) AS links
      FROM reconciliation.linking AS l ORDER BY l.linking_id DESC LIMIT :rows""")
_CERTIFICATES: Final = text("""
    SELECT DISTINCT ON (certificate_id)
           certificate_id, tenant_id, certificate_name, person_name, employee_number, issued_on, valid_until
      FROM reconciliation.claim
     WHERE target = :target AND certificate_id = ANY (CAST(:ids AS text[])) AND ended_run_seq IS NULL
     ORDER BY certificate_id, claim_id""")


@dataclass(frozen=True, slots=True, repr=False)
class CertificateLine:
    """A certificate as the last run left it.

    Attributes:
        certificate_id: Its id.
        tenant_id: Its 4HSE project.
        certificate_name: Its name; None where it is HEALTH.
        person_name: Whose it is.
        employee_number: Their number.
        issued_on: When it was issued, where that is a day.
        valid_until: How long it is valid, where that is known.
    """

    certificate_id: str
    tenant_id: str
    certificate_name: str | None
    person_name: str | None
    employee_number: str | None
    issued_on: dt.date | None
    valid_until: dt.date | None


@dataclass(frozen=True, slots=True)
class LinkingLine:
    """A question whether certificates are to be linked.

    Attributes:
        linking_id: Its number.
        run_id: Airflow's id of the run.
        action_id: The action.
        asked_at: When it was asked.
        decided_at: When it was answered; None = nobody answered.
        decided_by: By whom.
        decision: What was decided.
        reason: Why, in words.
        triggered_by: Who started the run.
        certificates: How many were asked about.
        links: How many links were created.
    """

    linking_id: int
    run_id: str
    action_id: str
    asked_at: dt.datetime
    decided_at: dt.datetime | None
    decided_by: str | None
    decision: str
    reason: str | None
    triggered_by: str | None
    certificates: int
    links: int


def certificates_of(conn: Connection, target: str | None, ids: Sequence[str]) -> Mapping[str, CertificateLine]:
    """Return those of some certificates that the last run of a target knew, by id."""
    tune(conn)
    found = conn.execute(_CERTIFICATES, {"target": target, "ids": list(ids)}).mappings()
    return {row["certificate_id"]: CertificateLine(**row) for row in found}


def last_linkings(conn: Connection, limit: int = 20) -> tuple[LinkingLine, ...]:
    """Return the last questions, the newest first."""
    tune(conn)
    return tuple(LinkingLine(**row) for row in conn.execute(_LAST, {"rows": checked_limit(limit)}).mappings())
