"""Certificates that moved between tenants, and values that nobody should send but somebody may."""

from __future__ import annotations

import copy
import csv
import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certrecon.audit.replay import replay_run
from tests.contract import warehouse as sql
from tests.contract.pipeline import Pipeline
from tests.contract.world_server import WorldServer
from tests.oracle.base import AS_OF, CERTIFICATE, EMPLOYEE, LINK, PERSON, base_world
from tests.oracle.world import Row, World

NEXT = AS_OF + dt.timedelta(days=1)
AFTER = AS_OF + dt.timedelta(days=2)
Make = Callable[[Row], Pipeline]


def two_tenants() -> World:
    """The base world, and a second tenant with a person and a certificate of its own."""
    world = base_world()
    other = {"person_id": "p2", "project_id": "t2", "code": "2042", "first_name": "Ola", "last_name": "Hansen"}
    world.certificates["t2"] = [CERTIFICATE | {"certificate_id": "c2", "tenant_id": "t2", "resource_id": "p2"}]
    world.links["t2"] = [LINK | {"certificate_action_id": "l2", "certificate_id": "c2", "tenant_id": "t2"}]
    world.persons["t2"] = [PERSON | other]
    world.employees.append(
        EMPLOYEE | {"employeeId": "e2", "employeeNumber": "2042", "firstName": "Ola", "lastName": "Hansen"}
    )
    return world


def moved(world: World, *, with_person: bool = True) -> World:
    """Move the first certificate of t1, its link and a copy of its person to t2."""
    after = copy.deepcopy(world)
    after.certificates["t2"].append(after.certificates["t1"].pop(0) | {"tenant_id": "t2"})
    after.links["t2"].append(after.links["t1"].pop(0) | {"tenant_id": "t2"})
    if with_person:
        after.persons["t2"].append(after.persons["t1"][0] | {"project_id": "t2"})
    return after


@pytest.fixture
def first(server: WorldServer, pipeline_of: Make) -> Callable[[World], Pipeline]:
    """A function that runs a first night on a world."""

    def run(world: World) -> Pipeline:
        server.show(world)
        pipeline = pipeline_of(world.settings)
        assert pipeline.run(AS_OF).errors == {}
        return pipeline

    return run


def held_by(pipeline: Pipeline) -> dict[str, tuple[str, str]]:
    """Return tenant and disposition of each open claim."""
    return {row["certificate_id"]: (row["tenant_id"], row["disposition"]) for row in sql.claims(pipeline.engine)}


def test_a_limited_run_leaves_what_moved_out_of_it(server: WorldServer, first: Callable[[World], Pipeline]) -> None:
    world = two_tenants()
    pipeline = first(world)
    server.world = moved(world)
    limited = pipeline.run(NEXT, tenant_ids=["t1"], accept=["drop"])
    assert limited.errors == {}
    assert held_by(pipeline) == {"c1": ("t1", "delivered"), "c2": ("t2", "delivered")}
    assert "CHANGED since run 1, in claims: nothing" in limited.file(limited.reported and limited.reported.summary)
    assert sql.withdrawn(pipeline.engine) == []
    assert pipeline.run(AFTER, accept=["drop"]).errors == {}
    assert held_by(pipeline) == {"c1": ("t2", "delivered"), "c2": ("t2", "delivered")}
    assert sql.withdrawn(pipeline.engine) == []


def test_what_moved_out_still_competes(server: WorldServer, first: Callable[[World], Pipeline]) -> None:
    world = two_tenants()
    world.certificates["t1"].append(CERTIFICATE | {"certificate_id": "c0", "date_expire": "2027-01-15"})
    world.links["t1"].append(LINK | {"certificate_action_id": "l0", "certificate_id": "c0"})
    pipeline = first(world)
    before = len(server.posts)
    server.world = moved(world)
    assert pipeline.run(NEXT, tenant_ids=["t1"], accept=["drop"]).errors == {}
    assert len(server.posts) == before, "the certificate that is valid for longer is still the winner"
    assert held_by(pipeline)["c0"] == ("t1", "superseded")


def test_a_reason_found_outside_is_not_rewritten(server: WorldServer, first: Callable[[World], Pipeline]) -> None:
    world = two_tenants()
    pipeline = first(world)
    server.world = moved(world, with_person=False)
    assert pipeline.run(NEXT, accept=["drop"]).errors == {}
    withdrawn = [("1042", "Byggekort", "blocked:PERSON_UNKNOWN")]
    assert sql.withdrawn(pipeline.engine) == withdrawn
    assert pipeline.run(AFTER, tenant_ids=["t1"], accept=["drop"]).errors == {}
    assert sql.withdrawn(pipeline.engine) == withdrawn


def test_what_a_limited_run_delivers_is_not_to_be_removed(
    server: WorldServer, first: Callable[[World], Pipeline]
) -> None:
    """Ditio holds a certificate of t1 that is gone; the person gets a new one in t2, and t2 alone is read."""
    world = two_tenants()
    pipeline = first(world)
    server.world = copy.deepcopy(world)
    server.world.certificates["t1"].clear()
    server.world.links["t1"].clear()
    assert pipeline.run(NEXT, accept=["drop"]).errors == {}
    assert sql.withdrawn(pipeline.engine) == [("1042", "Byggekort", "deleted")]
    server.world.certificates["t2"].append(CERTIFICATE | {"certificate_id": "c5", "tenant_id": "t2"})
    server.world.links["t2"].append(LINK | {"certificate_action_id": "l5", "certificate_id": "c5", "tenant_id": "t2"})
    server.world.persons["t2"].append(PERSON | {"project_id": "t2"})
    limited = pipeline.run(AFTER, tenant_ids=["t2"])
    assert (limited.errors, limited.status) == ({}, "succeeded")
    assert held_by(pipeline) == {"c2": ("t2", "delivered"), "c5": ("t2", "delivered")}
    assert sql.withdrawn(pipeline.engine) == []
    assert replay_run(pipeline.engine, Path, limited.run_seq).holds


def test_what_moved_in_ends_its_withdrawal(server: WorldServer, first: Callable[[World], Pipeline]) -> None:
    world = two_tenants()
    pipeline = first(world)
    server.world = copy.deepcopy(world)
    server.world.links["t1"].clear()
    assert pipeline.run(NEXT, accept=["drop"]).errors == {}
    assert sql.withdrawn(pipeline.engine) == [("1042", "Byggekort", "unlinked")]
    server.world = moved(world)
    assert pipeline.run(AFTER, tenant_ids=["t2"]).errors == {}
    assert sql.withdrawn(pipeline.engine) == []


@pytest.mark.parametrize("policy", ["block", "sentinel"])
@pytest.mark.parametrize("validity", [10**17, 10**19, 10**30], ids=str)
def test_a_huge_validity_is_an_invalid_expiry(
    server: WorldServer, pipeline_of: Make, validity: int, policy: str
) -> None:
    world = base_world()
    world.certificates["t1"][0] |= {"date_expire": None, "validity": validity, "validity_unit": "YEAR"}
    world.settings["no_expiry"] = policy
    server.show(world)
    pipeline = pipeline_of(world.settings)
    assert pipeline.run(AS_OF).errors == {}
    assert [(row["disposition"], row["findings"]) for row in sql.claims(pipeline.engine)] == [
        ("blocked", ["EXPIRY_INVALID"])
    ]


@pytest.mark.parametrize("number", ["10\x0042", "1" * 300], ids=["NUL", "300 characters"])
def test_what_can_be_no_number_is_none(server: WorldServer, pipeline_of: Make, number: Any) -> None:
    world = base_world()
    world.persons["t1"][0]["code"] = world.employees[0]["employeeNumber"] = number
    server.show(world)
    pipeline = pipeline_of(world.settings)
    night = pipeline.run(AS_OF)
    assert (night.errors, night.status) == ({}, "succeeded")
    assert [row["findings"] for row in sql.claims(pipeline.engine)] == [["EMPLOYEE_NUMBER_MISSING"]]
    assert server.posts == []


def test_what_the_warehouse_keeps_otherwise_does_not_change_every_night(server: WorldServer, pipeline_of: Make) -> None:
    world = base_world()
    world.persons["t1"][0]["first_name"] = "Ka\0ri"
    server.show(world)
    pipeline = pipeline_of(world.settings)
    assert pipeline.run(AS_OF).errors == {}
    night = pipeline.run(NEXT)
    assert "CHANGED since run 1, in claims: nothing" in night.file(night.reported and night.reported.summary)


def _renamed(world: World) -> None:
    world.links["t1"][1]["action_name"] = "Another name"


def _unlinked(world: World) -> None:
    world.links["t1"].pop(0)


def _deleted(world: World) -> None:
    world.certificates["t1"].clear()


OPEN = {
    "a link without its certificate": ("dangling", "dangling_link", [_renamed]),
    "a withdrawal": ("withdrawn", "withdrawn_upsert", [_unlinked, _deleted]),
}


@pytest.mark.parametrize(("listed", "kept", "changes"), OPEN.values(), ids=OPEN)
def test_the_report_says_since_when_as_the_warehouse_does(
    server: WorldServer, pipeline_of: Make, listed: str, kept: str, changes: list[Callable[[World], None]]
) -> None:
    """What becomes another row in the warehouse begins anew, in the report of that night and of the next."""
    world = base_world()
    world.links["t1"].append(LINK | {"certificate_action_id": "l9", "certificate_id": "c9"})
    server.show(world)
    pipeline = pipeline_of(world.settings)
    pipeline.run(AS_OF)
    for days, change in enumerate([*changes, lambda _: None], 1):
        change(server.world)
        night = pipeline.run(AS_OF + dt.timedelta(days=days), accept=["drop", "withdrawn"])
        assert night.reported
        said = {int(row["since_run"]) for row in csv.DictReader(io.StringIO(night.file(night.reported.lists[listed])))}
        found = sql.rows(
            pipeline.engine, f"SELECT first_run_seq FROM reconciliation.{kept} WHERE ended_run_seq IS NULL"
        )
        assert said == {row["first_run_seq"] for row in found}
        assert max(said) == min(night.run_seq, 1 + len(changes))


def test_a_certificate_without_id_is_counted_and_harms_nobody(server: WorldServer, pipeline_of: Make) -> None:
    world = base_world()
    world.certificates["t1"].append(CERTIFICATE | {"certificate_id": None})
    server.show(world)
    pipeline = pipeline_of(world.settings)
    night = pipeline.run(AS_OF)
    assert (night.errors, night.status) == ({}, "succeeded")
    assert held_by(pipeline) == {"c1": ("t1", "delivered")}


def test_publishing_takes_a_dead_dry_run_over(server: WorldServer, pipeline_of: Make) -> None:
    world = base_world()
    server.show(world)
    pipeline = pipeline_of(world.settings)
    pipeline.night(AS_OF, mode="dry_run").open()
    assert pipeline.run(AS_OF).errors == {}
    statuses = sql.rows(pipeline.engine, "SELECT status FROM reconciliation.run ORDER BY run_seq")
    assert [row["status"] for row in statuses] == ["failed", "succeeded"]
