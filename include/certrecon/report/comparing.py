"""What became of claims since the previous run, and the fields in which they differ."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.report.model import CHANGES, Change, ChangeRow, Changes, Excerpt, ReportInputs, RunHead
from certrecon.report.safe import joined, one_line_table
from certrecon.report.saying import NEEDY
from certrecon.report.worklist import LISTED, having
from certrecon.words import Disposition

Bools = npt.NDArray[np.bool_]

FIELDS: Final = (
    "disposition", "findings", "valid_until", "issued_on", "employee_number", "person_name", "resource_id", "linked",
)  # fmt: skip
"""The fields that are compared, in the order in which differences are named."""

_SOLVED: Final = (Disposition.DELIVERED, Disposition.PLANNED, Disposition.SUPERSEDED)
_NOTHING = pa.scalar(None, pa.string())


def _keys(claims: pa.Table) -> pa.Array:
    types = pc.fill_null(claims.column("certificate_type"), "")
    return pc.binary_join_element_wise(claims.column("certificate_id"), types, "\x1f").combine_chunks()


def _in_scope(previous: pa.Table, claims: pa.Table, head: RunHead) -> pa.Table:
    """Return the earlier claims that a limited run may compare: of its tenants or certificates, or of what it read."""
    if not head.limited:
        return previous
    if head.certificates is not None:
        looked = pa.array(head.certificates, pa.string())
        return previous.filter(pc.is_in(previous.column("certificate_id"), value_set=looked))
    lies = pc.is_in(previous.column("tenant_id"), value_set=pa.array(head.tenants, pa.string()))
    read = pc.is_in(previous.column("certificate_id"), value_set=claims.column("certificate_id").combine_chunks())
    return previous.filter(pc.or_(lies, read))


def _texts(claims: pa.Table, name: str) -> pa.Array:
    column = claims.column(name).combine_chunks()
    if name == "findings":
        return pc.binary_join(column, " ")
    if name == "linked":
        return pc.if_else(column, "yes", "no")
    return column.cast(pa.string())


def _differing(before: pa.Array, after: pa.Array) -> pa.Array:
    return pc.not_equal(pc.fill_null(before, ""), pc.fill_null(after, ""))


def _is(claims: pa.Table, *names: Disposition) -> Bools:
    wanted = pa.array([str(name) for name in names])
    return np.asarray(pc.is_in(claims.column("disposition").combine_chunks(), value_set=wanted))


def _kinds(before: pa.Table, after: pa.Table, there: Bools, *, publishes: bool) -> dict[Change, Bools]:
    """Return which claims of this run changed in which way.

    Args:
        before: The claims as they were, all null where there was none.
        after: The claims as they are.
        there: Which of them there were before.
        publishes: Whether something was sent; if not, what would be sent counts as delivered.
    """
    delivered = (Disposition.DELIVERED,) if publishes else (Disposition.DELIVERED, Disposition.PLANNED)
    expired = having(before, ["EXPIRED"])
    return {
        Change.NEWLY_BLOCKED: _is(after, Disposition.BLOCKED) & ~_is(before, Disposition.BLOCKED),
        Change.SOLVED: there & _is(before, *NEEDY) & _is(after, *_SOLVED),
        Change.NEWLY_EXPIRED: having(after, ["EXPIRED"]) & ~expired,
        Change.NEWLY_DELIVERED: _is(after, *delivered) & ~_is(before, Disposition.DELIVERED),
        Change.NEW: ~there,
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


def _changed(before: pa.Table, after: pa.Table, there: pa.Array) -> pa.Array:
    """Return which claims differ in any field, as a mask."""
    differs = [pc.and_(there, _differing(_texts(before, name), _texts(after, name))) for name in FIELDS]
    return np.logical_or.reduce([np.asarray(one) for one in differs])


def _personal(claims: pa.Table, name: str) -> pa.Array:
    concerned = pc.not_equal(claims.column("disposition").combine_chunks(), str(Disposition.NOT_APPLICABLE))
    return pc.if_else(concerned, claims.column(name).combine_chunks(), _NOTHING)


def _rows(claims: pa.Table, change: Any, before: Any, after: Any, differs: Any) -> pa.Table:
    own = {name: claims.column(name) for name in ("certificate_id", "certificate_type", "tenant_id")}
    own |= {name: _personal(claims, name) for name in ("person_name", "employee_number")}
    own |= {"change": change, "before": before, "after": after, "differs": differs}
    return pa.table([own[name] for name in CHANGES.names], schema=CHANGES)


def _present(previous: pa.Table, claims: pa.Table, *, publishes: bool) -> pa.Table:
    place = pc.index_in(_keys(claims), value_set=_keys(previous))
    there = pc.is_valid(place)
    before = previous.take(place).combine_chunks()
    lists = pc.fill_null(before.column("findings").combine_chunks(), pa.scalar([], pa.list_(pa.string())))
    before = before.set_column(before.column_names.index("findings"), "findings", lists)
    kinds = _kinds(before, claims, np.asarray(there), publishes=publishes)
    kinds[Change.OTHER] = _changed(before, claims, there) & ~np.logical_or.reduce(list(kinds.values()))
    rows = pa.array(np.flatnonzero(np.logical_or.reduce(list(kinds.values()))))
    then, now, known = before.take(rows).combine_chunks(), claims.take(rows).combine_chunks(), there.take(rows)
    named = _named({kind: found[np.asarray(rows)] for kind, found in kinds.items()})
    differs = pc.if_else(known, _differences(then, now), "") if len(rows) else pa.array([], pa.string())
    return _rows(now, named, then.column("disposition"), now.column("disposition"), differs)


def _gone(previous: pa.Table, claims: pa.Table) -> pa.Table:
    left = previous.filter(pc.invert(pc.is_in(_keys(previous), value_set=_keys(claims)))).combine_chunks()
    needy = pa.array(_is(left, *NEEDY))
    change = pc.if_else(needy, f"{Change.SOLVED}, {Change.GONE}", str(Change.GONE))
    return _rows(left, change, left.column("disposition"), pa.nulls(left.num_rows, pa.string()), [""] * left.num_rows)


def _of(table: pa.Table, kind: Change) -> pa.Table:
    return table.filter(pc.match_substring_regex(table.column("change"), rf"(^|, ){kind}(,|$)"))


def changes(claims: pa.Table, inputs: ReportInputs) -> Changes:
    """Return what changed since the previous run, within the run's scope.

    Args:
        claims: Schema `DECIDED`.
        inputs: The run, and the claims as the previous publishing run left them.
    """
    if inputs.previous is None or inputs.previous_claims is None:
        return Changes()
    previous = _in_scope(inputs.previous_claims, claims, inputs.head).combine_chunks()
    parts = [_present(previous, claims, publishes=inputs.head.publishes), _gone(previous, claims)]
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
