"""Server time of every page on a large warehouse: the real application, in this process, without sign-in.

Airflow's sign-in is left out, since its time is Airflow's; everything else is what the API server runs:
parameters, queries in the auditor's role, template, headers. Each page is asked for several times; the
first answer counts too, since nothing of the warehouse was read before it. `inf` is a page that failed.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from benchmarks.names import Report
from benchmarks.pages_data import fill
from benchmarks.results import Measurement
from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.migrate import migrate
from certrecon_quickstart.migrations import warehouse_url
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.project import Project

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

OK = 200
TIMES = 5
DEEP = 40
NEXT = re.compile(r'rel="next" href="([^"]+)"')

_SAMPLES = {
    "person": "SELECT person_name FROM reconciliation.claim_person ORDER BY claim_person_id DESC LIMIT 1",
    "number": "SELECT employee_number FROM reconciliation.claim WHERE employee_number IS NOT NULL LIMIT 1",
    "certificate": "SELECT certificate_id FROM reconciliation.claim LIMIT 1",
    "tenant": "SELECT tenant_id FROM reconciliation.claim LIMIT 1",
    "type": "SELECT certificate_type FROM reconciliation.claim WHERE certificate_type IS NOT NULL LIMIT 1",
    "rare": "SELECT code FROM (SELECT unnest(findings) AS code FROM reconciliation.claim) AS found"
            " GROUP BY code ORDER BY count(*) LIMIT 1",
    "common": "SELECT code FROM (SELECT unnest(findings) AS code FROM reconciliation.claim) AS found"
              " GROUP BY code ORDER BY count(*) DESC LIMIT 1",
    "last": "SELECT max(run_seq) FROM reconciliation.run WHERE mode = 'publish' AND status LIKE 'succeeded%'",
    "old": "SELECT min(run_seq) FROM reconciliation.run WHERE mode = 'publish' AND status LIKE 'succeeded%'",
}  # fmt: skip
"""What the pages are asked for, taken from the rows that are there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A page that is measured."""

    name: str
    path: str
    query: dict[str, str]


def samples(conn: Connection) -> dict[str, str]:
    """Return a value of each kind that the warehouse has."""
    return {name: str(conn.execute(text(statement)).scalar_one()) for name, statement in _SAMPLES.items()}


def pages(of: dict[str, str]) -> tuple[Asked, ...]:
    """Return the pages, with the filters that are hardest to answer among them."""
    part = of["person"].split()[-1][:4]
    return (
        Asked("runs", "/", {}),
        Asked("a run", f"/runs/{of['last']}", {}),
        Asked("worklist", "/worklist", {}),
        Asked("worklist of an owner", "/worklist", {"owner": "hr"}),
        Asked("worklist, rare finding", "/worklist", {"finding": of["rare"]}),
        Asked("worklist, a tenant", "/worklist", {"tenant": of["tenant"]}),
        Asked("links without a certificate", "/dangling", {}),
        Asked("certificates without a type", "/unmapped", {}),
        Asked("search, no filter", "/claims", {}),
        Asked("search, part of a name", "/claims", {"person": part}),
        Asked("search, employee number", "/claims", {"employee_number": of["number"]}),
        Asked("search, certificate", "/claims", {"certificate": of["certificate"]}),
        Asked("search, type in a tenant", "/claims", {"certificate_type": of["type"], "tenant": of["tenant"]}),
        Asked("search, rare finding", "/claims", {"finding": of["rare"]}),
        Asked("search, common finding", "/claims", {"finding": of["common"]}),
        Asked("search, rejected", "/claims", {"disposition": "rejected"}),
        Asked("search, nothing fits", "/claims", {"person": "zzqx", "finding": of["rare"]}),
        Asked("search, as of the first run", "/claims", {"as_of": of["old"]}),
        Asked("first run, rare finding", "/claims", {"as_of": of["old"], "finding": of["rare"]}),
        Asked("first run, part of a name", "/claims", {"as_of": of["old"], "person": part}),
        Asked("a worker", "/workers", {"number": of["number"]}),
        Asked("to be removed in Ditio", "/removals", {"state": "all"}),
    )


@contextmanager
def client_of(address: str) -> Iterator[TestClient]:
    """Yield a client of the real application on a warehouse, without Airflow's sign-in."""
    os.environ["AIRFLOW_CONN_WAREHOUSE_DEFAULT"] = address
    from fastapi.testclient import TestClient  # noqa: PLC0415 - Airflow must see the connection first

    from certrecon_plugin.pages.access import may_write  # noqa: PLC0415
    from certrecon_plugin.pages.app import create_app  # noqa: PLC0415
    from certrecon_plugin.pages.starting import may_start  # noqa: PLC0415

    app = create_app()
    guards = [guard.dependency for guard in app.router.dependencies if guard.dependency]
    app.dependency_overrides.update(dict.fromkeys(guards, lambda: None))
    app.dependency_overrides.update(dict.fromkeys((may_write, may_start), lambda: True))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def _milliseconds(client: TestClient, asked: Asked) -> float:
    begun = time.perf_counter()
    answer = client.get(asked.path, params=asked.query)
    spent = 1000 * (time.perf_counter() - begun)
    return spent if answer.status_code == OK else math.inf


def _deep(client: TestClient) -> Asked:
    """Return the search far behind its first page."""
    path = "/claims"
    for _ in range(DEEP):
        found = NEXT.search(client.get(path).text)
        if found is None:
            break
        path = "/claims?" + unescape(found[1]).partition("?")[2]
    return Asked(f"search, page {DEEP + 1}", path, {})


def measured(engine: Engine, address: str) -> dict[str, list[float]]:
    """Measure every page and return its milliseconds, by name; the first answer comes first.

    Args:
        engine: The filled warehouse.
        address: Its address.
    """
    with engine.connect() as conn:
        wanted = pages(samples(conn))
    with client_of(address) as client:
        return {asked.name: [_milliseconds(client, asked) for _ in range(TIMES)] for asked in (*wanted, _deep(client))}


@contextmanager
def filled(claims: int) -> Iterator[tuple[Engine, str]]:
    """Yield a warehouse of `claims` claims, in a PostgreSQL of its own with stock settings, and its address."""
    # As root PostgreSQL runs as another user, who must be able to enter the folder.
    with tempfile.TemporaryDirectory(prefix="certrecon-bench-", ignore_cleanup_errors=True) as folder:
        checkout = Project.of_checkout()
        server = EmbeddedPostgres(Project(root=checkout.root, var=Path(folder), dags=checkout.dags))
        server.start()
        try:
            address = warehouse_url(server.connection()).set(drivername="postgresql")
            url = address.render_as_string(hide_password=False)
            engine = connect_engine(url)
            migrate(engine)
            fill(engine, claims)
            yield engine, url
            engine.dispose()
        finally:
            server.stop()


def main() -> None:
    """Fill a warehouse, measure and print the milliseconds as JSON."""
    with filled(int(sys.argv[1])) as (engine, address):
        print(json.dumps(measured(engine, address)))


def measure_stage(claims: int) -> list[Measurement]:
    """Measure in a process of its own; one measurement a page."""
    load = round(os.getloadavg()[0], 2)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pages", str(claims)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    told: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    slowest = max(told, key=lambda name: max(told[name]))
    print(f"  {claims:,} claims: slowest page '{slowest}', {max(told[slowest]):.0f} ms", flush=True)
    return [
        Measurement(Report.PAGES, claims, name, [round(one / 1000, 5) for one in spent], load=load)
        for name, spent in told.items()
    ]


if __name__ == "__main__":
    main()
