"""The words of each message: what is in it, and what never is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from certrecon.telling import messages
from certrecon.telling.message import LONGEST_SUBJECT, Message
from certrecon.telling.news import RunNews
from certrecon.telling.occasions import Occasion
from certrecon.telling.silence import Silence

LINK = "http://airflow.example.com/certrecon/runs/9"
SINCE = dt.datetime(2026, 3, 1, 2, 40, tzinfo=dt.UTC)


def news(**values: Any) -> RunNews:
    given: dict[str, Any] = {
        "run_seq": 9, "run_day": dt.date(2026, 3, 2), "mode": "publish", "status": "succeeded", "failure": None,
        "failure_is_new": False, "new_rejections": 0, "new_withdrawals": 0, "withdrawn": 0, "sent": 0, "dispositions": {},
    }  # fmt: skip
    return RunNews(**given | values)


@pytest.mark.parametrize(
    ("values", "subject", "words"),
    [
        (
            {"new_rejections": 1, "dispositions": {"rejected": 3}},
            "run 9: 1 new rejection", "Ditio refused 1 row that it had not refused before (3 refused in all).",
        ),
        (
            {"new_rejections": 1200, "dispositions": {"rejected": 1200}},
            "run 9: 1,200 new rejections", "Ditio refused 1,200 rows",
        ),
        (
            {"new_withdrawals": 2, "withdrawn": 7},
            "run 9: 2 new withdrawals", "2 deliveries have lost the certificate behind them (7 in all).",
        ),
        (
            {"status": "failed", "failure": "Ditio answered 401.", "failure_is_new": True, "new_withdrawals": 1},
            "run 9: failed, 1 new withdrawal", "Run 9 of 2026-03-02 failed: Ditio answered 401. Nothing is lost",
        ),
    ],
    ids=["a rejection", "many", "withdrawals", "a failure and a withdrawal in one message"],
)  # fmt: skip
def test_a_run_is_one_message_with_its_counts(values: dict[str, Any], subject: str, words: str) -> None:
    message = messages.of_run(news(**values), LINK)
    assert message is not None
    assert message.line == f"Certificate reconciliation, {subject}"
    assert words in message.text
    assert message.text.endswith(LINK)
    assert message.counts["new_rejections"] == values.get("new_rejections", 0)


def test_a_failure_that_people_know_is_left_out_of_a_message_about_something_else() -> None:
    message = messages.of_run(news(status="failed", failure="Old.", new_withdrawals=1), LINK)
    assert message is not None
    assert message.occasions == (Occasion.NEW_WITHDRAWALS,)
    assert "Old." not in message.text
    assert "Status failed" in message.text


def test_nothing_new_is_no_message() -> None:
    assert messages.of_run(news(dispositions={"rejected": 5}, withdrawn=3), LINK) is None


@pytest.mark.parametrize(
    ("success", "words"),
    [(4, "run 4, which ended 2026-03-01 02:40 UTC; the last one was run 6."), (None, "no publishing run has ever")],
)
def test_a_silence_says_since_when(success: int | None, words: str) -> None:
    message = messages.of_silence(Silence("a" * 64, 6, success, SINCE, 31.4), None)
    assert message.line == "Certificate reconciliation: nothing has succeeded for 31 hours"
    assert f"Target {'a' * 12}: " in message.text
    assert words in message.text


@pytest.mark.parametrize(
    ("silence", "subject", "words"),
    [
        pytest.param(None, "nothing has run yet", "No publishing run of all projects", id="nothing was ever opened"),
        pytest.param(
            Silence("a", 2, None, SINCE, 3), "nothing has succeeded yet", "the first one began 2026-03-01", id="no success yet"
        ),
        pytest.param(Silence("a", 2, 1, SINCE, 3), "all is well", "no success is overdue", id="a success"),
    ],
)  # fmt: skip
def test_a_sign_of_life_says_that_all_is_well_only_after_a_success(
    silence: Silence | None, subject: str, words: str
) -> None:
    message = messages.of_life(silence)
    assert message.line == f"Certificate reconciliation: {subject}"
    assert words in message.text
    assert message.text.startswith("The watch works")


EVERY = [
    messages.of_start_that_failed("No connection.", LINK), messages.of_run_without_end(3, LINK),
    messages.of_run_without_end(None, LINK), messages.of_waiting(1, 2, ["drop"], 20, LINK),
    messages.of_deadline("manual__1", 3, LINK), messages.of_audit("verify", LINK), messages.of_life(None),
    messages.of_trial(LINK), messages.of_silence(Silence("a", 1, None, SINCE, 30), LINK),
]  # fmt: skip


@pytest.mark.parametrize("message", EVERY, ids=lambda message: message.line)
def test_every_message_says_what_and_where(message: Message) -> None:
    assert message.line.startswith("Certificate reconciliation")
    assert len(message.line) <= LONGEST_SUBJECT
    assert len(message.occasions) == 1
    assert all(one.endswith((".", "'", "'.")) for one in message.paragraphs)
    assert (LINK in message.html) is (message.link is not None)
    assert set(message.to_template()) == {"subject", "text", "html", "link", "occasions", "counts", "run_seq"}


def test_every_occasion_has_a_message() -> None:
    run = messages.of_run(news(new_rejections=1, new_withdrawals=1, failure="x", failure_is_new=True), LINK)
    assert run is not None
    assert {one for message in [*EVERY, run] for one in message.occasions} == set(Occasion)


def test_certificates_that_wait_to_be_linked_are_told_of_without_names_or_ids() -> None:
    message = messages.of_links_waiting(2, 20, LINK)
    assert message.occasions == (Occasion.APPROVAL_WAITING,)
    assert message.line == "Linking certificates: 2 certificates wait for an approval"
    assert "Without an answer within 20 hours nothing is linked." in message.text
    assert message.counts == {"certificates": 2}
    assert messages.of_links_waiting(1, 0.5, None).line == "Linking certificates: 1 certificate waits for an approval"


def test_a_failed_linking_is_told_of_with_where_to_look() -> None:
    message = messages.of_linking_that_failed("manual__1", LINK)
    assert message.occasions == (Occasion.RUN_FAILED,)
    assert "manual__1" in message.text
    assert message.text.endswith(LINK)
