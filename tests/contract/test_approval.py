"""A person answers about one plan; the answer decides what is sent, and stands on the record and the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from certrecon.audit.replay import replay_run
from certrecon.audit.verify import verify
from certrecon.errors import ParameterError
from certrecon.publishing.question import shown
from certrecon.warehouse.approvals import Approval, read_approvals
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import hints_wait
from certrecon.words import Answered
from tests.contract.hinted_changes import renewed
from tests.contract.hinting import change_and_tell
from tests.contract.pipeline import Night
from tests.contract.sandbox_nights import Nights
from tests.contract.test_replay import changed_certificates

STRICT = {"min_upserts": 2, "max_upserts_share": 0.0}
"""Three changed rows trip the guard `upserts`."""


@pytest.fixture
def asking(nights: Nights) -> Callable[..., Night]:
    """Return a function that runs the second night, in which three rows change, up to the question."""
    nights.night()
    changed_certificates(nights, 3)
    nights.server.sandbox.journal.clear()

    def ask(settings: dict[str, Any] | None = None, guards: dict[str, Any] | None = None, **conf: Any) -> Night:
        nights.pipeline.settings |= {"guards": STRICT if guards is None else guards, "approval": settings or {}}
        night = nights.pipeline.night(nights.day, **conf)
        night.open()
        return night.decide()

    return ask


def recorded(night: Night) -> list[Approval]:
    with transaction(night.pipeline.engine) as conn:
        return list(read_approvals(conn, night.run_seq))


def became(nights: Nights) -> dict[str, int]:
    """Return how many of the three changed claims have which disposition."""
    found: dict[str, int] = {}
    for claim in nights.claims(valid_until=dt.date(2027, 1, 1)):
        found[claim["disposition"]] = found.get(claim["disposition"], 0) + 1
    return found


def again(nights: Nights, night: Night) -> list[Any]:
    made = replay_run(nights.engine, Path, night.run_seq)
    return [(one.table, one.differences) for one in made.comparisons if one.differing]


def test_an_approved_plan_is_sent(nights: Nights, asking: Callable[..., Night]) -> None:
    night = asking()
    assert night.answer("anna", reason="The course was prolonged for all.") is Answered.APPROVED
    assert night.ask() is None
    night.deliver()
    [approval] = recorded(night)
    assert (night.errors, night.status, len(nights.sent)) == ({}, "succeeded", 3)
    assert night.planned is not None
    assert (approval.guards, approval.plan_sha256) == (["upserts"], night.planned.plan.sha256)
    assert (approval.decision, approval.decided_by, approval.triggered_by) == ("approved", "anna", "tester")
    assert approval.reason == "The course was prolonged for all."
    assert approval.decided_at is not None
    assert "The course was prolonged for all." in report_of(night)
    assert again(nights, night) == []
    assert verify(nights.engine, Path).breaches == ()


def report_of(night: Night) -> str:
    assert night.reported is not None
    return night.file(night.reported.page)


@pytest.mark.parametrize(("who", "decision"), [("anna", "refused"), (None, "expired")])
def test_a_plan_that_is_refused_or_not_answered_is_not_sent(
    nights: Nights, asking: Callable[..., Night], who: str | None, decision: str
) -> None:
    night = asking()
    night.answer(who, approves=False, reason="Somebody deleted a course.")
    night.deliver()
    [approval] = recorded(night)
    assert (night.errors, night.status, nights.sent) == ({}, "succeeded", [])
    assert (approval.decision, approval.decided_by, approval.decided_at is None) == (decision, who, who is None)
    assert became(nights) == {"refused": 3}
    assert again(nights, night) == []
    assert verify(nights.engine, Path).breaches == ()


def test_what_was_refused_trips_the_guard_again_the_next_night(nights: Nights, asking: Callable[..., Night]) -> None:
    """A refused run is no baseline: what a person would not send today must not be normal tomorrow."""
    drop = {"max_drop": 0.0}
    for certificate in list(nights.world.certificates.rows)[:2]:
        nights.world.certificates.remove(certificate)
    first = asking(guards=drop)
    first.answer("anna", approves=False)
    first.deliver()
    second = nights.pipeline.night(nights.day)
    second.open()
    second.decide()
    waiting = second.ask()
    assert waiting is not None
    assert "fell from" in waiting.question.body
    second.answer("anna")
    second.deliver()
    third = nights.night()
    assert (second.status, became(nights)) == ("succeeded", {"delivered": 3})
    assert (third.errors, third.status) == ({}, "succeeded")


@pytest.mark.parametrize(
    ("approval", "who", "decision"),
    [
        ({"four_eyes": True}, "tester", "not_counted"),
        ({"four_eyes": True}, "anna", "approved"),
        ({"four_eyes": False}, "tester", "approved"),
        ({"approvers": ["bo"]}, "anna", "not_counted"),
        ({"approvers": ["bo", "anna"]}, "anna", "approved"),
        ({"approvers": ["tester"], "four_eyes": True}, "tester", "not_counted"),
    ],
)
def test_who_may_approve(asking: Callable[..., Night], approval: dict[str, Any], who: str, decision: str) -> None:
    assert asking(approval).answer(who) == decision


def test_an_answer_that_does_not_count_leaves_the_question_open(nights: Nights, asking: Callable[..., Night]) -> None:
    night = asking({"four_eyes": True})
    night.answer("tester")
    waiting = night.ask()
    assert waiting is not None
    assert "tester started the run and cannot approve it" in waiting.question.body
    night.answer("anna")
    night.deliver()
    assert [one.decision for one in recorded(night)] == ["not_counted", "approved"]
    assert "four_eyes" in str(recorded(night)[0].reason)
    assert (night.status, len(nights.sent)) == ("succeeded", 3)


def test_whoever_started_the_run_may_refuse_it(asking: Callable[..., Night]) -> None:
    assert asking({"four_eyes": True}).answer("tester", approves=False) is Answered.REFUSED


def test_under_four_eyes_nobody_accepts_guards_beforehand(asking: Callable[..., Night]) -> None:
    with pytest.raises(ParameterError, match="four_eyes"):
        asking({"four_eyes": True}, accept=["upserts"])


def test_an_answer_about_another_plan_says_nothing_about_this_one(nights: Nights, asking: Callable[..., Night]) -> None:
    first = asking()
    first.answer("anna")
    assert first.planned is not None
    changed_certificates(nights, 5)
    second = nights.pipeline.night(nights.day)
    second.open()
    second.decide()
    assert second.planned is not None
    assert second.planned.plan.sha256 != first.planned.plan.sha256
    second.deliver()
    assert "nobody could be asked" in second.failure
    assert (second.status, nights.sent) == ("failed", [])


def test_where_nobody_answers_the_run_fails_naming_guard_numbers_and_how_to_go_on(
    nights: Nights, asking: Callable[..., Night]
) -> None:
    night = asking()
    night.deliver()
    assert "The plan changes 3 rows" in night.failure
    assert '{"accept": ["upserts"]}' in night.failure
    assert became(nights) == {"undelivered": 3}


NOBODY_ASKED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("no guard trips", {}, {}),
    ("the guard is accepted beforehand", {"accept": ["upserts"]}, STRICT),
    ("a dry run", {"mode": "dry_run"}, STRICT),
    ("a dry run that asks always", {"mode": "dry_run", "approval": "always"}, STRICT),
]


@pytest.mark.parametrize(
    ("conf", "guards"), [each[1:] for each in NOBODY_ASKED], ids=[each[0] for each in NOBODY_ASKED]
)
def test_nobody_is_asked(asking: Callable[..., Night], conf: dict[str, Any], guards: dict[str, Any]) -> None:
    assert asking(guards=guards, **conf).ask() is None


def test_always_asks_without_a_guard_and_not_with_nothing_to_send(nights: Nights, asking: Callable[..., Night]) -> None:
    nights.pipeline.settings["guards"] = {}
    night = nights.pipeline.night(nights.day, approval="always")
    night.open()
    night.decide()
    waiting = night.ask()
    assert waiting is not None
    assert "No guard tripped" in waiting.question.body
    night.answer("anna")
    night.deliver()
    idle = nights.pipeline.night(nights.day, approval="always")
    idle.open()
    assert idle.decide().ask() is None


def test_the_question_tells_the_plan_in_words(nights: Nights, asking: Callable[..., Night]) -> None:
    night = asking()
    waiting = night.ask()
    assert waiting is not None
    assert night.planned is not None
    subject, body = astuple(waiting.question)
    rows = night.plan_rows()
    assert subject.startswith("Send 3 rows to Ditio?")
    assert "The plan changes 3 rows" in body.replace("\\", "")
    assert "3 change what Ditio has" in body
    assert night.planned.plan.sha256 in body
    for row in rows:
        assert shown(row["employee_number"]) in body
        assert shown(row["certificate_type"]) in body
        assert row["family_name"] not in body
    assert body.count(shown("2027-01-01")) == 6
    assert "20 hours" in body
    assert waiting.timeout.total_seconds() == 20 * 3600


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<script>alert(1)</script>", r"\<script\>alert\(1\)\<\/script\>"),
        ("a|b", r"a\|b"),
        ("[x](javascript:1)", r"\[x\]\(javascript\:1\)"),
        ("one\ntwo\x1b[31m\u202e", r"one two \[31m "),
        ("x" * 100, "x" * 59 + "…"),
        (None, ""),
    ],
)
def test_values_of_the_vendors_are_plain_text_in_the_question(value: str | None, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(("setting", "waited"), [(20, 2.0), (0.5, 0.5)], ids=["at most", "or less"])
def test_a_run_by_hints_does_not_hold_later_hints_up_for_long(nights: Nights, setting: float, waited: float) -> None:
    nights.night()
    nights.pipeline.settings |= {
        "guards": {"min_upserts": 0, "max_upserts_share": 0.0}, "approval": {"timeout_hours": setting},
    }  # fmt: skip
    change_and_tell(nights, renewed(nights))
    night = nights.pipeline.hinted(nights.day)
    night.open()
    waiting = night.decide().ask()
    assert waiting is not None
    assert waiting.timeout == dt.timedelta(hours=waited)
    assert f"Without an answer within {waited:g} hours" in waiting.question.body
    assert night.answer(None, approves=False) is Answered.EXPIRED
    assert [one.reason for one in recorded(night)] == [f"Nobody answered within {waited:g} hours."]
    assert night.deliver().status == "succeeded"
    with transaction(nights.engine) as conn:
        assert not hints_wait(conn), "the next night plans anew, and asks"
