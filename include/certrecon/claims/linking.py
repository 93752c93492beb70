"""What links, types and 4HSE's own flags say of every claim."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.columns import column, present
from certrecon.claims.dates import Bools, Ints
from certrecon.claims.grain import Grain, Links
from certrecon.claims.inputs import ClaimInputs
from certrecon.settings import Settings
from certrecon.text import fold_key
from certrecon.words import PERSON


def _any_link(links: Links, condition: Bools, claims: int) -> Bools:
    return np.bincount(links.claim, weights=condition, minlength=claims) > 0


def _differs(left: pa.Array, right: pa.Array) -> Bools:
    """Return where two string columns differ; a null differs from a text, not from a null."""
    return np.asarray(pc.not_equal(pc.fill_null(left, ""), pc.fill_null(right, "")))


def _unpublished(action_types: pa.Array, settings: Settings) -> Bools:
    published = pa.array([str(name) for name in settings.publish_action_types], pa.string())
    return ~np.asarray(pc.is_in(action_types, value_set=published, skip_nulls=True))


def link_facts(grain: Grain, links: Links, inputs: ClaimInputs, person: Ints) -> dict[str, pa.Array]:
    """Return the columns of `LINK_FACTS` that links and flags decide, and `applicable`."""
    certificates, settings, claims = inputs.certificates, inputs.settings.settings, len(grain.certificate)
    own_type = column(certificates, "action_type")
    link_type = column(links.table, "action_type")
    resource = present(certificates, "resource_type")
    is_person = np.asarray(pc.if_else(pc.is_null(resource), pa.array(person >= 0), pc.equal(resource, PERSON)))
    some_published = _any_link(links, ~_unpublished(link_type, settings), claims)
    published = ~_unpublished(own_type, settings)[grain.certificate] & (some_published | ~grain.linked)
    warned = pc.is_in(
        pc.utf8_trim_whitespace(column(certificates, "warning")), value_set=pa.array(["1", "true"]), skip_nulls=True
    )
    return {
        "linked": pa.array(grain.linked),
        "is_person": pa.array(is_person[grain.certificate]),
        "published": pa.array(published),
        "applicable": pa.array(is_person[grain.certificate] & published),
        "action_type_disagrees": pa.array(
            _any_link(links, _differs(link_type, own_type.take(pa.array(links.certificate))), claims)
        ),
        "source_warning": pa.array(np.asarray(pc.fill_null(warned, False))[grain.certificate]),
    }


def _drifting_types(ledger: pa.Table, settings: Settings) -> list[str]:
    """Return the settings' types that the target knows in a spelling that is no younger (`TYPE_SPELLING_DRIFT`)."""
    acknowledged = ledger.filter(pc.is_valid(ledger.column("acknowledged_payload_sha256")))
    first = acknowledged.group_by("certificate_type").aggregate([("first_acknowledged_at", "min")])
    since = dict(
        zip(first["certificate_type"].to_pylist(), first["first_acknowledged_at_min"].to_pylist(), strict=True)
    )
    types = {rule.certificate_type for rule in settings.certificate_types}
    return [
        name
        for name in sorted(types)
        if any(
            known != name and fold_key(known) == fold_key(name) and (name not in since or since[known] <= since[name])
            for known in since
        )
    ]


def type_facts(grain: Grain, inputs: ClaimInputs) -> dict[str, pa.Array]:
    """Return each claim's type and what is known of it."""
    settings = inputs.settings.settings
    names = pa.array([rule.certificate_type for rule in settings.certificate_types], pa.string())
    types = names.take(pa.array(grain.rule, mask=grain.rule < 0))
    drifting = pa.array(_drifting_types(inputs.ledger, settings), pa.string())
    return {
        "certificate_type": types,
        "typed": pa.array(grain.rule >= 0),
        "spelling_drift": pc.is_in(types, value_set=drifting, skip_nulls=True),
    }
