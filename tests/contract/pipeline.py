"""The whole chain of stages as the DAG runs it, without Airflow: what a task hands on passes through JSON."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pyarrow as pa
import yaml
from sqlalchemy import Engine

from certrecon.api.delays import RetryPolicy
from certrecon.api.ditio import DitioClient
from certrecon.api.endpoint import DitioEndpoint, FourHseEndpoint
from certrecon.api.fourhse import FourHseClient
from certrecon.api.loop import run as run_async
from certrecon.api.wire import Timeouts
from certrecon.claims.facts import CLAIM_FACTS
from certrecon.dispositions.decide import DECIDED, PLAN
from certrecon.dispositions.withdrawals import WITHDRAWN
from certrecon.errors import CertreconError, IntegrityError
from certrecon.evidence import Part, RunEvidence
from certrecon.findings import CATALOGUE
from certrecon.stages.approval import Answer, Waiting, prepare_question, record_answer
from certrecon.stages.build_claims import BuiltClaims, run_build_claims
from certrecon.stages.extract import Extracted, is_sandbox, run_extract_employees, run_extract_tenant
from certrecon.stages.finalise import Finalised, Reached, run_finalise
from certrecon.stages.find_tenants import Tenants, run_find_tenants
from certrecon.stages.handle import FileRef, RunHandle
from certrecon.stages.load import Loaded, run_load
from certrecon.stages.open_run import Outside, Start, run_open
from certrecon.stages.plan import Planned, run_plan
from certrecon.stages.publish import Published, run_publish
from certrecon.stages.read_hinted import ReadHinted, run_read_hinted
from certrecon.stages.report import Reported, run_report
from certrecon.stages.seal_inputs import Looked, SealedInputs, run_seal_inputs
from certrecon.stages.validate import run_validate
from certrecon.stages.workplace import Workplace, file_ref
from certrecon.validation.run import COLUMNS
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.runs import require_running
from certrecon.words import Answered, Subject

OSLO = ZoneInfo("Europe/Oslo")
QUICK = RetryPolicy(attempts=3, rate_limited_attempts=4, base=0.001, cap=0.004, total=10.0)
SHORT = Timeouts(connect=5.0, read=5.0)

Result = TypeVar("Result")
_numbers = itertools.count(1)
_validated: dict[str, bytes] = {}


@dataclass
class Pipeline:
    """Where runs read and write.

    Attributes:
        engine: The warehouse.
        fourhse: Where 4HSE is.
        ditio: Where Ditio is.
        folder: Where settings and evidence go.
        settings: The settings file as a plain dict; `evidence.root` is set where it is missing.
        retry: When clients try again.
    """

    engine: Engine
    fourhse: FourHseEndpoint
    ditio: DitioEndpoint
    folder: Path
    settings: dict[str, Any]
    retry: RetryPolicy = QUICK

    def night(self, day: dt.date, run_id: str | None = None, **conf: Any) -> Night:
        """Prepare a run of that day with these parameters; nothing is opened yet."""
        return Night(self, day, run_id or f"test__{next(_numbers)}", conf)

    def run(self, day: dt.date, **conf: Any) -> Night:
        """Run a whole night."""
        return self.night(day, **conf).run()

    def follow_hints(self, day: dt.date) -> Night:
        """Run what the waiting hints ask for."""
        return self.hinted(day).run()

    def hinted(self, day: dt.date) -> Night:
        """Prepare a run that follows the waiting hints; nothing is opened yet."""
        return Night(self, day, f"events__{next(_numbers)}", {}, by_hints=True)

    @contextmanager
    def settings_file(self) -> Iterator[Path]:
        """Write the settings, and let `CERTRECON_SETTINGS` name them."""
        file = self.folder / "reconciliation.yaml"
        settings = {"evidence": {"root": str(self.folder / "evidence")}, **self.settings}
        file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
        before = os.environ.get("CERTRECON_SETTINGS")
        os.environ["CERTRECON_SETTINGS"] = str(file)
        try:
            yield file
        finally:
            if before is None:
                del os.environ["CERTRECON_SETTINGS"]
            else:
                os.environ["CERTRECON_SETTINGS"] = before


def _passed_on(make: Callable[[Any], Result], values: Any) -> Result:
    """Rebuild what a task returned from what XCom would hold."""
    return make(json.loads(json.dumps(values)))


def _validated_once(place: Workplace, subject: Subject, built: BuiltClaims) -> FileRef:
    """Run Great Expectations, or take the result of an earlier night with the same facts, rules and day.

    Many nights look at the same facts, and these runs are most of the time that a small night takes.
    """
    facts = place.read(built.facts, pa.schema([CLAIM_FACTS.field(name) for name in COLUMNS[subject]]))
    settings = place.settings().settings
    rules = [str(settings.severity_of(code)) for code in CATALOGUE], settings.expiring_within_days, place.run.as_of
    key = hashlib.sha256(repr((str(subject), facts.to_pydict(), rules)).encode()).hexdigest()
    if key not in _validated:
        found = run_validate(place, subject, built)
        _validated[key] = place.evidence.read_bytes(found.address, found.sha256)
        return found
    written = place.evidence.write_bytes(Part.OUTCOME, f"validation_{subject}", "json", _validated[key])
    return file_ref(written, facts.num_rows)


@dataclass
class Night:
    """One run; each method is one task of the DAG, `run` is all of them.

    Attributes:
        errors: What each task that failed raised, by its name.
        handle: Who the run is.
        ended: How it ended; None when finalising itself was refused.
        by_hints: Whether it follows hints, as the DAG certificate_events does.
    """

    pipeline: Pipeline
    day: dt.date
    run_id: str
    conf: dict[str, Any]
    errors: dict[str, CertreconError] = field(default_factory=dict)
    handle: RunHandle | None = None
    tenants: Tenants | None = None
    sealed: SealedInputs | None = None
    built: BuiltClaims | None = None
    validations: dict[Subject, FileRef] = field(default_factory=dict)
    planned: Planned | None = None
    published: Published | None = None
    loaded: Loaded | None = None
    reported: Reported | None = None
    ended: Finalised | None = None
    by_hints: bool = False
    looked: Looked | None = None
    _read: list[Extracted] = field(default_factory=list)

    # --- all of it -------------------------------------------------------------------------------------

    def run(self) -> Night:
        """Run every task; what a task raises is kept, and those that run whatever happened still run."""
        self.open()
        return self.go_on()

    def go_on(self) -> Night:
        """Run what comes after opening."""
        return self.decide().deliver()

    def decide(self) -> Night:
        """Run what lies between opening and publishing."""
        reading = (self.read_hinted, self.extract_employees) if self.by_hints else (self.find_tenants, self.extract)
        for task in (*reading, self.seal, self.build, self.validate, self.plan):
            if not self.errors:
                self._try(task.__name__, task)
        return self

    def deliver(self) -> Night:
        """Run what comes after planning."""
        if not self.errors:
            self._try("publish", self.publish)
        return self.conclude()

    def conclude(self) -> Night:
        """Run the tasks that run whatever happened."""
        if self.planned is not None:
            self._try("load", self.load)
            self._try("report", self.report)
        self._try("finalise", self.finalise)
        return self

    def _try(self, name: str, task: Callable[[], None]) -> None:
        try:
            task()
        except CertreconError as error:
            self.errors[name] = error

    # --- the tasks -------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the run."""
        pipeline = self.pipeline
        after = dt.datetime.combine(self.day, dt.time(3, 30), OSLO).astimezone(dt.UTC)
        start = Start(self.run_id, after, "manual", "tester", self.conf, self.conf, self.by_hints)
        with pipeline.settings_file():
            handle = run_open(start, Outside(pipeline.engine, pipeline.ditio, Path))
        self.handle = _passed_on(RunHandle.from_json, handle.to_json())

    @contextmanager
    def place(self) -> Iterator[Workplace]:
        """Open what a task works with, as the operators do."""
        assert self.handle is not None, "the run was never opened"
        with transaction(self.pipeline.engine) as conn:
            require_running(conn, self.handle.run_seq)
        yield self.workplace

    @property
    def workplace(self) -> Workplace:
        """What tasks work with, also after the run."""
        assert self.handle is not None
        evidence = RunEvidence(Path(self.handle.evidence_root), self.handle.run_seq)
        return Workplace(self.handle, self.pipeline.engine, evidence)

    def _fourhse(self) -> FourHseClient:
        return FourHseClient(self.pipeline.fourhse, retry=self.pipeline.retry, timeouts=SHORT)

    def _ditio(self) -> DitioClient:
        return DitioClient(self.pipeline.ditio, retry=self.pipeline.retry, timeouts=SHORT)

    def find_tenants(self) -> None:
        """Find the tenants."""

        async def find() -> Tenants:
            async with self._fourhse() as client:
                return await run_find_tenants(place, client)

        with self.place() as place:
            self.tenants = _passed_on(Tenants.from_json, run_async(find()).to_json())

    def read_hinted(self) -> None:
        """Read what the waiting hints point at."""

        async def read() -> ReadHinted:
            async with self._fourhse() as client:
                return await run_read_hinted(place, client, Path)

        with self.place() as place:
            found = run_async(read())
        self.tenants = _passed_on(Tenants.from_json, found.tenants.to_json())
        self.looked = _passed_on(Looked.from_json, found.looked.to_json())
        self._read = [_passed_on(Extracted.from_json, found.extracted.to_json())]

    def extract_employees(self) -> None:
        """Read the employees."""

        async def employees() -> Extracted:
            async with self._ditio() as client:
                return await run_extract_employees(place, client)

        with self.place() as place:
            self._read.append(_passed_on(Extracted.from_json, run_async(employees()).to_json()))

    def extract(self) -> None:
        """Read every tenant, then the employees."""
        assert self.tenants is not None

        async def tenant(name: str) -> Extracted:
            async with self._fourhse() as client:
                return await run_extract_tenant(place, client, name)

        self._read = []
        for name in self.tenants.chosen:
            with self.place() as place:
                self._read.append(_passed_on(Extracted.from_json, run_async(tenant(name)).to_json()))
        self.extract_employees()

    def seal(self) -> None:
        """Seal the inputs."""
        assert self.tenants is not None
        files = [file for one in self._read for file in one.files]
        sandbox = is_sandbox(self._read[-1])
        with self.place() as place:
            sealed = run_seal_inputs(place, self.tenants, files, target_is_sandbox=sandbox, looked=self.looked)
        self.sealed = _passed_on(lambda values: SealedInputs(**values), sealed.to_json())

    def build(self) -> None:
        """Make the claims."""
        with self.place() as place:
            self.built = _passed_on(BuiltClaims.from_json, run_build_claims(place).to_json())

    def validate(self) -> None:
        """Run Great Expectations over every subject."""
        built = self.built
        assert built is not None
        for subject in Subject:
            with self.place() as place:
                found = _validated_once(place, subject, built)
            self.validations[subject] = _passed_on(lambda values: FileRef(**values), asdict(found))

    def plan(self) -> None:
        """Decide and plan."""
        assert self.built is not None
        with self.place() as place:
            self.planned = _passed_on(Planned.from_json, run_plan(place, self.built, self.validations).to_json())

    def ask(self) -> Waiting | None:
        """Return what a person would be asked."""
        assert self.planned is not None
        with self.place() as place:
            return prepare_question(place, self.planned)

    def answer(self, who: str | None, *, approves: bool = True, reason: str = "") -> Answered:
        """Answer what was asked, as nobody when the time ran out."""
        assert self.planned is not None
        now = dt.datetime.now(dt.UTC)
        with self.place() as place:
            return record_answer(place, self.planned, Answer(approves, now, now, who, who, reason))

    def publish(self) -> None:
        """Send the plan."""
        planned = self.planned
        assert planned is not None

        async def send() -> Published:
            async with self._ditio() as client:
                return await run_publish(place, planned, client)

        with self.place() as place:
            self.published = _passed_on(lambda values: Published(**values), run_async(send()).to_json())

    def load(self) -> None:
        """Settle and load the claims."""
        assert self.planned is not None
        assert self.built is not None
        with self.place() as place:
            self.loaded = _passed_on(Loaded.from_json, run_load(place, self.planned, self.built).to_json())

    def report(self) -> None:
        """Write the report."""
        if self.loaded is None:
            raise IntegrityError("The claims were not loaded, so there is nothing to report on.")
        assert self.sealed is not None
        assert self.planned is not None
        assert self.built is not None
        failure = next((str(error) for error in self.errors.values()), None)
        with self.place() as place:
            reported = run_report(
                place, self.sealed, self.planned, self.loaded, self.built, self.validations, failure=failure
            )
        self.reported = _passed_on(Reported.from_json, reported.to_json())

    def finalise(self) -> None:
        """Record whatever happened."""
        files = {f"validation_{subject}": ref for subject, ref in self.validations.items()}
        if self.built:
            files |= {"facts": self.built.facts, "dangling": self.built.dangling}
        if self.reported:
            files |= self.reported.files()
        reached = Reached(
            inputs=self.sealed,
            planned=self.planned,
            loaded=self.loaded,
            files=files,
            failures=tuple(str(error) for error in self.errors.values()),
        )
        with self.place() as place:
            self.ended = run_finalise(place, reached)

    # --- what came of it -------------------------------------------------------------------------------

    @property
    def run_seq(self) -> int:
        """The run's number."""
        assert self.handle is not None
        return self.handle.run_seq

    @property
    def status(self) -> str:
        """How it ended."""
        assert self.ended is not None, self.errors
        return str(self.ended.status)

    @property
    def failure(self) -> str:
        """Why it failed, in one sentence."""
        assert self.ended is not None, self.errors
        return self.ended.failure or ""

    def table(self, ref: FileRef | None, schema: pa.Schema) -> pa.Table:
        """Read a table of the outcome."""
        assert ref is not None, self.errors
        return self.workplace.read(ref, schema)

    def rows(self, ref: FileRef | None, schema: pa.Schema) -> list[dict[str, Any]]:
        """Read the rows of a table of the outcome."""
        found: list[dict[str, Any]] = self.table(ref, schema).to_pylist()
        return found

    def decided(self) -> list[dict[str, Any]]:
        """The claims as they were decided, before publishing."""
        return self.rows(self.planned.claims if self.planned else None, DECIDED)

    def plan_rows(self) -> list[dict[str, Any]]:
        """The rows to send."""
        return self.rows(self.planned.plan if self.planned else None, PLAN)

    def withdrawn_rows(self) -> list[dict[str, Any]]:
        """What is withdrawn."""
        return self.rows(self.planned.withdrawn if self.planned else None, WITHDRAWN)

    def file(self, ref: FileRef | None) -> str:
        """Read a file of the outcome."""
        assert ref is not None, self.errors
        return self.workplace.evidence.read_bytes(ref.address, ref.sha256).decode()
