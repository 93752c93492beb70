"""The report as an Excel workbook: one sheet a section, ready to be filtered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa

from certrecon.report.heading import left_out_words, scope_words, told_words
from certrecon.report.model import RunReport, TrendRun
from certrecon.report.sheets import MOST_ROWS, Column, Sheet, columns_of, write_workbook
from certrecon.report.status import headline
from certrecon.report.wording import OWNERS, REASONS
from certrecon.words import Disposition

__all__ = ["MOST_ROWS", "Column", "Sheet", "columns_of", "render_workbook", "write_workbook"]

WIDTHS: Final = {
    "certificate_id": 24, "certificate_name": 30, "certificate_type": 24, "person_name": 28, "findings": 34,
    "in_words": 60, "what_to_do": 60, "ditio_message": 40, "certificate_action_id": 24, "action_name": 28,
    "suggested_type": 24, "settings_lines": 70, "suggestions": 48, "differs": 70, "change": 28, "reason": 30,
    "linked": 8, "age_runs": 9, "age_days": 9, "since_run": 10, "claims": 10,
}  # fmt: skip
"""Widths in characters of the columns of the lists."""

DAYS: Final = ("issued_on", "valid_until")
_NO_CSV = "the evidence has all"


def _rows(columns: dict[str, pa.DataType], rows: Iterable[tuple[object, ...]]) -> pa.Table:
    """Return rows as a table of the columns given."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [pa.array(own, kind) for own, kind in zip(values, columns.values(), strict=True)]
    return pa.table(arrays, names=list(columns))


def _sheet(title: str, table: pa.Table, widths: dict[str, int] | None = None, rest: str = "the CSV has all") -> Sheet:
    return Sheet(title, columns_of(table, WIDTHS | (widths or {}), DAYS), table, rest)


def _facts(report: RunReport) -> Iterator[tuple[str, object]]:
    """Yield what the head of the report says, by name."""
    head, previous, chain = report.head, report.previous, report.head.chain_before
    yield "Run", head.run_seq
    yield "Run id", head.run_id
    yield "Outcome", headline(report)
    yield "Failure", report.failure
    yield "Totals add up", "yes" if report.adds_up else "no"
    yield "Mode", head.mode
    yield "Day", head.run_day
    yield "Judged as of", head.as_of
    yield "Started", head.started_at and f"{head.started_at:%Y-%m-%d %H:%M:%S%z}"
    yield "Started by", head.triggered_by
    yield "Trigger", head.trigger
    yield "Scope", scope_words(head)
    if head.left_out:
        yield "Left out", left_out_words(head)
    if report.told:
        yield "Changes in 4HSE", told_words(report.told)
    yield "Target", head.target
    yield "Accepted beforehand", ", ".join(head.accepted)
    yield "Sends acknowledged rows again", "yes" if head.resend else "no"
    yield "Previous run", previous and previous.run_seq
    yield "Day of the previous run", previous and previous.run_day
    yield "Days without a run", report.missed_days if previous else None
    yield "Guards compare with run", head.baseline
    yield "Code version", head.code_version
    yield "Settings, SHA-256", head.settings_sha256
    yield "Inputs, SHA-256", head.inputs_sha256
    yield "Chain before this run, number", chain and chain.chain_no
    yield "Chain before this run, SHA-256", chain and chain.chain_sha256
    yield "Requests made", ", ".join(f"{name} {count}" for name, count in report.requests.items())
    yield from _decisions(report)


def _decisions(report: RunReport) -> Iterator[tuple[str, object]]:
    """Yield guards, approvals, and what differs from the settings of before and from the catalogue."""
    for guard in report.guards:
        yield f"Guard {guard.guard}", f"{guard.words} {guard.effect}"
    for one in report.head.approvals:
        asked = f"asked {one.asked_at:%Y-%m-%d %H:%M:%S%z}" if one.asked_at else "asked"
        answer = f"{one.decision or 'no decision'} by {one.decided_by or 'nobody'}"
        yield "Approval", f"{asked} because of {', '.join(one.guards)}: {answer}. {one.reason or ''}"
    if report.settings_changes:
        for row in report.settings_changes.rows:
            yield f"Setting changed: {row.key}", f"{row.before} -> {row.after}"
        for name, count in report.settings_changes.crosswalk.items():
            yield f"Crosswalk entries {name}", count
    for found in report.overridden:
        yield f"Severity of {found.finding.code}", f"{found.severity} instead of {found.finding.severity}"


def _run(report: RunReport) -> Sheet:
    text = pa.string()
    facts = ((name, None if value is None else str(value)) for name, value in _facts(report))
    table = _rows({"fact": text, "value": text}, facts)
    return Sheet("Run", (Column("fact", "Fact", 34), Column("value", "Value", 90, day=True)), table)


def _totals(report: RunReport) -> Sheet:
    def lines() -> Iterator[tuple[object, ...]]:
        for control in report.controls:
            for name, count in control.parts.items():
                yield control.name, "part", name, count, None
            yield control.name, "total", control.total_name, control.total, control.difference

    text, count = pa.string(), pa.int64()
    kinds = {"control": text, "part_or_total": text, "what_is_counted": text, "count": count, "difference": count}
    return _sheet("Control totals", _rows(kinds, lines()), {"control": 34, "what_is_counted": 50})


def _reading(report: RunReport) -> Sheet:
    text, count = pa.string(), pa.int64()
    kinds = {"dataset": text, "tenant": text} | dict.fromkeys(
        ("vendor_counts", "extracted", "other_tenant", "duplicate", "without_id", "difference"), count
    )
    lines = (
        (
            one.dataset, one.tenant, one.vendor_total, one.rows, one.foreign_rows, one.duplicate_rows, one.without_id,
            one.difference,
        )
        for one in report.datasets
    )  # fmt: skip
    return _sheet("Reading", _rows(kinds, lines), {"tenant": 30})


def _outlook(report: RunReport) -> Sheet:
    kinds = {"week_of": pa.date32(), "certificate_type": pa.string(), "certificates": pa.int64()}
    lines = (
        (week, name, counts[place])
        for place, week in enumerate(report.outlook.weeks)
        for name, counts in report.outlook.counts.items()
        if counts[place]
    )
    return _sheet("Outlook", _rows(kinds, lines), {"certificate_type": 40}, _NO_CSV)


def _trend_line(run: TrendRun) -> tuple[object, ...]:
    counts = (run.dispositions[name] for name in Disposition)
    return (run.run_seq, run.run_day, run.mode, run.status or "this run", run.limited, run.claims, *counts)


def _trend(report: RunReport) -> Sheet:
    text, count = pa.string(), pa.int64()
    kinds = {"run": count, "day": pa.date32(), "mode": text, "status": text, "limited": pa.bool_(), "claims": count}
    kinds |= {name.value: count for name in Disposition}
    return _sheet("Trend", _rows(kinds, map(_trend_line, report.trend)), {"status": 24}, _NO_CSV)


def _findings(report: RunReport) -> Sheet:
    text, count = pa.string(), pa.int64()
    kinds = {"finding": text, "owner": text, "severity": text, "severity_of_the_catalogue": text}
    kinds |= {"claims": count, "of_them_blocked": count, "a_claim": text, "what_to_do": text}
    lines = (
        (
            one.finding.code, OWNERS.get(one.finding.owner, one.finding.owner), str(one.severity),
            str(one.finding.severity), one.claims, one.blocked, one.finding.title, one.finding.advice,
        )
        for one in report.findings
    )  # fmt: skip
    return _sheet("Findings", _rows(kinds, lines), {"finding": 30, "a_claim": 60})


def _to_ditio(report: RunReport) -> Sheet:
    """Return the rows to send, where the report lists them, otherwise how many for which reason."""
    if report.plan.table.num_rows:
        return _sheet("To Ditio", report.plan.table)
    kinds = {"reason": pa.string(), "rows": pa.int64(), "meaning": pa.string()}
    lines = ((reason, count, REASONS.get(reason, reason)) for reason, count in report.plan.reasons.items())
    return _sheet("To Ditio", _rows(kinds, lines), {"meaning": 50})


def _unmapped(report: RunReport) -> Sheet:
    table = report.unmapped
    columns = columns_of(table, WIDTHS)
    return Sheet(
        "Unmapped types", columns, table, "the claims in the warehouse have all", total=report.unmapped_excerpt.total
    )


def render_workbook(report: RunReport) -> bytes:
    """Return the report of a run as an Excel workbook; the same report gives the same bytes."""
    sheets = (
        _run(report),
        _totals(report),
        _reading(report),
        _sheet("Needs someone", report.worklist),
        _sheet("Unmatched persons", report.unmatched),
        _unmapped(report),
        _sheet("Withdrawn", report.withdrawn),
        _sheet("Dangling links", report.dangling_links),
        _sheet("Changes", report.changes.table),
        _outlook(report),
        _trend(report),
        _findings(report),
        _to_ditio(report),
    )
    return write_workbook(sheets, report.head.run_day)
