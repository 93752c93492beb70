"""Runs that follow hints: what they leave is what a full night would have left, and the night after finds nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from certrecon.audit.replay import replay_run
from certrecon.audit.verify import verify
from certrecon.errors import ParameterError, TargetBusyError
from certrecon.stages.hints import Turn, look_for_turn
from certrecon.warehouse.addresses import make_address
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import Hint, add_hints, hints_wait
from certrecon.words import ChangeEvent
from certrecon_sandbox.change import change_share
from certrecon_sandbox.faults.wanted import parse_fault
from certrecon_sandbox.fourhse import relations
from certrecon_sandbox.generate import generate_world
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.world import World, WorldSpec
from tests.contract import warehouse as sql
from tests.contract.hinting import change_and_tell, shuffled_and_doubled
from tests.contract.pipeline import Night
from tests.contract.sandbox_nights import FIRST_DAY, Nights, pipeline_on
from tests.oracle.world import Row

GROWS = ("run", "settings_version", "change_hint", "claim_person")


def follow(nights: Nights) -> None:
    """Follow the hints, and hold what that left against a full night: the night changes and sends nothing."""
    nights.server.sandbox.journal.clear()
    followed = nights.pipeline.follow_hints(nights.day)
    assert (followed.errors, followed.status) == ({}, "succeeded")
    left = sql.fingerprint(nights.engine, without=GROWS)
    night = nights.night()
    assert (night.errors, night.status) == ({}, "succeeded")
    assert nights.posts == []
    assert sql.fingerprint(nights.engine, without=GROWS) == left


def target_of(night: Night) -> str:
    """Return the target of an opened run."""
    assert night.handle is not None
    return night.handle.target


def certificate(nights: Nights, number: int = 0) -> Row:
    """Return a delivered claim of a certificate that has one link and one claim."""
    return nights.delivered_alone(number + 1)[number]


def renewed(nights: Nights) -> Callable[[World], object]:
    chosen = certificate(nights)["certificate_id"]
    return lambda world: relations.update_certificate(world, chosen, {"date_expire": "2033-05-06"})


def deleted(nights: Nights) -> Callable[[World], object]:
    chosen = certificate(nights)["certificate_id"]
    return lambda world: relations.delete_certificate(world, chosen)


def deleted_with_its_link_left(nights: Nights) -> Callable[[World], object]:
    chosen = certificate(nights)["certificate_id"]
    return lambda world: world.certificates.remove(chosen)


def link_removed(nights: Nights) -> Callable[[World], object]:
    link = nights.world.links.where("certificate_id", certificate(nights)["certificate_id"])[0]
    return lambda world: world.links.remove(link["certificate_action_id"])


def link_moved_to_another_certificate(nights: Nights) -> Callable[[World], object]:
    one, other = (certificate(nights, number)["certificate_id"] for number in (0, 1))
    link = nights.world.links.where("certificate_id", one)[0]
    return lambda world: world.links.change(link["certificate_action_id"], {"certificate_id": other})


def link_of_nothing(nights: Nights) -> Callable[[World], object]:
    link = nights.world.links.where("certificate_id", certificate(nights)["certificate_id"])[0]
    return lambda world: world.links.change(link["certificate_action_id"], {"certificate_id": "gone"})


def expiry_of_the_link(nights: Nights) -> Callable[[World], object]:
    link = nights.world.links.where("certificate_id", certificate(nights)["certificate_id"])[0]
    return lambda world: world.links.change(link["certificate_action_id"], {"date_expire": "2026-03-20"})


def another_person(nights: Nights) -> Callable[[World], object]:
    one, other = certificate(nights), certificate(nights, 1)
    return lambda world: world.certificates.change(one["certificate_id"], {"resource_id": other["resource_id"]})


def another_tenant(nights: Nights) -> Callable[[World], object]:
    one = certificate(nights)
    other = next(row for row in nights.world.projects if row["project_id"] != one["tenant_id"])["project_id"]
    return lambda world: world.certificates.change(one["certificate_id"], {"tenant_id": other})


def a_tenant_that_is_not_ours(nights: Nights) -> Callable[[World], object]:
    one = certificate(nights)
    return lambda world: world.certificates.change(one["certificate_id"], {"tenant_id": "somebody-else"})


def person_renamed(nights: Nights) -> Callable[[World], object]:
    person = certificate(nights)["resource_id"]
    return lambda world: world.persons.change(person, {"last_name": "Annerledes", "birth_date": None})


def person_gone(nights: Nights) -> Callable[[World], object]:
    person = certificate(nights)["resource_id"]
    return lambda world: world.persons.remove(person)


def person_left(nights: Nights) -> Callable[[World], object]:
    person = certificate(nights)["resource_id"]
    return lambda world: world.persons.change(person, {"owned_active": False})


def number_of_somebody_else(nights: Nights) -> Callable[[World], object]:
    one, other = certificate(nights), certificate(nights, 1)
    return lambda world: world.persons.change(one["resource_id"], {"code": other["employee_number"]})


def number_taken_away(nights: Nights) -> Callable[[World], object]:
    person = certificate(nights)["resource_id"]
    return lambda world: world.persons.change(person, {"code": None})


def made_health(nights: Nights) -> Callable[[World], object]:
    chosen = certificate(nights)["certificate_id"]
    return lambda world: world.certificates.change(chosen, {"action_type": "HEALTH"})


def the_winner_deleted(nights: Nights) -> Callable[[World], object]:
    beaten = nights.claims(disposition="superseded")[0]
    key = {name: beaten[name] for name in ("employee_number", "certificate_type")}
    winner = nights.claims(disposition="delivered", **key)[0]["certificate_id"]
    return lambda world: relations.delete_certificate(world, winner)


def shared_number_resolved(nights: Nights) -> Callable[[World], object]:
    shared = next(row for row in nights.claims() if "EMPLOYEE_NUMBER_SHARED" in row["findings"])
    return lambda world: world.persons.change(shared["resource_id"], {"code": None})


def linked_again(nights: Nights) -> Callable[[World], object]:
    held = nights.claims(disposition="held")[0]
    action = next(row for row in nights.world.actions if row["tenant_id"] == held["tenant_id"])

    def link(world: World) -> None:
        row = world.certificates.rows[held["certificate_id"]]
        world.links.add(relations.link_row("new-link", row, action, None))

    return link


def created(nights: Nights) -> Callable[[World], object]:
    one = certificate(nights)["certificate_id"]

    def create(world: World) -> None:
        row = world.certificates.rows[one] | {"certificate_id": "new-certificate", "date_expire": "2034-01-01"}
        made = relations.create_certificate(world, row)
        link = world.links.where("certificate_id", one)[0]
        action = world.actions.get(link["action_id"])
        assert action is not None
        world.links.add(relations.link_row("new-link", made, action, None))

    return create


def equipment(nights: Nights) -> Callable[[World], object]:
    chosen = certificate(nights)["certificate_id"]
    return lambda world: world.certificates.change(chosen, {"resource_type": "EQUIPMENT"})


CHANGES = [
    renewed, deleted, deleted_with_its_link_left, link_removed, link_moved_to_another_certificate, link_of_nothing,
    expiry_of_the_link, another_person, another_tenant, a_tenant_that_is_not_ours, person_renamed, person_gone,
    person_left, number_of_somebody_else, number_taken_away, made_health, the_winner_deleted, shared_number_resolved,
    linked_again, created, equipment,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_hints_leave_is_what_a_night_leaves(
    nights: Nights, change: Callable[[Nights], Callable[[World], object]]
) -> None:
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


def test_only_what_hints_point_at_is_read(nights: Nights) -> None:
    change_and_tell(nights, renewed(nights))
    nights.server.sandbox.journal.clear()
    followed = nights.pipeline.follow_hints(nights.day)
    run = sql.run_row(nights.engine, followed.run_seq)
    assert run["scope"] == {"tenant_ids": [], "by": "hints"}
    assert 0 < run["certificates"] < len(nights.world.certificates) / 3
    assert "4hse.certificate.index" not in nights.server.sandbox.journal.endpoints


def test_hints_are_settled_by_the_run_that_looked(nights: Nights) -> None:
    change_and_tell(nights, renewed(nights))
    followed = nights.pipeline.follow_hints(nights.day)
    settled = sql.rows(nights.engine, "SELECT DISTINCT settled_run_seq FROM reconciliation.change_hint")
    assert settled == [{"settled_run_seq": followed.run_seq}]


def test_hints_of_a_run_that_fails_wait_on(nights: Nights) -> None:
    change_and_tell(nights, renewed(nights))
    faults = nights.server.sandbox.faults
    faults.add(parse_fault("ditio.certificates=status:status=503"))
    assert nights.pipeline.follow_hints(nights.day).status == "failed"
    faults.clear()
    with transaction(nights.engine) as conn:
        assert hints_wait(conn)
    follow(nights)


def test_a_night_settles_what_came_before_it(nights: Nights) -> None:
    """A lost event does no harm, and neither does one that nobody followed."""
    change_and_tell(nights, deleted(nights))
    night = nights.night()
    settled = sql.rows(nights.engine, "SELECT DISTINCT settled_run_seq FROM reconciliation.change_hint")
    assert settled == [{"settled_run_seq": night.run_seq}]
    assert look_for_turn(nights.engine, target_of(night)) is Turn.NOTHING


def test_a_run_by_hints_gives_way_to_a_night(nights: Nights) -> None:
    change_and_tell(nights, renewed(nights))
    night = nights.pipeline.night(nights.day)
    night.open()
    assert look_for_turn(nights.engine, target_of(night)) is Turn.BUSY
    with pytest.raises(TargetBusyError, match=f"Run {night.run_seq} works on the same Ditio company"):
        nights.pipeline.follow_hints(nights.day)
    assert night.go_on().status == "succeeded"


def test_a_night_takes_over_from_a_run_by_hints(nights: Nights) -> None:
    change_and_tell(nights, renewed(nights))
    followed = nights.pipeline.hinted(nights.day)
    followed.open()
    followed.decide()
    assert nights.night().status == "succeeded"
    assert sql.run_row(nights.engine, followed.run_seq)["failure"].startswith("abandoned")
    before = sql.fingerprint(nights.engine, without=GROWS)
    followed.deliver()
    assert "clear the whole run" in str(followed.errors["publish"])
    assert sql.fingerprint(nights.engine, without=GROWS) == before


def test_there_is_no_turn_before_the_first_night(first_night: Nights) -> None:
    with transaction(first_night.engine) as conn:
        add_hints(conn, [Hint(ChangeEvent.CERTIFICATE_CREATE, "any")])
    night = first_night.night()
    assert look_for_turn(first_night.engine, "another target") is Turn.NOTHING
    with transaction(first_night.engine) as conn:
        add_hints(conn, [Hint(ChangeEvent.CERTIFICATE_CREATE, "any")])
    assert look_for_turn(first_night.engine, "another target") is Turn.TOO_EARLY
    assert look_for_turn(first_night.engine, target_of(night)) is Turn.NOW


def test_it_takes_no_parameters(nights: Nights) -> None:
    night = nights.pipeline.hinted(FIRST_DAY)
    night.conf = {"mode": "dry_run"}
    with pytest.raises(ParameterError, match="has no parameters"):
        night.open()


def listen(nights: Nights) -> None:
    with transaction(nights.engine) as conn:
        make_address(conn, ChangeEvent.CERTIFICATE_UPDATE, "tester")


def test_the_night_says_what_no_event_had_told_of(nights: Nights) -> None:
    """Two changes, one of them told; the night finds both when nobody followed the hint."""
    listen(nights)
    one, other = (certificate(nights, number)["certificate_id"] for number in (0, 1))
    change_and_tell(nights, lambda world: relations.update_certificate(world, one, {"date_expire": "2033-05-06"}))
    relations.update_certificate(nights.world, other, {"date_expire": "2033-05-07"})
    night = nights.night()
    summary = " ".join(night.file(night.reported and night.reported.summary).split())
    hints = sql.rows(nights.engine, "SELECT count(*) AS n FROM reconciliation.change_hint")[0]["n"]
    came = f"{hints} hint{'' if hints == 1 else 's'} came in since run 1."
    found = (
        "This run still found 2 certificates changed in 4HSE: 1 of them a hint had pointed at, 1 no event had told of."
    )
    assert f"{came} {found}" in summary
    assert "1 no event had told of" in night.file(night.reported and night.reported.page)


def test_the_night_says_that_all_was_told(nights: Nights) -> None:
    listen(nights)
    change_and_tell(nights, lambda world: change_share(world, 0.05, 3))
    assert nights.pipeline.follow_hints(nights.day).status == "succeeded"
    night = nights.night()
    assert "This run still found 0 certificates changed in 4HSE" in " ".join(
        night.file(night.reported and night.reported.summary).split()
    )


def test_where_nobody_listens_nothing_is_said(nights: Nights) -> None:
    night = nights.night()
    assert "no event had told of" not in night.file(night.reported and night.reported.summary)


def test_the_report_of_a_run_by_hints_speaks_of_its_certificates(nights: Nights) -> None:
    told = change_and_tell(nights, renewed(nights))
    followed = nights.pipeline.follow_hints(nights.day)
    run = sql.run_row(nights.engine, followed.run_seq)
    summary = " ".join(followed.file(followed.reported and followed.reported.summary).split())
    words = f"{run['certificates']} certificates to which {told} hint{'' if told == 1 else 's'} led"
    assert f"Limited to {words}; totals speak of them only." in summary
    assert "TOTALS DO NOT ADD UP" not in summary
    assert words in followed.file(followed.reported and followed.reported.page)


@pytest.mark.parametrize("change", [renewed, deleted, another_tenant, number_of_somebody_else, linked_again])
def test_replayed_and_verified(nights: Nights, change: Callable[[Nights], Callable[[World], object]]) -> None:
    change_and_tell(nights, change(nights))
    followed = nights.pipeline.follow_hints(nights.day)
    replayed = replay_run(nights.engine, Path, followed.run_seq)
    assert replayed.holds, [one for one in replayed.comparisons if one.differing]
    assert len(replayed.comparisons) > 12
    nights.night()
    assert verify(nights.engine, Path).holds


def test_a_person_whose_tenant_4hse_leaves_out_is_still_known(nights: Nights) -> None:
    one = certificate(nights)
    nights.world.persons.change(one["resource_id"], {}, drop=["project_id"])
    later = {"date_expire": "2033-05-06"}
    change_and_tell(nights, lambda world: relations.update_certificate(world, one["certificate_id"], later))
    assert nights.pipeline.follow_hints(nights.day).status == "succeeded"
    assert nights.claims(certificate_id=one["certificate_id"])[0]["disposition"] == "delivered"


def test_thousands_of_hints_in_one_run(warehouse: Engine, tmp_path: Path) -> None:
    """A hint for every certificate: by id comes out what a night would read, and the night after changes nothing."""
    spec = WorldSpec(certificates=2_000, seed=5, today=FIRST_DAY, tenants=3)
    with SandboxServer(lambda: generate_world(spec)) as server:
        nights = Nights(server, pipeline_on(server, warehouse, tmp_path))
        nights.pipeline.settings["guards"] = {"min_upserts": 5000, "max_withdrawn": 5000}
        assert nights.night().status == "succeeded"
        change_share(nights.world, 0.05, 1)
        everything = [Hint(ChangeEvent.CERTIFICATE_UPDATE, one) for one in nights.world.certificates.rows]
        with transaction(warehouse) as conn:
            assert add_hints(conn, everything) > 1_900
        follow(nights)


def test_small_runs_cannot_send_piece_by_piece_what_a_night_held_back(nights: Nights) -> None:
    """The night's plan was stopped by a guard; hints of the same changes wait for a night that goes well."""
    nights.pipeline.settings["guards"] = {"min_upserts": 0, "max_upserts_share": 0.0}
    change_and_tell(nights, renewed(nights))
    held = nights.night()
    assert "upserts" in held.failure
    assert look_for_turn(nights.engine, target_of(held)) is Turn.HELD_BACK
    assert nights.night(accept=["upserts"]).status == "succeeded"
    change_and_tell(nights, deleted(nights))
    assert look_for_turn(nights.engine, target_of(held)) is Turn.NOW


@pytest.mark.parametrize(("change", "guard", "limits"), [
    (renewed, "upserts", {"min_upserts": 1, "max_upserts_share": 0.0}),
    (deleted, "withdrawn", {"max_withdrawn": 1}),
])  # fmt: skip
def test_small_runs_add_up_for_the_guards(
    nights: Nights, change: Callable[[Nights], Callable[[World], object]], guard: str, limits: dict[str, float]
) -> None:
    """Each changes one row, which is let through; the second one trips the guard that one large run would trip."""
    nights.pipeline.settings["guards"] = limits
    change_and_tell(nights, change(nights))
    assert nights.pipeline.follow_hints(nights.day).status == "succeeded"
    other = certificate(nights, 1)["certificate_id"]
    later = {"date_expire": "2035-01-01"}
    change_and_tell(nights, lambda world: relations.update_certificate(world, other, later))
    if guard == "withdrawn":
        third = certificate(nights, 2)["certificate_id"]
        change_and_tell(nights, lambda world: relations.delete_certificate(world, third))
    second = nights.pipeline.follow_hints(nights.day)
    assert second.status == "failed"
    assert guard in second.failure
