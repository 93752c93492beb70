"""A real Airflow over the ground: API server, DAG processor and a scheduler that can be killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml
from sqlalchemy.engine import make_url

from certrecon_quickstart.connections import WAREHOUSE, warehouse_connection
from certrecon_quickstart.environment import project_environment
from certrecon_quickstart.memory import LOOPBACK, remembered_port
from certrecon_quickstart.migrations import migrate_airflow
from certrecon_quickstart.project import DAG_ID, Project
from certrecon_sandbox.credentials import connection_variables
from tests.kill.ground import Ground

START_SECONDS = 180
RUN_SECONDS = 400
LOOK_SECONDS = 0.2
# No night starts by itself. A scheduler that is dead is taken for dead within seconds, not half a minute.
TUNING = {
    "CERTRECON_SCHEDULE": "30 3 29 2 *",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
}
ENDED = frozenset({"success", "failed"})


@dataclass
class Station:
    """A running Airflow.

    Attributes:
        project: Where it writes.
        environment: What its processes are started with.
        components: Its processes by name, each the first of a group of its own.
    """

    project: Project
    environment: dict[str, str]
    components: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _left: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://{LOOPBACK}:{remembered_port(self.project, 'web')}"

    def start(self, name: str) -> None:
        """Start a component in a process group of its own."""
        self.project.logs.mkdir(parents=True, exist_ok=True)
        with (self.project.logs / f"{name}.log").open("ab") as log:
            self.components[name] = subprocess.Popen(
                [str(Path(sys.executable).with_name("airflow")), name],
                env=self.environment,
                cwd=self.project.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill_scheduler(self, *, alone: bool) -> None:
        """SIGKILL the scheduler, alone or with every task that it runs."""
        scheduler = self.components.pop("scheduler")
        self._left.append(scheduler.pid)
        if alone:
            scheduler.kill()
        else:
            self._kill_all_of(scheduler.pid)
        scheduler.wait()

    def stop(self) -> None:
        """Kill whatever is left."""
        for group in [*self._left, *(process.pid for process in self.components.values())]:
            self._kill_all_of(group)
        for process in self.components.values():
            process.wait()

    def _kill_all_of(self, group: int) -> None:
        """Kill a component with all that it started, tasks in sessions of their own too; again for what was forked."""
        for _ in range(3):
            found = subprocess.run(["ps", "-eo", "pid=,ppid=,pgid="], capture_output=True, text=True, check=True).stdout
            table = [tuple(map(int, line.split())) for line in found.splitlines()]
            doomed = {pid for pid, _, pgid in table if group in {pid, pgid}}
            while more := {pid for pid, parent, _ in table if parent in doomed} - doomed:
                doomed |= more
            for pid in doomed:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    # --- the DAG ---------------------------------------------------------------------------------------

    def wait_until_ready(self) -> None:
        """Wait until the DAG is there, and let it run."""
        end = time.monotonic() + START_SECONDS
        while True:
            with suppress(requests.RequestException, KeyError):
                if self.call("PATCH", f"dags/{DAG_ID}", {"is_paused": False})["dag_id"] == DAG_ID:
                    return
            assert time.monotonic() < end, self.said("api-server") + self.said("dag-processor")
            time.sleep(1)

    def trigger(self) -> str:
        """Start a run; return its id."""
        return str(self.call("POST", f"dags/{DAG_ID}/dagRuns", {"logical_date": None, "conf": {}})["dag_run_id"])

    def state(self, run_id: str) -> str:
        """Return the state of a run."""
        return str(self.call("GET", f"dags/{DAG_ID}/dagRuns/{run_id}")["state"])

    def tasks(self, run_id: str) -> dict[str, tuple[str, int]]:
        """Return state and number of tries of each task instance."""
        found = self.call("GET", f"dags/{DAG_ID}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {f"{row['task_id']}{row['map_index']}": (row["state"], row["try_number"]) for row in found}

    def wait_for_end(self, run_id: str) -> str:
        """Wait until a run has ended; return how."""
        end = time.monotonic() + RUN_SECONDS
        while (state := self.state(run_id)) not in ENDED:
            assert time.monotonic() < end, f"{self.tasks(run_id)}\n{self.said('scheduler')}"
            time.sleep(LOOK_SECONDS)
        return state

    def wait_until_working(self, run_id: str, task: str) -> None:
        """Wait until a task works or has ended."""
        end = time.monotonic() + RUN_SECONDS
        while True:
            states = [state for name, (state, _) in self.tasks(run_id).items() if name.startswith(task)]
            if any(state in {"running", *ENDED} for state in states):
                return
            assert time.monotonic() < end, f"{task} never came: {self.tasks(run_id)}\n{self.said('scheduler')}"
            time.sleep(0.05)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask Airflow's API."""
        token = requests.get(f"{self.url}/auth/token", timeout=30).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, f"{self.url}/api/v2/{path}", json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def said(self, name: str) -> str:
        """Return the end of a component's log."""
        log = self.project.logs / f"{name}.log"
        return log.read_text(encoding="utf-8", errors="replace")[-3000:] if log.exists() else ""


@contextmanager
def running_station(ground: Ground) -> Iterator[Station]:
    """Run Airflow on the ground for the length of a block."""
    checkout = Project.of_checkout()
    project = Project(root=checkout.root, var=ground.folder / "airflow", dags=checkout.dags)
    project.var.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CERTRECON"))}
    remembered_port(project, "web")  # one of its own: somebody's Airflow may run at the usual one
    environment = project_environment(project, kept) | TUNING | _connections(ground)
    environment["CERTRECON_SETTINGS"] = str(_settings(ground))
    migrate_airflow(project, environment)
    station = Station(project, environment)
    try:
        for name in ("api-server", "dag-processor", "scheduler"):
            station.start(name)
        station.wait_until_ready()
        yield station
    finally:
        station.stop()


def _connections(ground: Ground) -> dict[str, str]:
    url = make_url(ground.cluster.url())
    warehouse = warehouse_connection(int(url.port or 0), url.username or "", url.password or "", url.database or "")
    return connection_variables(ground.vendor.port) | {WAREHOUSE: warehouse}


def _settings(ground: Ground) -> Path:
    given = ground.run().given
    file = ground.folder / "airflow-settings.yaml"
    settings = {"evidence": {"root": str(given.folder / "evidence")}, **given.settings}
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return file
