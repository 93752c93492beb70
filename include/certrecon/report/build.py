"""Makes the report of a run from its frames."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.dispositions.decide import DECIDED, PLAN
from certrecon.dispositions.withdrawals import WITHDRAWN
from certrecon.publishing.guards import TrippedGuard
from certrecon.report.ages import beside, placed, withdrawn_ages
from certrecon.report.comparing import changes
from certrecon.report.counting import (
    answers_to,
    by_dataset,
    controls,
    disposition_counts,
    finding_counts,
    in_order,
    undocumented,
)
from certrecon.report.crosschecks import crosschecks
from certrecon.report.flowing import flow_of
from certrecon.report.forecast import outlook, trend
from certrecon.report.grouping import dangling_links, shown, work_groups
from certrecon.report.heading import missed_days, settings_changes
from certrecon.report.model import (
    ANSWERS,
    DOUBTFUL,
    Changes,
    ClaimRow,
    Control,
    DanglingRow,
    DatasetTotal,
    DoubtfulRow,
    Excerpt,
    GuardNote,
    Refusal,
    ReportInputs,
    RunHead,
    RunReport,
    SettingsChanges,
    WithdrawnRow,
)
from certrecon.report.pieces import piece
from certrecon.report.safe import one_line, one_line_table
from certrecon.report.sending import plan_report
from certrecon.report.stored import as_stored
from certrecon.report.told import told_changes
from certrecon.report.unmapped import unmapped_types
from certrecon.report.unmatched import unmatched_excerpt, unmatched_persons
from certrecon.report.wording import kind_of_reason, withdrawal, withdrawal_owner
from certrecon.report.worklist import (
    LISTED,
    claim_rows,
    excerpts,
    needing,
    owner_counts,
    rows_of,
    with_disposition,
)
from certrecon.report.worklist import in_order as by_urgency
from certrecon.words import Disposition, Severity

MESSAGES = 10
"""How many different messages of Ditio's are told apart."""


def _clean_head(head: RunHead) -> RunHead:
    return replace(
        head,
        run_id=one_line(head.run_id),
        tenants=tuple(map(one_line, head.tenants)),
        triggered_by=head.triggered_by and one_line(head.triggered_by),
        accepted=tuple(map(one_line, head.accepted)),
        approvals=tuple(
            replace(
                one, decided_by=one.decided_by and one_line(one.decided_by), reason=one.reason and one_line(one.reason)
            )
            for one in head.approvals
        ),
    )


def _clean_total(total: DatasetTotal) -> DatasetTotal:
    return replace(total, tenant=total.tenant and one_line(total.tenant))


def _unlinked(claims: pa.Table, inputs: ReportInputs) -> Excerpt[ClaimRow]:
    """Return the certificates without a CertificateAction; each of them is one claim."""
    found = claims.filter(pc.invert(claims.column("linked")))
    first = rows_of(by_urgency(found).slice(0, LISTED), inputs)
    listed = inputs.severity_of("ACTION_LINK_MISSING") is not Severity.INFO
    total = pc.count_distinct(found.column("certificate_id")).as_py()
    return Excerpt(total, claim_rows(first), "see the CSV" if listed else "see the claims in the warehouse")


def _refusals(worklist: pa.Table) -> Excerpt[Refusal]:
    """Return what Ditio said of the rows it rejected, the most frequent first."""
    messages = with_disposition(worklist, Disposition.REJECTED).column("ditio_message")
    counted = pc.value_counts(messages)
    table = pa.table({"message": counted.field("values"), "rows": counted.field("counts")})
    first = table.sort_by([("rows", "descending"), ("message", "ascending")]).slice(0, MESSAGES)
    shown = tuple(Refusal(row["rows"], row["message"] or "(no message)") for row in one_line_table(first).to_pylist())
    return Excerpt(table.num_rows, shown)


def _withdrawn(inputs: ReportInputs) -> pa.Table:
    """Return withdrawals with their reasons in words, each distinct reason put into words once, and their ages."""
    table = WITHDRAWN.empty_table() if inputs.withdrawn is None else inputs.withdrawn.combine_chunks()
    reasons = table.column("reason").combine_chunks().dictionary_encode()
    said = [(*withdrawal(reason), withdrawal_owner(reason)) for reason in reasons.dictionary.to_pylist()]
    for place, name in enumerate(("in_words", "what_to_do", "owner")):
        texts = pa.array([words[place] for words in said], pa.string()).take(reasons.indices)
        table = table.append_column(name, texts)
    return beside(table, withdrawn_ages(table, inputs))


def _withdrawn_reasons(table: pa.Table) -> dict[str, int]:
    counts: dict[str, int] = {}
    for pair in pc.value_counts(table.column("reason")).to_pylist():
        kind = kind_of_reason(pair["values"])
        counts[kind] = counts.get(kind, 0) + pair["counts"]
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _effect(guard: TrippedGuard, rows: int, *, publishes: bool, queued: bool) -> str:
    """Return what a tripped guard meant; `queued` says that the plan got past it."""
    if guard.accepted:
        return "accepted by whoever started the run"
    if not rows:
        return "nothing was to be sent, so it stopped nothing"
    if not publishes:
        return "a publishing run would stop here unless a person accepts it"
    return "a person let it pass" if queued else "stopped publishing"


def _guards(inputs: ReportInputs, plan: pa.Table, answers: pa.Table) -> tuple[GuardNote, ...]:
    queued = answers_to(plan, answers).num_rows > 0
    publishes = inputs.head.publishes
    return tuple(
        GuardNote(
            str(guard.guard),
            one_line(guard.words),
            _effect(guard, plan.num_rows, publishes=publishes, queued=queued),
        )
        for guard in inputs.tripped
    )


def _controls(
    claims: pa.Table,
    plan: pa.Table,
    answers: pa.Table,
    inputs: ReportInputs,
    reading: tuple[DatasetTotal, ...],
    dangling: int,
) -> tuple[Control, ...]:
    extracted = sum(total.rows for total in reading if total.dataset == "certificates")
    certificates = piece(claims, "certificate_id").dictionary_encode()
    behind = len(certificates.dictionary)
    onward = controls(claims, plan, answers, behind, extracted, publishes=inputs.head.publishes)
    return onward + crosschecks(claims, certificates, inputs, reading, dangling)


def _doubtful(inputs: ReportInputs) -> Excerpt[DoubtfulRow]:
    """Return what Ditio may hold though it never said so, by key."""
    table = DOUBTFUL.empty_table() if inputs.doubtful is None else inputs.doubtful
    ordered = table.sort_by([(name, "ascending") for name in DOUBTFUL.names[:2]])
    return shown(ordered, DoubtfulRow, "found by the query in the auditor's guide")


def _settings_changes(inputs: ReportInputs) -> SettingsChanges | None:
    before = inputs.previous.settings_text if inputs.previous else None
    return settings_changes(before, inputs.head.settings_text)


def build_report(inputs: ReportInputs) -> RunReport:
    """Make the report of a run; what the run did not come to is empty."""
    head = _clean_head(inputs.head)
    claims = placed((DECIDED.empty_table() if inputs.claims is None else inputs.claims).combine_chunks(), inputs)
    plan = PLAN.empty_table() if inputs.plan is None else inputs.plan
    answers = ANSWERS.empty_table() if inputs.answers is None else inputs.answers
    withdrawn = _withdrawn(inputs)
    datasets = in_order(map(_clean_total, inputs.datasets))
    reading = by_dataset(datasets)
    worklist = rows_of(by_urgency(needing(claims, inputs.severity_of)), inputs)
    decided = inputs.claims is not None
    dangling = dangling_links(inputs)
    dangling_count = inputs.dangling if inputs.dangling_links is None else dangling.num_rows
    counts = disposition_counts(claims)
    totals = _controls(claims, plan, answers, inputs, reading, dangling_count) if decided else ()
    unmapped, unmapped_excerpt = unmapped_types(claims, inputs)
    unmatched = unmatched_persons(claims, inputs)
    stored = as_stored(claims)
    return RunReport(
        head=head,
        failure=inputs.failure and one_line(inputs.failure),
        decided=decided,
        datasets=datasets,
        reading=reading,
        controls=totals,
        dispositions=counts,
        findings=finding_counts(claims, inputs.severity_of),
        owners=owner_counts(worklist),
        worklist=worklist,
        excerpts=excerpts(worklist),
        unlinked=_unlinked(claims, inputs),
        refusals=_refusals(worklist),
        withdrawn=withdrawn,
        withdrawn_reasons=_withdrawn_reasons(withdrawn),
        withdrawn_excerpt=shown(withdrawn, WithdrawnRow, "see the CSV of withdrawn deliveries"),
        dangling=dangling_count,
        guards=_guards(inputs, plan, answers),
        plan=plan_report(plan, inputs.earlier_payloads, dry_run=not head.publishes),
        undocumented=undocumented(reading),
        requests=dict(inputs.requests),
        previous=inputs.previous,
        missed_days=missed_days(inputs),
        settings_changes=_settings_changes(inputs),
        flow=flow_of(reading, totals, counts),
        work=work_groups(worklist, withdrawn, dangling, unmapped_excerpt, unmatched),
        dangling_links=dangling,
        dangling_excerpt=shown(dangling, DanglingRow, "see the CSV of links without a certificate"),
        unmapped=unmapped,
        unmapped_excerpt=unmapped_excerpt,
        unmatched=unmatched,
        unmatched_excerpt=unmatched_excerpt(unmatched),
        changes=changes(stored, inputs) if decided else Changes(),
        outlook=outlook(claims, head.as_of),
        trend=trend(inputs, counts),
        told=told_changes(stored, inputs) if decided else None,
        doubtful=_doubtful(inputs),
    )
