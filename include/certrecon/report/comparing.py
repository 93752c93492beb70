"""What became of claims since the previous run, and the fields in which they differ."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import NONE
from certrecon.report.ages import places_before
from certrecon.report.model import CHANGES, Change, ChangeRow, Changes, Excerpt, ReportInputs
from certrecon.report.pieces import Bools, Places, among, as_numbers, piece, plain, truths
from certrecon.report.safe import joined, one_line_table
from certrecon.report.saying import NEEDY
from certrecon.report.worklist import LISTED, having
from certrecon.words import Disposition

FIELDS: Final = (
    "disposition", "findings", "valid_until", "issued_on", "employee_number", "person_name", "resource_id", "linked",
)  # fmt: skip
"""The fields that are compared, in the order in which differences are named."""

_SOLVED: Final = (Disposition.DELIVERED, Disposition.PLANNED, Disposition.SUPERSEDED)
_NOTHING = pa.scalar(None, pa.string())
_SHOWN: Final = ["certificate_id", "certificate_type", "tenant_id", *FIELDS]


def _in_scope(previous: pa.Table, claims: pa.Table, inputs: ReportInputs) -> tuple[pa.Table, Places]:
    """Return the earlier claims that the run may compare, and where each of its claims is among them.

    A limited run may compare those of its tenants or certificates, or of what it read; what moved out of its tenants
    stays as it was until a run reads where it lies.
    """
    head = inputs.head
    places = places_before(claims, previous)
    if not head.limited:
        return previous, places
    if head.certificates is not None:
        within = among(previous, "certificate_id", head.certificates)
    else:
        read = pc.is_in(piece(previous, "certificate_id"), value_set=piece(claims, "certificate_id"))
        within = among(previous, "tenant_id", head.tenants) | truths(read)
        within &= ~among(previous, "certificate_id", inputs.moved_away)
    moved = np.append(np.where(within, np.cumsum(within) - 1, -1), -1)
    return previous.filter(pa.array(within)).combine_chunks(), moved[places]


def _texts(claims: pa.Table, name: str) -> pa.Array:
    column = piece(claims, name)
    if name == "findings":
        return pc.binary_join(column, " ")
    if name == "linked":
        return pc.if_else(column, "yes", "no")
    return column.cast(pa.string())


def _differing(before: pa.Array, after: pa.Array) -> pa.Array:
    return pc.not_equal(pc.fill_null(before, ""), pc.fill_null(after, ""))


def _changed(previous: pa.Table, claims: pa.Table, places: Places) -> Bools:
    """Return which claims differ in any field from what they were, new ones being left out."""
    found = np.zeros(len(places), np.bool_)
    for name in FIELDS:
        then, now = as_numbers(previous, claims, name, empty_is_none=True)
        found |= np.append(then, np.int32(NONE))[places] != now
    return found & (places >= 0)


def _then(previous: Bools, places: Places) -> Bools:
    """Return what held of each claim before; nothing of a new one."""
    return np.append(previous, np.False_)[places]


def _kinds(previous: pa.Table, claims: pa.Table, places: Places, *, publishes: bool) -> dict[Change, Bools]:
    """Return which claims of this run changed in which way.

    Args:
        previous: The claims before.
        claims: The claims as they are.
        places: Where each of them was before.
        publishes: Whether something was sent; if not, what would be sent counts as delivered.
    """

    def was(*names: Disposition) -> Bools:
        return _then(among(previous, "disposition", names), places)

    def now(*names: Disposition) -> Bools:
        return among(claims, "disposition", names)

    delivered = (Disposition.DELIVERED,) if publishes else (Disposition.DELIVERED, Disposition.PLANNED)
    return {
        Change.NEWLY_BLOCKED: now(Disposition.BLOCKED) & ~was(Disposition.BLOCKED),
        Change.SOLVED: was(*NEEDY) & now(*_SOLVED),
        Change.NEWLY_EXPIRED: having(claims, ["EXPIRED"]) & ~_then(having(previous, ["EXPIRED"]), places),
        Change.NEWLY_DELIVERED: now(*delivered) & ~was(Disposition.DELIVERED),
        Change.NEW: places < 0,
    }


def _named(kinds: dict[Change, Bools]) -> pa.Array:
    """Return the names of what became of each claim; empty where nothing did."""
    columns = [pc.if_else(pa.array(found), str(kind), _NOTHING) for kind, found in kinds.items()]
    return joined(columns, ", ")


def _differences(before: pa.Table, after: pa.Table) -> pa.Array:
    parts = []
    for name in FIELDS:
        then, now = _texts(before, name), _texts(after, name)
        shown = [pc.if_else(pc.equal(pc.fill_null(text, ""), ""), "none", text) for text in (then, now)]
        said = pc.binary_join_element_wise(f"{name}: ", shown[0], " -> ", shown[1], "")
        parts.append(pc.if_else(_differing(then, now), said, _NOTHING))
    return joined(parts, "; ")


def _personal(claims: pa.Table, name: str) -> pa.Array:
    concerned = pc.not_equal(claims.column("disposition").combine_chunks(), str(Disposition.NOT_APPLICABLE))
    return pc.if_else(concerned, claims.column(name).combine_chunks(), _NOTHING)


def _rows(claims: pa.Table, change: Any, before: Any, after: Any, differs: Any) -> pa.Table:
    own = {name: claims.column(name) for name in ("certificate_id", "certificate_type", "tenant_id")}
    own |= {name: _personal(claims, name) for name in ("person_name", "employee_number")}
    own |= {"change": change, "before": before, "after": after, "differs": differs}
    return pa.table([own[name] for name in CHANGES.names], schema=CHANGES)


def _present(previous: pa.Table, claims: pa.Table, places: Places, *, publishes: bool) -> pa.Table:
    kinds = _kinds(previous, claims, places, publishes=publishes)
    kinds[Change.OTHER] = _changed(previous, claims, places) & ~np.logical_or.reduce(list(kinds.values()))
    rows = np.flatnonzero(np.logical_or.reduce(list(kinds.values())))
    there = places[rows] >= 0
    then = plain(previous.take(pa.array(places[rows], mask=~there)))
    now = plain(claims.select(_SHOWN).take(pa.array(rows)))
    named = _named({kind: found[rows] for kind, found in kinds.items()})
    differs = pc.if_else(pa.array(there), _differences(then, now), "") if len(rows) else pa.array([], pa.string())
    return _rows(now, named, then.column("disposition"), now.column("disposition"), differs)


def _gone(previous: pa.Table, places: Places) -> pa.Table:
    there = np.zeros(previous.num_rows + 1, np.bool_)
    there[places] = True
    left = plain(previous.filter(pa.array(~there[:-1])))
    change = pc.if_else(
        pa.array(among(left, "disposition", NEEDY)), f"{Change.SOLVED}, {Change.GONE}", str(Change.GONE)
    )
    return _rows(left, change, left.column("disposition"), pa.nulls(left.num_rows, pa.string()), [""] * left.num_rows)


def _of(table: pa.Table, kind: Change) -> pa.Table:
    return table.filter(pc.match_substring_regex(table.column("change"), rf"(^|, ){kind}(,|$)"))


def changes(claims: pa.Table, inputs: ReportInputs) -> Changes:
    """Return what changed since the previous run, within the run's scope.

    Args:
        claims: Schema `DECIDED`, as `certrecon.report.stored.as_stored` gives them.
        inputs: The run, and the claims as the previous publishing run left them.
    """
    if inputs.previous is None or inputs.previous_claims is None:
        return Changes()
    everything = inputs.previous_claims.combine_chunks()
    previous, places = _in_scope(everything, claims, inputs)
    parts = [_present(previous, claims, places, publishes=inputs.head.publishes), _gone(previous, places)]
    keys = ["change", "tenant_id", "person_name", "certificate_id", "certificate_type"]
    table = pa.concat_tables(parts)
    if table.num_rows:
        table = table.sort_by([(key, "ascending") for key in keys]).combine_chunks()
    lists = {kind: _of(table, kind) for kind in Change}
    excerpts = {
        kind: Excerpt(
            own.num_rows,
            tuple(ChangeRow(**row) for row in one_line_table(own.slice(0, LISTED)).to_pylist()),
            "see the CSV of changes",
        )
        for kind, own in lists.items()
        if own.num_rows
    }
    return Changes(
        known=True, counts={kind: own.num_rows for kind, own in lists.items()}, table=table, excerpts=excerpts
    )
