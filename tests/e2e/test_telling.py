"""What people and other DAGs are told of real runs: a real Airflow, a real mail server, real warehouses."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from certrecon.warehouse.engine import connect_engine, transaction
from certrecon.warehouse.hints import Hint, add_hints
from certrecon.words import ChangeEvent
from certrecon_quickstart.connections import read_request
from certrecon_quickstart.memory import LOOPBACK, remembered_port
from certrecon_quickstart.project import Project
from certrecon_quickstart.services import Services, stop_services, using_services
from tests.browser.nights import SandboxControl, change_what_was_delivered
from tests.browser.station import warehouse_of
from tests.e2e.quickstart import Checkout, Ended
from tests.integration.telling.mailbox import Mailbox, running_mailbox

CERTIFICATES, SEED = 150, 5
SIZE = {"CERTIFICATES": str(CERTIFICATES), "SEED": str(SEED)}
EVENTS = """
    SELECT a.uri, e.extra, e.source_task_id, e.source_run_id
      FROM asset_event AS e JOIN asset AS a ON a.id = e.asset_id ORDER BY e.id"""
ALL = "certificate_reconciliation"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(mailbox: Mailbox) -> None:
    mailbox.mails.clear()
    mailbox.refuses = False


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[Checkout]:
    found = Checkout(tmp_path_factory.mktemp("telling"), {**SIZE, **mailbox.environment()})
    project = project_of(found)
    with using_services(project):
        yield found
    stop_services(project)


@pytest.fixture(scope="module")
def first_night(checkout: Checkout, mailbox: Mailbox) -> tuple[Ended, int]:
    """The night that all others follow, and how many mails it sent."""
    return checkout.run(), len(mailbox.mails)


def project_of(checkout: Checkout) -> Project:
    return Project(root=checkout.project.root, var=checkout.var, dags=checkout.project.dags)


def sandbox_of(checkout: Checkout) -> SandboxControl:
    return SandboxControl(
        f"http://{LOOPBACK}:{remembered_port(project_of(checkout), f'sandbox-{CERTIFICATES}-{SEED}')}"
    )


def events(checkout: Checkout) -> list[tuple[str, dict[str, Any]]]:
    """Address and facts of every asset event so far."""
    with sqlite3.connect(checkout.var / "airflow" / "airflow.db") as database:
        return [(uri, json.loads(extra)) for uri, extra, *_ in database.execute(EVENTS)]


def last_run(checkout: Checkout) -> int:
    """The number of the last run that was opened."""
    engine = connect_engine(warehouse_of(services_of(checkout)))
    with engine.connect() as conn:
        found = conn.scalar(text("SELECT max(run_seq) FROM reconciliation.run"))
    engine.dispose()
    return int(found)


def last_log(checkout: Checkout) -> str:
    return max((checkout.var / "logs").glob("run-*.log")).read_text(encoding="utf-8")


def services_of(checkout: Checkout) -> Services:
    """The services that its runs share, started where they are not yet."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CERTRECON"))}
    inherited = kept | {"CERTRECON_SETTINGS": str(checkout.folder / "settings.yaml")} | checkout.variables
    services = Services(project_of(checkout), read_request(inherited), inherited)
    services.start()
    return services


def airflow(checkout: Checkout, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Airflow beside `make run`, with the same services."""
    environment = dict(services_of(checkout).environment) | {"CERTRECON_TASK_RETRIES": "0"} | variables
    return subprocess.run(
        [sys.executable, "-m", "airflow", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


# --- nights ---------------------------------------------------------------------------------------------


def test_a_night_without_anything_new_tells_nobody_and_says_what_it_produced(
    checkout: Checkout, first_night: tuple[Ended, int]
) -> None:
    ended, mails = first_night
    assert ended.code == 0, ended.printed
    assert mails == 0
    found = events(checkout)
    assert [uri for uri, _ in found] == [
        "certrecon://evidence/inputs", "ditio://api/certificates", "certrecon://warehouse/ledger",
        "certrecon://warehouse/claims", "certrecon://evidence/report",
    ]  # fmt: skip
    facts = dict(found)
    ledger, report = facts["certrecon://warehouse/ledger"], facts["certrecon://evidence/report"]
    assert ledger["sent"] == facts["ditio://api/certificates"]["acknowledged"] == report["sent"] > 0
    assert sum(ledger["dispositions"].values()) == ledger["claims"] == report["claims"]
    assert facts["certrecon://evidence/inputs"]["rows"]["certificates"] == CERTIFICATES
    assert (report["run_seq"], report["mode"], report["status"]) == (1, "publish", "succeeded")
    assert report["report"] == str(checkout.folder / "evidence" / "1" / "report.html")
    log = last_log(checkout)
    for task in ("open_run", "extract_tenant", "seal_inputs", "plan", "publish", "load", "report", "finalise"):
        assert f"{task} ended after " in log
    assert f"publish ended after 0.{log.split('publish ended after 0.')[1][0]} s: planned {ledger['sent']}" in log


@pytest.mark.usefixtures("first_night")
def test_a_dry_run_says_nothing_of_ledger_and_claims(checkout: Checkout, mailbox: Mailbox) -> None:
    before = len(events(checkout))
    ended = checkout.run({"mode": "dry_run"})
    assert ended.code == 0, ended.printed
    new = events(checkout)[before:]
    assert [uri for uri, _ in new] == ["certrecon://evidence/inputs", "certrecon://evidence/report"]
    assert {facts["mode"] for _, facts in new} == {"dry_run"}
    assert mailbox.mails == []


@pytest.mark.usefixtures("first_night")
def test_new_rejections_and_withdrawals_are_one_mail_without_names(checkout: Checkout, mailbox: Mailbox) -> None:
    sandbox = sandbox_of(checkout)
    change_what_was_delivered(sandbox)
    ended = checkout.run({"resend": True, "accept": ["drop"]})
    assert ended.code == 0, ended.printed
    facts = events(checkout)[-1][1]
    dispositions, run = facts["dispositions"], facts["run_seq"]
    [subject], [body] = mailbox.subjects, mailbox.bodies
    rejected = dispositions["rejected"]
    assert subject.startswith(f"Certificate reconciliation, run {run}: {rejected} new rejection")
    assert "new withdrawal" in subject
    assert f"({rejected} refused in all)" in body
    assert f"/certrecon/runs/{run}" in body
    assert f"rejected {rejected}" in body
    persons = sandbox.rows("persons")
    known = {
        row[name] for row in persons for name in ("last_name", "first_name", "code") if len(row.get(name) or "") > 3
    }
    assert not [word for word in known if word in subject + body]

    again = checkout.run({"resend": True, "accept": ["drop"]})
    assert again.code == 0, again.printed
    assert events(checkout)[-1][1]["dispositions"]["rejected"] == rejected
    assert mailbox.subjects == [subject], "the same problems are told once"


@pytest.mark.usefixtures("first_night")
def test_a_failure_is_told_once_and_a_mail_server_that_refuses_changes_nothing(
    checkout: Checkout, mailbox: Mailbox
) -> None:
    ended = checkout.run({"tenant_ids": ["nobody"]})
    assert ended.code != 0
    run = last_run(checkout)
    assert mailbox.subjects == [f"Certificate reconciliation, run {run}: failed"]
    assert "nobody" in mailbox.bodies[0]
    assert f"/certrecon/runs/{run}" in mailbox.bodies[0]
    assert checkout.run({"tenant_ids": ["nobody"]}).last_line == ended.last_line
    assert len(mailbox.mails) == 1, "the same failure is told once"

    mailbox.refuses = True
    other = checkout.run({"tenant_ids": ["somebody"]})
    assert other.code != 0
    assert "somebody" in other.last_line
    log = last_log(checkout)
    assert "The notifier 1 (SmtpNotifier) failed" in log
    assert "no mail today" in log
    assert len(mailbox.mails) == 1


def test_a_run_that_cannot_start_is_told_once_with_the_run_of_airflow(checkout: Checkout, mailbox: Mailbox) -> None:
    for _ in range(2):
        assert checkout.run({"mod": "dry_run"}).code != 0
    assert mailbox.subjects == ["Certificate reconciliation: a run could not start"]
    assert f"/dags/{ALL}/runs/manual__" in mailbox.bodies[0]


def test_a_wrong_setting_of_the_notifiers_changes_nothing_in_a_run(checkout: Checkout, mailbox: Mailbox) -> None:
    ended = checkout.run({"tenant_ids": ["who"]}, CERTRECON_NOTIFIERS="[{]")
    assert "who" in ended.last_line
    assert "CERTRECON_NOTIFIERS is no JSON list" in last_log(checkout)


TRIES = """
    SELECT state, try_number, max_tries FROM task_instance WHERE task_id = :task ORDER BY start_date DESC LIMIT 1"""


def test_refused_credentials_fail_at_once_although_tries_are_left(checkout: Checkout, mailbox: Mailbox) -> None:
    """Typed errors drive Airflow's retry policy: a wrong password would only lock the account."""
    name = "AIRFLOW_CONN_FOURHSE_DEFAULT"
    wrong = json.loads(services_of(checkout).environment[name]) | {"password": "of somebody else"}
    tries = {"CERTRECON_TASK_RETRIES": "2", "CERTRECON_RETRY_SECONDS": "1"}
    done = airflow(checkout, "dags", "test", ALL, **{name: json.dumps(wrong)}, **tries)
    assert done.returncode != 0
    with sqlite3.connect(checkout.var / "airflow" / "airflow.db") as database:
        [tried] = database.execute(TRIES, {"task": "find_tenants"})
    assert tried == ("failed", 1, 2)
    printed = done.stdout + done.stderr
    assert "find_tenants failed after " in printed
    assert "finalise failed after " in printed
    assert "of somebody else" not in printed
    assert len(mailbox.mails) == 1


# --- changes as they happen -----------------------------------------------------------------------------


def follow(checkout: Checkout, **wrong: str) -> str:
    """Run `certificate_events`, with some settings of the file replaced; return how it ended and what it printed."""
    file = checkout.folder / "settings.yaml"
    kept = file.read_text(encoding="utf-8")
    written = kept
    for name, value in wrong.items():
        written = re.sub(rf"(?m)^{name}: .*$", f"{name}: {value}", written)
    file.write_text(written, encoding="utf-8")
    done = airflow(checkout, "dags", "test", "certificate_events")
    file.write_text(kept, encoding="utf-8")
    return f"{done.returncode} {done.stdout}{done.stderr}"


def tell_of_a_change(checkout: Checkout) -> None:
    """Let 4HSE tell of some certificate."""
    [certificate, *_] = sandbox_of(checkout).rows("certificates")
    engine = connect_engine(warehouse_of(services_of(checkout)))
    with transaction(engine) as conn:
        add_hints(conn, [Hint(ChangeEvent.CERTIFICATE_UPDATE, certificate["certificate_id"])])
    engine.dispose()


@pytest.mark.usefixtures("first_night")
def test_events_that_cannot_start_say_why_once_until_one_does_start(checkout: Checkout, mailbox: Mailbox) -> None:
    """Hints that wait start a run every ten minutes; nobody wants a mail from each."""
    mailbox.refuses = True
    follow(checkout, unlinked="perhaps")
    mailbox.refuses = False
    for _ in range(2):
        follow(checkout, unlinked="perhaps")
    assert mailbox.subjects == ["Certificate reconciliation: a run could not start"], "until somebody got it, then once"
    assert "unlinked" in mailbox.bodies[0]
    assert "perhaps" in mailbox.bodies[0]
    assert "without a word" not in mailbox.bodies[0]
    assert "/dags/certificate_events/runs/manual__" in mailbox.bodies[0]

    follow(checkout, no_expiry="perhaps")
    assert len(mailbox.mails) == 2, "another reason is another problem"
    assert "no_expiry" in mailbox.bodies[1]

    tell_of_a_change(checkout)
    printed = follow(checkout)
    assert "finalise ended after" in printed, printed
    follow(checkout, unlinked="perhaps")
    assert len(mailbox.mails) == 3, "one started in between, so it is news again"


# --- the watch ------------------------------------------------------------------------------------------


def watch(checkout: Checkout, conf: dict[str, Any] | None = None, **variables: str) -> str:
    done = airflow(checkout, "dags", "test", "certificate_watch", "--conf", json.dumps(conf or {}), **variables)
    return f"{done.returncode} {done.stdout}{done.stderr}"


def test_no_success_for_too_long_is_told_once_until_something_succeeds(checkout: Checkout, mailbox: Mailbox) -> None:
    assert checkout.run().code == 0
    night = last_run(checkout)
    mailbox.refuses = True
    assert checkout.run({"tenant_ids": ["nowhere"]}).code != 0
    mailbox.refuses = False
    assert watch(checkout).startswith("0 ")
    assert mailbox.mails == [], "the last success is not 26 hours ago"

    mailbox.refuses = True
    assert "did not get through" in watch(checkout, CERTRECON_SILENCE_HOURS="0.000001")
    mailbox.refuses = False
    for _ in range(2):
        assert watch(checkout, CERTRECON_SILENCE_HOURS="0.000001").startswith("0 ")
    assert len(mailbox.mails) == 1, "told at the first try that gets through, and not again"
    assert mailbox.subjects[0].startswith("Certificate reconciliation: nothing has succeeded for ")
    assert f"was run {night}, which ended" in mailbox.bodies[0]
    assert f"the last one was run {night}" in mailbox.bodies[0], "limited runs are no nights"

    assert checkout.run().code == 0
    assert watch(checkout, CERTRECON_SILENCE_HOURS="0.000001").startswith("0 ")
    assert len(mailbox.mails) == 2, "after a success it is another problem"


def test_the_watch_finds_a_wrong_notifier_and_sends_a_test_message(checkout: Checkout, mailbox: Mailbox) -> None:
    printed = watch(checkout, CERTRECON_NOTIFIERS='[{"class": "airflow.nowhere.Notifier"}]')
    assert printed.startswith("1 ")
    assert "there is no class airflow.nowhere.Notifier here" in printed
    printed = watch(checkout, {"test": True})
    assert printed.startswith("0 ")
    assert re.search(r"watch ended after [0-9.]+ s: notifiers 1\b", printed)
    assert mailbox.subjects == ["Certificate reconciliation: a test message"]


def test_a_token_in_the_arguments_of_a_notifier_is_in_no_line_of_ours(checkout: Checkout) -> None:
    """Where nobody answers at the address that it is part of, and Airflow masks nothing, as under `make run`."""
    token = ("T01ABCDEF", "B00XYZ123", "s3cr3tOfTheChat")
    chat = {
        "http_conn_id": "chat",
        "endpoint": f"/services/{'/'.join(token)}",
        "headers": {"Authorization": "Bearer k3yOfUs"},
    }
    entry = {"class": "airflow.providers.http.notifications.http.HttpNotifier", "kwargs": chat}
    variables = {"CERTRECON_NOTIFIERS": json.dumps([entry]), "AIRFLOW_CONN_CHAT": "http://127.0.0.1:1"}
    printed = watch(checkout, {"test": True}, **variables)
    assert printed.startswith("1 ")
    assert "watch failed after " in printed
    ours = [line for line in printed.splitlines() if "The notifier 1 (HttpNotifier) failed" in line]
    assert len(ours) == 1
    assert not [part for part in (*token, "k3yOfUs") if part in ours[0]]


# --- the audit ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("first_night")
def test_a_verification_that_does_not_hold_is_told_once(checkout: Checkout, mailbox: Mailbox) -> None:
    def verify() -> str:
        done = airflow(checkout, "dags", "test", "audit_verification")
        return f"{done.returncode} {done.stdout}{done.stderr}"

    held = verify()
    assert held.startswith("0 ")
    assert "verify ended after " in held
    assert re.search(r"purge ended after [0-9.]+ s: parts 0, files 0, persons 0, claims 0, hints 0", held)
    assert mailbox.mails == []
    [sealed, *_] = (checkout.folder / "evidence").glob("*/outcome/worklist-*.csv")
    kept = sealed.read_bytes()
    sealed.write_bytes(kept + b"one more line\n")
    for _ in range(2):
        assert verify().startswith("1 ")
    assert mailbox.subjects == ["Certificate reconciliation: the audit's task 'verify' failed"]
    assert "/dags/audit_verification/runs/" in mailbox.bodies[0]

    sealed.write_bytes(kept)
    assert verify().startswith("0 ")
    sealed.write_bytes(kept + b"again\n")
    assert verify().startswith("1 ")
    assert len(mailbox.mails) == 2, "it held in between, so it is news again"
