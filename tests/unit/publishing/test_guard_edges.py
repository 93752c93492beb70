"""Guards at the edge of their limits, and what they do not compare."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from certrecon.dispositions.decide import PLAN
from certrecon.publishing.guards import Baseline, GuardInputs, TenantCounts, judge
from certrecon.settings.model import GuardSettings
from certrecon.words import Guard

LIMITS = GuardSettings()
FULL = TenantCounts(certificates=100, links=100, persons=100, person_claims=100, matched=100)


def plan(rows: int, reason: str = "new") -> pa.Table:
    return pa.Table.from_pylist([dict.fromkeys(PLAN.names, "x") | {"reason": reason}] * rows, PLAN)


SAME = GuardInputs(
    tenants={"t1": FULL},
    listed=frozenset({"t1"}),
    limited=False,
    employees=100,
    plan=plan(1),
    acknowledged=1000,
    withdrawn=frozenset(),
    target_is_sandbox=True,
    baseline=Baseline(7, {"t1": FULL}, 100, frozenset()),
)


def tripped(inputs: GuardInputs, limits: GuardSettings = LIMITS) -> list[Guard]:
    return [one.guard for one in judge(inputs, limits, frozenset())]


def changed(**counts: int) -> GuardInputs:
    return replace(SAME, tenants={"t1": replace(FULL, **counts)})


def fallen_from(before: int, now: int) -> GuardInputs:
    return replace(SAME, employees=now, baseline=Baseline(7, {"t1": FULL}, before, frozenset()))


CASES = [
    ("nothing changed", SAME, []),
    ("drop of exactly 20 %", changed(certificates=80), []),
    ("drop of more than 20 %", changed(certificates=79), [Guard.DROP]),
    ("links", changed(links=79), [Guard.DROP]),
    ("persons", changed(persons=79), [Guard.DROP]),
    ("growth", changed(certificates=500, links=500, persons=500), []),
    ("employees at the edge", fallen_from(10, 8), []),
    ("employees", fallen_from(10, 7), [Guard.DROP]),
    ("from nothing to nothing", fallen_from(0, 0), []),
    ("all employees gone", fallen_from(1, 0), [Guard.DROP]),
    ("match rate of exactly 10 % less", changed(matched=90), []),
    ("match rate of more than 10 % less", changed(matched=89), [Guard.MATCH_RATE]),
    ("no person claims now", changed(person_claims=0, matched=0), []),
    ("a new tenant", replace(SAME, tenants={"t1": FULL, "t2": FULL}, listed=frozenset({"t1", "t2"})), []),
    ("a tenant no longer listed", replace(SAME, tenants={}, listed=frozenset({"t2"})), [Guard.TENANT_MISSING]),
    ("a tenant listed but not read in a limited run", replace(SAME, tenants={}, limited=True), []),
    ("a tenant no longer listed in a limited run", replace(SAME, tenants={}, listed=frozenset(), limited=True), []),
    ("500 rows, 30 % of many", replace(SAME, plan=plan(500), acknowledged=1), []),
    ("501 rows of few acknowledged", replace(SAME, plan=plan(501), acknowledged=1), [Guard.UPSERTS]),
    ("exactly 30 % of the acknowledged", replace(SAME, plan=plan(600), acknowledged=2000), []),
    ("more than 30 % of the acknowledged", replace(SAME, plan=plan(601), acknowledged=2000), [Guard.UPSERTS]),
    ("rows that waited already", replace(SAME, plan=plan(5000, "unacknowledged"), acknowledged=1), []),
    ("rows sent again on purpose", replace(SAME, plan=plan(5000, "resend"), acknowledged=1), []),
    ("25 withdrawn", replace(SAME, withdrawn=frozenset(map(str, range(25)))), []),
    ("26 withdrawn", replace(SAME, withdrawn=frozenset(map(str, range(26)))), [Guard.WITHDRAWN]),
    (
        "26 withdrawn, one of them since before",
        replace(
            SAME, withdrawn=frozenset(map(str, range(26))), baseline=Baseline(7, {"t1": FULL}, 100, frozenset("3"))
        ),
        [],
    ),
    ("nothing acknowledged by the sandbox", replace(SAME, acknowledged=0, baseline=None), []),
    (
        "nothing acknowledged by a real target",
        replace(SAME, acknowledged=0, baseline=None, target_is_sandbox=False),
        [Guard.FIRST_PUBLISH],
    ),
    ("a real target that knows us", replace(SAME, target_is_sandbox=False), []),
    (
        "no baseline, nothing to compare with",
        replace(
            SAME, tenants={}, employees=0, plan=plan(5000), withdrawn=frozenset(map(str, range(99))), baseline=None
        ),
        [],
    ),
]


@pytest.mark.parametrize(("inputs", "guards"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_guard_at_its_edge(inputs: GuardInputs, guards: list[Guard]) -> None:
    assert tripped(inputs) == guards


@pytest.mark.parametrize("share", [0.07, 0.29, 0.57, 0.58])
def test_shares_that_binary_fractions_do_not_meet(share: float) -> None:
    """29 of 100 are 29 %, although 0.29 x 100 is a little less in binary."""
    limits = GuardSettings(max_upserts_share=share, min_upserts=0, max_drop=share, max_match_rate_drop=share)
    exact = round(share * 100)
    assert tripped(replace(SAME, plan=plan(exact), acknowledged=100), limits) == []
    assert tripped(replace(SAME, plan=plan(exact + 1), acknowledged=100), limits) == [Guard.UPSERTS]
    assert tripped(changed(certificates=100 - exact), limits) == []
    assert tripped(changed(matched=100 - exact), limits) == []
    assert tripped(changed(matched=99 - exact), limits) == [Guard.MATCH_RATE]


def test_several_at_once_in_a_fixed_order_each_with_its_numbers() -> None:
    inputs = replace(changed(certificates=10, matched=10), withdrawn=frozenset(map(str, range(50))))
    found = judge(inputs, LIMITS, frozenset({Guard.DROP}))
    assert [(one.guard, one.accepted) for one in found] == [
        (Guard.DROP, True), (Guard.MATCH_RATE, False), (Guard.WITHDRAWN, False),
    ]  # fmt: skip
    assert found[0].numbers == {"certificates of tenant t1": {"before": 100, "now": 10}}
    for one in found:
        assert "run 7" in one.words
        kept = one.to_json()
        assert (kept["tripped"], kept["words"], kept["numbers"]) == (True, one.words, one.numbers)
