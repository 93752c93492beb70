"""One task of a run in a process of its own; what it hands on lies in files, as it would in XCom."""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from certrecon.api.delays import RetryPolicy
from certrecon.api.endpoint import DitioEndpoint, FourHseEndpoint, PasswordGrant
from certrecon.api.loop import run as run_async
from certrecon.errors import CertreconError, PassingError
from certrecon.stages.build_claims import BuiltClaims
from certrecon.stages.extract import Extracted, run_extract_employees, run_extract_tenant
from certrecon.stages.finalise import already_finalised
from certrecon.stages.find_tenants import Tenants
from certrecon.stages.handle import FileRef, RunHandle
from certrecon.stages.load import Loaded
from certrecon.stages.plan import Planned
from certrecon.stages.report import Reported
from certrecon.stages.seal_inputs import SealedInputs
from certrecon.stages.validate import run_validate
from certrecon.warehouse.engine import connect_engine
from certrecon.words import Subject
from certrecon_sandbox import credentials
from tests.contract.pipeline import Night, Pipeline

HASTY = RetryPolicy(attempts=3, rate_limited_attempts=4, base=0.001, cap=0.004, total=10.0)
PATIENT = RetryPolicy(attempts=12, rate_limited_attempts=12, base=0.05, cap=0.4, total=20.0)


@dataclass(frozen=True)
class Assignment:
    """What every task of a run knows from outside.

    Attributes:
        url: The warehouse.
        role: The role that the tasks take on there.
        port: The sandbox's.
        folder: Where settings and evidence go.
        settings: The settings file.
        xcom: Where the tasks of this run leave what they hand on.
        day: The run's day.
        run_id: Airflow's name of the run.
        patient: Whether the clients try for seconds, or give up at once.
        conf: The run's parameters.
        largest_file: How many bytes a file of its tasks may have; None = the system's limit.
    """

    url: str
    role: str
    port: int
    folder: Path
    settings: Mapping[str, Any]
    xcom: Path
    day: dt.date
    run_id: str
    patient: bool = False
    conf: Mapping[str, Any] = field(default_factory=dict)
    largest_file: int | None = None

    def result(self, step: str) -> Any:
        """Return what a task returned, None where it did not get that far."""
        file = self.file(step, "json")
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def failure(self, step: str) -> dict[str, Any] | None:
        """Return why a task failed: `error` (its class), `message`, `passing`."""
        file = self.file(step, "failure")
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def file(self, step: str, ending: str) -> Path:
        """Return where a task leaves something."""
        return self.xcom / f"{step}.{ending}"

    def keep(self, step: str, ending: str, values: Any) -> None:
        """Leave something, whole or not at all."""
        fresh = self.file(step, "part")
        fresh.write_text(json.dumps(values), encoding="utf-8")
        fresh.replace(self.file(step, ending))

    def forget(self, step: str) -> None:
        """Forget what an earlier try of a task left, as Airflow does."""
        for ending in ("json", "failure"):
            self.file(step, ending).unlink(missing_ok=True)


def perform(assignment: Assignment, step: str, begun: Connection) -> None:
    """Do one task in this process: say that it begins, leave its result or its failure, and end."""
    output = os.open(assignment.xcom / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    begun.send(step)
    begun.close()
    try:
        with _limited(assignment.largest_file):
            result = _TaskNight.resumed(assignment).do(step)
        assignment.keep(step, "json", result)
    except CertreconError as error:
        told = {"error": type(error).__name__, "message": str(error), "passing": isinstance(error, PassingError)}
        assignment.keep(step, "failure", told)
        sys.exit(1)
    except BaseException:
        traceback.print_exc()
        raise


@contextmanager
def _limited(size: int | None) -> Iterator[None]:
    """Let no file grow beyond a size for the length of a block, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft if size is None else size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class _TaskNight(Night):
    """A night of which one task is done here, and what the others handed on is read."""

    @classmethod
    def resumed(cls, given: Assignment) -> _TaskNight:
        """Return the night with everything that earlier tasks left."""
        night = cls(_pipeline(given), given.day, given.run_id, dict(given.conf))
        night.handle = _made(RunHandle.from_json, given.result("open"))
        night.tenants = _made(Tenants.from_json, given.result("find_tenants"))
        chosen = night.tenants.chosen if night.tenants else ()
        read = [given.result(step) for step in [*(f"extract-{name}" for name in chosen), "employees"]]
        night._read = [Extracted.from_json(values) for values in read if values is not None]
        night.sealed = _made(lambda values: SealedInputs(**values), given.result("seal"))
        night.built = _made(BuiltClaims.from_json, given.result("build"))
        found = {subject: given.result(f"validate-{subject}") for subject in Subject}
        night.validations = {subject: FileRef(**values) for subject, values in found.items() if values}
        night.planned = _made(Planned.from_json, given.result("plan"))
        night.loaded = _made(Loaded.from_json, given.result("load"))
        night.reported = _made(Reported.from_json, given.result("report"))
        failed = [json.loads(file.read_text(encoding="utf-8")) for file in _failures(given)]
        night.errors = {one["error"]: CertreconError(one["message"]) for one in failed}
        return night

    def do(self, step: str) -> Any:
        """Do one task and return what it hands on."""
        task, _, which = step.partition("-")
        return _TASKS[task](self, which)

    def _opened(self, _: str) -> Any:
        self.open()
        return self.handle and self.handle.to_json()

    def _found(self, _: str) -> Any:
        self.find_tenants()
        return self.tenants and self.tenants.to_json()

    def _extracted(self, tenant: str) -> Any:
        async def read() -> Extracted:
            async with self._fourhse() as client:
                return await run_extract_tenant(place, client, tenant)

        with self.place() as place:
            return run_async(read()).to_json()

    def _employees(self, _: str) -> Any:
        async def read() -> Extracted:
            async with self._ditio() as client:
                return await run_extract_employees(place, client)

        with self.place() as place:
            return run_async(read()).to_json()

    def _sealed(self, _: str) -> Any:
        self.seal()
        return self.sealed and self.sealed.to_json()

    def _built(self, _: str) -> Any:
        self.build()
        return self.built and self.built.to_json()

    def _validated(self, subject: str) -> Any:
        assert self.built is not None
        with self.place() as place:
            return asdict(run_validate(place, Subject(subject), self.built))

    def _planned(self, _: str) -> Any:
        self.plan()
        return self.planned and self.planned.to_json()

    def _published(self, _: str) -> Any:
        self.publish()
        return self.published and self.published.to_json()

    def _loaded(self, _: str) -> Any:
        self.load()
        return self.loaded and self.loaded.to_json()

    def _reported(self, _: str) -> Any:
        self.report()
        return self.reported and self.reported.to_json()

    def _finalised(self, _: str) -> Any:
        """Finalise, unless an earlier try did and was killed before it could say so (as the operator does)."""
        ended = already_finalised(self.pipeline.engine, self.workplace.evidence, self.run_seq)
        if ended is None:
            self.finalise()
            ended = self.ended
        return ended and ended.to_json()


_TASKS: dict[str, Callable[[_TaskNight, str], Any]] = {
    "open": _TaskNight._opened,
    "find_tenants": _TaskNight._found,
    "extract": _TaskNight._extracted,
    "employees": _TaskNight._employees,
    "seal": _TaskNight._sealed,
    "build": _TaskNight._built,
    "validate": _TaskNight._validated,
    "plan": _TaskNight._planned,
    "publish": _TaskNight._published,
    "load": _TaskNight._loaded,
    "report": _TaskNight._reported,
    "finalise": _TaskNight._finalised,
}


def _pipeline(given: Assignment) -> Pipeline:
    urls = credentials.sandbox_urls(given.port)
    user = (credentials.CLIENT_ID, credentials.USERNAME, credentials.PASSWORD, credentials.CLIENT_SECRET)
    grant = PasswordGrant(urls["fourhse_token_url"], *user)
    client = (credentials.DITIO_CLIENT_ID, credentials.DITIO_CLIENT_SECRET)
    return Pipeline(
        engine=connect_engine(given.url, given.role),
        fourhse=FourHseEndpoint(urls["fourhse_url"], grant),
        ditio=DitioEndpoint(urls["ditio_url"], urls["ditio_token_url"], *client),
        folder=given.folder,
        settings=dict(given.settings),
        retry=PATIENT if given.patient else HASTY,
    )


def _made(make: Callable[[Any], Any], values: Any) -> Any:
    return None if values is None else make(values)


def _failures(given: Assignment) -> list[Path]:
    return sorted(given.xcom.glob("*.failure"), key=lambda file: file.stat().st_mtime_ns)
