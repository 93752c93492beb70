"""One world server and one sandbox for all tests; a warehouse and a pipeline of its own for each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from certrecon.api.endpoint import DitioEndpoint, FourHseEndpoint, PasswordGrant
from certrecon.warehouse.engine import connect_engine
from certrecon_sandbox.generate import generate_world
from certrecon_sandbox.server import SandboxServer
from tests.contract.crowd import crowd
from tests.contract.linking import Scene, scene_in
from tests.contract.pipeline import Pipeline
from tests.contract.sandbox_nights import SPEC, Nights, Remembered, pipeline_on
from tests.contract.sending import Sending
from tests.contract.world_server import CLIENT, USER, WorldServer
from tests.oracle.world import World

FIRST_NIGHT = "after_the_first_night"


@pytest.fixture(scope="session")
def running_world_server() -> Iterator[WorldServer]:
    """The world server, running."""
    with WorldServer() as server:
        yield server


@pytest.fixture
def server(running_world_server: WorldServer) -> WorldServer:
    """The world server, of no world yet."""
    running_world_server.show(World({}, {}, {}, [], [], {}, None))  # type: ignore[arg-type]
    return running_world_server


@pytest.fixture
def pipeline_of(server: WorldServer, warehouse: Engine, tmp_path: Path) -> Callable[..., Pipeline]:
    """A function that makes the pipeline between the world server and a fresh warehouse."""
    grant = PasswordGrant(f"{server.url}/hse/token", USER["client_id"], USER["username"], USER["password"])
    fourhse = FourHseEndpoint(f"{server.url}/hse", grant)
    secret = CLIENT["client_secret"]
    ditio = DitioEndpoint(f"{server.url}/ditio/core", f"{server.url}/ditio/token", CLIENT["client_id"], secret)

    def make(settings: dict[str, Any]) -> Pipeline:
        return Pipeline(warehouse, fourhse, ditio, tmp_path, settings)

    return make


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxServer]:
    """The sandbox, running."""
    with SandboxServer(lambda: generate_world(SPEC)) as server:
        yield server


@pytest.fixture(scope="session")
def fresh_world() -> Remembered:
    """The sandbox's world before anything was sent to it."""
    return Remembered(generate_world(SPEC))


@pytest.fixture(scope="session")
def world_after_first_night(
    sandbox: SandboxServer,
    fresh_world: Remembered,
    new_database: Callable[..., str],
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Remembered:
    """The sandbox's world after one night, whose warehouse is the template `FIRST_NIGHT`."""
    fresh_world.put_back(sandbox)
    engine = connect_engine(new_database(migrated_template, FIRST_NIGHT))
    nights = Nights(sandbox, pipeline_on(sandbox, engine, tmp_path_factory.mktemp("first_night")))
    night = nights.night()
    assert night.errors == {}
    engine.dispose()
    return Remembered(copy.deepcopy(sandbox.world))


@pytest.fixture
def first_night(sandbox: SandboxServer, fresh_world: Remembered, warehouse: Engine, tmp_path: Path) -> Nights:
    """A sandbox and a warehouse before their first night."""
    fresh_world.put_back(sandbox)
    return Nights(sandbox, pipeline_on(sandbox, warehouse, tmp_path))


@pytest.fixture
def scene(first_night: Nights) -> Iterator[Scene]:
    """Three unlinked certificates and an action of their project."""
    yield scene_in(first_night)
    first_night.server.sandbox.faults.clear()


@pytest.fixture
def nights(
    sandbox: SandboxServer,
    world_after_first_night: Remembered,
    new_database: Callable[..., str],
    tmp_path: Path,
) -> Iterator[Nights]:
    """A sandbox and a warehouse after their first night, whose report was without failure."""
    world_after_first_night.put_back(sandbox)
    engine = connect_engine(new_database(FIRST_NIGHT))
    yield Nights(sandbox, pipeline_on(sandbox, engine, tmp_path))
    engine.dispose()


@pytest.fixture
def sending_of(server: WorldServer, pipeline_of: Callable[..., Pipeline]) -> Callable[..., Sending]:
    """A function that prepares a crowd of some size, with settings of Ditio and the guards."""

    def prepare(size: int, guards: dict[str, Any] | None = None, **ditio: Any) -> Sending:
        world = crowd(size)
        server.show(world)
        server.max_per_page = 50
        settings = {**world.settings, "ditio": {"concurrency": 1, **ditio}, "guards": guards or {}}
        return Sending(server, pipeline_of(settings))

    return prepare
