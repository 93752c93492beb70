"""The checks that stand between a plan and its publishing (design, *Publishing*: Guards)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.settings.model import GuardSettings
from certrecon.words import Guard


@dataclass(frozen=True, slots=True)
class TenantCounts:
    """What a run counted in one tenant.

    Attributes:
        certificates: Certificates read.
        links: Links read.
        persons: Persons read.
        person_claims: Claims that are not `not_applicable`.
        matched: Those of them with exactly one Ditio employee.
    """

    certificates: int = 0
    links: int = 0
    persons: int = 0
    person_claims: int = 0
    matched: int = 0


@dataclass(frozen=True, slots=True)
class Baseline:
    """The last succeeded, unlimited, publishing run of the target.

    Attributes:
        run_seq: Its number.
        tenants: What it counted, by tenant.
        employees: How many employees it read.
        withdrawn: The keys (`keys_of`) that were withdrawn in it.
    """

    run_seq: int
    tenants: Mapping[str, TenantCounts]
    employees: int
    withdrawn: frozenset[str]


@dataclass(frozen=True, slots=True)
class GuardInputs:
    """What the guards compare.

    Attributes:
        tenants: What this run counted, by tenant read.
        listed: Every tenant of the settings, or that 4HSE lists.
        limited: Whether the run speaks of some tenants only.
        employees: How many employees this run read.
        plan: Schema `PLAN`.
        acknowledged: How many ledger entries Ditio has acknowledged.
        withdrawn: The keys that are withdrawn in this run.
        target_is_sandbox: Whether the target says that it is the sandbox.
        baseline: What to compare with, None before the first such run.
        sent_before: Rows that runs by hints have sent since the baseline: many small plans count like a large one.
    """

    tenants: Mapping[str, TenantCounts]
    listed: frozenset[str]
    limited: bool
    employees: int
    plan: pa.Table
    acknowledged: int
    withdrawn: frozenset[str]
    target_is_sandbox: bool
    baseline: Baseline | None
    sent_before: int = 0


@dataclass(frozen=True, slots=True)
class TrippedGuard:
    """A guard that found what it watches for.

    Attributes:
        guard: Which.
        words: What it found, with the numbers, in one sentence.
        numbers: The numbers.
        accepted: Whether whoever started the run accepted it beforehand.
    """

    guard: Guard
    words: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    accepted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what the run row keeps under the guard's name."""
        kept = asdict(self)
        del kept["guard"]
        return {"tripped": True, **kept}


def _first_publish(inputs: GuardInputs) -> Iterator[TrippedGuard]:
    if not inputs.acknowledged and not inputs.target_is_sandbox:
        words = "This target has never acknowledged anything and is not the sandbox: it would be the first publishing."
        yield TrippedGuard(Guard.FIRST_PUBLISH, words, {"rows": inputs.plan.num_rows})


def _tenant_missing(inputs: GuardInputs, baseline: Baseline) -> Iterator[TrippedGuard]:
    missing = sorted(set(baseline.tenants) - inputs.listed)
    if missing and not inputs.limited:
        words = f"Tenants of run {baseline.run_seq} are no longer listed: {', '.join(missing)}."
        yield TrippedGuard(Guard.TENANT_MISSING, words, {"missing": missing})


def _falls(inputs: GuardInputs, baseline: Baseline) -> Iterator[tuple[str, int, int]]:
    for tenant in sorted(set(inputs.tenants) & set(baseline.tenants)):
        before, now = baseline.tenants[tenant], inputs.tenants[tenant]
        for dataset in ("certificates", "links", "persons"):
            yield f"{dataset} of tenant {tenant}", getattr(before, dataset), getattr(now, dataset)
    yield "employees", baseline.employees, inputs.employees


def _drop(inputs: GuardInputs, baseline: Baseline, limit: float) -> Iterator[TrippedGuard]:
    fallen = [
        (what, before, now)
        for what, before, now in _falls(inputs, baseline)
        if before and (before - now) / before > limit
    ]
    if fallen:
        numbers = {what: {"before": before, "now": now} for what, before, now in fallen}
        listed = "; ".join(f"{what} fell from {before} to {now}" for what, before, now in fallen)
        yield TrippedGuard(
            Guard.DROP, f"More than {limit:.0%} are gone since run {baseline.run_seq}: {listed}.", numbers
        )


def _share(counts: list[TenantCounts]) -> float | None:
    claims = sum(count.person_claims for count in counts)
    return sum(count.matched for count in counts) / claims if claims else None


def _match_rate(inputs: GuardInputs, baseline: Baseline, limit: float) -> Iterator[TrippedGuard]:
    scope = set(inputs.tenants) if inputs.limited else set(baseline.tenants)
    before = _share([count for tenant, count in baseline.tenants.items() if tenant in scope])
    now = _share(list(inputs.tenants.values()))
    if before is not None and now is not None and round(before - now, 9) > limit:
        words = (
            f"Claims with exactly one Ditio employee fell from {before:.1%} in run {baseline.run_seq} to {now:.1%} "
            f"(at most {limit:.0%} lower is let through)."
        )
        yield TrippedGuard(Guard.MATCH_RATE, words, {"before": round(before, 6), "now": round(now, 6)})


def _upserts(inputs: GuardInputs, limits: GuardSettings) -> Iterator[TrippedGuard]:
    changing = pc.is_in(inputs.plan.column("reason"), value_set=pa.array(["new", "changed"]))
    planned = pc.sum(changing).as_py() or 0
    rows = planned + inputs.sent_before if planned else 0
    if rows > limits.min_upserts and rows > round(limits.max_upserts_share * inputs.acknowledged, 9):
        words = (
            f"The plan changes {rows} rows, {inputs.acknowledged} are acknowledged "
            f"(more than {limits.max_upserts_share:.0%} of them and more than {limits.min_upserts} rows need a look)."
        )
        yield TrippedGuard(Guard.UPSERTS, words, {"rows": rows, "acknowledged": inputs.acknowledged})


def _withdrawn(inputs: GuardInputs, baseline: Baseline, limit: int) -> Iterator[TrippedGuard]:
    new = len(inputs.withdrawn - baseline.withdrawn)
    if new > limit:
        words = f"{new} deliveries lost their support since run {baseline.run_seq} (at most {limit} are let through)."
        yield TrippedGuard(Guard.WITHDRAWN, words, {"new": new})


def judge(inputs: GuardInputs, limits: GuardSettings, accepted: frozenset[Guard]) -> tuple[TrippedGuard, ...]:
    """Return the guards that trip, each saying whether it was accepted beforehand.

    Args:
        inputs: What this run counted and what it is compared with.
        limits: The settings' limits.
        accepted: The guards in the run's parameter `accept`.
    """
    tripped = list(_first_publish(inputs))
    if inputs.baseline is not None:
        tripped += _tenant_missing(inputs, inputs.baseline)
        tripped += _drop(inputs, inputs.baseline, limits.max_drop)
        tripped += _match_rate(inputs, inputs.baseline, limits.max_match_rate_drop)
        tripped += _upserts(inputs, limits)
        tripped += _withdrawn(inputs, inputs.baseline, limits.max_withdrawn)
    return tuple(TrippedGuard(one.guard, one.words, one.numbers, accepted=one.guard in accepted) for one in tripped)
