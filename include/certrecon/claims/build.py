"""Makes the frame of claims: one row a certificate and certificate type (design, *From certificates to claims*)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.columns import column, present
from certrecon.claims.facts import CLAIM_FACTS
from certrecon.claims.grain import Grain, certificate_rows, make_grain
from certrecon.claims.inputs import ClaimInputs
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


def _refuse_doubled(certificates: pa.Table) -> None:
    ids = column(certificates, "certificate_id")
    counts = pc.value_counts(ids)
    doubled = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(doubled):
        message = (
            f"Certificate {doubled.field('values')[0]} and {len(doubled) - 1} more were read in two tenants. If "
            "they moved while they were read, the next run is fine; if it happens again, ids of certificates are not "
            "unique over tenants: limit the run to one of them (tenant_ids)."
        )
        raise IncompleteReadError(message)


def _identity(grain: Grain, certificates: pa.Table) -> dict[str, pa.Array]:
    rows = pa.array(grain.certificate)
    names = {"name": "certificate_name"}
    columns = ("certificate_id", "tenant_id", "name", "action_type", "resource_type", "resource_id")
    return {names.get(name, name): column(certificates, name).take(rows) for name in columns} | {
        "certificate": rows.cast(pa.int32())
    }


def build_claims(inputs: ClaimInputs) -> Claims:
    """Make the claims of a run with every fact that rules ask about.

    Raises:
        IncompleteReadError: A certificate was read in two tenants.
    """
    certificates = inputs.certificates
    _refuse_doubled(certificates)
    found = certificate_rows(inputs.links, certificates)
    there = pc.is_valid(found)
    joined = inputs.links.filter(there).combine_chunks()
    certificate = np.asarray(found.filter(there).cast(pa.int64()))
    grain, links = make_grain(certificates, joined, certificate, inputs.settings.settings.certificate_types)
    all_persons = person_rows(certificates, inputs.persons)
    own_type = present(certificates, "resource_type")
    person = np.where(np.asarray(pc.fill_null(pc.equal(own_type, PERSON), True)), all_persons, -1)
    columns = (
        _identity(grain, certificates)
        | type_facts(grain, inputs)
        | date_facts(grain, links, certificates, inputs.settings.settings)
        | match_facts(person[grain.certificate], inputs.persons, person_facts(inputs))
        | link_facts(grain, links, inputs, all_persons)
    )
    facts = pa.table([columns[field.name] for field in CLAIM_FACTS], schema=CLAIM_FACTS)
    ordered = facts.sort_by([("certificate_id", "ascending"), ("certificate_type", "ascending")])
    return Claims(ordered, inputs.links.filter(pc.invert(there)))
