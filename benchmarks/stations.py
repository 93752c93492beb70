"""A real Airflow for the benchmarks: API server, DAG processor and scheduler, LocalExecutor, as `make up` has it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.engine import make_url

from benchmarks.databases import Databases, postgres
from benchmarks.vendor_server import Serving, vendor_server
from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.migrate import migrate
from certrecon_quickstart.connections import WAREHOUSE, warehouse_connection
from certrecon_quickstart.environment import project_environment
from certrecon_quickstart.memory import remembered_port
from certrecon_quickstart.migrations import migrate_airflow
from certrecon_quickstart.project import DAG_ID, Project
from certrecon_sandbox.credentials import connection_variables
from tests.contract.sandbox_nights import project_settings
from tests.kill.station import ENDED, Station

TUNING = {"CERTRECON_SCHEDULE": "30 3 29 2 *", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True"}
COMPONENTS = ("api-server", "dag-processor", "scheduler")
RUN_SECONDS = 900.0
LOOK_SECONDS = 1.0


def _settings_below(folder: Path) -> Path:
    """Write settings with the evidence below a folder."""
    file = folder / "settings.yaml"
    settings = project_settings() | {"evidence": {"root": str(folder / "evidence")}}
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return file


def _station_on(project: Project, databases: Databases, server: Serving, extra: Mapping[str, str]) -> Station:
    """Return an Airflow with empty databases; nothing is started."""
    project.var.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CERTRECON"))}
    remembered_port(project, "web")  # one of its own: somebody's Airflow may run at the usual one
    url = make_url(databases.empty())
    warehouse = warehouse_connection(int(url.port or 0), url.username or "", url.password or "", url.database or "")
    connections = connection_variables(int(server.url.rpartition(":")[2])) | {WAREHOUSE: warehouse}
    environment = project_environment(project, kept) | TUNING | connections
    environment |= {"CERTRECON_SETTINGS": str(_settings_below(project.var))} | dict(extra)
    migrate_airflow(project, environment)
    migrate(connect_engine(url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)))
    return Station(project, environment)


@contextmanager
def station(
    folder: Path, vendors: Path, *, dags: Path | None = None, extra: Mapping[str, str] | None = None
) -> Iterator[Station]:
    """Run an Airflow, a PostgreSQL and the vendors' prepared answers for the length of a block.

    Args:
        folder: An empty folder for all that they write.
        vendors: The prepared answers.
        dags: Where the DAG files are; None = the project's own.
        extra: Further variables of Airflow's environment.
    """
    checkout = Project.of_checkout()
    project = Project(root=checkout.root, var=folder / "airflow", dags=dags or checkout.dags)
    with postgres(folder) as databases, vendor_server(vendors) as server:
        running = _station_on(project, databases, server, extra or {})
        try:
            for name in COMPONENTS:
                running.start(name)
            running.wait_until_ready()
            yield running
        finally:
            running.stop()


def run_dag(running: Station, conf: Mapping[str, Any]) -> dict[str, Any]:
    """Run the main DAG and return what Airflow's API says of the run.

    Raises:
        SystemExit: It did not end well, or not at all.
    """
    asked = {"logical_date": None, "conf": dict(conf)}
    run_id = str(running.call("POST", f"dags/{DAG_ID}/dagRuns", asked)["dag_run_id"])
    end = time.monotonic() + RUN_SECONDS
    while running.state(run_id) not in ENDED and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
    run = running.call("GET", f"dags/{DAG_ID}/dagRuns/{run_id}")
    if run["state"] != "success":
        raise SystemExit(f"the run is {run['state']}: {running.tasks(run_id)}\n{running.said('scheduler')}")
    return run
