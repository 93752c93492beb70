"""An Airflow in which runs have something to ask: a first night, then changes that trip a guard."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import requests

from tests.browser.nights import SandboxControl, must_end_well
from tests.browser.station import Station
from tests.browser.visit import DAG
from tests.e2e.quickstart import Checkout

ASKERS = {"olga": "admin", "anna": "op", "bo": "op"}
STRICT = "  min_upserts: 2\n  max_upserts_share: 0.0\n"
SECONDS = 180
SECONDS_TO_READ = 8
ENDED = {"success", "failed"}


def first_night(checkout: Checkout, sandbox: SandboxControl) -> None:
    must_end_well(checkout, {})


@dataclass(frozen=True, slots=True)
class Api:
    """Airflow's public API in the hands of one user."""

    station: Station
    user: str
    dag: str = DAG
    task: str = "approve"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        """Call as the user, who logs in first."""
        password = {"username": self.user, "password": self.station.passwords[self.user]}
        token = requests.post(f"{self.station.url}/auth/token", json=password, timeout=30).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return requests.request(method, f"{self.station.url}/api/v2{path}", json=body, headers=headers, timeout=30)

    def trigger(self, **conf: Any) -> str:
        """Start a run and return its id."""
        answer = self.call("POST", f"/dags/{self.dag}/dagRuns", {"conf": conf, "logical_date": None})
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def unpause(self) -> None:
        """Let the scheduler run the DAG, once it knows it."""
        until = time.monotonic() + SECONDS
        while not self.call("PATCH", f"/dags/{self.dag}", {"is_paused": False}).ok:
            assert time.monotonic() < until, "the scheduler never heard of the DAG"
            time.sleep(0.5)

    def tasks(self, run: str) -> dict[str, str]:
        """Return the state of every task of a run."""
        answer = self.call("GET", f"/dags/{self.dag}/dagRuns/{run}/taskInstances?limit=200")
        answer.raise_for_status()
        return {f"{one['task_id']}{one['map_index']}": str(one["state"]) for one in answer.json()["task_instances"]}

    def state(self, run: str) -> str:
        """Return the state of a run."""
        return str(self.call("GET", f"/dags/{self.dag}/dagRuns/{run}").json()["state"])

    def wait_for_the_question(self, run: str) -> None:
        """Wait until the run asks."""
        until = time.monotonic() + SECONDS
        while (states := self.tasks(run)).get(f"{self.task}-1") != "awaiting_input":
            assert self.state(run) not in ENDED, f"the run ended without asking: {states}"
            assert time.monotonic() < until, f"the run did not ask: {states}"
            time.sleep(0.5)
        # No person answers within a moment; Airflow's scheduler takes a task for lost that is queued again
        # before it has heard that the worker which put the question has ended.
        time.sleep(SECONDS_TO_READ)

    def wait_for_the_end(self, run: str) -> str:
        """Wait until the run has ended and return its state."""
        until = time.monotonic() + SECONDS
        while (state := self.state(run)) not in ENDED:
            assert time.monotonic() < until, f"the run did not end: {self.tasks(run)}"
            time.sleep(0.5)
        return state

    def answer(self, run: str, option: str, reason: str = "") -> requests.Response:
        """Answer the run's question without a browser."""
        path = f"/dags/{self.dag}/dagRuns/{run}/taskInstances/{self.task}/-1/hitlDetails"
        return self.call("PATCH", path, {"chosen_options": [option], "params_input": {"reason": reason}})


def settings_of(station: Station, **approval: Any) -> None:
    """Set who may approve, and guards that three changed rows trip."""
    lines = station.checkout.project.root.joinpath("include/config/reconciliation.yaml").read_text("utf-8").splitlines()
    wanted = {"min_upserts": 2, "max_upserts_share": 0.0, **approval}
    changed = [_changed(line, wanted) for line in lines]
    station.checkout.write_settings("\n".join(changed) + "\n")


def _changed(line: str, wanted: dict[str, Any]) -> str:
    name = line.strip().partition(":")[0]
    return f"  {name}: {wanted[name]}" if name in wanted and line.startswith("  ") else line


def prolong(station: Station, day: str, rows: int = 3) -> None:
    """Let as many deliveries be valid until another day."""
    links: dict[str, list[str]] = {}
    for row in station.sandbox.rows("links"):
        links.setdefault(row["certificate_id"], []).append(row["certificate_action_id"])
    sent = sorted(row["certificateNumber"] for row in station.sandbox.rows("upserts"))
    chosen = [links[number][0] for number in sent if len(links.get(number, [])) == 1][:rows]
    assert len(chosen) == rows, "the world has too few of them"
    station.sandbox.mutate([station.sandbox.change("links", one, date_expire=day) for one in chosen])
