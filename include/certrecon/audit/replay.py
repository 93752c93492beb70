"""Replay: a run is made again from its evidence alone, and must come out the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, text

from certrecon.audit.claims import read_claims_as_of
from certrecon.audit.comparing import Comparison, compare_content, compare_tables
from certrecon.audit.pseudonyms import comparable
from certrecon.audit.stores import OpenRoot, Stores
from certrecon.claims.build import build_claims
from certrecon.claims.facts import CLAIM_FACTS
from certrecon.claims.inputs import LINKS
from certrecon.code_version import code_version
from certrecon.dispositions.decide import DECIDED, PLAN
from certrecon.dispositions.outcome import settle, warehouse_claims
from certrecon.dispositions.verdicts import collect
from certrecon.dispositions.withdrawals import JUDGED, WITHDRAWN
from certrecon.errors import EvidenceError, ParameterError
from certrecon.evidence import Part, RunEvidence
from certrecon.evidence.manifest import read_sealed
from certrecon.report import build_report, render_csvs, render_html, render_summary
from certrecon.report.workbook import render_workbook
from certrecon.schemas import LEDGER_STATES
from certrecon.stages.approval import decided, withholds
from certrecon.stages.outcome import CLAIMS_FILE, DECIDED_FILE, LEDGER_AFTER_FILE, Outcome
from certrecon.stages.plan import MOVED_AWAY, Judgement, judge_inputs
from certrecon.stages.report_inputs import APPROVALS_FILE, report_inputs
from certrecon.stages.run_inputs import RunInputs
from certrecon.validation.run import validate
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.history import CLAIM
from certrecon.warehouse.purges import purged_runs
from certrecon.warehouse.runmodel import RunRecord
from certrecon.warehouse.runs import read_run
from certrecon.warehouse.storable import storable
from certrecon.words import Mode, RunStatus, Subject

ENTRY = ("employee_number", "certificate_type")
CERTIFICATE = ("certificate_id", "certificate_type")
_LAST = text("SELECT max(run_seq) FROM reconciliation.run WHERE status <> 'running'")


@dataclass(frozen=True, slots=True)
class Replay:
    """What making a run again came to.

    Attributes:
        run_seq: The run.
        comparisons: Every table and file that was compared, in the order of the run's tasks.
        notes: What should be known beside, such as another version of the code.
    """

    run_seq: int
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything came out the same."""
        return not any(one.differing for one in self.comparisons)


def last_finalised(engine: Engine) -> int | None:
    """Return the number of the last finalised run, None where there is none."""
    with transaction(engine) as conn:
        found: int | None = conn.execute(_LAST).scalar_one()
    return found


def replay_run(engine: Engine, open_root: OpenRoot, run_seq: int) -> Replay:
    """Make a finalised run again from its evidence and compare it with what it left.

    Args:
        engine: The warehouse, for the run's row and the claims as it left them.
        open_root: Makes a path-like of an evidence store's address.
        run_seq: The run.

    Raises:
        ParameterError: There is no such run, or it is not finalised.
        EvidenceError: Its evidence was removed, is missing, or was changed.
    """
    run = _finalised(engine, run_seq)
    evidence = Stores(open_root).evidence_of(run)
    notes = [] if run.code_version == code_version() else [_other_code(run)]
    if evidence is None or run.inputs_sha256 is None:
        return Replay(
            run_seq, (), (*notes, f"Run {run_seq} failed before it sealed its inputs: nothing to make again.")
        )
    _refuse_purged(engine, run)
    comparisons = tuple(_compare(engine, run, evidence, notes))
    return Replay(run_seq, comparisons, tuple(notes))


def _finalised(engine: Engine, run_seq: int) -> RunRecord:
    with transaction(engine) as conn:
        run = read_run(conn, run_seq)
    if run is None:
        message = f"There is no run {run_seq} in the warehouse."
        raise ParameterError(message)
    if run.status == RunStatus.RUNNING:
        message = f"Run {run_seq} is still running: replay it once it is finalised."
        raise ParameterError(message)
    return run


def _other_code(run: RunRecord) -> str:
    return (
        f"Run {run.run_seq} was made by version {run.code_version} and is made again by {code_version()}: where they "
        "differ, look at what changed in the code first."
    )


def _refuse_purged(engine: Engine, run: RunRecord) -> None:
    with transaction(engine) as conn:
        found = purged_runs(conn).get(run.run_seq)
    if found:
        message = f"The evidence of run {run.run_seq} was removed on {found[0].purged_at:%Y-%m-%d}: {found[0].reason}"
        raise EvidenceError(message)


def _compare(engine: Engine, run: RunRecord, evidence: RunEvidence, notes: list[str]) -> Iterator[Comparison]:
    inputs = RunInputs(evidence, run.inputs_sha256)
    if run.outcome_sha256 is None:
        notes.append(f"Run {run.run_seq} failed before it sealed an outcome: there is nothing to compare with.")
        return
    outcome = Outcome.of_sealed(evidence, read_sealed(evidence, Part.OUTCOME, run.outcome_sha256))
    if "facts" not in outcome:
        notes.append(f"Run {run.run_seq} failed before it had made its claims: there is nothing to compare with.")
        return
    claims = build_claims(inputs.claim_inputs())
    yield compare_tables("facts", CERTIFICATE, outcome.table("facts", CLAIM_FACTS), claims.facts)
    yield compare_tables("dangling", ["certificate_action_id"], outcome.table("dangling", LINKS), claims.dangling)
    if DECIDED_FILE not in outcome:
        notes.append(f"Run {run.run_seq} failed before it had a plan: its claims' facts are all that is compared.")
        return
    settings = inputs.settings.settings
    results = [validate(subject, claims.facts, settings, inputs.context.as_of) for subject in Subject]
    judged = judge_inputs(inputs, claims.facts, collect(results, settings))
    yield from _planned(outcome, judged)
    yield from _loaded(engine, run, inputs, outcome, judged, notes)
    yield from _reported(run, inputs, outcome, notes)


def _planned(outcome: Outcome, judged: Judgement) -> Iterator[Comparison]:
    decision, withdrawn = judged.decision, judged.withdrawn
    moved = pa.table([pa.array(judged.moved_away, pa.string())], schema=MOVED_AWAY)
    yield compare_tables(DECIDED_FILE, CERTIFICATE, outcome.table(DECIDED_FILE, DECIDED), decision.claims)
    yield compare_tables("plan", ENTRY, outcome.table("plan", PLAN), decision.plan)
    yield compare_tables("restored", ENTRY, outcome.table("restored", PLAN), decision.restored)
    yield compare_tables("withdrawn", ENTRY, outcome.table("withdrawn", WITHDRAWN), withdrawn.entries)
    yield compare_tables("judged", ENTRY, outcome.table("judged", JUDGED), withdrawn.judged)
    yield compare_tables("moved_away", ["certificate_id"], outcome.table("moved_away", MOVED_AWAY), moved)
    tripped = {str(one.guard): one.to_json() for one in judged.tripped}
    tenants = {tenant: asdict(counts) for tenant, counts in judged.tenants.items()}
    yield compare_content("guards", json.loads(outcome.text("guards")), json.loads(json.dumps(tripped)))
    yield compare_content("tenants", json.loads(outcome.text("tenants")), tenants)


def _loaded(
    engine: Engine, run: RunRecord, inputs: RunInputs, outcome: Outcome, judged: Judgement, notes: list[str]
) -> Iterator[Comparison]:
    """Settle the claims and hold them against the outcome and the warehouse."""
    if CLAIMS_FILE not in outcome:
        notes.append(f"Run {run.run_seq} failed before it loaded its claims.")
        return
    claims = judged.decision.claims.cast(DECIDED)
    publishes = inputs.context.parameters.mode is Mode.PUBLISH
    if publishes and LEDGER_AFTER_FILE not in outcome:
        notes.append(f"Run {run.run_seq} failed before it wrote down the ledger: its claims cannot be settled again.")
        return
    if publishes:
        ledger, refused = outcome.table(LEDGER_AFTER_FILE, LEDGER_STATES), _refused(outcome)
        claims = settle(claims, ledger, run.run_seq, refused=refused)
    yield compare_tables(CLAIMS_FILE, CERTIFICATE, outcome.table(CLAIMS_FILE, DECIDED), claims)
    if publishes:
        again = storable(warehouse_claims(claims).select(CLAIM.names).cast(CLAIM))
        left, again, gone = comparable(_as_left(engine, run, inputs, judged), again)
        if gone:
            notes.append(f"{gone} claims of run {run.run_seq} were pseudonymised since: they are not compared.")
        yield compare_tables("claims in the warehouse", CERTIFICATE, left, again)


def _refused(outcome: Outcome) -> bool:
    """Return whether the answer to the run's question withheld its plan."""
    answers = ((one["plan_sha256"], one["decision"]) for one in json.loads(outcome.text(APPROVALS_FILE)))
    return withholds(decided(answers, outcome.sha256("plan")))


def _as_left(engine: Engine, run: RunRecord, inputs: RunInputs, judged: Judgement) -> pa.Table:
    """Return the claims of the run's scope as it left them in the warehouse (schema `AS_LEFT`)."""
    with transaction(engine) as conn:
        left = read_claims_as_of(conn, run.run_seq)
    if not inputs.context.limited:
        return left
    if inputs.context.certificates is not None:
        looked = pa.array(inputs.context.certificates, pa.string())
        return left.filter(pc.is_in(left["certificate_id"], value_set=looked))
    tenants = pa.array(inputs.context.tenants, pa.string())
    elsewhere = pa.array(judged.moved_away, pa.string())
    own = pc.and_(
        pc.is_in(left["tenant_id"], value_set=tenants),
        pc.invert(pc.is_in(left["certificate_id"], value_set=elsewhere)),
    )
    return left.filter(own)


def _reported(run: RunRecord, inputs: RunInputs, outcome: Outcome, notes: list[str]) -> Iterator[Comparison]:
    """Make the report again and compare every byte of it."""
    if "summary" not in outcome:
        notes.append(f"Run {run.run_seq} failed before it wrote its report.")
        return
    report = build_report(report_inputs(inputs, outcome))
    yield compare_content("summary", outcome.content("summary"), render_summary(report).encode())
    yield compare_content("report", outcome.content("report"), render_html(report).encode())
    yield compare_content("workbook", outcome.content("workbook"), render_workbook(report))
    for name, data in render_csvs(report).items():
        yield compare_content(f"{name}_csv", outcome.content(f"{name}_csv"), data)
