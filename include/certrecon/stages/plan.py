"""Task: give every claim its disposition, plan what to send, find what is withdrawn, judge the guards."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from certrecon.claims.coded import Bools, Coded
from certrecon.dispositions.decide import DECISION_FACTS, PLAN, Decision, decide
from certrecon.dispositions.scope import moved_away
from certrecon.dispositions.verdicts import Verdicts, collect
from certrecon.dispositions.winners import keys_of
from certrecon.dispositions.withdrawals import JUDGED, Withdrawn, find_withdrawn
from certrecon.publishing.guards import GuardInputs, TenantCounts, TrippedGuard, judge
from certrecon.stages.build_claims import BuiltClaims
from certrecon.stages.handle import FileRef
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.workplace import Workplace
from certrecon.validation.results import SubjectResult, read_result
from certrecon.words import Guard, Subject

log = logging.getLogger(__name__)

MOVED_AWAY = pa.schema([("certificate_id", pa.string())])
"""Certificates by id."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning decided, and where it is.

    Attributes:
        claims: Schema `DECIDED`.
        plan: Schema `PLAN`.
        restored: Schema `PLAN`: what the ledger must show as acknowledged again.
        withdrawn: Schema `WITHDRAWN`.
        judged: Schema `JUDGED`: the ledger's keys that the run may speak of.
        moved_away: Schema `MOVED_AWAY`: certificates that left a limited run's scope.
        tripped: JSON: the guards that tripped, by name.
        tenants: JSON: what was counted, by tenant.
        findings: How many claims have each finding.
    """

    claims: FileRef
    plan: FileRef
    restored: FileRef
    withdrawn: FileRef
    judged: FileRef
    moved_away: FileRef
    tripped: FileRef
    tenants: FileRef
    findings: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return asdict(self) | {"findings": dict(self.findings)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Planned:
        """Rebuild what `to_json` gave."""
        files = {name: FileRef(**value) for name, value in values.items() if name != "findings"}
        return cls(**files, findings=values["findings"])


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules make of a run's inputs: the same inputs always give the same.

    Attributes:
        decision: Claims and plan.
        withdrawn: What is withdrawn, and what was judged.
        moved_away: Certificates that left a limited run's scope.
        tripped: The guards that trip.
        tenants: What was counted, by tenant.
        findings: How many claims have each finding.
    """

    decision: Decision
    withdrawn: Withdrawn
    moved_away: list[str]
    tripped: tuple[TrippedGuard, ...]
    tenants: Mapping[str, TenantCounts]
    findings: Mapping[str, int]


def _count_by_tenant(tenants: Coded, rows: Bools) -> dict[str, int]:
    counts = np.bincount(tenants.codes[rows], minlength=len(tenants.texts))
    return dict(zip(tenants.texts.to_pylist(), counts.tolist(), strict=True))


def count_tenants(inputs: RunInputs, claims: pa.Table) -> dict[str, TenantCounts]:
    """Return what was read and matched in each tenant of the run.

    Args:
        inputs: The run's inputs.
        claims: Columns `tenant_id`, `applicable` and `employees` of schema `CODED_DECIDED`.
    """
    of_claims, applicable = Coded.of(claims["tenant_id"]), claims.column("applicable").to_numpy()
    person_claims = _count_by_tenant(of_claims, applicable)
    matched = _count_by_tenant(of_claims, applicable & (claims.column("employees").to_numpy() == 1))
    read = {name: inputs.rows_by_tenant(name) for name in ("certificates", "links", "persons")}
    return {
        tenant: TenantCounts(
            **{name: rows[tenant] for name, rows in read.items()},
            person_claims=person_claims.get(tenant, 0),
            matched=matched.get(tenant, 0),
        )
        for tenant in inputs.context.tenants
    }


def _keys(table: pa.Table) -> frozenset[str]:
    return frozenset(keys_of(table["employee_number"], table["certificate_type"]).to_pylist())


def _withdrawn_keys(inputs: RunInputs, found: Withdrawn) -> frozenset[str]:
    """Return what is withdrawn; for a run by hints with what stays so elsewhere: small runs add up to a large one."""
    if inputs.context.certificates is None:
        return _keys(found.entries)
    open_before = _keys(inputs.table("open_withdrawn", JUDGED))
    return _keys(found.entries) | (open_before - _keys(found.judged))


def judge_inputs(inputs: RunInputs, facts: pa.Table, verdicts: Verdicts) -> Judgement:
    """Decide, plan, find what is withdrawn and judge the guards.

    Raises:
        AccountingError: The claims do not account for every certificate.
    """
    settings, context = inputs.settings.settings, inputs.context
    decision_inputs = inputs.decision_inputs()
    decision = decide(facts, verdicts, decision_inputs, settings)
    found = find_withdrawn(decision, verdicts, decision_inputs, settings)
    tenants = count_tenants(inputs, decision.claims)
    held = decision_inputs.ledger.column("acknowledged_payload_sha256")
    acknowledged = len(held) - held.null_count if context.acknowledged is None else context.acknowledged
    tripped = judge(
        GuardInputs(
            # A run by hints counts some rows of a tenant, which says nothing of the tenant.
            tenants=tenants if context.certificates is None else {},
            listed=frozenset(context.listed),
            limited=context.limited,
            employees=inputs.rows("employees"),
            plan=decision.plan,
            acknowledged=acknowledged,
            withdrawn=_withdrawn_keys(inputs, found),
            target_is_sandbox=context.target_is_sandbox,
            baseline=context.baseline,
            sent_before=context.sent_by_hints,
        ),
        settings.guards,
        frozenset(context.parameters.accept),
    )
    return Judgement(decision, found, moved_away(decision_inputs), tripped, tenants, verdicts.counts)


def _read_validation(place: Workplace, subject: Subject, ref: FileRef) -> SubjectResult:
    return read_result(subject, place.evidence.read_bytes(ref.address, ref.sha256).decode(), ref.rows)


def run_plan(place: Workplace, built: BuiltClaims, validations: Mapping[Subject, FileRef]) -> Planned:
    """Judge the run's inputs and write what came of it.

    Raises:
        AccountingError: Totals do not add up; nothing may be published.
        RuleEvaluationError: A validation result is incomplete.
    """
    inputs = RunInputs(place.evidence)
    results = [_read_validation(place, subject, ref) for subject, ref in validations.items()]
    verdicts = collect(results, inputs.settings.settings)
    judged = judge_inputs(inputs, place.read(built.facts, DECISION_FACTS).combine_chunks(), verdicts)
    for guard in judged.tripped:
        log.warning("Guard %s %s: %s", guard.guard, "accepted" if guard.accepted else "tripped", guard.words)
    log.info("%s rows to send, %s withdrawn", judged.decision.plan.num_rows, judged.withdrawn.entries.num_rows)
    return Planned(
        claims=place.write("decided", judged.decision.claims),
        plan=place.write("plan", judged.decision.plan),
        restored=place.write("restored", judged.decision.restored),
        withdrawn=place.write("withdrawn", judged.withdrawn.entries),
        judged=place.write("judged", judged.withdrawn.judged),
        moved_away=place.write("moved_away", pa.table([pa.array(judged.moved_away, pa.string())], schema=MOVED_AWAY)),
        tripped=place.write_bytes("guards", "json", _guards_text(judged.tripped).encode()),
        tenants=place.write_bytes("tenants", "json", _tenants_text(judged.tenants).encode()),
        findings=judged.findings,
    )


def _guards_text(tripped: tuple[TrippedGuard, ...]) -> str:
    return json.dumps({str(one.guard): one.to_json() for one in tripped}, sort_keys=True, ensure_ascii=False)


def _tenants_text(tenants: Mapping[str, TenantCounts]) -> str:
    return json.dumps({tenant: asdict(counts) for tenant, counts in tenants.items()}, sort_keys=True)


def parse_tripped(text: str) -> tuple[TrippedGuard, ...]:
    """Return the guards that tripped from their file's text."""
    return tuple(
        TrippedGuard(Guard(name), found["words"], found["numbers"], accepted=found["accepted"])
        for name, found in json.loads(text).items()
    )


def read_tripped(place: Workplace, planned: Planned) -> tuple[TrippedGuard, ...]:
    """Read back which guards tripped."""
    return parse_tripped(place.evidence.read_bytes(planned.tripped.address, planned.tripped.sha256).decode())


def read_tenants(place: Workplace, planned: Planned) -> dict[str, TenantCounts]:
    """Read back what was counted by tenant."""
    texts = json.loads(place.evidence.read_bytes(planned.tenants.address, planned.tenants.sha256))
    return {tenant: TenantCounts(**counts) for tenant, counts in texts.items()}


def read_plan(place: Workplace, planned: Planned) -> pa.Table:
    """Read back the plan (schema `PLAN`)."""
    return place.read(planned.plan, PLAN)
