"""How long mapped tasks take that have next to nothing to do.

    python -m benchmarks.scale.starting FOLDER VENDORS AT_ONCE TENANTS ...

A real Airflow with LocalExecutor, set up as `make up` does it, runs the DAG over tenants with a certificate each.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.stations import run_dag, station
from benchmarks.telling import tell, timed
from certrecon_quickstart.project import DAG_ID
from tests.kill.station import Station

MAPPED = "extract_tenant"


def mapped_tasks(running: Station, run_id: str) -> list[dict[str, Any]]:
    """Return the mapped instances of a run that have ended."""
    place = f"dags/{DAG_ID}/dagRuns/{run_id}/taskInstances?task_id={MAPPED}&limit=100"
    rows: list[dict[str, Any]] = running.call("GET", place)["task_instances"]
    return [row for row in rows if row["task_id"] == MAPPED and row["end_date"]]


def run_once(running: Station, tenants: list[str]) -> list[dict[str, Any]]:
    """Run the DAG over some tenants and return its mapped instances."""
    run = run_dag(running, {"tenant_ids": tenants})
    tasks = mapped_tasks(running, str(run["dag_run_id"]))
    if len(tasks) != len(tenants) or any(row["state"] != "success" for row in tasks):
        raise SystemExit(f"the run {run['state']}: {running.tasks(str(run['dag_run_id']))}")
    return tasks


def processor_seconds(running: Station) -> float:
    """Return what Airflow's processes have used so far, those that ended and were waited for included."""
    used = dict[int, tuple[int, int]]()
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            used[int(folder.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    wanted = {process.pid for process in running.components.values()}
    while more := {pid for pid, (parent, _) in used.items() if parent in wanted} - wanted:
        wanted |= more
    return sum(used[pid][1] for pid in wanted if pid in used) / os.sysconf("SC_CLK_TCK")


def watch(running: Station, tenants: list[str]) -> dict[str, float]:
    """Run the DAG and tell seconds from the first mapped task's start to the last one's end, and processor seconds."""
    before = processor_seconds(running)
    tasks = run_once(running, tenants)
    used = processor_seconds(running) - before
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
    with station(folder, vendors, extra={"CERTRECON_TENANTS_AT_ONCE": str(at_once)}) as running:
        run_once(running, tenants[:1])
        seconds, runs = timed(lambda: {number: watch(running, tenants[:number]) for number in numbers})
    tell(seconds, runs=runs)


if __name__ == "__main__":
    main()
