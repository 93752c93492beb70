"""Runs that follow hints: when it is their turn, what they read and say, and what holds them back."""

from __future__ import annotations

from pathlib import Path

import pytest

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
from certrecon_sandbox.world import World
from tests.contract import warehouse as sql
from tests.contract.hinted_changes import (
    Change,
    another_tenant,
    created_under_a_withdrawn_key,
    deleted,
    linked_again,
    new_one,
    number_of_somebody_else,
    renewed,
)
from tests.contract.hinting import GROWS, certificate, change_and_tell, follow, target_of
from tests.contract.sandbox_nights import FIRST_DAY, Nights


def test_only_what_hints_point_at_is_read(nights: Nights) -> None:
    change_and_tell(nights, renewed(nights))
    nights.server.sandbox.journal.clear()
    followed = nights.pipeline.follow_hints(nights.day)
    run = sql.run_row(nights.engine, followed.run_seq)
    assert run["scope"] == {"tenant_ids": [], "by": "hints"}
    assert 0 < run["certificates"] < len(nights.world.certificates) / 3
    assert "4hse.certificate.index" not in nights.server.sandbox.journal.endpoints


def test_what_a_hint_costs(nights: Nights) -> None:
    """Three requests a certificate (its view, two looks at its links) and one a person, as the runbook says."""
    change_and_tell(nights, lambda world: change_share(world, 0.2, 3))
    nights.server.sandbox.journal.clear()
    assert nights.pipeline.follow_hints(nights.day).status == "succeeded"
    asked = {name: count.requests for name, count in nights.server.sandbox.journal.endpoints.items()}
    views = asked["4hse.certificate.view"]
    assert views > 30
    assert asked["4hse.certificate-action.index"] == 2 * views
    assert asked["4hse.person.view"] <= views


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
    assert nights.night().status == "succeeded", "a night by the settings of the nights after it"
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


@pytest.mark.parametrize("change", [
    renewed, deleted, another_tenant, number_of_somebody_else, linked_again, created_under_a_withdrawn_key,
])  # fmt: skip
def test_replayed_and_verified(nights: Nights, change: Change) -> None:
    change_and_tell(nights, change(nights))
    followed = nights.pipeline.follow_hints(nights.day)
    replayed = replay_run(nights.engine, Path, followed.run_seq)
    assert replayed.holds, [one for one in replayed.comparisons if one.differing]
    assert len(replayed.comparisons) > 12
    nights.night()
    assert verify(nights.engine, Path).holds


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
def test_small_runs_add_up_for_the_guards(nights: Nights, change: Change, guard: str, limits: dict[str, float]) -> None:
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


def test_what_is_delivered_again_no_longer_counts_for_the_guards(nights: Nights) -> None:
    """One delivery may lose its support, and has got another certificate by the time the next one loses its."""
    nights.pipeline.settings["guards"] = {"max_withdrawn": 1}
    one, other, third = (certificate(nights, number)["certificate_id"] for number in range(3))
    create = new_one(nights, one)

    def delete_and_renew(world: World) -> None:
        relations.delete_certificate(world, other)
        relations.update_certificate(world, third, {"date_expire": "2035-01-01"})

    for change in (lambda world: relations.delete_certificate(world, one), create, delete_and_renew):
        change_and_tell(nights, change)
        followed = nights.pipeline.follow_hints(nights.day)
        assert (followed.failure, followed.status) == ("", "succeeded")
    assert len(sql.withdrawn(nights.engine)) == 1
