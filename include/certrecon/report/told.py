"""How many changes in 4HSE events had told of (the nightly run is the truth, whatever they told)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import NONE
from certrecon.report.ages import places_before
from certrecon.report.model import ReportInputs, Told
from certrecon.report.pieces import as_numbers, plain
from certrecon.words import ChangeEvent

_FROM_4HSE = (
    "certificate_type", "tenant_id", "resource_id", "person_name", "employee_number", "issued_on", "valid_until",
    "linked",
)  # fmt: skip


def told_changes(claims: pa.Table, inputs: ReportInputs) -> Told | None:
    """Return how many certificates changed since the warehouse knew them, and how many of them a hint pointed at.

    Args:
        claims: Schema `DECIDED`.
        inputs: The claims before, the hints, and the links that hints may name.
    """
    baseline, previous, hints = inputs.head.baseline, inputs.previous_claims, inputs.hints
    if hints is None or previous is None or baseline is None or inputs.head.limited:
        return None
    changed = _changed(previous.combine_chunks(), claims)
    ids = changed.column("certificate_id").unique()
    pointed = pc.is_in(changed.column("certificate_id"), value_set=_certificates(hints, inputs.links))
    person = pc.is_in(changed.column("resource_id"), value_set=_entities(hints, "PERSON"))
    told = changed.filter(pc.or_(pointed, person)).column("certificate_id").unique()
    return Told(baseline, hints.num_rows, len(ids), len(told))


def _changed(before: pa.Table, after: pa.Table) -> pa.Table:
    """Return certificate and person of every claim that is on one side only, or says something else there."""
    places = places_before(after, before)
    same = places >= 0
    for name in _FROM_4HSE:
        then, now = as_numbers(before, after, name)
        same &= np.append(then, np.int32(NONE))[places] == now
    left = np.ones(before.num_rows, np.bool_)
    left[places[same]] = False
    parts = (before.filter(pa.array(left)), after.filter(pa.array(~same)))
    return pa.concat_tables([plain(part.select(["certificate_id", "resource_id"])) for part in parts])


def _entities(hints: pa.Table, entity: str) -> pa.Array:
    names = pa.array([event.value for event in ChangeEvent if event.entity == entity])
    return hints.filter(pc.is_in(hints.column("event"), value_set=names)).column("entity_id").combine_chunks()


def _certificates(hints: pa.Table, links: pa.Table | None) -> pa.Array:
    """Return the certificates that hints point at, by themselves or by a link."""
    named = [_entities(hints, "CERTIFICATE"), pc.list_flatten(hints.column("certificate_ids")).combine_chunks()]
    if links is not None:
        changed = pc.is_in(links.column("certificate_action_id"), value_set=_entities(hints, "CERTIFICATE_ACTION"))
        named.append(links.filter(changed).column("certificate_id").combine_chunks())
    return pa.concat_arrays(named)
