"""What links, types and 4HSE's own flags say of every claim."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import Bools, Coded
from certrecon.claims.dates import Ints
from certrecon.claims.grain import Grain, Links
from certrecon.claims.inputs import ClaimInputs
from certrecon.settings import Settings
from certrecon.text import fold_key
from certrecon.words import PERSON


def _any_link(links: Links, condition: Bools, claims: int) -> Bools:
    return np.bincount(links.claim, weights=condition, minlength=claims) > 0


def _differs(left: Coded, right: Coded) -> Bools:
    """Return where two columns differ; a null differs from a text, not from a null or an empty text."""
    empty = pa.scalar(None, pa.string())
    ours, theirs = (one.changed(pc.if_else(pc.equal(one.texts, ""), empty, one.texts)) for one in (left, right))
    first, second = Coded.joined(ours, theirs)
    return np.asarray(first.codes != second.codes)


def _published(action_types: Coded, settings: Settings) -> Bools:
    published = pa.array([str(name) for name in settings.publish_action_types], pa.string())
    return action_types.having(pc.is_in(action_types.texts, value_set=published))


def link_facts(grain: Grain, links: Links, inputs: ClaimInputs, person: Ints) -> dict[str, pa.Array]:
    """Return the columns of `LINK_FACTS` that links and flags decide, and `applicable`."""
    certificates, settings, claims = inputs.certificates, inputs.settings.settings, len(grain.certificate)
    own_type = Coded.of(certificates["action_type"])
    resource = Coded.of(certificates["resource_type"]).present()
    is_person = np.where(resource.codes < 0, person >= 0, resource.having(pc.equal(resource.texts, PERSON)))
    some_published = _any_link(links, _published(links.action_type, settings), claims)
    published = _published(own_type, settings)[grain.certificate] & (some_published | ~grain.linked)
    warning = Coded.of(certificates["warning"])
    warned = warning.having(pc.is_in(pc.utf8_trim_whitespace(warning.texts), value_set=pa.array(["1", "true"])))
    return {
        "linked": pa.array(grain.linked),
        "is_person": pa.array(is_person[grain.certificate]),
        "published": pa.array(published),
        "applicable": pa.array(is_person[grain.certificate] & published),
        "action_type_disagrees": pa.array(
            _any_link(links, _differs(links.action_type, own_type.take(links.certificate)), claims)
        ),
        "source_warning": pa.array(warned[grain.certificate]),
    }


def _drifting_types(ledger: pa.Table, settings: Settings) -> list[str]:
    """Return the settings' types that the target knows in a spelling that is no younger (`TYPE_SPELLING_DRIFT`)."""
    acknowledged = ledger.select(["certificate_type", "first_acknowledged_at"]).filter(
        pc.is_valid(ledger.column("acknowledged_payload_sha256"))
    )
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
    names = Coded.of(pa.array([rule.certificate_type for rule in settings.certificate_types], pa.string()))
    types = names.take(grain.rule)
    drifting = pa.array(_drifting_types(inputs.ledger, settings), pa.string())
    return {
        "certificate_type": types.to_arrow(),
        "typed": pa.array(grain.rule >= 0),
        "spelling_drift": pa.array(types.having(pc.is_in(types.texts, value_set=drifting))),
    }
