"""`airflow standalone` with a DAG that is scheduled on hints, and an API server that can be killed and started again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine, text

from certrecon.warehouse.addresses import make_address
from certrecon.warehouse.engine import connect_engine, transaction
from certrecon.words import ChangeEvent
from certrecon_quickstart.memory import LOOPBACK, remembered_port
from certrecon_quickstart.project import Project
from certrecon_quickstart.services import stop_services, using_services
from certrecon_quickstart.up import is_healthy
from tests.browser.station import STILL, standalone, started_services, stop, warehouse_of
from tests.e2e.quickstart import Checkout

DAG = "follows_hints"
FOLLOWER = f"""
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset
with DAG("{DAG}", schedule=[Asset("certrecon://warehouse/hints")], catchup=False, is_paused_upon_creation=False):
    EmptyOperator(task_id="look")
"""
SANDBOX = {"CERTIFICATES": "50", "SEED": "5", **STILL}
START_SECONDS = 120


@dataclass
class WebhookStation:
    """A running Airflow.

    Attributes:
        folder: Everything that it and PostgreSQL write.
        project: Where in it.
        environment: What its processes get.
        engine: The warehouse.
        started: API servers that were started again.
    """

    folder: Path
    project: Project
    environment: dict[str, str]
    engine: Engine
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def port(self) -> int:
        return remembered_port(self.project, "web")

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/certrecon-webhooks"

    @property
    def server(self) -> psutil.Process:
        """The API server: the one process of ours that listens on Airflow's port."""
        for process in psutil.Process().children(recursive=True):
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == self.port:
                    return process
        raise AssertionError("no API server listens")

    def kill_server(self) -> None:
        """Kill the API server at once."""
        self.server.send_signal(signal.SIGKILL)

    def start_server(self) -> None:
        """Start an API server, and wait until it answers."""
        log = self.folder / f"api-server-{len(self.started) + 2}.log"
        with log.open("wb") as output:
            command = [str(Path(sys.executable).with_name("airflow")), "api-server"]
            self.started.append(
                subprocess.Popen(
                    command, env=self.environment, cwd=self.project.root, stdout=output, stderr=output, start_new_session=True
                )
            )  # fmt: skip
        until(lambda: is_healthy(self.port), START_SECONDS)

    def address(self, event: ChangeEvent) -> str:
        """Make an address and return its token."""
        with transaction(self.engine) as conn:
            return make_address(conn, event, "a test").token

    def warehouse(self, query: str) -> list[Any]:
        """Return the first column of a query's rows."""
        with transaction(self.engine) as conn:
            return list(conn.execute(text(query)).scalars())

    def airflow(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of Airflow's own database."""
        path = self.project.airflow_home / "airflow.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as conn:
            return conn.execute(query).fetchall()


def until(true: Callable[[], object], seconds: float) -> None:
    """Wait until it is so."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.25)


@contextmanager
def running_webhook_station() -> Iterator[WebhookStation]:
    """Keep Airflow up for the length of a block, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="certrecon-webhooks-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        checkout = Checkout(folder, SANDBOX)
        project = Project(root=checkout.project.root, var=checkout.var, dags=folder / "dags")
        project.dags.mkdir()
        remembered_port(project, "web")  # one of its own: another Airflow of the machine may want the usual one
        (project.dags / "follower.py").write_text(FOLLOWER, encoding="utf-8")
        try:
            with using_services(project):
                services = started_services(checkout, project, SANDBOX)
                environment = dict(os.environ) | dict(services.environment)
                with standalone(checkout, project, environment, {"admin": "admin"}):
                    yield from _station(folder, project, environment, warehouse_of(services))
        finally:
            stop_services(project)


def _station(folder: Path, project: Project, environment: dict[str, str], address: str) -> Iterator[WebhookStation]:
    engine = connect_engine(address)
    station = WebhookStation(folder, project, environment, engine)
    try:
        until(lambda: station.airflow(f"SELECT 1 FROM dag WHERE dag_id = '{DAG}' AND NOT is_paused"), START_SECONDS)
        yield station
    finally:
        engine.dispose()
        for process in station.started:
            stop(process)
