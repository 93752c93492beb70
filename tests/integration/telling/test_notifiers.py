"""The setting of the notifiers, and messages through real servers."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.log import redact

from certrecon.errors import SettingsError
from certrecon.telling.message import Message
from certrecon.telling.messages import of_start_that_failed, of_trial, of_waiting
from certrecon.telling.occasions import Occasion
from certrecon_plugin.telling.links import dag_run_link, question_link, report_link
from certrecon_plugin.telling.notifiers import make_notifier, parse_settings, read_settings, send
from certrecon_plugin.telling.tell import tell_of_start
from certrecon_plugin.telling.tokens import tokens_of
from tests.integration.telling.mailbox import SMTP_NOTIFIER, Mailbox, by_mail, running_mailbox

HTTP_NOTIFIER = "airflow.providers.http.notifications.http.HttpNotifier"


@pytest.fixture(scope="module")
def running() -> Iterator[Mailbox]:
    with running_mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def mailbox(running: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    running.mails.clear()
    running.refuses = False
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running


@contextmanager
def web_server() -> Iterator[tuple[int, list[Any]]]:
    """A real HTTP server that keeps the JSON it is given."""
    bodies: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, bodies
    finally:
        server.shutdown()
        server.server_close()


def settings_of(*entries: dict[str, Any]) -> Any:
    return parse_settings(json.dumps(entries), "x")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "CERTRECON_NOTIFIERS is no JSON list"),
        ('{"class": "a.B"}', "CERTRECON_NOTIFIERS is no JSON list"),
        ("[1]", "entry 1 is no JSON object"),
        ('[{"class": "a.B"}, {"clas": "a.B"}]', "entry 2 has an unknown key 'clas'"),
        ('[{"kwargs": {}}]', "entry 1: 'class' must be"),
        ('[{"class": "Smtp"}]', "entry 1: 'class' must be a notifier's class with its module, not 'Smtp'"),
        ('[{"class": "a.B", "kwargs": []}]', "entry 1: 'kwargs' must be a JSON object"),
        ('[{"class": "a.B", "when": ["always"]}]', "entry 1: 'when' must be a list of run_failed, approval_waiting"),
        ('[{"class": "a.B", "when": "run_failed"}]', "entry 1: 'when' must be a list"),
    ],
)
def test_a_wrong_setting_names_entry_and_key(given: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTRECON_NOTIFIERS", given)
    with pytest.raises(SettingsError, match=words.replace("(", r"\(")):
        read_settings()


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"class": "certrecon.nowhere.Notifier"}, "there is no class certrecon.nowhere.Notifier"),
        ({"class": "airflow.providers.smtp.notifications.smtp.Nothing"}, "there is no class"),
        ({"class": "json.JSONDecoder"}, "is no notifier of Airflow"),
        ({"class": "os.path.join"}, "is no notifier of Airflow"),
        ({"class": SMTP_NOTIFIER}, "does not take its kwargs.*to"),
        ({"class": SMTP_NOTIFIER, "kwargs": {"to": "a@b.no", "too": 1}}, "does not take its kwargs.*too"),
    ],
)
def test_a_notifier_that_cannot_be_made_is_named(entry: dict[str, Any], words: str) -> None:
    [setting] = settings_of(entry)
    with pytest.raises(SettingsError, match=words):
        make_notifier(setting)


def test_nothing_configured_is_nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTRECON_NOTIFIERS", "")
    assert read_settings() == ()


def test_the_variable_of_airflow_counts_where_the_environment_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CERTRECON_NOTIFIERS", raising=False)
    monkeypatch.setenv("AIRFLOW_VAR_CERTRECON_NOTIFIERS", json.dumps([by_mail()]))
    assert [one.path for one in read_settings()] == [SMTP_NOTIFIER]
    monkeypatch.setenv("CERTRECON_NOTIFIERS", "[]")
    assert read_settings() == ()


def test_a_mail_has_subject_words_and_link(mailbox: Mailbox) -> None:
    message = of_waiting(17, 120, ["drop", "upserts"], 20.0, "http://airflow.example.com/x?a=1&b=2")
    assert send(message, read_settings(), {}) == ()
    [mail], [body] = mailbox.mails, mailbox.bodies
    assert (mail["to"], mail["from"]) == ("hse@example.com", "airflow@example.com")
    assert mail["subject"] == "Certificate reconciliation, run 17: waits for an approval"
    assert "sends 120 rows to Ditio, because of: drop, upserts." in body
    assert "Without an answer within 20 hours nothing is sent" in body
    assert '<a href="http://airflow.example.com/x?a=1&amp;b=2">' in body


HOSTILE = "{{ 7 * 7 }}{% raw %}<script>alert(1)</script>\r\nBcc: all@example.com"


def test_hostile_words_are_neither_template_nor_html_nor_header(mailbox: Mailbox) -> None:
    message = Message((Occasion.RUN_FAILED,), f"Failed: {HOSTILE}", (HOSTILE,), f"http://x/{HOSTILE}")
    assert send(message, read_settings(), {}) == ()
    [mail], [body] = mailbox.mails, mailbox.bodies
    assert mail["bcc"] is None
    assert "{{ 7 * 7 }}" in mail["subject"]
    assert "{{ 7 * 7 }}" in body
    assert "<script>" not in body
    assert "&lt;script&gt;" in body


def test_any_notifier_of_airflow_gets_what_its_template_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server() as (port, bodies):
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", f"http://127.0.0.1:{port}")
        entry = {
            "class": HTTP_NOTIFIER,
            "kwargs": {
                "http_conn_id": "chat", "endpoint": "/hook",
                "json": {"text": "{{ certrecon.subject }}: {{ certrecon.text }}", "rows": "{{ certrecon.counts.rows }}"},
            },
        }  # fmt: skip
        assert send(of_waiting(3, 9, [], 20.0, None), settings_of(entry), {}) == ()
    [body] = bodies
    assert body["text"].startswith("Certificate reconciliation, run 3: waits for an approval: Run 3 waits")
    assert body["rows"] == "9"


@pytest.mark.parametrize(
    ("when", "told"),
    [(None, True), (["test"], True), (["run_failed"], False), (["run_failed", "test"], True), ([], False)],
)
def test_when_says_what_a_notifier_is_told_of(mailbox: Mailbox, when: list[str] | None, told: bool) -> None:
    entry = by_mail() if when is None else by_mail(when=when)
    send(of_trial(None), settings_of(entry), {})
    assert bool(mailbox.mails) is told


def test_a_sign_of_life_is_for_those_only_who_ask_for_it(mailbox: Mailbox) -> None:
    alive = Message((Occasion.ALIVE,), "alive", ("alive",))
    send(alive, settings_of(by_mail()), {})
    assert mailbox.mails == []
    send(alive, settings_of(by_mail(when=["alive"])), {})
    assert mailbox.subjects == ["alive"]


def test_a_broken_notifier_keeps_nobody_else_from_being_told(
    mailbox: Mailbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DEAD", json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": 1}))
    broken = by_mail(kwargs={"smtp_conn_id": "dead"})
    wrong = {"class": "nowhere.at.All"}
    failed = send(of_trial(None), settings_of(broken, wrong, by_mail()), {})
    assert failed == ("1 (SmtpNotifier)", "2 (All)")
    assert len(mailbox.mails) == 1
    warnings = [record.getMessage() for record in caplog.records if record.name.endswith("telling.notifiers")]
    assert any("notifier 1 (SmtpNotifier) failed" in one for one in warnings)
    assert any("notifier 2 (All) failed" in one for one in warnings)


TOKEN = ("T01ABCDEF", "B00", "s3cr3tOfTheChat")
ENDPOINT = "/services/" + "/".join(TOKEN)


@pytest.mark.parametrize(
    ("kwargs", "masked"),
    [
        ({"endpoint": ENDPOINT}, {ENDPOINT}),
        ({"headers": {"Authorization": "Bearer swordfish"}}, {"Bearer swordfish"}),
        ({"extra_options": [{"params": {"key": "swordfish"}}]}, {"swordfish"}),
        ({"body": {"token": "swordfish"}}, {"swordfish"}),
        ({"json": {"to_room": "ROOM-1234", "text": "{{ certrecon.text }}"}}, {"ROOM-1234"}),
        ({"url": "https://x/{{ certrecon.run_seq }}/k3y-of-us"}, {"https://x/", "/k3y-of-us"}),
        ({"endpoint": "/hook", "http_conn_id": "Chat2000"}, set()),
        ({"to": ["Hse2026@example.com"], "from_email": "Airflow1@example.com", "subject": "Run2026"}, set()),
        ({"text": "Run {{ certrecon.run_seq }} of 20260302", "retries": 20260302, "quiet": True}, set()),
    ],
)
def test_what_may_be_a_token_is_masked_and_what_is_for_people_is_not(kwargs: dict[str, Any], masked: set[str]) -> None:
    assert tokens_of(kwargs) == masked


def test_a_token_in_the_arguments_is_in_no_log_where_the_notifier_fails(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CHAT", "http://127.0.0.1:1")
    chat = {"class": HTTP_NOTIFIER, "kwargs": {"http_conn_id": "chat", "endpoint": ENDPOINT, "json": {"text": "x"}}}
    assert send(of_trial(None), settings_of(chat), {}) == ("1 (HttpNotifier)",)
    [warning] = [one.getMessage() for one in caplog.records if one.name.endswith("telling.notifiers")]
    assert "The notifier 1 (HttpNotifier) failed" in warning
    assert "ConnectionError" in warning
    assert not [part for part in TOKEN if part in warning]
    assert redact(f"asked {ENDPOINT}") == "asked ***", "Airflow masks it in what the notifier logs itself"


def test_words_of_a_vendor_do_not_leave(mailbox: Mailbox) -> None:
    send(of_start_that_failed("Ditio answered 403 (Ola Nordmann, 0101).", None), read_settings(), {})
    assert "Nordmann" not in mailbox.bodies[0]
    assert "Ditio answered 403" in mailbox.bodies[0]


@pytest.mark.parametrize(
    ("base", "shown"),
    [("https://a.example.com/flow/", "https://a.example.com/flow"), ("http://h:8080", "http://h:8080")],
)
def test_links_are_below_airflows_own_address(base: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "AIRFLOW__API__BASE_URL", base)
    run = "manual__2026-03-02T03:30:00+00:00"
    quoted = "manual__2026-03-02T03%3A30%3A00%2B00%3A00"
    assert report_link(7) == f"{shown}/certrecon/runs/7"
    assert dag_run_link("d", run) == f"{shown}/dags/d/runs/{quoted}"
    assert question_link("d", run, "approve") == f"{shown}/dags/d/runs/{quoted}/tasks/approve/required_actions"


class LostMemory:
    """Airflow's state store while it cannot be reached."""

    def __getitem__(self, asset: object) -> object:
        message = "the API server restarts"
        raise ConnectionError(message)


def test_people_are_told_of_a_failed_start_although_nobody_knows_what_they_were_told_before(
    mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    dag_run = SimpleNamespace(dag_id="certificate_events", run_id="one")
    context: Any = {"dag_run": dag_run, "asset_state_store": LostMemory()}
    tell_of_start(context, "certificate_types: unknown key.")
    assert ["unknown key" in body for body in mailbox.bodies] == [True]
    assert "What people were told before cannot be read" in caplog.text
