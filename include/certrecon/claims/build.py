"""Makes the frame of claims: one row a certificate and certificate type (design, *From certificates to claims*)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import Bools, Coded
from certrecon.claims.columns import column
from certrecon.claims.dates import Ints
from certrecon.claims.facts import CLAIM_FACTS
from certrecon.claims.grain import Grain, Order, certificate_rows, make_grain
from certrecon.claims.inputs import LINKS, ClaimInputs
from certrecon.claims.linking import link_facts, type_facts
from certrecon.claims.matching import match_facts, person_rows
from certrecon.claims.persons import person_facts
from certrecon.claims.validity import date_facts
from certrecon.errors import IncompleteReadError
from certrecon.words import PERSON


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a run and the links that tie to no certificate.

    Attributes:
        facts: Schema `CLAIM_FACTS`, ordered by certificate id and certificate type.
        dangling: Schema `LINKS`: links whose certificate is not there.
    """

    facts: pa.Table
    dangling: pa.Table


def _refuse_doubled(ids: pa.Array, order: Ints) -> None:
    """Refuse ids that are there twice: in order, they stand side by side."""
    ordered = ids.take(pa.array(order))
    doubled = pc.unique(ordered[1:].filter(pc.fill_null(pc.equal(ordered[1:], ordered[:-1]), ids.null_count > 1)))
    if len(doubled):
        message = (
            f"Certificate {doubled[0]} and {len(doubled) - 1} more were read in two tenants. If "
            "they moved while they were read, the next run is fine; if it happens again, ids of certificates are not "
            "unique over tenants: limit the run to one of them (tenant_ids)."
        )
        raise IncompleteReadError(message)


def _identity(grain: Grain, certificates: pa.Table) -> dict[str, pa.Array]:
    names = {"name": "certificate_name"}
    coded = ("tenant_id", "name", "action_type", "resource_type", "resource_id")
    return {
        names.get(name, name): Coded.of(certificates[name]).take(grain.certificate).to_arrow() for name in coded
    } | {
        "certificate_id": column(certificates, "certificate_id").take(pa.array(grain.certificate)),
        "certificate": pa.array(grain.certificate.astype(np.int32)),
    }


def _own_persons(certificates: pa.Table, persons: Ints) -> Ints:
    """Return each certificate's person, -1 where it says that it is no person's."""
    resource = Coded.of(certificates["resource_type"]).present()
    others: Bools = (resource.codes >= 0) & ~resource.having(pc.equal(resource.texts, PERSON))
    return np.where(others, -1, persons)


def build_claims(inputs: ClaimInputs) -> Claims:
    """Make the claims of a run with every fact that rules ask about.

    Raises:
        IncompleteReadError: A certificate was read in two tenants.
    """
    certificates = inputs.certificates
    order = Order.of(column(certificates, "certificate_id"))
    _refuse_doubled(column(certificates, "certificate_id"), order.rows)
    found = certificate_rows(inputs.links, certificates)
    grain, links = make_grain(certificates, inputs.links, found, order, inputs.settings.settings.certificate_types)
    all_persons = person_rows(certificates, inputs.persons)
    person = _own_persons(certificates, all_persons)
    columns = (
        _identity(grain, certificates)
        | type_facts(grain, inputs)
        | date_facts(grain, links, certificates, inputs.settings.settings)
        | match_facts(person[grain.certificate], inputs.persons, person_facts(inputs))
        | link_facts(grain, links, inputs, all_persons)
    )
    facts = pa.table([columns[field.name] for field in CLAIM_FACTS], schema=CLAIM_FACTS)
    return Claims(facts, inputs.links.take(pa.array(np.flatnonzero(found < 0))).cast(LINKS))
