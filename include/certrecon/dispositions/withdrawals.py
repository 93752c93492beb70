"""What Ditio holds although no eligible claim supports it any more, and why (design, *Withdrawn*)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import CODED, Bools, Coded, pair_numbers
from certrecon.claims.columns import column
from certrecon.dispositions.decide import DECIDED, Decision
from certrecon.dispositions.inputs import DecisionInputs
from certrecon.dispositions.scope import inside
from certrecon.dispositions.verdicts import Verdicts
from certrecon.dispositions.winners import keys_of
from certrecon.settings import Settings
from certrecon.words import Unlinked

WITHDRAWN = pa.schema(
    [
        ("employee_number", pa.string()),
        ("certificate_type", pa.string()),
        ("certificate_id", pa.string()),
        ("reason", pa.string()),
    ]
)
"""Ledger entries without support; `reason` is one of the design's words, `moved_to_other_tenant` where
4HSE knows the certificate in a tenant that the run did not read, or `tenant_missing` where the run did not
read the entry's tenant."""

JUDGED = pa.schema([WITHDRAWN.field("employee_number"), WITHDRAWN.field("certificate_type")])
"""Keys of the ledger."""

UNPUBLISHED = ("ACTION_TYPE_NOT_PUBLISHED", "RESOURCE_NOT_PERSON")


def _truths(condition: pa.Array | pa.ChunkedArray) -> Bools:
    return np.asarray(pc.fill_null(condition, False))


def _key(table: pa.Table) -> tuple[Coded, Coded]:
    number, kind = (Coded.of(table[name]) for name in JUDGED.names)
    return number, kind


def _with_key_of(entries: pa.Table, claims: pa.Table) -> pa.Array:
    """Return which entries have the employee number and certificate type of one of the claims."""
    among, own = pair_numbers(_key(claims), _key(entries))
    return pc.is_in(own, value_set=among, skip_nulls=True)


def _in_scope(entries: pa.Table, decision: Decision, inputs: DecisionInputs) -> pa.Array:
    """Return which entries the run may judge: all, or those whose certificate lies in a limited run's scope.

    An entry whose key a claim of the run wins is the run's as well, wherever its certificate lies: what the run sends
    takes its place, so nobody may go on removing it.
    """
    if not inputs.scope.limited:
        return pa.repeat(pa.scalar(value=True), entries.num_rows)
    ids, known = (column(entries, f"acknowledged_{name}") for name in ("certificate_id", "tenant_id"))
    won = decision.claims.filter(pc.is_valid(decision.claims.column("payload_sha256")))
    lies_here = inside(ids, known, column(decision.claims, "certificate_id"), inputs)
    return pc.or_(lies_here, _with_key_of(entries, won))


def _plain(table: pa.Table) -> pa.Table:
    """Return a table with its coded columns as texts."""
    fields = [field.with_type(pa.string()) if field.type == CODED else field for field in table.schema]
    return table.cast(pa.schema(fields))


def _absence(entries: pa.Table, inputs: DecisionInputs) -> pa.Array:
    """Return the reason of entries whose certificate was not read."""
    moved = inputs.lookups.filter(pc.equal(inputs.lookups.column("outcome"), "moved")).column("certificate_id")
    was_moved = pc.is_in(column(entries, "acknowledged_certificate_id"), value_set=moved.combine_chunks())
    read = pc.is_in(column(entries, "acknowledged_tenant_id"), value_set=pa.array(inputs.scope.tenants, pa.string()))
    return pc.if_else(was_moved, "moved_to_other_tenant", pc.if_else(read, "deleted", "tenant_missing"))


def _blocking(verdicts: Verdicts) -> pa.Array:
    """Return `blocked:<codes>` for each claim, with what makes a claim not applicable among the codes."""
    wider = Verdicts(verdicts.found, verdicts.critical | set(UNPUBLISHED))
    return pc.binary_join_element_wise("blocked:", pc.binary_join(wider.lists(only_critical=True), ","), "")


def _concerned(entries: pa.Table, decision: Decision, verdicts: Verdicts) -> tuple[pa.Table, Verdicts]:
    """Return the claims of the entries' certificates, and the verdicts on them."""
    ids = decision.claims.column("certificate_id")
    among = column(entries, "acknowledged_certificate_id")
    rows = np.flatnonzero(np.asarray(pc.is_in(ids, value_set=among, skip_nulls=True)))
    names = ["certificate_id", "certificate_type", "resource_id", "employee_number", "linked"]
    claims = decision.claims.select(names).take(pa.array(rows))
    return claims.cast(pa.schema([DECIDED.field(name) for name in names])), verdicts.take(rows)


def _reasons(
    entries: pa.Table, decision: Decision, all_verdicts: Verdicts, inputs: DecisionInputs, settings: Settings
) -> pa.Array:
    claims, verdicts = _concerned(entries, decision, all_verdicts)
    ids = column(entries, "acknowledged_certificate_id")
    place = pc.index_in(ids, value_set=column(claims, "certificate_id"))
    same_type = pc.index_in(
        keys_of(ids, column(entries, "certificate_type")),
        value_set=keys_of(column(claims, "certificate_id"), column(claims, "certificate_type")),
    )
    now = claims.select(["resource_id", "employee_number", "linked", "certificate_type"]).take(place)
    unlinked = pc.and_(
        pc.invert(now.column("linked")),
        settings.unlinked is Unlinked.HOLD or pc.is_null(now.column("certificate_type")),
    )
    return pc.case_when(
        pc.make_struct(
            pc.is_null(place),
            _truths(pc.not_equal(column(now, "resource_id"), column(entries, "acknowledged_person_id"))),
            _truths(pc.not_equal(column(now, "employee_number"), column(entries, "employee_number"))),
            _truths(unlinked),
            pc.is_null(same_type),
        ),
        _absence(entries, inputs),
        "moved_to_other_person",
        "number_changed",
        "unlinked",
        "retyped",
        _blocking(verdicts).take(same_type),
    )


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a run says of withdrawals.

    Attributes:
        entries: Schema `WITHDRAWN`, ordered by key.
        judged: Schema `JUDGED`: every acknowledged key that the run may speak of.
    """

    entries: pa.Table
    judged: pa.Table


def find_withdrawn(decision: Decision, verdicts: Verdicts, inputs: DecisionInputs, settings: Settings) -> Withdrawn:
    """Return the acknowledged ledger entries in scope that no eligible claim supports.

    Returns:
        What is withdrawn, and which keys were judged.
    """
    ledger = inputs.ledger
    judged = pc.and_(pc.is_valid(ledger.column("acknowledged_payload_sha256")), _in_scope(ledger, decision, inputs))
    supported = _with_key_of(ledger, decision.supported)
    entries = _plain(ledger.filter(pc.and_(judged, pc.invert(supported))))
    table = pa.table(
        [
            column(entries, "employee_number"),
            column(entries, "certificate_type"),
            column(entries, "acknowledged_certificate_id"),
            _reasons(entries, decision, verdicts, inputs, settings),
        ],
        schema=WITHDRAWN,
    )
    ordered = table.sort_by([("employee_number", "ascending"), ("certificate_type", "ascending")])
    return Withdrawn(ordered, ledger.select(JUDGED.names).filter(judged).cast(JUDGED))
