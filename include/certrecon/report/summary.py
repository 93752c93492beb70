"""The report at a glance, as plain text for a terminal: at most 100 columns wide, no person's name in it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from certrecon.report.heading import left_out_words, scope_words, told_words
from certrecon.report.model import Change, Control, DatasetTotal, FindingCount, RunReport
from certrecon.report.status import headline
from certrecon.report.wording import DISPOSITIONS, OWNERS, REASONS, doubtful_words
from certrecon.words import Disposition, Owner, Severity

WIDTH = 100
LISTED = 10
"""How many rows to send a dry run shows."""
TENANTS = 5
"""How many tenants of a dataset that do not add up are named."""
UNDOCUMENTED = 5
"""How many undocumented fields of a dataset are named."""

SHOWN = ("Rows to send", "Delivered")
"""The totals after the dispositions that are always shown; the others only where they do not add up."""

_SIGNS = {Severity.CRITICAL: "!", Severity.WARNING: "~", Severity.INFO: " "}


_CHANGES = {kind: kind.replace("_", " ") for kind in Change}


def _wrapped(text: str, indent: str = "  ", hanging: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + hanging, break_on_hyphens=False)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _listing(pairs: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in pairs)


def _alarm(difference: int) -> str:
    return f"   DOES NOT ADD UP: {difference:+,}" if difference else ""


def _head(report: RunReport) -> Iterator[str]:
    head = report.head
    yield f"Run {head.run_seq}, {head.mode}, {head.run_day}: {headline(report)}"
    yield "=" * WIDTH
    if report.failure:
        yield from _wrapped(report.failure)
    if head.as_of != head.run_day:
        yield f"  Judged as of {head.as_of}."
    if report.missed_days and report.previous:
        days = "1 day" if report.missed_days == 1 else f"{report.missed_days:,} days"
        yield f"  No run on {days} since run {report.previous.run_seq} of {report.previous.run_day}."
    if head.tenants:
        yield from _wrapped(f"Limited to the tenants {', '.join(head.tenants)}; totals speak of them only.")
    if head.certificates is not None:
        yield from _wrapped(f"Limited to {scope_words(head)}; totals speak of them only.")
    if head.left_out:
        yield from _wrapped(f"Left out: {left_out_words(head)}.")
    if report.told:
        yield from _wrapped(told_words(report.told))
    if not report.adds_up:
        yield "  THE TOTALS DO NOT ADD UP: do not rely on this run until somebody has found out why."


def _fields(names: Sequence[str]) -> str:
    rest = len(names) - UNDOCUMENTED
    return ", ".join(names[:UNDOCUMENTED]) + (f" and {rest} more" if rest > 0 else "")


def _short(dataset: str, datasets: Sequence[DatasetTotal]) -> Iterator[str]:
    """Name the tenants that do not add up: two of them may do so together."""
    wrong = [total for total in datasets if total.dataset == dataset and total.difference and total.tenant]
    for total in wrong[:TENANTS]:
        yield f"    tenant {_cut(str(total.tenant), 40)}:{_alarm(total.difference)}"
    if len(wrong) > TENANTS:
        yield f"    ... and {len(wrong) - TENANTS:,} more tenants"


def _reading(report: RunReport) -> Iterator[str]:
    if not report.reading:
        return
    yield ""
    yield f"{'READ':<16}{'vendor counts':>14} = {'extracted':>10} + {'other tenant':>12} + {'duplicate':>9}"
    for total in report.reading:
        stated = "not stated" if total.vendor_total is None else f"{total.vendor_total:,}"
        counts = f"{total.rows:>10,} + {total.foreign_rows:>12,} + {total.duplicate_rows:>9,}"
        yield f"  {_cut(total.dataset, 14):<14}{stated:>14} = {counts}{_alarm(total.difference)}"
        if total.without_id:
            yield f"    and {total.without_id:,} without an id, dropped"
        yield from _short(total.dataset, report.datasets)
    if report.undocumented:
        fields = "; ".join(f"{dataset}: {_fields(names)}" for dataset, names in report.undocumented.items())
        yield from _wrapped(f"Fields that no vendor document has, dropped: {fields}", hanging="  ")


def _sum(control: Control) -> str:
    parts = " + ".join(f"{count:,} {name}" for name, count in control.parts.items())
    return f"{control.total:,} {control.total_name} = {parts}{_alarm(control.difference)}"


def _claims(report: RunReport) -> Iterator[str]:
    certificates, dispositions, *later = report.controls
    yield ""
    yield "CLAIMS"
    yield from _wrapped(_sum(certificates), hanging="  ")
    for name in Disposition:
        yield f"  {name:<15}{report.dispositions[name]:>10,}  {DISPOSITIONS[name]}"
    yield f"  {'':<15}{'-' * 10}"
    yield f"  {'claims':<15}{dispositions.total:>10,}{_alarm(dispositions.difference)}"
    for control in later:
        if control.name not in SHOWN and not control.difference:
            continue
        yield from _wrapped(_sum(control), hanging="  ")


def _two_columns(cells: Sequence[str]) -> Iterator[str]:
    half = (len(cells) + 1) // 2
    for left, right in zip(cells[:half], [*cells[half:], ""], strict=False):
        yield f"{left:<50}{right}".rstrip()


def _finding(found: FindingCount) -> str:
    return f"  {_SIGNS[found.severity]} {found.finding.code:<26}{found.claims:>10,}"


def _findings(report: RunReport) -> Iterator[str]:
    seen = [found for found in report.findings if found.claims]
    if not seen:
        return
    yield ""
    yield "FINDINGS by who can fix them, in claims (! critical, ~ warning, the others for information)"
    weight = list(_SIGNS)
    for owner in Owner:
        own = sorted(
            (found for found in seen if found.finding.owner is owner),
            key=lambda found: weight.index(found.severity),
        )
        if own:
            yield f"  {OWNERS[owner]}"
            yield from _two_columns([_finding(found) for found in own])
    if report.overridden:
        changes = ", ".join(f"{one.finding.code} is {one.severity}" for one in report.overridden)
        yield from _wrapped(f"Severities changed by the settings: {changes}", hanging="  ")


def _needs(report: RunReport) -> Iterator[str]:
    yield ""
    yield f"NEEDS SOMEBODY: {report.worklist.num_rows:,} claims, all of them in the CSV"
    if report.owners:
        owners = _listing((OWNERS.get(owner, owner), count) for owner, count in report.owners.items())
        yield from _wrapped(f"By who can fix it: {owners} (a claim may need several)", hanging="  ")
    held = report.dispositions[Disposition.HELD]
    unlinked = f"Certificates without a CertificateAction: {report.unlinked.total:,}; claims held for it: {held:,}"
    yield from _wrapped(unlinked, hanging="  ")
    if report.dangling:
        yield f"  Links whose certificate is not there: {report.dangling:,}"
    if report.unmatched_excerpt.total:
        yield f"  Persons without a certain Ditio employee: {report.unmatched_excerpt.total:,}"
    if report.unmapped_excerpt.total:
        yield f"  Kinds of certificates that no rule gives a type: {report.unmapped_excerpt.total:,}"
    for refusal in report.refusals.rows[:3]:
        yield f"  {_cut(f'Ditio rejected {refusal.rows:,}: {refusal.message}', WIDTH - 2)}"
    if report.refusals.total > 3:
        yield f"  ... and {report.refusals.total - 3:,} more messages, see the CSV"
    if report.withdrawn_reasons:
        reasons = _listing(report.withdrawn_reasons.items())
        text = f"Withdrawn, to be looked at in Ditio by hand: {report.withdrawn.num_rows:,} ({reasons})"
        yield from _wrapped(text, hanging="  ")


def _changes(report: RunReport) -> Iterator[str]:
    if not report.changes.known or report.previous is None:
        return
    counted = _listing((_CHANGES[kind], count) for kind, count in report.changes.counts.items() if count)
    yield ""
    yield from _wrapped(f"CHANGED since run {report.previous.run_seq}, in claims: {counted or 'nothing'}", "", "  ")


def _guards(report: RunReport) -> Iterator[str]:
    if report.guards:
        yield ""
        yield "GUARDS that tripped"
    for guard in report.guards:
        yield from _wrapped(f"{guard.guard}: {guard.words} [{guard.effect}]", hanging="  ")


def _plan(report: RunReport) -> Iterator[str]:
    plan = report.plan
    if not plan.rows:
        return
    yield ""
    verb = "were to be sent" if report.head.publishes else "would be sent"
    reasons = ", ".join(f"{count:,} {name} ({REASONS.get(name, name)})" for name, count in plan.reasons.items())
    yield from _wrapped(f"TO DITIO: {plan.rows:,} rows {verb}: {reasons}", "", "  ")
    if plan.fields:
        yield from _wrapped(f"Fields that differ: {_listing(plan.fields.items())}", hanging="  ")
    shown = plan.excerpt.rows[:LISTED]
    for row in shown:
        key = f"{row.reason:<14} {_cut(row.employee_number, 14):<14} {_cut(row.certificate_type, 40):<40}"
        yield f"  {key} {row.issued_on} to {row.valid_until}"
        if row.differs:
            yield f"  {'':<14} {_cut(row.differs, WIDTH - 17)}"
    if shown and plan.rows > len(shown):
        yield f"  ... and {plan.rows - len(shown):,} more, {plan.excerpt.rest}"


def _doubtful(report: RunReport) -> Iterator[str]:
    if report.doubtful.total:
        yield ""
        yield from _wrapped(f"IN DOUBT: {doubtful_words(report.doubtful.total)}", "", "  ")


def _lines(report: RunReport) -> Iterator[str]:
    yield from _head(report)
    yield from _reading(report)
    if report.decided:
        for part in (_claims, _findings, _needs, _changes, _guards, _plan, _doubtful):
            yield from part(report)
    else:
        yield ""
        yield "  The run did not come to deciding claims; nothing was sent."


def render_summary(report: RunReport) -> str:
    """Return the summary of a run."""
    return "\n".join(_cut(line.rstrip(), WIDTH) for line in _lines(report)) + "\n"
