"""What is to be sent: why, and in which fields it differs from what Ditio has."""

from __future__ import annotations

from dataclasses import fields

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as pa_json

from certrecon.dispositions.decide import PLAN
from certrecon.report.model import EARLIER_PAYLOADS, Excerpt, PlanReport, PlanRow
from certrecon.report.pieces import among, piece, places_by_key, plain
from certrecon.report.safe import joined, one_line_table
from certrecon.report.wording import REASONS
from certrecon.report.worklist import LISTED

PAYLOAD = pa.schema(
    [
        (name, pa.string())
        for name in (
            "issuedDateTime",
            "validUntilDateTime",
            "employeeNumber",
            "certificateType",
            "certificateNumber",
        )
    ]
)
"""The fields of a payload (design, *Dispositions*: Payload), in the order in which changes are named."""

PLAN_ROWS = pa.schema([(column.name, pa.string()) for column in fields(PlanRow)])

_MIDNIGHT = "T00:00:00Z"
_BLOCK = 2**20


def _parse(payloads: pa.Array) -> pa.Table:
    """Return the fields of JSON texts; all null where there is no text."""
    if not len(payloads):
        return PAYLOAD.empty_table()
    lines = pc.binary_join_element_wise(pc.fill_null(payloads, "{}"), "", "\n")
    options = pa_json.ParseOptions(explicit_schema=PAYLOAD, unexpected_field_behavior="ignore")
    # Arrow reads no line that is longer than a block, and an id may be of any length.
    blocks = pa_json.ReadOptions(block_size=max(_BLOCK, 1 + (pc.max(pc.binary_length(lines)).as_py() or 0)))
    table = pa_json.read_json(pa.BufferReader(lines.buffers()[2]), read_options=blocks, parse_options=options)
    days = [pc.replace_substring(column, _MIDNIGHT, "") for column in table.columns]
    return pa.table(days, names=table.column_names)


def _earlier(plan: pa.Table, earlier: pa.Table) -> pa.Array:
    """Return what Ditio acknowledged before for the rows that change it."""
    places = places_by_key(plan, earlier)
    changed = among(plan, "reason", ["changed"])
    return piece(earlier, "payload").take(pa.array(places, mask=~changed | (places < 0)))


def _differing(before: pa.Table, after: pa.Table, known: pa.Array) -> dict[str, pa.ChunkedArray]:
    """Return for each field in which rows it differs; in none where nothing is known of before."""
    return {
        name: pc.and_(known, pc.not_equal(pc.fill_null(before.column(name), ""), pc.fill_null(after.column(name), "")))
        for name in PAYLOAD.names
    }


def _in_words(before: pa.Table, after: pa.Table, differs: dict[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    nothing = pa.scalar(None, pa.string())
    changes = [
        pc.if_else(
            differs[name],
            pc.binary_join_element_wise(
                f"{name}: ",
                pc.fill_null(before.column(name), "none"),
                " -> ",
                pc.fill_null(after.column(name), "none"),
                "",
            ),
            nothing,
        )
        for name in PAYLOAD.names
    ]
    return joined(changes, "; ")


def _reasons(plan: pa.Table) -> dict[str, int]:
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(plan.column("reason")).to_pylist()}
    return {name: counts[name] for name in [*REASONS, *sorted(set(counts) - set(REASONS))] if name in counts}


def _in_order(rows: pa.Table) -> pa.Table:
    ranks = pc.index_in(rows.column("reason"), value_set=pa.array(list(REASONS)))
    keys = ["rank", "employee_number", "certificate_type"]
    return rows.take(pc.sort_indices(rows.append_column("rank", ranks), [(key, "ascending") for key in keys]))


def plan_report(plan: pa.Table | None, earlier: pa.Table | None, *, dry_run: bool) -> PlanReport:
    """Return what is to be sent; row by row in a dry run only.

    Args:
        plan: Schema `PLAN`.
        earlier: Schema `EARLIER_PAYLOADS`.
        dry_run: Whether the rows themselves are shown; if not, only payloads of rows that change something count.
    """
    plan = (PLAN.empty_table() if plan is None else plan).combine_chunks()
    rows, reasons = plan.num_rows, _reasons(plan)
    if not dry_run:
        plan = plan.filter(pa.array(among(plan, "reason", ["changed"])))
    plan = plain(plan)
    texts = _earlier(plan, EARLIER_PAYLOADS.empty_table() if earlier is None else earlier)
    before, after = _parse(texts), _parse(piece(plan, "payload"))
    differs = _differing(before, after, pc.is_valid(texts))
    counts = {name: pc.sum(found).as_py() or 0 for name, found in differs.items()}
    table = PLAN_ROWS.empty_table()
    if dry_run and rows:
        columns = {
            "issued_on": after.column("issuedDateTime"),
            "valid_until": after.column("validUntilDateTime"),
            "differs": _in_words(before, after, differs),
        }
        chosen = [columns[name] if name in columns else plan.column(name) for name in PLAN_ROWS.names]
        table = _in_order(pa.table(chosen, schema=PLAN_ROWS))
    shown = tuple(PlanRow(**row) for row in one_line_table(table.slice(0, LISTED)).to_pylist())
    return PlanReport(
        rows=rows,
        reasons=reasons,
        fields={name: count for name, count in counts.items() if count},
        excerpt=Excerpt(table.num_rows, shown, "see the CSV of rows to send"),
        table=table,
    )
