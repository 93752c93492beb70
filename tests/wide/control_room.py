"""Speaks to the Airflow of the machines as a person would: over its API, with the password that it made."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import requests

from certrecon_quickstart.project import DAG_ID
from tests.browser.nights import SandboxControl
from tests.wide.machines import Machines

START_SECONDS = 120
RUN_SECONDS = 400
LOOK_SECONDS = 0.2
ENDED = frozenset({"success", "failed"})
AT_WORK = frozenset({"running"})


@dataclass
class ControlRoom:
    """Airflow as its users see it.

    Attributes:
        machines: Where it runs.
        seen: Which machines were seen at work on each task, by task and map index.
        story: What happened, with the seconds since the beginning.
        began: When that was.
    """

    machines: Machines
    seen: dict[str, set[str]] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def sandbox(self) -> SandboxControl:
        """The vendors."""
        return SandboxControl(f"http://{self.machines.address(9090)}")

    def tell(self, what: str) -> None:
        """Put something into the story."""
        self.story.append(f"{time.monotonic() - self.began:6.1f} s  {what}")

    def start_run(self) -> str:
        """Unpause the DAG as soon as it is there, and start a run; return its id."""
        end = time.monotonic() + START_SECONDS
        while True:
            with suppress(requests.RequestException):
                self.call("PATCH", f"dags/{DAG_ID}", {"is_paused": False})
                break
            assert time.monotonic() < end, "the DAG never came" + self.machines.said("dag-processor")
            time.sleep(1)
        return str(self.call("POST", f"dags/{DAG_ID}/dagRuns", {"logical_date": None, "conf": {}})["dag_run_id"])

    def wait_for_end(self, run_id: str) -> str:
        """Wait until a run has ended; return how."""
        for _ in self._looking(run_id, "the run never ended"):
            state = str(self.call("GET", f"dags/{DAG_ID}/dagRuns/{run_id}")["state"])
            if state in ENDED:
                return state
        raise AssertionError

    def wait_for_work(self, run_id: str, task: str, is_time: Callable[[], bool]) -> str:
        """Wait until a task is at work and it is time; return the machine that works on it."""
        for tasks in self._looking(run_id, f"the moment in {task} never came"):
            at_work = [one for one in tasks if one["task_id"] == task and one["state"] in AT_WORK]
            ended = [one for one in tasks if one["task_id"] == task and one["state"] in ENDED]
            assert at_work or not ended, f"{task} had ended before its moment"
            if at_work and is_time():
                machines = [machine for one in at_work if (machine := self._machine_of(one["pid"]))]
                if machines:
                    return machines[0]
        raise AssertionError

    def wait_for_try(self, run_id: str, task: str, number: int) -> None:
        """Wait until Airflow has noticed that a task was lost, and tries it for the given time."""
        for tasks in self._looking(run_id, f"nobody noticed that {task} was lost"):
            if any(one["task_id"] == task and one["try_number"] == number and one["state"] in AT_WORK for one in tasks):
                return
            assert not any(one["task_id"] == task and one["state"] == "failed" for one in tasks), f"{task} failed"

    def log(self, run_id: str, task: str, number: int) -> str:
        """Return what a try of a task has logged, as the web UI shows it."""
        found = self.call("GET", f"dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/{task}/logs/{number}")
        return "\n".join(str(line.get("event", line)) for line in found["content"])

    def page(self, path: str) -> requests.Response:
        """Return one of the project's pages in the web UI."""
        url = f"http://{self.machines.address(8080)}"
        return requests.get(f"{url}{path}", headers={"Authorization": f"Bearer {self._token(url)}"}, timeout=60)

    def tries(self, run_id: str) -> dict[str, int]:
        """Return how often each task was tried."""
        return {f"{one['task_id']}[{one['map_index']}]": one["try_number"] for one in self._tasks(run_id)}

    def requests(self, endpoint: str) -> int:
        """Return how many requests an endpoint of the vendors has had."""
        found = requests.get(f"{self.sandbox.url}/control/requests", timeout=30).json()
        return int(found.get(endpoint, {}).get("requests", 0))

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask Airflow's API."""
        url = f"http://{self.machines.address(8080)}"
        headers = {"Authorization": f"Bearer {self._token(url)}"}
        answer = requests.request(method, f"{url}/api/v2/{path}", json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _token(self, url: str) -> str:
        if not hasattr(self, "_known"):
            file = self.machines.folder / "volumes" / "passwords" / "passwords.json"
            password = json.loads(file.read_text(encoding="utf-8"))["admin"]
            answer = requests.post(f"{url}/auth/token", json={"username": "admin", "password": password}, timeout=60)
            answer.raise_for_status()
            self._known = str(answer.json()["access_token"])
        return self._known

    def _tasks(self, run_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", f"dags/{DAG_ID}/dagRuns/{run_id}/taskInstances")[
            "task_instances"
        ]
        return found

    def _looking(self, run_id: str, otherwise: str) -> Iterator[list[dict[str, Any]]]:
        """Yield the tasks of a run again and again, noting where they are at work."""
        end = time.monotonic() + RUN_SECONDS
        while time.monotonic() < end:
            tasks = self._tasks(run_id)
            for one in tasks:
                if one["state"] in AT_WORK and (machine := self._machine_of(one["pid"])):
                    self.seen.setdefault(f"{one['task_id']}[{one['map_index']}]", set()).add(machine)
            yield tasks
            time.sleep(LOOK_SECONDS)
        states = {f"{one['task_id']}[{one['map_index']}]": one["state"] for one in self._tasks(run_id)}
        raise AssertionError(f"{otherwise}: {states}" + self.machines.said("scheduler"))

    def _machine_of(self, pid: int | None) -> str | None:
        """Return the machine on which a process works; all of them share one kernel here, and so its numbers."""
        with suppress(psutil.NoSuchProcess):
            found = {one.pid for one in psutil.Process(pid).parents()} if pid else set()
            for name, machine in self.machines.machines.items():
                if machine.process is not None and machine.process.pid in found:
                    return name
        return None
