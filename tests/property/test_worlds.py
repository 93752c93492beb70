"""Whatever rows come in: every certificate comes out, decided once, as the oracle says, in whatever order they came."""

from __future__ import annotations

import copy
import random

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from certrecon.claims.build import build_claims
from certrecon.claims.inputs import CERTIFICATES, EMPLOYEES, LEDGER, LINKS, PERSONS, ClaimInputs
from certrecon.errors import IncompleteReadError
from certrecon.settings import parse_settings
from certrecon.words import Disposition
from tests.contract.comparing import CLAIM_COLUMNS
from tests.oracle.base import AS_OF, base_world
from tests.oracle.contract import calculate
from tests.oracle.world import Row, World, payload_sha256
from tests.property.judging import Judged, judge
from tests.property.strategies import settings_of_runs, without_blank_dates, worlds

BEFORE_PUBLISHING = {
    Disposition.NOT_APPLICABLE, Disposition.BLOCKED, Disposition.HELD, Disposition.SUPERSEDED, Disposition.DELIVERED,
    Disposition.PLANNED,
}  # fmt: skip
# The same worlds every time, so that a night's tests do not depend on luck; without shrinking, which takes minutes.
SLOW = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@st.composite
def several(draw: st.DrawFn) -> list[World]:
    """Draw worlds with one settings file, so that Great Expectations need run but once for all of them."""
    shared = draw(settings_of_runs())
    return draw(st.lists(worlds(shared), min_size=4, max_size=8))


@SLOW
@given(several())
def test_every_certificate_comes_out_decided_once(drawn: list[World]) -> None:
    for world, judged in zip(drawn, judge(*drawn), strict=True):
        claims = judged.decision.claims.to_pylist()
        assert {row["certificate_id"] for row in claims} == {
            row["certificate_id"] for rows in world.certificates.values() for row in rows
        }
        keys = [(row["certificate_id"], row["certificate_type"]) for row in claims]
        assert len(keys) == len(set(keys))
        assert {row["disposition"] for row in claims} <= BEFORE_PUBLISHING
        _check_plan(judged, claims)


def _check_plan(judged: Judged, claims: list[Row]) -> None:
    """One row a key, each the payload of a planned claim; no key is won twice."""
    plan = judged.decision.plan.to_pylist()
    assert len({(row["employee_number"], row["certificate_type"]) for row in plan}) == len(plan)
    planned = {row["payload_sha256"] for row in claims if row["disposition"] == "planned"}
    assert {row["payload_sha256"] for row in plan} == planned
    won = [
        (row["employee_number"], row["certificate_type"])
        for row in claims
        if row["disposition"] in {"planned", "delivered"}
    ]
    assert len(won) == len(set(won))


@SLOW
@given(several())
def test_claims_are_the_oracle_s(drawn: list[World]) -> None:
    for world, judged in zip(drawn, judge(*drawn), strict=True):
        oracle = calculate(without_blank_dates(world))
        got = sorted(judged.decision.claims.to_pylist(), key=_order)
        expected = [
            {name: getattr(one, name) for name in CLAIM_COLUMNS}
            | {"findings": list(one.findings), "disposition": one.disposition}
            | {"payload_sha256": one.payload and payload_sha256(one.payload)}
            for one in oracle.claims
        ]
        assert [_order(row) for row in got] == [_order(row) for row in expected]
        assert [one for pair in zip(got, expected, strict=True) for one in _differences(*pair)] == []


def _differences(got: Row, expected: Row) -> list[tuple[tuple[str, str], str, object, object]]:
    """Return key, column and both values; not the person's name, whose odd white space the contract leaves open."""
    names = [*CLAIM_COLUMNS, "findings", "disposition", "payload_sha256"]
    compared = [name for name in names if name != "person_name"]
    return [(_order(got), name, got[name], expected[name]) for name in compared if got[name] != expected[name]]


def _order(row: Row) -> tuple[str, str]:
    return row["certificate_id"], row["certificate_type"] or ""


@SLOW
@given(several(), st.integers(0, 2**32))
def test_the_order_of_rows_does_not_matter(drawn: list[World], seed: int) -> None:
    shuffled = [_shuffled(world, random.Random(seed)) for world in drawn]
    half = len(drawn)
    judged = judge(*drawn, *shuffled)
    for one, other in zip(judged[:half], judged[half:], strict=True):
        assert one.decision.claims.to_pylist() == other.decision.claims.to_pylist()
        assert one.decision.plan.to_pylist() == other.decision.plan.to_pylist()
        assert one.decision.restored.to_pylist() == other.decision.restored.to_pylist()
        assert one.withdrawn.to_pylist() == other.withdrawn.to_pylist()


@SLOW
@given(several())
def test_texts_that_come_as_numbers_make_no_difference(drawn: list[World]) -> None:
    for one, other in zip(judge(*drawn), judge(*drawn, coded=True), strict=True):
        assert one.claims.facts.to_pylist() == other.claims.facts.to_pylist()
        assert one.claims.dangling.to_pylist() == other.claims.dangling.to_pylist()
        assert one.decision.claims.to_pylist() == other.decision.claims.to_pylist()
        assert one.decision.plan.to_pylist() == other.decision.plan.to_pylist()
        assert one.decision.restored.to_pylist() == other.decision.restored.to_pylist()
        assert one.withdrawn.to_pylist() == other.withdrawn.to_pylist()


def _shuffled(world: World, draw: random.Random) -> World:
    other = copy.deepcopy(world)
    for name in ("certificates", "links", "persons"):
        tenants = list(getattr(other, name).items())
        for _, rows in tenants:
            draw.shuffle(rows)
        draw.shuffle(tenants)
        setattr(other, name, dict(tenants))
    draw.shuffle(other.employees)
    draw.shuffle(other.ledger)
    return other


def test_nothing_at_all() -> None:
    """A run without a certificate is a run: no claims, nothing planned."""
    world = base_world()
    for rows in (world.certificates, world.links, world.persons):
        rows["t1"] = []
    (judged,) = judge(world)
    assert (judged.decision.claims.num_rows, judged.decision.plan.num_rows) == (0, 0)


def test_a_certificate_in_two_tenants_is_no_claim() -> None:
    """It moved while it was read: the run must not speak of it twice."""
    (judged,) = judge(base_world())
    assert judged.claims.facts.num_rows == 1
    settings = parse_settings("{}")
    twice = pa.Table.from_pylist(
        [{"certificate_id": "c1", "tenant_id": tenant} for tenant in ("t1", "t2")], CERTIFICATES
    )
    inputs = ClaimInputs(
        twice,
        LINKS.empty_table(),
        PERSONS.empty_table(),
        EMPLOYEES.empty_table(),
        LEDGER.empty_table(),
        settings,
        AS_OF,
    )
    with pytest.raises(IncompleteReadError, match="c1"):
        build_claims(inputs)
