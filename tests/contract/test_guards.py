"""Every guard trips on what it watches for, says so in words that help, and lets through what was accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from certrecon.errors import GuardTrippedError
from tests.contract import warehouse as sql
from tests.contract.crowd import crowd, renew
from tests.contract.pipeline import Night, Pipeline
from tests.contract.world_server import WorldServer
from tests.oracle.base import AS_OF
from tests.oracle.world import World

SIZE = 20


def _drop_certificates(world: World) -> None:
    """Take away a third of the certificates, and let another one change, so that there is something to send."""
    world.certificates["t1"] = world.certificates["t1"][: SIZE * 2 // 3]
    kept = {row["certificate_id"] for row in world.certificates["t1"]}
    world.links["t1"] = [row for row in world.links["t1"] if row["certificate_id"] in kept]
    renew(world, "100", until="2028-02-01")


def _drop_links(world: World) -> None:
    world.links["t1"] = world.links["t1"][:14]
    renew(world, "100", until="2028-02-01")


def _drop_persons(world: World) -> None:
    world.persons["t1"] = world.persons["t1"][:14]
    renew(world, "100", until="2028-02-01")


def _drop_employees(world: World) -> None:
    world.employees = world.employees[:14]
    renew(world, "100", until="2028-02-01")


def _unmatch(world: World) -> None:
    for row in world.employees[-4:]:
        row["employeeNumber"] += "x"
    renew(world, "100", until="2028-02-01")


def _lose_tenant(world: World) -> None:
    world.certificates["t2"] = world.certificates.pop("t1")
    for name in ("links", "persons"):
        rows = getattr(world, name)
        rows["t2"] = rows.pop("t1")
    for row in (*world.certificates["t2"], *world.links["t2"]):
        row["tenant_id"] = "t2"
    for row in world.persons["t2"]:
        row["project_id"] = "t2"
    renew(world, "100", until="2028-02-01")


def _change_everything(world: World) -> None:
    renew(world, until="2028-02-01")


def _unlink_some(world: World) -> None:
    world.links["t1"] = world.links["t1"][4:]
    renew(world, "119", until="2028-02-01")


@dataclass(frozen=True)
class Trip:
    """How a guard trips.

    Attributes:
        guard: Its name.
        happens: What happens to the world after a good night.
        limits: The guards' settings; the others are out of the way.
        says: What its words contain.
        numbers: What the run row keeps.
    """

    guard: str
    happens: Callable[[World], None]
    limits: dict[str, Any]
    says: tuple[str, ...]
    numbers: dict[str, Any]
    id: str = ""


OUT_OF_THE_WAY = {"max_drop": 1.0, "max_match_rate_drop": 1.0, "min_upserts": 10_000, "max_withdrawn": 10_000}
TRIPS = (
    Trip(
        "drop", _drop_certificates, {"max_drop": 0.2}, ("More than 20%", "certificates of tenant t1 fell from 20 to 13", "run 1"),
        {"certificates of tenant t1": {"before": 20, "now": 13}, "links of tenant t1": {"before": 20, "now": 13}},
        "drop-certificates",
    ),
    Trip(
        "drop", _drop_links, {"max_drop": 0.2}, ("links of tenant t1 fell from 20 to 14",),
        {"links of tenant t1": {"before": 20, "now": 14}}, "drop-links",
    ),
    Trip(
        "drop", _drop_persons, {"max_drop": 0.2}, ("persons of tenant t1 fell from 20 to 14",),
        {"persons of tenant t1": {"before": 20, "now": 14}}, "drop-persons",
    ),
    Trip(
        "drop", _drop_employees, {"max_drop": 0.2}, ("employees fell from 20 to 14",),
        {"employees": {"before": 20, "now": 14}}, "drop-employees",
    ),
    Trip(
        "match_rate", _unmatch, {"max_match_rate_drop": 0.1}, ("fell from 100.0% in run 1 to 80.0%", "at most 10% lower"),
        {"before": 1.0, "now": 0.8}, "match-rate",
    ),
    Trip(
        "tenant_missing", _lose_tenant, {}, ("Tenants of run 1 are no longer listed: t1",),
        {"missing": ["t1"]}, "tenant-missing",
    ),
    Trip(
        "upserts", _change_everything, {"min_upserts": 19, "max_upserts_share": 0.3},
        ("changes 20 rows", "20 are acknowledged", "30%", "19 rows"), {"rows": 20, "acknowledged": 20}, "upserts",
    ),
    Trip(
        "withdrawn", _unlink_some, {"max_withdrawn": 3}, ("4 deliveries lost their support since run 1", "at most 3"),
        {"new": 4}, "withdrawn",
    ),
)  # fmt: skip


@pytest.fixture
def good_night(server: WorldServer, pipeline_of: Callable[..., Pipeline]) -> Callable[..., Pipeline]:
    """A function that runs a good night of a crowd, with guards as given, and returns the pipeline."""

    def prepare(limits: dict[str, Any]) -> Pipeline:
        world = crowd(SIZE)
        server.show(world)
        server.max_per_page = 50
        pipeline = pipeline_of({**world.settings, "guards": {**OUT_OF_THE_WAY, **limits}})
        assert pipeline.run(AS_OF).status == "succeeded"
        server.posts.clear()
        return pipeline

    return prepare


@pytest.mark.parametrize("trip", TRIPS, ids=lambda trip: trip.id)
def test_a_guard_stops_publishing(good_night: Callable[..., Pipeline], server: WorldServer, trip: Trip) -> None:
    """Nothing is sent, nothing of the plan is in the ledger, winners are undelivered, the message helps."""
    pipeline = good_night(trip.limits)
    ledger = sql.ledger(pipeline.engine)
    trip.happens(server.world)
    night = pipeline.run(AS_OF)
    error = night.errors["publish"]
    assert isinstance(error, GuardTrippedError)
    assert list(night.errors) == ["publish"]
    for words in (*trip.says, f'{{"accept": ["{trip.guard}"]}}', f"{trip.guard}: "):
        assert words in str(error)
    assert (night.status, night.failure) == ("failed", str(error))
    assert server.posts == []
    assert sql.ledger(pipeline.engine) == ledger
    guards = sql.run_row(pipeline.engine, night.run_seq)["guards"]
    assert list(guards) == [trip.guard]
    assert (guards[trip.guard]["numbers"], guards[trip.guard]["accepted"]) == (trip.numbers, False)
    planned = [row for row in night.decided() if row["disposition"] == "planned"]
    undelivered = [row for row in sql.claims(pipeline.engine) if row["disposition"] == "undelivered"]
    assert [row["certificate_id"] for row in undelivered] == [row["certificate_id"] for row in planned]
    assert planned


@pytest.mark.parametrize("trip", TRIPS, ids=lambda trip: trip.id)
def test_an_accepted_guard_is_recorded_and_lets_through(
    good_night: Callable[..., Pipeline], server: WorldServer, trip: Trip
) -> None:
    """Also after a night that it stopped: that night is no baseline, and what it left is sent."""
    pipeline = good_night(trip.limits)
    trip.happens(server.world)
    pipeline.run(AS_OF)
    night = pipeline.run(AS_OF, accept=[trip.guard])
    assert (night.errors, night.status) == ({}, "succeeded")
    assert len(server.received) == len(night.plan_rows()) > 0
    guards = sql.run_row(pipeline.engine, night.run_seq)["guards"]
    assert {name: guard["accepted"] for name, guard in guards.items()} == {trip.guard: True}
    after = pipeline.run(AS_OF)
    assert sql.run_row(pipeline.engine, after.run_seq)["guards"] == {}, "it compares with the accepted night"


def test_accepting_another_guard_does_not_help(good_night: Callable[..., Pipeline], server: WorldServer) -> None:
    pipeline = good_night({"max_drop": 0.2})
    _drop_links(server.world)
    night = pipeline.run(AS_OF, accept=["upserts", "withdrawn"])
    assert isinstance(night.errors["publish"], GuardTrippedError)


@pytest.mark.parametrize(
    "trip", [trip for trip in TRIPS if trip.guard in {"drop", "withdrawn"}], ids=lambda trip: trip.id
)
def test_with_nothing_to_send_a_guard_stops_nothing(
    good_night: Callable[..., Pipeline], server: WorldServer, trip: Trip
) -> None:
    """It is recorded; the night succeeds, and what is withdrawn is on the record."""
    pipeline = good_night(trip.limits)
    trip.happens(server.world)
    renew(server.world, until="2028-01-15")
    night = pipeline.run(AS_OF)
    assert (night.errors, night.status, server.posts) == ({}, "succeeded", [])
    assert list(sql.run_row(pipeline.engine, night.run_seq)["guards"]) == [trip.guard]
    assert len(sql.withdrawn(pipeline.engine)) == sql.run_row(pipeline.engine, night.run_seq)["withdrawn"] > 0


@pytest.mark.parametrize("trip", TRIPS, ids=lambda trip: trip.id)
def test_a_dry_run_records_and_fails_on_none(
    good_night: Callable[..., Pipeline], server: WorldServer, trip: Trip
) -> None:
    pipeline = good_night(trip.limits)
    trip.happens(server.world)
    night = pipeline.run(AS_OF, mode="dry_run")
    assert (night.errors, night.status) == ({}, "succeeded")
    assert list(sql.run_row(pipeline.engine, night.run_seq)["guards"]) == [trip.guard]
    summary = night.file(night.reported and night.reported.summary)
    assert trip.guard in summary


def test_first_publish_to_a_real_target(server: WorldServer, pipeline_of: Callable[..., Pipeline]) -> None:
    """A target with nothing acknowledged that does not say it is the sandbox is asked about."""
    world = crowd(3)
    server.show(world, sandbox=False)
    pipeline = pipeline_of(world.settings)
    night = pipeline.run(AS_OF)
    assert isinstance(night.errors["publish"], GuardTrippedError)
    assert "first publishing" in night.failure
    assert '{"accept": ["first_publish"]}' in night.failure
    assert sql.ledger(pipeline.engine) == {}
    accepted = pipeline.run(AS_OF, accept=["first_publish"])
    assert (accepted.status, len(server.received)) == ("succeeded", 3)
    later = pipeline.run(AS_OF)
    assert sql.run_row(pipeline.engine, later.run_seq)["guards"] == {}


def test_approval_always_where_nobody_can_be_asked(good_night: Callable[..., Pipeline], server: WorldServer) -> None:
    pipeline = good_night({})
    renew(server.world, "100", until="2028-02-01")
    night = pipeline.run(AS_OF, approval="always")
    assert isinstance(night.errors["publish"], GuardTrippedError)
    assert "approval 'always'" in night.failure
    assert server.posts == []
    renew(server.world, "100", until="2028-01-15")
    assert pipeline.run(AS_OF, approval="always").status == "succeeded", "nothing to send, nobody to ask"


def test_two_guards_at_once_are_both_named(good_night: Callable[..., Pipeline], server: WorldServer) -> None:
    pipeline = good_night({"max_drop": 0.2, "max_withdrawn": 2})
    _drop_links(server.world)
    night = pipeline.run(AS_OF)
    assert '{"accept": ["drop", "withdrawn"]}' in night.failure
    assert pipeline.run(AS_OF, accept=["drop"]).status == "failed"
    assert pipeline.run(AS_OF, accept=["drop", "withdrawn"]).status == "succeeded"


def test_what_waited_already_does_not_count_as_change(good_night: Callable[..., Pipeline], server: WorldServer) -> None:
    """Rows that a guard stopped never reached the ledger; rows that Ditio rejected are no change."""
    pipeline = good_night({"min_upserts": 10, "max_upserts_share": 0.3})
    renew(server.world, *[str(number) for number in range(100, 110)], until="2028-02-01")
    server.refuses = lambda _row: "no"
    rejected = pipeline.run(AS_OF)
    assert rejected.status == "succeeded_with_rejects"
    renew(server.world, *[str(number) for number in range(110, 115)], until="2028-02-01")
    night = pipeline.run(AS_OF)
    assert {row["reason"] for row in night.plan_rows()} == {"changed", "unacknowledged"}
    assert sql.run_row(pipeline.engine, night.run_seq)["guards"] == {}


def test_a_limited_run_is_judged_in_its_scope(server: WorldServer, pipeline_of: Callable[..., Pipeline]) -> None:
    """A tenant that is not read is neither missing nor fallen."""
    world = crowd(4)
    world.certificates["t2"], world.links["t2"], world.persons["t2"] = [], [], []
    server.show(world)
    pipeline = pipeline_of({**world.settings, "guards": {"max_drop": 0.0}})
    assert pipeline.run(AS_OF).status == "succeeded"
    renew(world, "100", until="2028-02-01")
    night: Night = pipeline.run(AS_OF, tenant_ids=["t2"])
    assert (night.errors, night.status) == ({}, "succeeded")
    assert sql.run_row(pipeline.engine, night.run_seq)["guards"] == {}
