"""How long something has been as it is, in publishing runs and in days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import Coded
from certrecon.dispositions.winners import keys_of
from certrecon.dispositions.withdrawals import WITHDRAWN
from certrecon.report.model import ReportInputs
from certrecon.report.pieces import Places, coded, piece, places_of
from certrecon.report.stored import as_stored

AGES: Final = pa.schema([("since_run", pa.int64()), ("age_runs", pa.int64()), ("age_days", pa.int64())])
"""Since which run, how many publishing runs since and including it (1 when new), days since its day (0 when new).

Runs by hints are not counted, but for the one that something began with.
"""

_NULL = pa.scalar(None, pa.int64())
_BEFORE: Final = "place_before"


def beside(left: pa.Table, right: pa.Table) -> pa.Table:
    """Return the columns of two tables of as many rows side by side."""
    return pa.table([*left.columns, *right.columns], names=[*left.column_names, *right.column_names])


def unknown_ages(rows: int) -> pa.Table:
    """Return ages of which nothing is known, schema `AGES`."""
    return pa.table([pa.nulls(rows, pa.int64())] * len(AGES), schema=AGES)


def ages(since: pa.Array, inputs: ReportInputs) -> pa.Table:
    """Return how long things have been as they are, schema `AGES`, null where that is not known.

    What a run by hints began is at least as many days old as the next run that is known.

    Args:
        since: The run with which each began to be so (int64); null where that is not known.
        inputs: Which run it is, and the publishing runs before it, those by hints left out.
    """
    head = inputs.head
    new, unknown = pc.fill_null(pc.equal(since, head.run_seq), False), pc.is_null(since)
    if inputs.runs is None:
        runs, days = pa.nulls(len(since), pa.int64()), pa.nulls(len(since), pa.int64())
    else:
        known = inputs.runs.sort_by("run_seq")
        earlier = np.asarray(piece(known, "run_seq"))
        first = np.asarray(pc.fill_null(since, head.run_seq))
        begun = np.searchsorted(earlier, first)
        by_hints = np.append(earlier, head.run_seq)[begun] != first
        runs = pc.if_else(unknown, _NULL, pa.array(len(earlier) - begun + 1 + by_hints, pa.int64()))
        ages_of_runs = np.asarray(pc.days_between(piece(known, "run_day"), pa.scalar(head.run_day)))
        days = pc.if_else(unknown, _NULL, pa.array(np.append(ages_of_runs, 0)[begun], pa.int64()))
    one, none = pa.scalar(1, pa.int64()), pa.scalar(0, pa.int64())
    return pa.table([since, pc.if_else(new, one, runs), pc.if_else(new, none, days)], schema=AGES)


def claim_ages(claims: pa.Table, inputs: ReportInputs) -> pa.Table:
    """Return how long claims have had their disposition, schema `AGES`.

    Args:
        claims: Schema `DECIDED`.
        inputs: What is known of the runs before; without their claims no age is known.
    """
    previous = inputs.previous_claims
    if previous is None or "since_run_seq" not in previous.column_names:
        return unknown_ages(claims.num_rows)
    places = places_before(claims, previous)
    rows = pa.array(places, mask=places < 0)
    before = piece(previous, "disposition").take(rows).cast(pa.string())
    same = pc.fill_null(pc.equal(before, piece(claims, "disposition")), False)
    this = pa.scalar(inputs.head.run_seq, pa.int64())
    since = piece(previous, "since_run_seq").take(rows)
    return ages(pc.fill_null(pc.if_else(same, since, this), this), inputs)


def placed(claims: pa.Table, inputs: ReportInputs) -> pa.Table:
    """Return claims that know their places among those before, so that nobody looks for them again."""
    if inputs.previous_claims is None:
        return claims
    return claims.append_column(_BEFORE, pa.array(places_before(claims, inputs.previous_claims)))


def places_before(claims: pa.Table, previous: pa.Table) -> Places:
    """Return the place of each claim among those before: the same certificate and certificate type.

    Args:
        claims: Schema `DECIDED`, or what `placed` gave for the same `previous`.
        previous: Schema `certrecon.dispositions.inputs.PREVIOUS_CLAIMS`.
    """
    if _BEFORE in claims.column_names:
        return np.asarray(piece(claims, _BEFORE))
    claims = as_stored(claims, ("certificate_id", "certificate_type"))
    ids, theirs = piece(claims, "certificate_id"), piece(previous, "certificate_id")
    places = places_of(ids, theirs)
    own_types, their_types = Coded.joined(coded(claims, "certificate_type"), coded(previous, "certificate_type"))
    # Most certificates have one type; the others are looked for by both.
    another = np.flatnonzero((places >= 0) & (own_types.codes != np.append(their_types.codes, -1)[places]))
    if len(another):
        few = pa.array(another)
        rows = np.flatnonzero(np.asarray(pc.is_in(theirs, value_set=ids.take(few))))
        found = places_of(_keys(claims.take(few)), _keys(previous.take(pa.array(rows))))
        places[another] = np.append(rows, -1)[found]
    return places


def _keys(claims: pa.Table) -> pa.Array:
    types = pc.fill_null(piece(claims, "certificate_type").cast(pa.string()), "")
    return keys_of(piece(claims, "certificate_id"), types)


def withdrawn_ages(withdrawn: pa.Table, inputs: ReportInputs) -> pa.Table:
    """Return how long deliveries have been withdrawn as they are, with their certificate and reason, schema `AGES`.

    Args:
        withdrawn: Schema `WITHDRAWN`.
        inputs: What was withdrawn before.
    """
    if inputs.withdrawn_since is None:
        return unknown_ages(withdrawn.num_rows)
    since = since_first(withdrawn, inputs.withdrawn_since, *WITHDRAWN.names)
    return ages(pc.fill_null(since, inputs.head.run_seq), inputs)


def since_first(table: pa.Table, before: pa.Table, *names: str) -> pa.Array:
    """Return since which run each row is as it is: the `first_run_seq` of the same row before; null where it is new.

    Args:
        table: What is so in this run.
        before: What the warehouse has open, and `first_run_seq`.
        names: The columns in which both are the same: those that the warehouse compares.
    """
    place = pc.index_in(_alike(as_stored(table, names), names), value_set=_alike(before, names))
    return piece(before, "first_run_seq").take(place)


def _alike(table: pa.Table, names: Sequence[str]) -> pa.Array:
    """Return one text a row that stands for all of some columns; no stored text has NUL, which stands for null."""
    columns = (piece(table, name) for name in names)
    return pc.binary_join_element_wise(*columns, "\x1f", null_handling="replace", null_replacement="\0")
