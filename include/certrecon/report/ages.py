"""How long something has been as it is, in publishing runs and in days."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.dispositions.since import since_runs
from certrecon.report.model import ReportInputs

AGES: Final = pa.schema([("since_run", pa.int64()), ("age_runs", pa.int64()), ("age_days", pa.int64())])
"""Since which run, how many publishing runs since and including it (1 when new), days since its day (0 when new)."""

_NULL = pa.scalar(None, pa.int64())


def beside(left: pa.Table, right: pa.Table) -> pa.Table:
    """Return the columns of two tables of as many rows side by side."""
    return pa.table([*left.columns, *right.columns], names=[*left.column_names, *right.column_names])


def unknown_ages(rows: int) -> pa.Table:
    """Return ages of which nothing is known, schema `AGES`."""
    return pa.table([pa.nulls(rows, pa.int64())] * len(AGES), schema=AGES)


def ages(since: pa.Array, inputs: ReportInputs) -> pa.Table:
    """Return how long things have been as they are, schema `AGES`, null where that is not known.

    Args:
        since: The run with which each began to be so (int64); null where that is not known.
        inputs: Which run it is, and the publishing runs before it.
    """
    head = inputs.head
    new = pc.fill_null(pc.equal(since, head.run_seq), False)
    if inputs.runs is None:
        runs, days = pa.nulls(len(since), pa.int64()), pa.nulls(len(since), pa.int64())
    else:
        earlier = inputs.runs.column("run_seq").combine_chunks()
        ordered = np.sort(np.asarray(earlier))
        begun = np.searchsorted(ordered, np.asarray(pc.fill_null(since, head.run_seq)))
        runs = pc.if_else(pc.is_valid(since), pa.array(len(ordered) - begun + 1, pa.int64()), _NULL)
        ages_of_runs = pc.days_between(inputs.runs.column("run_day").combine_chunks(), pa.scalar(head.run_day))
        days = ages_of_runs.take(pc.index_in(since, value_set=earlier, skip_nulls=True))
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
    return ages(since_runs(claims, previous, inputs.head.run_seq).cast(pa.int64()), inputs)


def withdrawn_ages(withdrawn: pa.Table, inputs: ReportInputs) -> pa.Table:
    """Return how long deliveries have been withdrawn for their present reason's certificate, schema `AGES`.

    Args:
        withdrawn: Schema `WITHDRAWN`.
        inputs: What was withdrawn before, matched by employee number and certificate type.
    """
    before = inputs.withdrawn_since
    if before is None:
        return unknown_ages(withdrawn.num_rows)
    mine, theirs = (
        pc.binary_join_element_wise(table.column("employee_number"), table.column("certificate_type"), "\x1f")
        for table in (withdrawn, before)
    )
    place = pc.index_in(mine, value_set=theirs.combine_chunks(), skip_nulls=True).combine_chunks()
    first = before.column("first_run_seq").combine_chunks().take(place)
    return ages(pc.fill_null(first, inputs.head.run_seq), inputs)
