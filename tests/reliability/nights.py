"""Two nights, the first with a fault in it, beside the same nights without."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from certrecon.api.ditio import DitioClient
from certrecon.api.fourhse import FourHseClient
from certrecon.api.wire import Timeouts
from certrecon_sandbox import credentials
from certrecon_sandbox.change import change_share
from certrecon_sandbox.credentials import DITIO_COMPANY_ID
from certrecon_sandbox.faults.moving import RowsMove
from certrecon_sandbox.faults.wanted import read_fault
from certrecon_sandbox.generate import generate_world
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.world import World, WorldSpec
from tests.contract import warehouse as sql
from tests.contract.pipeline import Night, Pipeline
from tests.contract.sandbox_nights import FIRST_DAY, endpoints, project_settings
from tests.reliability.matrix import PLANNED_EMPLOYEE, Cell
from tests.reliability.state import Sendings, State, state_of

SPEC = WorldSpec(certificates=60, seed=5, today=FIRST_DAY, tenants=2)
CLOSED_PROJECTS = 6
"""So many that the list of projects has two pages."""
PAGE_SIZE = 8
"""Small, so that small tenants have several pages."""
BATCH_SIZE = 2
DAY_SEED = 2
SECRETS = (
    credentials.PASSWORD,
    credentials.CLIENT_SECRET,
    credentials.DITIO_CLIENT_SECRET,
    credentials.ACCESS_TOKEN,
)


@dataclass
class QuietPipeline(Pipeline):
    """The pipeline with a time-out of its own."""

    read_timeout: float = 5.0

    def night(self, *args: Any, **conf: Any) -> Night:
        """Prepare a run whose tasks write no report."""
        night = super().night(*args, **conf)
        return QuietNight(self, night.day, night.run_id, night.conf)


@dataclass
class QuietNight(Night):
    """A night that leaves out its report, which no fault of the vendors can touch and which takes half of the time."""

    pipeline: QuietPipeline

    def report(self) -> None:
        """Write none."""

    def _timeouts(self) -> Timeouts:
        return Timeouts(connect=5.0, read=self.pipeline.read_timeout)

    def _fourhse(self) -> FourHseClient:
        concurrency = self.pipeline.settings["fourhse"]["concurrency"]
        pipeline = self.pipeline
        return FourHseClient(pipeline.fourhse, concurrency=concurrency, retry=pipeline.retry, timeouts=self._timeouts())

    def _ditio(self) -> DitioClient:
        return DitioClient(self.pipeline.ditio, retry=self.pipeline.retry, timeouts=self._timeouts())


@cache
def _settings() -> dict[str, Any]:
    return {name: value for name, value in project_settings().items() if name != "evidence"}


def quiet_pipeline(server: SandboxServer, engine: Engine, folder: Path, cell: Cell | None = None) -> QuietPipeline:
    """Return the pipeline of a cell: small pages and batches, one company, and users v4 where that is the endpoint."""
    settings = copy.deepcopy(_settings())
    settings["fourhse"] = {**settings["fourhse"], "concurrency": 1 if cell and cell.row.sequential else 4}
    settings["ditio"] = {**settings["ditio"], "batch_size": BATCH_SIZE, "company_id": DITIO_COMPANY_ID}
    if cell and cell.endpoint == "ditio.users.list":
        settings["ditio"]["employee_source"] = "users_v4"
    timeout = cell.row.read_timeout if cell else 5.0
    return QuietPipeline(engine, *endpoints(server), folder, settings, read_timeout=timeout)


def small_world() -> World:
    """Return a world of two tenants in which every list has several pages."""
    world = generate_world(SPEC)
    closed = next(row for row in world.projects if row["status"] == "suspended")
    for number in range(CLOSED_PROJECTS):
        world.projects.add(closed | {"project_id": f"closed-{number}", "name": f"Closed {number}"})
    return world


def a_day_passes(world: World) -> None:
    """Let certificates be renewed, added, deleted, unlinked and corrected, and one move to another project."""
    changed = change_share(world, 0.3, DAY_SEED)
    assert set(changed) == {"renewed", "added", "deleted", "unlinked", "name_corrected"}, changed
    moved = next(
        row for row in world.certificates if len(world.links.where("certificate_id", row["certificate_id"])) == 1
    )
    world.certificates.change(moved["certificate_id"], {"tenant_id": "closed-0"})
    for link in world.links.where("certificate_id", moved["certificate_id"]):
        world.links.change(link["certificate_action_id"], {"tenant_id": "closed-0"})


@dataclass(frozen=True)
class Calm:
    """What two nights without a fault come to.

    Attributes:
        first: The state after the first.
        second: The state after the second.
        sent: The rows that the first sent.
        employee: The number of an employee for whom it sent something.
    """

    first: State
    second: State
    sent: int
    employee: str


@dataclass
class Stage:
    """A sandbox and a warehouse after their first night, put back for every trial.

    Attributes:
        world: The vendors' state after that night.
        new_engine: Makes a copy of the warehouse after that night.
    """

    server: SandboxServer
    world: World
    new_engine: Callable[[], Engine]
    folder: Callable[[], Path]
    calms: dict[tuple[object, ...], Calm] = field(default_factory=dict)

    def put_back(self) -> None:
        """Make the sandbox as it was after the first night, and let a day pass."""
        sandbox = self.server.sandbox
        sandbox.faults.clear()
        sandbox.journal.clear()
        sandbox.options.max_page_size = PAGE_SIZE
        sandbox.world = copy.deepcopy(self.world)
        a_day_passes(sandbox.world)

    def calm(self, cell: Cell) -> Calm:
        """Return what calm nights come to in the world that the cell's fault leaves behind."""
        moves = cell.row.kind == "rows_move"
        key = (cell.endpoint == "ditio.users.list", (cell.endpoint, cell.row.name) if moves else None)
        if key not in self.calms:
            self.put_back()
            if moves:
                self._move(cell)
            self.calms[key] = self._two_nights(cell)
        return self.calms[key]

    def _move(self, cell: Cell) -> None:
        """Change the world as the fault does to the first list that is read."""
        fault = read_fault(wanted(cell, "")).fault
        assert isinstance(fault, RowsMove)
        world = self.server.world
        tenant = min(
            row["project_id"] for row in world.projects if (row["status"], row["project_type"]) == ("active", "safety")
        )
        name = {"4hse.project.index": None, "4hse.person.index": "project_id"}.get(cell.endpoint, "tenant_id")
        fault.move(world, cell.endpoint, {name: tenant} if name else {})

    def _two_nights(self, cell: Cell) -> Calm:
        engine = self.new_engine()
        pipeline = quiet_pipeline(self.server, engine, self.folder(), cell)
        states, sendings = [], Sendings()
        for _ in range(2):
            night = pipeline.run(FIRST_DAY)
            assert night.errors == {}, night.errors
            states.append(state_of(engine, self.server.world, night.run_seq))
        sendings.take(self.server.sandbox.journal.writes)
        numbers = [number for number, _ in sorted(upserts_sent(self.server))]
        engine.dispose()
        assert sendings.needless == 0
        return Calm(states[0], states[1], sendings.rows, numbers[0])


def upserts_sent(server: SandboxServer) -> set[tuple[str, str]]:
    """Return the keys of the rows that were sent since the journal began."""
    writes = server.sandbox.journal.writes
    rows = [row for write in writes if write.body for row in json.loads(bytes(write.body))]
    return {(row["employeeNumber"], row["certificateType"]) for row in rows}


def wanted(cell: Cell, employee: str) -> dict[str, Any]:
    """Return a cell's fault as the control API takes it."""
    row = cell.row
    values = {
        name: employee if value == PLANNED_EMPLOYEE else value for name, value in row.parameters(cell.endpoint).items()
    }
    return {"endpoint": cell.endpoint, "kind": row.kind, "times": row.times, "after": row.after, **values}


def said(night: Night, engine: Engine) -> str:
    """Return everything that a night says of what went wrong, of its run and of single rows."""
    messages = [row["message"] for row in sql.rows(engine, "SELECT message FROM reconciliation.ditio_attempt")]
    messages += [row["message"] for row in sql.ledger(engine).values()]
    return "\n".join([night.failure, *map(str, night.errors.values()), *filter(None, messages)])


def secrets_in(text: str, server: SandboxServer) -> list[str]:
    """Return the secrets, tokens among them, that a text holds."""
    stores = (server.sandbox.fourhse_tokens, server.sandbox.ditio_tokens)
    tokens = [token.removeprefix("refresh:") for store in stores for token in store._grants]
    return [secret for secret in (*SECRETS, *tokens) if secret in text]
