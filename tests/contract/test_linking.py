"""Linking certificates in 4HSE: who is linked, who decides, and what is on the record of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from certrecon.audit.verify import verify
from certrecon.errors import (
    IntegrityError,
    LinksRefusedError,
    ParameterError,
    SettingsError,
)
from certrecon.linking.creating import Outcome
from certrecon.linking.plan import Why, plan_sha256
from certrecon.publishing.question import shown
from certrecon.settings import Settings
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.linkings import CreatedLink, add_created_link
from certrecon.words import Answered, Confirmed
from certrecon_sandbox.faults import refusals
from tests.contract.linking import UNKNOWN, Linkage, Scene, everything_linked_once, settings_with
from tests.contract.linking_changes import (
    Change,
    expires_badly,
    expires_early,
    health,
    no_type,
    other_action,
    other_type,
    remove,
    same_action,
    to_other_project,
)


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


def by_code(scene: Scene, code: str) -> Linkage:
    return scene.start(action_id=None, action_code=code).check()


def test_an_action_is_found_by_its_code_where_the_project_has_one_of_it(scene: Scene) -> None:
    scene.world.actions.change(scene.action["action_id"], {"code": "ONE-OF-IT"})
    elsewhere = next(row for row in scene.world.actions if row["tenant_id"] != scene.action["tenant_id"])
    scene.world.actions.change(elsewhere["action_id"], {"code": "ONE-OF-IT"})
    run = by_code(scene, "ONE-OF-IT").look()
    assert run.plan.sha256 == scene.start().check().look().plan.sha256, "the question is about the same action"
    run.ask()
    run.answer()
    run.link()
    assert everything_linked_once(scene)


def test_a_code_of_several_offices_links_nothing_and_names_them(scene: Scene) -> None:
    [other, *_] = (
        row
        for row in scene.world.actions.where("tenant_id", scene.action["tenant_id"])
        if row["action_id"] != scene.action["action_id"]
    )
    for row in (scene.action, other):
        scene.world.actions.change(row["action_id"], {"code": "TWICE"})
    with pytest.raises(ParameterError, match="are 2 of that code") as refused:
        by_code(scene, "TWICE").look()
    for row in (scene.action, other):
        assert f"{row['action_id']} (office {row['subtenant_id']}" in str(refused.value)


@pytest.mark.parametrize("code", ["NONE-OF-IT", "bygg", "BYG"], ids=["unknown", "other case", "a part"])
def test_a_code_that_no_action_of_the_project_has_links_nothing(scene: Scene, code: str) -> None:
    with pytest.raises(ParameterError, match="none of that code"):
        by_code(scene, code).look()


def test_a_code_says_nothing_where_4hse_has_none_of_the_certificates(scene: Scene) -> None:
    with pytest.raises(ParameterError, match=f"none of the certificates.*{UNKNOWN}"):
        scene.start([UNKNOWN], action_id=None, action_code="BYGG").check().look()


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
