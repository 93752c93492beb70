"""One night in a project folder of its own: `python -m benchmarks.night FOLDER`; the last line printed is JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import psycopg

from certrecon_quickstart.connections import read_request
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.project import Project
from certrecon_quickstart.run import run
from certrecon_quickstart.services import Services, using_services

COUNTS = """
    SELECT (SELECT count(*) FROM reconciliation.claim), (SELECT count(*) FROM reconciliation.ditio_upsert),
           (SELECT count(*) FROM reconciliation.ditio_attempt)"""


def count_rows(project: Project) -> list[int]:
    """Return the rows of claim, ledger and attempts."""
    variables = EmbeddedPostgres(project).client_variables()
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
    with psycopg.connect(**{names[key]: value for key, value in variables.items() if key in names}) as conn:
        row = conn.execute(COUNTS).fetchone()
    return list(row or ())


def main() -> int:
    """Run once and print seconds, rows and the exit code."""
    checkout = Project.of_checkout()
    project = Project(root=checkout.root, var=Path(sys.argv[1]) / "var", dags=checkout.dags)
    with using_services(project):
        started = time.monotonic()
        code = run(project, os.environ)
        seconds = time.monotonic() - started
        Services(project, read_request(os.environ), os.environ).start()
        rows = count_rows(project)
    print(json.dumps({"seconds": seconds, "rows": rows}))
    return code


if __name__ == "__main__":
    raise SystemExit(main())
