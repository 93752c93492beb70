"""What needs somebody, by who can fix it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.report.ages import AGES, ages, beside, unknown_ages
from certrecon.report.model import (
    DANGLING,
    DanglingRow,
    Excerpt,
    ReportInputs,
    UnmappedRow,
    UnmatchedRow,
    WithdrawnRow,
    WorkGroup,
    WorkList,
)
from certrecon.report.safe import one_line_table
from certrecon.report.wording import OWNERS
from certrecon.report.worklist import LISTED, claim_rows
from certrecon.words import Disposition, Owner

_CLAIMS: Final = {
    Disposition.REJECTED: "Rejected by Ditio",
    Disposition.UNDELIVERED: "Not delivered",
    Disposition.REFUSED: "Not sent, because the plan was refused",
    Disposition.BLOCKED: "Blocked",
    Disposition.HELD: "Held until linked in 4HSE",
}
_IN_WORDS: Final = "is a link whose certificate is not there"
_WHAT_TO_DO: Final = "Remove the link in 4HSE, or restore its certificate."

DANGLING_ROWS: Final = pa.schema(
    [AGES.field(one.name) if one.name in AGES.names else (one.name, pa.string()) for one in fields(DanglingRow)]
)
"""Links without a certificate; the columns are the attributes of `DanglingRow`."""


def dangling_links(inputs: ReportInputs) -> pa.Table:
    """Return the links whose certificate is not there, the oldest first, schema `DANGLING_ROWS`."""
    links = (DANGLING.empty_table() if inputs.dangling_links is None else inputs.dangling_links).combine_chunks()
    since = pc.fill_null(links.column("since_run_seq").combine_chunks(), inputs.head.run_seq)
    known = unknown_ages(links.num_rows) if inputs.runs is None else ages(since, inputs)
    said = {"in_words": _IN_WORDS, "what_to_do": _WHAT_TO_DO}
    full = beside(links, known)
    for name, text in said.items():
        full = full.append_column(name, pa.repeat(pa.scalar(text), links.num_rows))
    keys = ("since_run", "tenant_id", "certificate_id", "certificate_action_id")
    return full.select(DANGLING_ROWS.names).sort_by([(key, "ascending") for key in keys])


def shown(table: pa.Table, row: type[Any], rest: str) -> Excerpt[Any]:
    """Return the first rows of a table whose columns are the attributes of `row`."""
    rows = one_line_table(table.slice(0, LISTED)).to_pylist()
    return Excerpt(table.num_rows, tuple(row(**values) for values in rows), rest)


def _owned(table: pa.Table, owner: str) -> pa.Table:
    return table.filter(pc.match_substring_regex(table.column("owner"), rf"(^|, ){owner}(,|$)"))


def _claims(rows: pa.Table) -> Iterator[WorkList]:
    """Yield an owner's claims by disposition, then what is not linked, then what only carries a note."""
    disposition = rows.column("disposition")
    for name, title in _CLAIMS.items():
        own = rows.filter(pc.equal(disposition, str(name)))
        yield WorkList(str(name), title, Excerpt(own.num_rows, claim_rows(own)))
    listed = pc.is_in(disposition, value_set=pa.array([str(name) for name in _CLAIMS]))
    rest = rows.filter(pc.invert(listed))
    linked = pc.equal(rest.column("linked"), "yes")
    for kind, title, own in (
        ("unlinked", "Not linked in 4HSE, not held for it", rest.filter(pc.invert(linked))),
        ("noted", "To be looked at, stops nothing", rest.filter(linked)),
    ):
        yield WorkList(kind, title, Excerpt(own.num_rows, claim_rows(own)))


def _persons(table: pa.Table) -> WorkList:
    title = "Persons without a certain Ditio employee"
    return WorkList("unmatched_persons", title, shown(table, UnmatchedRow, "see the CSV of unmatched persons"))


def work_groups(
    worklist: pa.Table,
    withdrawn: pa.Table,
    dangling: pa.Table,
    unmapped: Excerpt[UnmappedRow],
    unmatched: pa.Table,
) -> tuple[WorkGroup, ...]:
    """Return what each owner can fix; owners with nothing to do are left out.

    Args:
        worklist: Columns of `ClaimRow`, the most urgent first.
        withdrawn: Columns of `WithdrawnRow`.
        dangling: Columns of `DanglingRow`.
        unmapped: The kinds of claims without a type.
        unmatched: Columns of `UnmatchedRow`.
    """
    links = WorkList("dangling", "Links without their certificate", shown(dangling, DanglingRow, "see the CSV"))
    types = WorkList("unmapped_types", "Types that no rule of the settings gives", unmapped)
    groups = []
    for owner, title in OWNERS.items():
        gone = shown(_owned(withdrawn, owner), WithdrawnRow, "see the CSV of withdrawn deliveries")
        lists = [
            *_claims(_owned(worklist, owner)),
            *([links] if owner == Owner.FOURHSE.value else []),
            *([types] if owner == Owner.SETTINGS.value else []),
            _persons(_owned(unmatched, owner)),
            WorkList("withdrawn", "Withdrawn, but still in Ditio", gone),
        ]
        groups.append(WorkGroup(owner, title, tuple(one for one in lists if one.excerpt.total)))
    return tuple(group for group in groups if group.lists)
