"""One night in a project folder of its own; the last line printed is JSON.

    python -m benchmarks.night FOLDER first|unchanged|changed|cold|idle

The services are up before the time counts, since the sandbox makes up its data when it starts, which is the vendors'
own. `changed` changes 1 % of the certificates first. `cold` counts everything that `make run` does, and `idle` runs the
DAG of tasks that do nothing.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import psycopg
from psycopg import conninfo

from benchmarks.measuring import Variant, run_once
from benchmarks.vendor_pages import CHANGED_SHARE, SEED
from certrecon_quickstart.connections import RunRequest, read_request
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.project import Project
from certrecon_quickstart.run import run
from certrecon_quickstart.services import Services, using_services

IDLE_DAGS = Path(__file__).with_name("idle_dags")
TABLES = ("claim", "ditio_upsert", "ditio_attempt")
COUNTS = f"SELECT {', '.join(f'(SELECT count(*) FROM reconciliation.{name})' for name in TABLES)}"  # noqa: S608
WRITTEN = """
    SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables
     WHERE schemaname = 'reconciliation' AND relname = ANY (%s)"""
SENDING = """
    SELECT coalesce(sum(seconds), 0) FROM (
        SELECT extract(epoch FROM max(answered_at) - min(sent_at)) AS seconds FROM reconciliation.ditio_attempt
         WHERE run_seq = (SELECT max(run_seq) FROM reconciliation.run) GROUP BY batch_id) AS batch"""
FOURHSE_CONCURRENCY, DITIO_CONCURRENCY = 4, 2
"""The settings' own defaults."""
NIGHTS = ("first", "unchanged", "changed")
STEP = re.compile(r"^  (\S.*?) \.{3,}\s*(?:([0-9.]+) s)?$|^ +after ([0-9.]+) s$")
LAST = "(SELECT max(run_seq) FROM reconciliation.run)"
TENANTS = f"SELECT jsonb_object_keys(tenants) FROM reconciliation.run WHERE run_seq = {LAST}"  # noqa: S608


class Warehouse:
    """Looks into the warehouse of a project."""

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self._server = EmbeddedPostgres(project)
        self.pid_file = project.postgres_data / "postmaster.pid"

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
        variables = self._server.client_variables()
        address = conninfo.make_conninfo("", **{names[key]: variables[key] for key in names})
        with psycopg.connect(address) as conn:
            return conn.execute(query.encode(), values or None).fetchall()

    def counts(self) -> list[int]:
        """Return the rows of claim, ledger and attempts."""
        return list(self._rows(COUNTS)[0])

    def written(self) -> list[int]:
        """Return the rows that were ever inserted, updated or deleted in the same tables."""
        found = dict(self._rows(WRITTEN, list(TABLES)))
        return [int(found.get(name, 0)) for name in TABLES]

    def tenants(self) -> list[str]:
        """Return the tenants of the last run."""
        return [row[0] for row in self._rows(TENANTS)]

    def ditio_seconds(self) -> float:
        """Return how long Ditio took over the last run's requests, as many at a time as were on the way."""
        return float(self._rows(SENDING)[0][0]) / DITIO_CONCURRENCY


def control(services: Services, path: str, body: dict[str, Any]) -> None:
    """Ask the sandbox's control API."""
    base = json.loads(services.environment["AIRFLOW_CONN_FOURHSE_DEFAULT"])["host"].removesuffix("/4hse")
    request = Request(f"{base}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    with urlopen(request, timeout=600) as answer:  # noqa: S310 - loopback
        answer.read()


def timed_run(project: Project) -> tuple[float, int, str]:
    """Run once; return seconds, exit code and what was printed."""
    printed, started = StringIO(), time.monotonic()
    with redirect_stdout(printed):
        code = run(project, os.environ)
    return time.monotonic() - started, code, printed.getvalue()


def steps_of(printed: str) -> dict[str, float]:
    """Return the seconds of each step of the run, as the quick start prints them (nothing for the short ones)."""
    found: dict[str, float] = {}
    name = ""
    for match in filter(None, map(STEP.match, printed.splitlines())):
        name, seconds = match[1] or name, match[2] or match[3]
        if seconds:
            found[name] = float(seconds)
    return found


def bare_seconds(services: Services, tenants: list[str]) -> float:
    """Return how long a bare client takes to download the same pages from the same sandbox: the vendor's own time."""
    connection = json.loads(services.environment["AIRFLOW_CONN_FOURHSE_DEFAULT"])
    extra = connection["extra"]
    grant = {"grant_type": "password", "username": connection["login"], "password": connection["password"]}
    form = urlencode(grant | {name: extra[name] for name in ("client_id", "client_secret")}).encode()
    with urlopen(Request(extra["token_url"], form), timeout=60) as answer:  # noqa: S310 - loopback
        token = json.loads(answer.read())["access_token"]
    with NamedTemporaryFile("w", suffix=".json") as places:
        json.dump({"certificate": dict.fromkeys(tenants), "dangling": dict.fromkeys(tenants, ())}, places)
        places.flush()
        base = connection["host"].removesuffix("/4hse")
        arguments = (base, places.name, str(FOURHSE_CONCURRENCY), token)
        told = run_once(Variant("bare client", "benchmarks.peers.bare_download", arguments, 1))
    return float(told["seconds"])


def night(project: Project, kind: str) -> dict[str, Any]:
    """Run one night and return what is to be told of it."""
    request: RunRequest = read_request(os.environ)
    with using_services(project):
        if kind != "cold":
            services = Services(project, request, os.environ)
            services.start()
            if kind == "changed":
                control(services, "/control/change", {"share": CHANGED_SHARE, "seed": SEED})
        warehouse = Warehouse(project)
        before = warehouse.written() if kind != "cold" else [0, 0, 0]
        seconds, code, printed = timed_run(replace(project, dags=IDLE_DAGS) if kind == "idle" else project)
        services = Services(project, request, os.environ)
        services.start()
        after = warehouse.written()
        print(printed)
        return {
            "seconds": seconds,
            "code": code,
            "rows": warehouse.counts(),
            "written": [late - early for late, early in zip(after, before, strict=True)],
            "fourhse_seconds": bare_seconds(services, warehouse.tenants()) if kind in NIGHTS else 0.0,
            "ditio_seconds": warehouse.ditio_seconds() if kind in NIGHTS else 0.0,
            "steps": steps_of(printed),
        }


def main() -> int:
    """Run once and print what came of it."""
    checkout = Project.of_checkout()
    project = Project(root=checkout.root, var=Path(sys.argv[1]) / "var", dags=checkout.dags)
    told = night(project, sys.argv[2])
    print(json.dumps(told))
    return int(told["code"])


if __name__ == "__main__":
    raise SystemExit(main())
