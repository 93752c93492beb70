"""How long mapped tasks take that have next to nothing to do.

    python -m benchmarks.scale.starting FOLDER VENDORS AT_ONCE TENANTS ...

A real Airflow with LocalExecutor, set up as `make up` does it, runs the DAG over tenants with a certificate each.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.engine import make_url

from benchmarks.databases import Databases, postgres
from benchmarks.telling import tell, timed
from benchmarks.vendor_server import Serving, vendor_server
from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.migrate import migrate
from certrecon_quickstart.connections import WAREHOUSE, warehouse_connection
from certrecon_quickstart.environment import project_environment
from certrecon_quickstart.migrations import migrate_airflow
from certrecon_quickstart.project import DAG_ID, Project
from certrecon_sandbox.credentials import connection_variables
from tests.contract.sandbox_nights import project_settings
from tests.kill.station import ENDED, Station

TUNING = {"CERTRECON_SCHEDULE": "30 3 29 2 *", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True"}
MAPPED = "extract_tenant"
COMPONENTS = ("api-server", "dag-processor", "scheduler")
RUN_SECONDS = 900.0
LOOK_SECONDS = 1.0


def settings_below(folder: Path) -> Path:
    """Write settings with the evidence below a folder."""
    file = folder / "settings.yaml"
    settings = project_settings() | {"evidence": {"root": str(folder / "evidence")}}
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return file


def station_on(folder: Path, databases: Databases, server: Serving, at_once: int) -> Station:
    """Return an Airflow of its own below a folder that reads so many tenants at once; nothing is started."""
    checkout = Project.of_checkout()
    project = Project(root=checkout.root, var=folder / "airflow", dags=checkout.dags)
    project.var.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CERTRECON"))}
    url = make_url(databases.empty())
    warehouse = warehouse_connection(int(url.port or 0), url.username or "", url.password or "", url.database or "")
    connections = connection_variables(int(server.url.rpartition(":")[2])) | {WAREHOUSE: warehouse}
    environment = project_environment(project, kept) | TUNING | connections
    environment |= {"CERTRECON_SETTINGS": str(settings_below(folder)), "CERTRECON_TENANTS_AT_ONCE": str(at_once)}
    migrate_airflow(project, environment)
    migrate(connect_engine(url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)))
    return Station(project, environment)


def mapped_tasks(station: Station, run_id: str) -> list[dict[str, Any]]:
    """Return the mapped instances of a run that have ended."""
    place = f"dags/{DAG_ID}/dagRuns/{run_id}/taskInstances?task_id={MAPPED}&limit=100"
    rows: list[dict[str, Any]] = station.call("GET", place)["task_instances"]
    return [row for row in rows if row["task_id"] == MAPPED and row["end_date"]]


def run_once(station: Station, tenants: list[str]) -> list[dict[str, Any]]:
    """Run the DAG over some tenants and return its mapped instances."""
    asked = {"logical_date": None, "conf": {"tenant_ids": tenants}}
    run_id = str(station.call("POST", f"dags/{DAG_ID}/dagRuns", asked)["dag_run_id"])
    end = time.monotonic() + RUN_SECONDS
    while (state := station.state(run_id)) not in ENDED:
        if time.monotonic() > end:
            raise SystemExit(f"the run did not end: {station.tasks(run_id)}")
        time.sleep(LOOK_SECONDS)
    tasks = mapped_tasks(station, run_id)
    if len(tasks) != len(tenants) or any(row["state"] != "success" for row in tasks):
        raise SystemExit(f"the run {state}: {station.tasks(run_id)}")
    return tasks


def processor_seconds(station: Station) -> float:
    """Return what Airflow's processes have used so far, those that ended and were waited for included."""
    used = dict[int, tuple[int, int]]()
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            used[int(folder.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    wanted = {process.pid for process in station.components.values()}
    while more := {pid for pid, (parent, _) in used.items() if parent in wanted} - wanted:
        wanted |= more
    return sum(used[pid][1] for pid in wanted if pid in used) / os.sysconf("SC_CLK_TCK")


def watch(station: Station, tenants: list[str]) -> dict[str, float]:
    """Run the DAG and tell seconds from the first mapped task's start to the last one's end, and processor seconds."""
    before = processor_seconds(station)
    tasks = run_once(station, tenants)
    used = processor_seconds(station) - before
    began, ended = min(_at(row["start_date"]) for row in tasks), max(_at(row["end_date"]) for row in tasks)
    return {"seconds": ended - began, "processor": used}


def _at(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def main() -> None:
    """Run a night to warm up, then one for each number of tenants, and tell what each took."""
    folder, vendors = Path(sys.argv[1]), Path(sys.argv[2])
    at_once, *numbers = (int(text) for text in sys.argv[3:])
    places = json.loads((vendors / "base" / "places.json").read_text(encoding="utf-8"))
    tenants = list(places["certificate"])
    with postgres(folder) as databases, vendor_server(vendors) as server:
        station = station_on(folder, databases, server, at_once)
        try:
            for name in COMPONENTS:
                station.start(name)
            station.wait_until_ready()
            run_once(station, tenants[:1])
            seconds, runs = timed(lambda: {number: watch(station, tenants[:number]) for number in numbers})
        finally:
            station.stop()
    tell(seconds, runs=runs)


if __name__ == "__main__":
    main()
