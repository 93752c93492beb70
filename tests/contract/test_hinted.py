"""Runs that follow hints: what they leave is what a full night would have left, and the night after finds nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import Engine

from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import Hint, add_hints
from certrecon.words import ChangeEvent
from certrecon_sandbox.change import change_share
from certrecon_sandbox.faults.wanted import parse_fault
from certrecon_sandbox.fourhse import relations
from certrecon_sandbox.generate import generate_world
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.world import WorldSpec
from tests.contract import warehouse as sql
from tests.contract.hinted_changes import CHANGES, NEW, Change, created_under_a_withdrawn_key
from tests.contract.hinting import GROWS, certificate, change_and_tell, follow, shuffled_and_doubled
from tests.contract.sandbox_nights import FIRST_DAY, Nights, pipeline_on


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_hints_leave_is_what_a_night_leaves(nights: Nights, change: Change) -> None:
    before = sql.fingerprint(nights.engine, without=GROWS)
    assert change_and_tell(nights, change(nights)) > 0
    follow(nights)
    assert sql.fingerprint(nights.engine, without=GROWS) != before, "the case changes nothing"


@pytest.mark.parametrize("seed", range(4))
def test_many_changes_at_once(nights: Nights, seed: int) -> None:
    """A third of the certificates changes; every hint comes twice and in another order."""
    told = change_and_tell(nights, lambda world: change_share(world, 0.3, seed), tell=shuffled_and_doubled)
    assert told > 80
    nights.pipeline.settings["guards"] = {"min_upserts": 5000, "max_withdrawn": 5000}
    follow(nights)


def test_a_change_and_its_undoing(nights: Nights) -> None:
    """Hints of something that is as it was before change nothing and send nothing."""
    chosen = certificate(nights)["certificate_id"]
    with transaction(nights.engine) as conn:
        add_hints(conn, [Hint(ChangeEvent.CERTIFICATE_UPDATE, chosen), Hint(ChangeEvent.PERSON_DELETE, "never-was")])
    before = sql.fingerprint(nights.engine, without=GROWS)
    follow(nights)
    assert sql.fingerprint(nights.engine, without=GROWS) == before


def test_number_shared_with_a_person_without_certificates(nights: Nights) -> None:
    """Nobody becomes qualified because a run did not look at everybody who carries the number."""
    one = certificate(nights)
    twin = nights.world.persons.rows[one["resource_id"]] | {"person_id": "twin", "first_name": "Zz", "last_name": "Qq"}
    nights.world.persons.add(twin)
    assert nights.night().status == "succeeded"
    assert nights.claims(certificate_id=one["certificate_id"])[0]["disposition"] == "blocked"
    later = {"date_expire": "2033-05-06"}
    change_and_tell(nights, lambda world: relations.update_certificate(world, one["certificate_id"], later))
    follow(nights)
    found = nights.claims(certificate_id=one["certificate_id"])[0]
    assert (found["disposition"], found["valid_until"]) == ("blocked", dt.date(2033, 5, 6))
    assert "EMPLOYEE_NUMBER_SHARED" in found["findings"]


def test_a_new_delivery_is_not_to_be_removed(nights: Nights) -> None:
    """Whoever works through the removals by day must not remove what was sent this morning."""
    change_and_tell(nights, created_under_a_withdrawn_key(nights))
    assert nights.pipeline.follow_hints(nights.day).status == "succeeded"
    assert nights.claims(certificate_id=NEW)[0]["disposition"] == "delivered"
    assert sql.withdrawn(nights.engine) == []


def test_what_ditio_refused_leaves_the_old_delivery_without_support_again(nights: Nights) -> None:
    """A new certificate is rejected and deleted again; Ditio still holds the old one, which was deleted before."""
    create = created_under_a_withdrawn_key(nights)
    withdrawn = sql.withdrawn(nights.engine)
    nights.server.sandbox.faults.add(parse_fault("ditio.certificates=status:status=400"))
    change_and_tell(nights, create)
    assert nights.pipeline.follow_hints(nights.day).status == "succeeded_with_rejects"
    nights.server.sandbox.faults.clear()
    change_and_tell(nights, lambda world: relations.delete_certificate(world, NEW))
    follow(nights)
    assert sql.withdrawn(nights.engine) == withdrawn


def test_a_person_whose_tenant_4hse_leaves_out_is_still_known(nights: Nights) -> None:
    one = certificate(nights)
    nights.world.persons.change(one["resource_id"], {}, drop=["project_id"])
    later = {"date_expire": "2033-05-06"}
    change_and_tell(nights, lambda world: relations.update_certificate(world, one["certificate_id"], later))
    assert nights.pipeline.follow_hints(nights.day).status == "succeeded"
    assert nights.claims(certificate_id=one["certificate_id"])[0]["disposition"] == "delivered"


def test_ten_thousand_hints_in_one_run(warehouse: Engine, tmp_path: Path) -> None:
    """A hint for every certificate: by id comes out what a night would read, and the night after changes nothing."""
    spec = WorldSpec(certificates=10_300, seed=5, today=FIRST_DAY, tenants=3)
    with SandboxServer(lambda: generate_world(spec)) as server:
        nights = Nights(server, pipeline_on(server, warehouse, tmp_path))
        nights.pipeline.settings["guards"] = {"min_upserts": 20_000, "max_withdrawn": 20_000}
        assert nights.night().status == "succeeded"
        before = set(nights.world.certificates.rows)
        change_share(nights.world, 0.05, 1)
        ids = before.union(nights.world.certificates.rows)
        with transaction(warehouse) as conn:
            assert add_hints(conn, (Hint(ChangeEvent.CERTIFICATE_UPDATE, one) for one in ids)) > 10_000
        followed = follow(nights)
        settled = "SELECT settled_run_seq AS run, count(*) AS hints FROM reconciliation.change_hint GROUP BY 1"
        assert sql.rows(warehouse, settled) == [{"run": followed.run_seq, "hints": len(ids)}]
