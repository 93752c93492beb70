"""Persons who leave 4HSE with all of their certificates, and what the warehouse says of them afterwards."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from sqlalchemy import Engine

from certrecon.audit.pseudonymise import Pseudonymised, pseudonymise_past
from tests.contract.sandbox_nights import Nights
from tests.contract.test_tampering import Scene
from tests.contract.warehouse import rows
from tests.oracle.world import Row

KEPT = 30
ENDED = dt.datetime.now(dt.UTC).date()
LATER = ENDED + dt.timedelta(days=KEPT + 1)


def claim_rows(engine: Engine, where: str = "true") -> dict[int, Row]:
    """Every row of the claims, open or ended, by its number."""
    found = rows(engine, f"SELECT * FROM reconciliation.claim WHERE {where} ORDER BY claim_id")
    return {row["claim_id"]: row for row in found}


def names(engine: Engine) -> set[str]:
    """The persons that a search by name can find."""
    return {row["resource_id"] for row in rows(engine, "SELECT resource_id FROM reconciliation.claim_person")}


def entries(engine: Engine) -> list[Row]:
    """What is on the record."""
    return rows(engine, "SELECT * FROM reconciliation.pseudonymisation ORDER BY pseudonymisation_id")


def delivered_persons(nights: Nights, number: int) -> list[str]:
    """Persons with a delivered claim, those with most claims first."""
    counts = Counter(row["resource_id"] for row in nights.claims(resource_type="PERSON"))
    delivered = {row["resource_id"] for row in nights.claims(disposition="delivered")}
    return [one for one, _ in counts.most_common() if one in delivered][:number]


def leave(nights: Nights, resource: str) -> None:
    """Let 4HSE delete every certificate of somebody."""
    for certificate in list(nights.world.certificates.where("resource_id", resource)):
        for link in nights.world.links.where("certificate_id", certificate["certificate_id"]):
            nights.world.links.remove(link["certificate_action_id"])
        nights.world.certificates.remove(certificate["certificate_id"])


def do(scene: Scene, today: dt.date = LATER, days: int | None = KEPT) -> Pseudonymised:
    """Pseudonymise."""
    return pseudonymise_past(scene.engine, scene.root, today, days)


def thing_of(nights: Nights) -> str:
    """Something with a certificate that is no person."""
    return str(next(row["resource_id"] for row in nights.claims() if row["resource_type"] not in {None, "PERSON"}))
