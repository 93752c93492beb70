"""Counts of a run that must account for one another, taken from different sources where there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.findings import CATALOGUE
from certrecon.report.model import Control, DatasetTotal, FindingCount
from certrecon.report.pieces import among, piece, places_by_key
from certrecon.report.safe import one_line
from certrecon.report.worklist import with_disposition
from certrecon.words import Disposition, LedgerState, Severity

DATASETS = ("certificates", "links", "persons", "employees")
"""The order in which datasets are shown; others follow by name."""


def _counts(column: pa.ChunkedArray | pa.Array) -> dict[str, int]:
    return {pair["values"]: pair["counts"] for pair in pc.value_counts(column).to_pylist()}


def _place(dataset: str) -> tuple[int, str]:
    return (DATASETS.index(dataset) if dataset in DATASETS else len(DATASETS), dataset)


def in_order(totals: Iterable[DatasetTotal]) -> tuple[DatasetTotal, ...]:
    """Return what was read, by dataset and tenant."""
    return tuple(sorted(totals, key=lambda total: (_place(total.dataset), total.tenant or "")))


def _sum(dataset: str, totals: list[DatasetTotal]) -> DatasetTotal:
    stated = [total.vendor_total for total in totals if total.vendor_total is not None]
    fields = sorted({name for total in totals for name in total.undocumented_fields})
    return DatasetTotal(
        dataset=dataset,
        tenant=None,
        vendor_total=sum(stated) if len(stated) == len(totals) else None,
        rows=sum(total.rows for total in totals),
        foreign_rows=sum(total.foreign_rows for total in totals),
        duplicate_rows=sum(total.duplicate_rows for total in totals),
        undocumented_fields=tuple(fields),
        without_id=sum(total.without_id for total in totals),
    )


def by_dataset(totals: tuple[DatasetTotal, ...]) -> tuple[DatasetTotal, ...]:
    """Return what was read, all tenants of a dataset together."""
    names = dict.fromkeys(total.dataset for total in totals)
    return tuple(_sum(name, [total for total in totals if total.dataset == name]) for name in names)


def undocumented(reading: tuple[DatasetTotal, ...]) -> dict[str, tuple[str, ...]]:
    """Return the undocumented fields that came, by dataset."""
    fields = {total.dataset: tuple(map(one_line, total.undocumented_fields)) for total in reading}
    return {dataset: names for dataset, names in fields.items() if names}


def disposition_counts(claims: pa.Table) -> dict[Disposition, int]:
    """Return the claims of every disposition, in the design's order."""
    counts = _counts(claims.column("disposition"))
    return {name: counts.get(str(name), 0) for name in Disposition}


def _certificates_to_claims(claims: pa.Table, certificates: int, extracted: int) -> Control:
    further = claims.num_rows - certificates
    parts = {"certificates": extracted, "for further types of the same certificates": further}
    return Control("Certificates to claims", "claims", claims.num_rows, parts)


def _sent_claims(claims: pa.Table, plan: pa.Table) -> pa.Table:
    """Return the claims that the plan's rows were made of, with their dispositions alone."""
    places = places_by_key(claims, plan)
    rows = np.flatnonzero(places >= 0)
    own = claims.select(["certificate_id", "disposition"]).take(pa.array(rows))
    planned = piece(plan, "certificate_id").take(pa.array(places[rows]))
    return own.filter(pc.equal(piece(own, "certificate_id"), planned))


def _plan_to_outcome(sent: pa.Table, rows: int, *, publishes: bool) -> Control:
    counts = disposition_counts(sent)
    if not publishes:
        return Control("Rows to send", "rows to send", rows, {"planned": counts[Disposition.PLANNED]})
    parts = {
        "delivered now": counts[Disposition.DELIVERED],
        "rejected": counts[Disposition.REJECTED],
        "undelivered": counts[Disposition.UNDELIVERED],
        "refused": counts[Disposition.REFUSED],
    }
    unsettled = {"not settled": counts[Disposition.PLANNED]} if counts[Disposition.PLANNED] else {}
    return Control("Rows to send", "rows to send", rows, parts | unsettled)


def answers_to(plan: pa.Table, answers: pa.Table) -> pa.Table:
    """Return the ledger's entries of this run that are of rows of its plan.

    Others are of this run as well: what an earlier run left pending, and what went back to what Ditio has.
    """
    return answers.filter(pa.array(places_by_key(answers, plan) >= 0))


def _acknowledged(plan: pa.Table, answers: pa.Table) -> int:
    states = answers_to(plan, answers).column("state")
    return pc.sum(pc.equal(states, str(LedgerState.ACKNOWLEDGED))).as_py() or 0


def _delivered(claims: pa.Table, sent: pa.Table, acknowledged: int) -> Control:
    total = int(among(claims, "disposition", [Disposition.DELIVERED]).sum())
    now = with_disposition(sent, Disposition.DELIVERED).num_rows
    parts = {"unchanged since an earlier run": total - now, "acknowledged in this run": acknowledged}
    return Control("Delivered", "delivered", total, parts)


def controls(
    claims: pa.Table, plan: pa.Table, answers: pa.Table, certificates: int, extracted: int, *, publishes: bool
) -> tuple[Control, ...]:
    """Return the totals from certificates to rows that Ditio acknowledged.

    Args:
        claims: Schema `DECIDED`.
        plan: Schema `PLAN`.
        answers: Schema `ANSWERS`; what the ledger says is held against what the claims say.
        certificates: How many certificates are behind the claims.
        extracted: How many certificates were read.
        publishes: Whether the run could send anything.
    """
    sent = _sent_claims(claims, plan)
    dispositions = {str(name): count for name, count in disposition_counts(claims).items()}
    return (
        _certificates_to_claims(claims, certificates, extracted),
        Control("Claims to dispositions", "claims", claims.num_rows, dispositions),
        _plan_to_outcome(sent, plan.num_rows, publishes=publishes),
        _delivered(claims, sent, _acknowledged(plan, answers)),
    )


def _per_code(claims: pa.Table) -> dict[str, int]:
    return _counts(pc.list_flatten(piece(claims, "findings")))


def finding_counts(claims: pa.Table, severity_of: Callable[[str], Severity]) -> tuple[FindingCount, ...]:
    """Return the whole catalogue with how many claims have each."""
    claims = claims.select(["findings", "disposition"])
    every, blocked = _per_code(claims), _per_code(with_disposition(claims, Disposition.BLOCKED))
    return tuple(
        FindingCount(finding, severity_of(code), every.get(code, 0), blocked.get(code, 0))
        for code, finding in CATALOGUE.items()
    )
