"""How many changes in 4HSE events had told of (the nightly run is the truth, whatever they told)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import NONE
from certrecon.report.ages import places_before
from certrecon.report.heading import settings_changes
from certrecon.report.model import ReportInputs, SettingsChanges, Told
from certrecon.report.pieces import as_numbers, plain
from certrecon.words import ChangeEvent

_FROM_4HSE = (
    "certificate_type", "tenant_id", "resource_id", "person_name", "employee_number", "issued_on", "valid_until",
    "linked",
)  # fmt: skip

_SHAPING = (
    "certificate_types", "employee_match", "no_expiry", "no_expiry_date", "publish_action_types", "tenants",
    "time_zone",
)  # fmt: skip
"""The settings by which the same data of 4HSE give other claims."""


def told_changes(claims: pa.Table, inputs: ReportInputs) -> Told | None:
    """Return how many certificates changed since the warehouse knew them, and how many of them a hint pointed at.

    Args:
        claims: Schema `DECIDED`, as `certrecon.report.stored.as_stored` gives them.
        inputs: The claims before, the runs that left them so, the hints, and the links that hints may name.
    """
    baseline, previous, hints = inputs.head.baseline, inputs.previous_claims, inputs.hints
    if hints is None or previous is None or baseline is None or inputs.head.limited:
        return None
    if _settings_differ(inputs, baseline):
        return Told(baseline, hints.num_rows, settings_differ=True)
    changed = _changed(previous.combine_chunks(), claims)
    ids = changed.column("certificate_id").unique()
    pointed = pc.is_in(changed.column("certificate_id"), value_set=_certificates(hints, inputs.links))
    person = pc.is_in(changed.column("resource_id"), value_set=_entities(hints, "PERSON"))
    told = changed.filter(pc.or_(pointed, person)).column("certificate_id").unique()
    return Told(baseline, hints.num_rows, len(ids), len(told))


def _settings_differ(inputs: ReportInputs, baseline: int) -> bool:
    """Return whether claims may have been made by other settings or another crosswalk, by the baseline or since.

    What differs is known of the previous run; of the others only whether anything does.
    """
    head, previous, runs = inputs.head, inputs.previous, inputs.runs
    changes = settings_changes(previous.settings_text, head.settings_text) if previous else None
    if changes is not None and _shapes_claims(changes):
        return True
    if runs is None:
        return False
    fine = [head.settings_sha256]
    if changes is not None and previous:
        # It may have followed hints, and is none of `runs` then.
        fine += runs.filter(pc.equal(runs["run_seq"], previous.run_seq))["settings_sha256"].to_pylist()
    judged = runs.filter(pc.and_(pc.greater_equal(runs["run_seq"], baseline), pc.is_valid(runs["dispositions"])))
    return not set(judged["settings_sha256"].to_pylist()) <= set(fine)


def _shapes_claims(changes: SettingsChanges) -> bool:
    """Return whether a claim may say something else because of what differs."""
    return any(changes.crosswalk.values()) or any(row.key.partition(".")[0] in _SHAPING for row in changes.rows)


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
