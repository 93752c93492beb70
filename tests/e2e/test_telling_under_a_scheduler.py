"""What only a scheduler can show: a waiting approval, a missed deadline, a broken run, a DAG that follows, metrics."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from certrecon_quickstart.connections import read_request
from certrecon_quickstart.memory import remembered_port
from certrecon_quickstart.project import Project
from certrecon_quickstart.services import Services, stop_services, using_services
from tests.e2e.quickstart import Checkout
from tests.integration.telling.mailbox import Mailbox, by_mail, running_mailbox
from tests.kill.station import TUNING, Station

DEADLINE_SECONDS = 8
TOKEN = ("T01ABCDEF", "B00XYZ123", "s3cr3tOfTheChat")
DEAD_CHAT = {
    "class": "airflow.providers.http.notifications.http.HttpNotifier",
    "kwargs": {"http_conn_id": "chat", "endpoint": f"/services/{'/'.join(TOKEN)}"},
}
"""A notifier whose address nobody answers at, and holds a token."""
FOLLOWER = """
from airflow.sdk import DAG, Asset, task
REPORT = Asset("certrecon://evidence/report")
with DAG("follower", schedule=[REPORT], catchup=False, is_paused_upon_creation=False):
    @task
    def told(triggering_asset_events=None):
        [event] = triggering_asset_events[REPORT]
        return event.extra
    told()
"""


@dataclass
class Figures:
    """A statsd listener that counts in a thread of its own."""

    heard: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            name, _, value = self.socket.recv(65536).decode(errors="replace").partition(":")
            if "certrecon" in name:
                self.heard[name] = value
                self.names.append(name)

    @property
    def environment(self) -> dict[str, str]:
        port = str(self.socket.getsockname()[1])
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True", "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": port,
        }  # fmt: skip


@dataclass
class Told:
    """An Airflow, and whoever hears of it."""

    station: Station
    checkout: Checkout
    mailbox: Mailbox
    figures: Figures

    def wait(self, what: str, is_there: Callable[[], Any], seconds: float = 120) -> Any:
        end = time.monotonic() + seconds
        while not (found := is_there()):
            said = self.station.said("scheduler") + self.station.said("dag-processor")
            assert time.monotonic() < end, f"never came: {what}; mails {self.mailbox.subjects}\n{said}"
            time.sleep(0.5)
        return found

    def trigger(self, **conf: Any) -> str:
        body = {"logical_date": None, "conf": conf}
        return str(self.station.call("POST", "dags/certificate_reconciliation/dagRuns", body)["dag_run_id"])

    def clear(self, run_id: str, task: str) -> None:
        """Let a task of a finished run be done again, and what comes after it."""
        body = {"dag_run_id": run_id, "task_ids": [task], "dry_run": False, "only_failed": False}
        body |= {"include_downstream": True}
        self.station.call("POST", "dags/certificate_reconciliation/clearTaskInstances", body)

    def approve(self, run_id: str, reason: str) -> None:
        """Approve once Airflow's scheduler has taken note of the question.

        Airflow takes an answer that comes sooner for a failure of the task, and asks again.
        """
        log = self.station.project.logs / "scheduler.log"
        noted = f"TaskInstance Finished: dag_id=certificate_reconciliation, task_id=approve, run_id={run_id},"
        self.wait("the question", lambda: noted in log.read_text(encoding="utf-8", errors="replace"))
        question = f"dags/certificate_reconciliation/dagRuns/{run_id}/taskInstances/approve/-1/hitlDetails"
        self.station.call("PATCH", question, {"chosen_options": ["Approve"], "params_input": {"reason": reason}})

    def mail(self, words: str) -> str:
        """The body of the mail with these words in its subject, once it is there."""
        mails = self.mailbox
        self.wait(words, lambda: any(words in one for one in mails.subjects))
        [body] = [body for subject, body in zip(mails.subjects, mails.bodies, strict=True) if words in subject]
        return body


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("scheduler")
    figures = Figures()
    with running_mailbox() as mailbox:
        checkout = Checkout(folder, {"CERTIFICATES": "150", "SEED": "5"})
        shutil.copytree(checkout.project.dags, folder / "dags", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "dags" / "follower.py").write_text(FOLLOWER, encoding="utf-8")
        project = Project(root=checkout.project.root, var=checkout.var, dags=folder / "dags")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CERTRECON"))}
        inherited = kept | {"CERTRECON_SETTINGS": str(folder / "settings.yaml")} | checkout.variables
        with using_services(project):
            remembered_port(project, "web")  # any free one: the usual one may be another Airflow's
            services = Services(project, read_request(inherited), inherited)
            services.start()
            told = mailbox.environment(by_mail(), DEAD_CHAT) | {"AIRFLOW_CONN_CHAT": "http://127.0.0.1:1"}
            environment = dict(services.environment) | TUNING | told | figures.environment
            environment["CERTRECON_RESULT_FILE"] = str(result_of(folder))
            result_of(folder).parent.mkdir()
            environment["CERTRECON_DEADLINE_HOURS"] = str(DEADLINE_SECONDS / 3600)
            environment["CERTRECON_TASK_RETRIES"] = "0"
            station = Station(project, environment)
            try:
                for name in ("api-server", "dag-processor", "scheduler"):
                    station.start(name)
                station.wait_until_ready()
                yield Told(station, checkout, mailbox, figures)
            finally:
                station.stop()
        stop_services(project)


def result_of(folder: Path) -> Path:
    """Where the last task writes how its run ended, once it has recorded that."""
    return folder / "result" / "run.json"


def test_a_waiting_approval_a_missed_deadline_and_the_end_are_told(told: Told) -> None:
    run_id = told.trigger(approval="always")
    waiting = told.mail("run 1: waits for an approval")
    assert "because the run was started with approval" in waiting
    assert f"/dags/certificate_reconciliation/runs/{run_id.replace(':', '%3A').replace('+', '%2B')}" in waiting
    assert "/tasks/approve/required_actions" in waiting

    late = told.mail("a run has not ended within")
    assert run_id in late
    assert "If its task &#x27;approve&#x27; is awaiting input" in late

    told.approve(run_id, "looked at it")
    assert told.station.wait_for_end(run_id) == "success"

    assert len(told.mailbox.mails) == 2, "nothing is new in a run that ends well"


def test_a_dag_of_somebody_else_follows_the_report_and_finds_the_counts(told: Told) -> None:
    def results() -> Any:
        runs = told.station.call("GET", "dags/follower/dagRuns")["dag_runs"]
        return [run["dag_run_id"] for run in runs if run["state"] == "success"]

    [run_id] = told.wait("a run of the follower", results)
    path = f"dags/follower/dagRuns/{run_id}/taskInstances/told/xcomEntries/return_value"
    extra = told.station.call("GET", path)["value"]
    assert (extra["run_seq"], extra["mode"], extra["status"]) == (1, "publish", "succeeded")
    assert sum(extra["dispositions"].values()) == extra["claims"] > extra["sent"] > 0
    assert Path(extra["report"]).is_file()


def test_its_figures_reach_statsd(told: Told) -> None:
    told.wait("figures", lambda: "airflow.certrecon.dispositions.undelivered" in told.figures.heard)
    heard = told.figures.heard
    assert heard["airflow.certrecon.run.succeeded"] == "1|c"
    assert heard["airflow.certrecon.claims"].endswith("|g")
    assert int(heard["airflow.certrecon.dispositions.delivered"].partition("|")[0]) > 0


def reports(told: Told) -> int:
    """How many events the report has.

    Airflow 3.3.2 answers 500 to a question for events while a run that one of them made has not begun.
    """

    def events() -> Any:
        with contextlib.suppress(requests.HTTPError):
            path = "assets/events?source_dag_id=certificate_reconciliation&limit=100"
            return told.station.call("GET", path)["asset_events"]
        return None

    return sum(event["uri"] == "certrecon://evidence/report" for event in told.wait("an answer", events))


def followed(told: Told) -> int:
    """How often the DAG that follows the report has run, once none of its runs is on its way."""

    def ended() -> Any:
        runs = told.station.call("GET", "dags/follower/dagRuns")["dag_runs"]
        return all(run["state"] == "success" for run in runs) and runs

    return len(told.wait("the end of the followers", ended))


def finalised(told: Told, run_id: str) -> tuple[int, int, int]:
    """What came of a run's last task: its tries, the events of reports, and the runs of the DAG that follows them."""
    task = told.station.call("GET", f"dags/certificate_reconciliation/dagRuns/{run_id}/taskInstances/finalise")
    return task["try_number"], reports(told), followed(told)


def test_a_cleared_last_task_of_a_good_run_neither_counts_it_nor_starts_again_what_follows(told: Told) -> None:
    [run] = told.station.call("GET", "dags/certificate_reconciliation/dagRuns")["dag_runs"]
    run_id, before = run["dag_run_id"], list(told.figures.names)
    assert finalised(told, run_id) == (1, 1, 1)
    told.clear(run_id, "finalise")
    assert told.station.wait_for_end(run_id) == "success"
    assert finalised(told, run_id) == (2, 1, 1)
    assert told.figures.names == before


def test_a_last_task_broken_off_after_it_recorded_the_run_says_so_when_it_is_tried_again(told: Told) -> None:
    """What follows the report starts once, and the run is counted once."""
    folder = result_of(told.checkout.folder).parent
    folder.rename(folder.with_name("away"))
    counted = told.figures.names.count("airflow.certrecon.runs")
    run_id = told.trigger(mode="dry_run")
    assert told.station.wait_for_end(run_id) == "failed"
    assert finalised(told, run_id) == (1, 1, 1)
    assert told.figures.names.count("airflow.certrecon.runs") == counted

    folder.with_name("away").rename(folder)
    told.clear(run_id, "finalise")
    assert told.station.wait_for_end(run_id) == "success"
    told.wait("the follower", lambda: followed(told) == 2)
    assert finalised(told, run_id) == (2, 2, 2)
    told.wait("the count", lambda: told.figures.names.count("airflow.certrecon.runs") == counted + 1)


def test_a_failed_run_that_was_recorded_and_not_told_is_told_by_the_next_try(told: Told) -> None:
    """Airflow tries a killed task again as it does a cleared one; here the first try could not tell."""
    told.mailbox.mails.clear()
    told.mailbox.refuses = True
    run_id = told.trigger(tenant_ids=["nobody"])
    assert told.station.wait_for_end(run_id) == "failed"
    told.mailbox.refuses = False
    told.clear(run_id, "finalise")
    assert "nobody" in told.mail("run 3: failed")
    assert told.station.wait_for_end(run_id) == "failed"

    told.clear(run_id, "find_tenants")
    assert told.station.wait_for_end(run_id) == "failed"
    ended = [one for one in told.mailbox.subjects if "run 3" in one]
    assert len(ended) == 1, "a cleared task of a finished run is no news"


def test_a_run_whose_last_task_cannot_end_is_told_by_airflow(told: Told) -> None:
    told.mailbox.mails.clear()
    run_id = told.trigger(approval="always", resend=True)
    told.mail("run 4: waits for an approval")
    evidence = told.checkout.folder / "evidence" / "4"
    evidence.rename(evidence.with_name("gone"))
    evidence.write_text("no folder", encoding="utf-8")
    told.approve(run_id, "go on")
    assert told.station.wait_for_end(run_id) == "failed"
    broken = told.mail("run 4 was broken off")
    assert "takes over" in broken


def test_a_token_in_the_arguments_of_a_notifier_is_in_no_log_of_a_task(told: Told) -> None:
    """It was told of everything above, and nobody answered."""
    logs = [path for path in told.checkout.var.rglob("dag_id=*/**/*.log") if path.is_file()]
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in logs}
    assert [path for path, said in texts.items() if "The notifier 2 (HttpNotifier) failed" in said]
    assert not [path for path, said in texts.items() if any(part in said for part in TOKEN)]
