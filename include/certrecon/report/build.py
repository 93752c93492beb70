"""Makes the report of a run from its frames."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.dispositions.decide import DECIDED, PLAN
from certrecon.dispositions.withdrawals import WITHDRAWN
from certrecon.publishing.guards import TrippedGuard
from certrecon.report.counting import (
    answers_to,
    by_dataset,
    controls,
    disposition_counts,
    finding_counts,
    in_order,
    undocumented,
)
from certrecon.report.model import (
    ANSWERS,
    ClaimRow,
    DatasetTotal,
    Excerpt,
    GuardNote,
    Refusal,
    ReportInputs,
    RunHead,
    RunReport,
    WithdrawnRow,
)
from certrecon.report.safe import one_line, one_line_table
from certrecon.report.sending import plan_report
from certrecon.report.wording import kind_of_reason, withdrawal
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
    )


def _clean_total(total: DatasetTotal) -> DatasetTotal:
    return replace(total, tenant=total.tenant and one_line(total.tenant))


def _unlinked(claims: pa.Table, inputs: ReportInputs) -> Excerpt[ClaimRow]:
    """Return the certificates without a CertificateAction; each of them is one claim."""
    found = claims.filter(pc.invert(claims.column("linked")))
    first = rows_of(by_urgency(found).slice(0, LISTED), inputs.answers, inputs.severity_of)
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


def _withdrawn(table: pa.Table) -> pa.Table:
    """Return withdrawals with their reasons in words, each distinct reason put into words once."""
    reasons = table.column("reason").combine_chunks().dictionary_encode()
    said = [withdrawal(reason) for reason in reasons.dictionary.to_pylist()]
    for place, name in enumerate(("in_words", "what_to_do")):
        texts = pa.array([words[place] for words in said], pa.string()).take(reasons.indices)
        table = table.append_column(name, texts)
    return table


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


def _withdrawn_excerpt(table: pa.Table) -> Excerpt[WithdrawnRow]:
    rows = one_line_table(table.slice(0, LISTED)).to_pylist()
    return Excerpt(table.num_rows, tuple(WithdrawnRow(**row) for row in rows), "see the CSV of withdrawn deliveries")


def build_report(inputs: ReportInputs) -> RunReport:
    """Make the report of a run; what the run did not come to is empty."""
    head = _clean_head(inputs.head)
    claims = (DECIDED.empty_table() if inputs.claims is None else inputs.claims).combine_chunks()
    plan = PLAN.empty_table() if inputs.plan is None else inputs.plan
    answers = ANSWERS.empty_table() if inputs.answers is None else inputs.answers
    withdrawn = _withdrawn(WITHDRAWN.empty_table() if inputs.withdrawn is None else inputs.withdrawn)
    datasets = in_order(map(_clean_total, inputs.datasets))
    reading = by_dataset(datasets)
    extracted = sum(total.rows for total in reading if total.dataset == "certificates")
    worklist = rows_of(by_urgency(needing(claims, inputs.severity_of)), answers, inputs.severity_of)
    decided = inputs.claims is not None
    return RunReport(
        head=head,
        failure=inputs.failure and one_line(inputs.failure),
        decided=decided,
        datasets=datasets,
        reading=reading,
        controls=controls(claims, plan, answers, extracted, publishes=head.publishes) if decided else (),
        dispositions=disposition_counts(claims),
        findings=finding_counts(claims, inputs.severity_of),
        owners=owner_counts(worklist),
        worklist=worklist,
        excerpts=excerpts(worklist),
        unlinked=_unlinked(claims, inputs),
        refusals=_refusals(worklist),
        withdrawn=withdrawn,
        withdrawn_reasons=_withdrawn_reasons(withdrawn),
        withdrawn_excerpt=_withdrawn_excerpt(withdrawn),
        dangling=inputs.dangling,
        guards=_guards(inputs, plan, answers),
        plan=plan_report(plan, inputs.earlier_payloads, dry_run=not head.publishes),
        undocumented=undocumented(reading),
        requests=dict(inputs.requests),
    )
