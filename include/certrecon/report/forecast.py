"""What expires in the next 90 days, and how the last runs went."""

from __future__ import annotations

import datetime as dt
import json
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.report.model import Outlook, ReportInputs, TrendRun
from certrecon.report.pieces import plain
from certrecon.report.safe import one_line
from certrecon.words import Disposition

DAYS: Final = 90
TYPES: Final = 8
"""How many certificate types are told apart."""
RUNS_SHOWN: Final = 30
OTHER_TYPES: Final = "other types"

WINNERS: Final = (
    Disposition.DELIVERED,
    Disposition.PLANNED,
    Disposition.REFUSED,
    Disposition.REJECTED,
    Disposition.UNDELIVERED,
)
"""Dispositions of claims that won their key: what Ditio has or should have."""


def _expiring(claims: pa.Table, as_of: dt.date) -> pa.Table:
    """Return type and days from `as_of` of what expires within the 90 days."""
    winners = pc.is_in(claims.column("disposition"), value_set=pa.array([str(name) for name in WINNERS]))
    until = claims.column("valid_until")
    last = pa.scalar(as_of + dt.timedelta(DAYS - 1), pa.date32())
    within = pc.and_(pc.greater_equal(until, pa.scalar(as_of, pa.date32())), pc.less_equal(until, last))
    return claims.select(["certificate_type", "valid_until"]).filter(pc.fill_null(pc.and_(winners, within), False))


def outlook(claims: pa.Table, as_of: dt.date) -> Outlook:
    """Return what expires by week and certificate type in the 90 days that begin with `as_of`.

    Args:
        claims: Schema `DECIDED`.
        as_of: The first of the days.
    """
    monday = as_of - dt.timedelta(as_of.weekday())
    last = as_of + dt.timedelta(DAYS - 1)
    weeks = tuple(monday + dt.timedelta(7 * number) for number in range((last - monday).days // 7 + 1))
    found = plain(_expiring(claims, as_of))
    days = np.asarray(found.column("valid_until").combine_chunks().cast(pa.int32()))
    week = (days - (monday - dt.date(1970, 1, 1)).days) // 7
    encoded = pc.fill_null(found.column("certificate_type"), "").combine_chunks().dictionary_encode()
    names: list[str] = encoded.dictionary.to_pylist()
    table = np.zeros((len(names), len(weeks)), np.int64)
    np.add.at(table, (np.asarray(encoded.indices), week), 1)
    order = sorted(range(len(names)), key=lambda row: (-int(table[row].sum()), names[row]))
    counts = {one_line(names[row]): tuple(table[row].tolist()) for row in order[:TYPES]}
    if len(order) > TYPES:
        counts[OTHER_TYPES] = tuple(table[order[TYPES:]].sum(axis=0).tolist())
    return Outlook(weeks, counts)


def _run(row: dict[str, object]) -> TrendRun:
    counts = json.loads(str(row["dispositions"])) if row["dispositions"] else {}
    return TrendRun(
        run_seq=int(str(row["run_seq"])),
        run_day=row["run_day"],  # type: ignore[arg-type]
        mode=str(row["mode"]),
        status=None if row["status"] is None else str(row["status"]),
        limited=bool(row["limited"]),
        claims=int(str(row["claims"] or 0)),
        dispositions={name: int(counts.get(str(name), 0)) for name in Disposition},
    )


def trend(inputs: ReportInputs, dispositions: dict[Disposition, int]) -> tuple[TrendRun, ...]:
    """Return the last 30 runs, this one last.

    Args:
        inputs: This run and the publishing runs before it.
        dispositions: This run's claims by disposition.
    """
    head = inputs.head
    own = TrendRun(
        head.run_seq, head.run_day, str(head.mode), None, head.limited, sum(dispositions.values()), dispositions
    )
    if inputs.runs is None:
        return (own,)
    kept = max(0, inputs.runs.num_rows - RUNS_SHOWN + 1)
    return (*map(_run, inputs.runs.slice(kept).to_pylist()), own)
