"""Three nights of the pipeline without Airflow, stopped where a stage begins, so that each stage can be run alone.

    python -m benchmarks.prepared_nights FOLDER VENDORS

The first night, an unchanged one, and one with 1 % of the certificates changed run over real HTTP against prepared
answers and a real PostgreSQL. Of each the evidence, what its tasks handed to each other (`night-NAME.json`) and a
copy of the warehouse as it was after planning and after publishing stay. `claims.csv` and `claims.parquet` are
the rows that the first night loaded.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq

from benchmarks.databases import Databases, postgres
from benchmarks.measuring import ROOT, Variant, run_once
from benchmarks.ours.night import ditio_endpoint
from benchmarks.telling import tell, timed
from benchmarks.vendor_data import DATA, digest_of, is_current, keep_stamp, vendor_answers
from benchmarks.vendor_pages import DAY
from benchmarks.vendor_server import Serving, vendor_server
from certrecon.api.delays import RetryPolicy
from certrecon.api.endpoint import AccessToken, FourHseEndpoint
from certrecon.dispositions.decide import DECIDED
from certrecon.dispositions.inputs import PREVIOUS_CLAIMS
from certrecon.dispositions.outcome import warehouse_claims
from certrecon.dispositions.since import since_runs
from certrecon.stages.run_inputs import RunInputs
from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.history import CLAIM
from certrecon.warehouse.migrate import migrate
from tests.contract.pipeline import Night, Pipeline
from tests.contract.sandbox_nights import project_settings

CODE = (ROOT / "include" / "certrecon", Path(__file__), ROOT / "tests" / "contract" / "pipeline.py")
WORKING = "working"
LOADED_COLUMNS = (*CLAIM.names, "row_sha256", "since_run_seq", "target", "first_run_seq")
"""The columns that a load writes; the others fill themselves."""


class Kind(StrEnum):
    """The nights, and the set of the vendors' answers that each reads."""

    FIRST = "first"
    UNCHANGED = "unchanged"
    CHANGED = "changed"

    @property
    def shows(self) -> str:
        """The vendors' answers of the night."""
        return "changed" if self is Kind.CHANGED else "base"


def pipeline_on(url: str, address: str, folder: Path) -> Pipeline:
    """Return the pipeline with the project's own settings, but with guards that stop nothing."""
    settings = project_settings()
    del settings["evidence"]
    settings["guards"] |= {"max_withdrawn": 10**9, "max_upserts_share": 1.0}
    fourhse = FourHseEndpoint(f"{url}/4hse", AccessToken("benchmark"))
    engine = connect_engine(address)
    return Pipeline(engine, fourhse, ditio_endpoint(url), folder, settings, retry=RetryPolicy())


def _handed_over(night: Night) -> dict[str, Any]:
    """Return what the tasks of a night have handed to each other so far."""
    assert night.handle is not None
    assert night.built is not None
    assert night.planned is not None
    return {
        "handle": night.handle.to_json(),
        "built": night.built.to_json(),
        "validations": {str(subject): asdict(ref) for subject, ref in night.validations.items()},
        "planned": night.planned.to_json(),
    }


def _require_calm(night: Night) -> None:
    if night.errors:
        message = f"a prepared night failed: {night.errors}"
        raise RuntimeError(message)


class Preparation:
    """Runs the nights and keeps what stages begin with."""

    def __init__(self, folder: Path, server: Serving, databases: Databases) -> None:
        """Take the place and the two servers."""
        self._folder, self._server, self._databases = folder, server, databases
        self._pipeline = pipeline_on(server.url, databases.create(WORKING), folder)
        migrate(self._pipeline.engine)
        self.seconds: dict[str, float] = {}

    def run(self) -> None:
        """Run all nights."""
        for kind in Kind:
            self._server.show(kind.shows)
            self._night(kind, self._pipeline.night(DAY))
            if kind is Kind.FIRST:
                self._keep_rows()
        self._databases.drop(WORKING)

    def _night(self, kind: Kind, night: Night) -> None:
        night.open()
        tasks: tuple[Callable[[], None], ...] = (
            night.find_tenants, night.extract, night.seal, night.build, night.validate, night.plan,
        )  # fmt: skip
        for task in tasks:
            self._timed(kind, task)
        (self._folder / f"night-{kind}.json").write_text(json.dumps(_handed_over(night)), encoding="utf-8")
        if kind is Kind.FIRST:
            self._copy(f"{kind}_planned")
            self._first = night
        self._timed(kind, night.publish)
        self._copy(f"{kind}_published")
        seconds, _ = timed(night.conclude)
        self.seconds[f"{kind} conclude"] = seconds
        _require_calm(night)

    def _timed(self, kind: Kind, task: Callable[[], None]) -> None:
        self.seconds[f"{kind} {task.__name__}"], _ = timed(task)

    def _copy(self, name: str) -> None:
        """Keep the warehouse as it is now; a copy needs it without any connection."""
        self._pipeline.engine.dispose()
        self._databases.create(name, WORKING)

    def _keep_rows(self) -> None:
        """Write the rows that the first night loaded, as CSV as PostgreSQL reads it and as Parquet."""
        names = ", ".join(LOADED_COLUMNS)
        statement = f"COPY (SELECT {names} FROM reconciliation.claim ORDER BY claim_id) TO STDOUT (FORMAT csv)"  # noqa: S608
        with (
            psycopg.connect(self._databases.url(WORKING)) as conn,
            conn.cursor().copy(statement) as copy,
            (self._folder / "claims.csv").open("wb") as file,
        ):
            for block in copy:
                file.write(block)
        night = self._first
        assert night.loaded is not None
        claims = night.table(night.loaded.claims, DECIDED)
        previous = RunInputs(night.workplace.evidence).table("previous_claims", PREVIOUS_CLAIMS)
        rows = warehouse_claims(claims).append_column("since_run_seq", since_runs(claims, previous, night.run_seq))
        pq.write_table(rows, self._folder / "claims.parquet")


def prepare(folder: Path, vendors: Path) -> dict[str, float]:
    """Run the nights; return the seconds of every task."""
    with postgres(folder) as databases, vendor_server(vendors) as server:
        preparation = Preparation(folder, server, databases)
        preparation.run()
        return preparation.seconds


def prepared_nights(certificates: int, tenants: int, data: Path = DATA) -> Path:
    """Return the folder with the nights of a size, made where it is missing or the code changed."""
    vendors = vendor_answers(certificates, tenants, data)
    folder = data / f"{certificates}-{tenants}" / "nights"
    stamp = digest_of(CODE) + (vendors / "stamp").read_text(encoding="utf-8")
    if not is_current(folder, stamp):
        print(f"  preparing three nights of {certificates:,} certificates ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        arguments = (str(folder), str(vendors))
        told = run_once(Variant("prepared nights", "benchmarks.prepared_nights", arguments, 1, ours=True))
        print(f"  prepared in {told['seconds']:.0f} s, {told['peak_mib']:,.0f} MiB", flush=True)
        keep_stamp(folder, stamp)
    return folder


if __name__ == "__main__":
    whole, parts = timed(lambda: prepare(Path(sys.argv[1]), Path(sys.argv[2])))
    tell(whole, parts=parts)
