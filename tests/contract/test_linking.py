"""Linking certificates in 4HSE: who is linked, who decides, and that nothing is ever linked twice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from certrecon.audit.verify import verify
from certrecon.errors import (
    IntegrityError,
    LinkDiffersError,
    LinksRefusedError,
    LinksUnfinishedError,
    ParameterError,
    SettingsError,
    StillSendingError,
)
from certrecon.linking.creating import Outcome
from certrecon.linking.plan import Why, plan_sha256
from certrecon.publishing.question import shown
from certrecon.settings import Settings
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.linkings import CreatedLink, add_created_link
from certrecon.warehouse.sending import only_linker
from certrecon.words import Answered, Confirmed
from certrecon_sandbox.faults import refusals, wire
from certrecon_sandbox.faults.altered import DroppedField, Truncated
from tests.contract.linking import CREATE, Linkage, Scene, scene_in, settings_with
from tests.contract.sandbox_nights import Nights

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def scene(first_night: Nights) -> Iterator[Scene]:
    """Three unlinked certificates and an action of their project."""
    yield scene_in(first_night)
    first_night.server.sandbox.faults.clear()


def everything_linked_once(scene: Scene) -> bool:
    return set(scene.linked.values()) == {1}


def test_approved_certificates_are_linked_read_back_recorded_and_hinted_at(scene: Scene) -> None:
    run = scene.start().check().look()
    assert (run.plan.sha256, scene.creates) == (plan_sha256(run.plan.asked), 0)
    assert run.ask() is not None
    assert (run.link(), scene.creates) == ([], 0), "nothing before somebody has answered"
    assert run.answer("anna", reason="The course papers are here.") is Answered.APPROVED
    assert [one.outcome for one in run.link()] == [Outcome.CREATED] * 3
    assert (everything_linked_once(scene), scene.creates) == (True, 3)
    assert (run.read_back(), run.hint()) == (3, 3)

    [linking] = scene.rows("linking")
    assert plan_sha256(linking["plan"]) == linking["plan_sha256"] == run.plan.sha256
    assert (linking["decided_by"], linking["decision"], linking["triggered_by"]) == ("anna", "approved", "olga")
    assert linking["reason"] == "The course papers are here."
    created = {row["certificate_id"]: row for row in scene.rows("created_link")}
    hints = scene.rows("change_hint")
    for one in scene.ids:
        [link] = scene.links_of(one)
        assert created[one]["certificate_action_id"] == link["certificate_action_id"]
        assert (created[one]["confirmed_by"], created[one]["linking_id"]) == ("answer", linking["linking_id"])
        assert (link["is_date_inherited"], link["tenant_id"]) == (1, created[one]["tenant_id"])
    assert {(row["source"], row["event"], row["settled_run_seq"]) for row in hints} == {
        ("link_certificates", "CERTIFICATE_ACTION::CREATE", None)
    }
    assert {row["entity_id"]: row["certificate_ids"] for row in hints} == {
        row["certificate_action_id"]: [one] for one, row in created.items()
    }


def test_a_name_is_in_the_question_and_nowhere_on_the_record(scene: Scene) -> None:
    run = scene.start().approved()
    run.link()
    run.hint()
    assert run.waiting is not None
    recorded = json.dumps([scene.rows(table) for table in ("linking", "created_link", "change_hint")], default=str)
    handed_on = json.dumps(run._handed)
    for row in scene.certificates:
        assert shown(row["resource_name"]) in run.waiting.question.body
        for name in (row["resource_name"], row["name"]):
            assert name not in recorded
            assert name not in handed_on


def test_off_refuses_before_anything_is_read(scene: Scene) -> None:
    scene.nights.server.sandbox.journal.clear()
    with pytest.raises(SettingsError, match=r"linking\.enabled: false.*nothing was read.*enabled: true"):
        scene.start(settings=Settings()).check()
    assert scene.nights.server.sandbox.journal.endpoints == {}


def test_a_dry_run_says_what_would_be_linked_and_asks_nobody(scene: Scene) -> None:
    run = scene.start(dry_run=True).check().look()
    assert [one.certificate_type for one in run.plan.candidates] == ["Byggekort"] * 3
    assert (run.ask(), run.link(), run.created, run.hint()) == (None, [], [], 0)
    assert (scene.creates, scene.rows("linking")) == (0, [])


@pytest.mark.parametrize(("who", "decision"), [("anna", "refused"), (None, "expired")])
def test_a_list_that_is_refused_or_not_answered_is_not_linked(scene: Scene, who: str | None, decision: str) -> None:
    run = scene.start().check().look()
    run.ask()
    assert run.answer(who, approves=False) == decision
    assert (run.link(), run.hint(), scene.creates) == ([], 0, 0)
    assert run.ask() is None, "it is asked once"
    [linking] = scene.rows("linking")
    assert (linking["decision"], linking["decided_by"], linking["decided_at"] is None) == (decision, who, who is None)


@pytest.mark.parametrize(
    ("approval", "who", "decision"),
    [
        ({"four_eyes": True}, "olga", Answered.NOT_COUNTED),
        ({"four_eyes": True}, "anna", Answered.APPROVED),
        ({}, "olga", Answered.APPROVED),
        ({"approvers": ["bo"]}, "anna", Answered.NOT_COUNTED),
    ],
    ids=str,
)
def test_who_may_approve(scene: Scene, approval: dict[str, Any], who: str, decision: Answered) -> None:
    run = scene.start(settings=settings_with(approval=approval)).check().look()
    waiting = run.ask()
    assert waiting is not None
    assert waiting.approvers == tuple(approval.get("approvers", ()))
    assert ("olga started the run and cannot approve it" in waiting.question.body) is bool(approval.get("four_eyes"))
    assert run.answer(who) is decision
    run.link()
    assert scene.creates == (3 if decision is Answered.APPROVED else 0)
    assert (run.ask() is not None) is (decision is Answered.NOT_COUNTED)


Change = Callable[[Scene, str], None]


def remove(scene: Scene, one: str) -> None:
    scene.world.certificates.remove(one)


def to_other_project(scene: Scene, one: str) -> None:
    other = next(row for row in scene.world.projects if row["project_id"] != scene.action["tenant_id"])
    scene.world.certificates.change(one, {"tenant_id": other["project_id"]})


def same_action(scene: Scene, one: str) -> None:
    link_by_hand(scene, one, scene.action)


def other_action(scene: Scene, one: str) -> None:
    others = scene.world.actions.where("tenant_id", scene.action["tenant_id"])
    link_by_hand(scene, one, next(row for row in others if row["action_id"] != scene.action["action_id"]))


def other_type(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"action_type": "MAINTENANCE"})


def health(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"action_type": "HEALTH"})


def no_type(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"action_type": None})


def expires_early(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"date_expire": "2027-05-31"})


def expires_badly(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"date_expire": "31.05.2027"})


def link_by_hand(scene: Scene, one: str, action: dict[str, Any]) -> None:
    from certrecon_sandbox.fourhse.relations import link_row

    certificate = scene.world.certificates.get(one)
    assert certificate is not None
    scene.world.links.add(link_row(f"by-hand-{one}", certificate, action, None))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(remove, Why.NOT_FOUND, id="deleted"),
        pytest.param(to_other_project, Why.OTHER_PROJECT, id="another project"),
        pytest.param(same_action, Why.LINKED_ALREADY, id="linked to this action"),
        pytest.param(other_action, Why.LINKED_OTHERWISE, id="linked to another action"),
        pytest.param(other_type, Why.ACTION_TYPE_DISAGREES, id="another action type"),
        pytest.param(health, Why.ACTION_TYPE_DISAGREES, id="HEALTH to a training"),
        pytest.param(no_type, Why.ACTION_TYPE_DISAGREES, id="without action type"),
        pytest.param(expires_early, Why.EXPIRES_EARLIER, id="expires before the link would"),
        pytest.param(expires_badly, Why.EXPIRY_UNREADABLE, id="its expiry is no date"),
    ],
)
def test_what_cannot_be_linked_is_left_out_with_its_reason(scene: Scene, change: Change, why: Why) -> None:
    for row in scene.certificates:
        scene.world.certificates.change(row["certificate_id"], {"date_expire": "2030-01-01"})
    change(scene, scene.ids[0])
    run = scene.start(date_expire="2027-06-01").approved()
    assert [(one.certificate_id, one.why) for one in run.plan.left_out] == [(scene.ids[0], why)]
    before = list(scene.links_of(scene.ids[0]))
    assert len(run.link()) == 2
    assert scene.links_of(scene.ids[0]) == before
    assert {link["date_expire"] for one in scene.ids[1:] for link in scene.links_of(one)} == {"2027-06-01"}
    assert run.read_back() == 2


def test_nothing_to_link_fails_with_the_reasons_unless_all_is_linked_already(scene: Scene) -> None:
    with pytest.raises(ParameterError, match=f"2 times: 4HSE has no such certificate.*{UNKNOWN}"):
        scene.start([UNKNOWN, UNKNOWN.replace("4000", "4001")]).check().look()
    scene.start().approved().link()
    again = scene.start().check().look()
    assert (again.ask(), again.link(), len(again.plan.left_out)) == (None, [], 3)


@pytest.mark.parametrize(
    ("action_id", "settings", "words"),
    [
        (UNKNOWN, {}, "4HSE has no such action"),
        ("no-uuid-at-all", {}, "4HSE has no such action"),
        (None, {"tenants": ["another"]}, "none of the settings' tenants"),
    ],
)
def test_an_action_that_cannot_be_is_refused(
    scene: Scene, action_id: str | None, settings: dict[str, Any], words: str
) -> None:
    conf = {"action_id": action_id} if action_id else {}
    with pytest.raises(ParameterError, match=words):
        scene.start(settings=settings_with(**settings), **conf).check().look()


def test_a_user_who_may_not_write_there_creates_nothing(scene: Scene) -> None:
    run = scene.start().approved()
    scene.world.projects.change(scene.action["tenant_id"], {"status": "suspended"})
    with pytest.raises(LinksRefusedError, match="0 of 3 certificates are linked"):
        run.link()
    assert [one.outcome for one in run.outcomes] == [Outcome.REFUSED, Outcome.NOT_TRIED, Outcome.NOT_TRIED]
    assert scene.creates == 1


def test_one_refusal_stops_no_other_certificate(scene: Scene) -> None:
    run = scene.start().approved()
    scene.fault(refusals.Status(status=422, message="Date Expire is invalid."), after=1, times=1)
    with pytest.raises(LinksRefusedError, match=rf"2 of 3.*{scene.ids[1]} \(refused\).*Date Expire is invalid"):
        run.link()
    assert list(scene.linked.values()) == [1, 0, 1]
    assert (run.read_back(), run.hint()) == (2, 2)


UNCLEAR = [
    pytest.param(refusals.Status(status=500), {}, id="a 500 before it was done"),
    pytest.param(refusals.Html(status=502), {}, id="a proxy's page"),
    pytest.param(wire.Reset(), {}, id="a reset before it was done"),
    pytest.param(wire.LostAnswer(), {}, id="done, and the answer lost"),
    pytest.param(wire.CutBody(), {}, id="done, and the answer cut"),
    pytest.param(Truncated(), {}, id="done, and the answer no whole JSON"),
    pytest.param(wire.Latency(seconds=1.5, where="answer"), {}, id="done, and the answer too late"),
    pytest.param(wire.Latency(seconds=1.5, where="request"), {}, id="done after the client gave up"),
    pytest.param(refusals.RateLimited(style="seconds", wait=0), {}, id="429"),
    pytest.param(refusals.TokenEnds(), {}, id="a token that ended"),
]


@pytest.mark.parametrize(("fault", "how"), UNCLEAR)
def test_after_an_unclear_answer_there_is_one_link(scene: Scene, fault: Any, how: dict[str, Any]) -> None:
    run = scene.start().approved()
    scene.fault(fault, after=1, times=1, **how)
    assert [one.outcome for one in run.link()] == [Outcome.CREATED] * 3
    time.sleep(1.2 if getattr(fault, "where", "") == "request" else 0)  # what was on its way arrives
    assert everything_linked_once(scene)
    assert (len(run.created), run.read_back(), run.hint()) == (3, 3, 3)


@pytest.mark.parametrize("fault", [wire.LostAnswer(), wire.Latency(seconds=1.5, where="answer")], ids=["lost", "late"])
def test_a_lost_answer_under_an_id_of_4hses_own_choice_leads_to_no_second_link(scene: Scene, fault: Any) -> None:
    run = scene.start().approved()
    scene.fault(DroppedField(field="certificate_action_id"))
    scene.fault(fault, after=1, times=1)
    run.link()
    assert (everything_linked_once(scene), scene.creates) == (True, 3)
    assert [row["confirmed_by"] for row in scene.rows("created_link")] == ["answer", "reading", "answer"]
    assert run.read_back() == 3


def test_what_stays_unclear_is_named_and_the_next_try_goes_on(scene: Scene) -> None:
    run = scene.start().approved()
    scene.fault(refusals.Status(status=503), after=1, times=3)
    with pytest.raises(LinksUnfinishedError, match=rf"2 of 3.*{scene.ids[1]} \(unclear\).*goes on"):
        run.link()
    assert list(scene.linked.values()) == [1, 0, 1]
    assert [one.outcome for one in run.link()] == [Outcome.EARLIER, Outcome.CREATED, Outcome.EARLIER]
    assert (everything_linked_once(scene), len(run.created)) == (True, 3)


def test_while_4hse_cannot_be_read_nothing_is_created(scene: Scene) -> None:
    run = scene.start().approved()
    scene.fault(refusals.Status(status=503), "4hse.certificate-action.index", after=2)
    with pytest.raises(LinksUnfinishedError, match="1 of 3"):
        run.link()
    assert (list(scene.linked.values()), scene.creates) == ([1, 0, 0], 1)
    scene.nights.server.sandbox.faults.clear()
    run.link()
    assert everything_linked_once(scene)


@pytest.mark.parametrize("own_id", [True, False], ids=["4HSE keeps our id", "4HSE chooses its own"])
def test_a_process_that_is_killed_leaves_nothing_that_the_next_try_links_twice(scene: Scene, own_id: bool) -> None:
    run = scene.start().approved()
    if not own_id:
        scene.fault(DroppedField(field="certificate_action_id"))
    scene.fault(wire.Latency(seconds=60, where="answer"), after=1, times=1)
    process = started(run)
    until = time.monotonic() + 30
    while sum(scene.linked.values()) < 2:
        assert time.monotonic() < until, "the second link was never created"
        time.sleep(0.05)
    process.kill()  # the second link is in 4HSE, and nowhere else
    process.wait()
    assert len(run.created) == 1
    until = time.monotonic() + 10
    while True:  # PostgreSQL notices that the process is gone
        try:
            outcomes = [one.outcome for one in run.link()]
            break
        except StillSendingError:
            assert time.monotonic() < until
    assert (everything_linked_once(scene), scene.creates) == (True, 3)
    found = Outcome.CREATED if own_id else Outcome.ALREADY
    assert outcomes == [Outcome.EARLIER, found, Outcome.CREATED]
    assert len(run.created) == (3 if own_id else 2)


def started(run: Linkage) -> subprocess.Popen[str]:
    """Start the task that creates links as a process of its own."""
    fourhse = run.nights.pipeline.fourhse
    given = {
        "warehouse": run.engine.url.set(drivername="postgresql").render_as_string(hide_password=False),
        "fourhse": fourhse.base_url,
        "grant": asdict(fourhse.token),
        "plan": run.plan.to_json(),
        "run_id": run.run_id,
        "linking_id": run.linking_id,
    }
    command = [sys.executable, "-m", "tests.contract.link_process"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(given))
    process.stdin.close()
    return process


def test_two_processes_never_link_at_once(scene: Scene) -> None:
    run = scene.start().approved()
    with only_linker(scene.nights.engine), pytest.raises(StillSendingError, match="created nothing"):
        run.link()
    assert scene.creates == 0


def test_a_link_that_was_deleted_by_hand_is_never_created_again_under_the_same_approval(scene: Scene) -> None:
    run = scene.start().approved()
    run.link()
    [link] = scene.links_of(scene.ids[0])
    scene.world.links.remove(link["certificate_action_id"])
    assert [one.outcome for one in run.link()] == [Outcome.EARLIER] * 3
    assert scene.linked[scene.ids[0]] == 0
    with pytest.raises(LinkDiffersError, match=f"1 of 3.*{link['certificate_action_id']}.*is gone"):
        run.read_back()


def another_person(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"resource_id": UNKNOWN, "resource_name": "Somebody Else"})


def another_day(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"date_expire": "2040-01-01"})


@pytest.mark.parametrize("change", [remove, another_person, another_day, other_type, to_other_project, other_action])
def test_what_changes_after_somebody_was_asked_is_not_linked(scene: Scene, change: Change) -> None:
    run = scene.start().approved()
    change(scene, scene.ids[0])
    with pytest.raises(LinksRefusedError, match=rf"2 of 3.*{scene.ids[0]} \(changed\)"):
        run.link()
    assert (list(scene.linked.values()), scene.creates) == ([0, 1, 1], 2)


def test_who_linked_it_by_hand_meanwhile_did_the_work(scene: Scene) -> None:
    run = scene.start().approved()
    same_action(scene, scene.ids[0])
    assert [one.outcome for one in run.link()] == [Outcome.ALREADY, Outcome.CREATED, Outcome.CREATED]
    assert (everything_linked_once(scene), len(run.created)) == (True, 2)


def test_an_action_that_changes_after_somebody_was_asked_gets_no_link(scene: Scene) -> None:
    run = scene.start().approved()
    scene.world.actions.change(scene.action["action_id"], {"name": "Crane operator"})
    with pytest.raises(LinksRefusedError, match="was changed in 4HSE"):
        run.link()
    assert scene.creates == 0


def test_a_question_about_what_changed_since_the_run_looked_is_not_put(scene: Scene) -> None:
    run = scene.start().check().look()
    another_person(scene, scene.ids[0])
    with pytest.raises(LinksRefusedError, match="Start a new run"):
        run.ask()


def test_an_answer_of_another_run_or_about_another_list_says_nothing(scene: Scene) -> None:
    scene.start().approved()
    other = scene.start().check().look()
    assert other.ask() is not None
    assert (other.link(), scene.creates) == ([], 0)
    shorter = scene.start(scene.ids[:2]).check().look()
    shorter.run_id = other.run_id
    assert shorter.linking_id is None


@pytest.mark.parametrize("field", ["action_id", "tenant_id", "date_expire"])
def test_a_link_that_is_not_as_it_was_created_is_named(scene: Scene, field: str) -> None:
    run = scene.start(date_expire="2026-06-01").approved()
    run.link()
    [link] = scene.links_of(scene.ids[2])
    scene.world.links.change(
        link["certificate_action_id"], {field: "2031-01-01" if field == "date_expire" else UNKNOWN}
    )
    with pytest.raises(
        LinkDiffersError, match=rf"{link['certificate_action_id']} of .*{scene.ids[2]} has another {field}"
    ):
        run.read_back()
    assert run.hint() == 3, "the certificates are looked at all the same"


@pytest.mark.parametrize("published", [False, True], ids=["HEALTH not published", "HEALTH published on purpose"])
def test_names_of_health_are_seen_only_where_it_is_published_on_purpose(scene: Scene, published: bool) -> None:
    names = ("Spirometry", "Kari Secret", "LUNG", "Lung check")
    for one in scene.ids:
        scene.world.certificates.change(one, {"action_type": "HEALTH", "name": names[0], "resource_name": names[1]})
    scene.world.actions.change(scene.action["action_id"], {"action_type": "HEALTH", "code": names[2], "name": names[3]})
    kinds = ["TRAINING", "HEALTH"] if published else ["TRAINING"]
    run = scene.start(settings=settings_with(publish_action_types=kinds)).approved()
    assert run.waiting is not None
    said = run.waiting.question.body
    assert [name in said for name in names] == [published] * 4
    assert ("not shown" in said) is not published
    run.link()
    assert everything_linked_once(scene)


def test_no_link_is_on_the_record_without_an_approval(scene: Scene) -> None:
    run = scene.start().check().look()
    run.answer("anna", approves=False)
    [linking] = scene.rows("linking")
    link = CreatedLink(linking["linking_id"], scene.ids[0], "x", "t", Confirmed.ANSWER)
    with pytest.raises(IntegrityError, match="Nobody approved"), transaction(scene.nights.engine) as conn:
        add_created_link(conn, link)


def test_the_created_endpoint_is_the_one_that_faults_are_switched_on_for(scene: Scene) -> None:
    scene.start().approved().link()
    assert scene.nights.server.sandbox.journal.endpoints[CREATE].requests == 3


def test_what_was_linked_is_sent_by_the_next_night_and_proved_by_the_chain(scene: Scene) -> None:
    nights = scene.nights
    nights.night()
    held = {row["certificate_id"] for row in nights.claims(linked=False)}
    assert held >= set(scene.ids)
    scene.start().approved().link()
    night = nights.night()
    assert night.errors == {}
    for one in scene.ids:
        [claim] = nights.claims(certificate_id=one)
        assert (claim["linked"], claim["certificate_type"]) == (True, "Byggekort")
        assert "ACTION_LINK_MISSING" not in claim["findings"]
    assert verify(nights.engine, Path).breaches == ()
    for statement, table in (
        ("DELETE FROM reconciliation.created_link WHERE created_link_id = 2", "created_link"),
        ("UPDATE reconciliation.linking SET decided_by = 'bo'", "linking"),
    ):
        with transaction(nights.engine) as conn:
            conn.execute(text("SET LOCAL session_replication_role = replica"))
            conn.execute(text(statement))
        breaches = verify(nights.engine, Path).breaches
        assert any(breach.where == f"{table}, run {night.run_seq}" for breach in breaches), breaches
