"""A night under a real scheduler: `python -m benchmarks.ours.scheduled_night FOLDER VENDORS first|idle`.

`idle` runs the DAG of tasks that do nothing. Before it counts, the DAG runs once: a dry run, which leaves no trace that
a first night would find.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from benchmarks.night import IDLE_DAGS
from benchmarks.nights import ACCEPTED
from benchmarks.stations import run_dag, station
from benchmarks.telling import tell


def main() -> None:
    """Run once and tell the run's seconds, from its start to its end as Airflow has them."""
    folder, vendors, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    with station(folder, vendors, dags=IDLE_DAGS if kind == "idle" else None) as running:
        run_dag(running, {"mode": "dry_run"})
        run = run_dag(running, ACCEPTED)
    began, ended = (dt.datetime.fromisoformat(run[name]) for name in ("start_date", "end_date"))
    tell((ended - began).total_seconds())


if __name__ == "__main__":
    main()
