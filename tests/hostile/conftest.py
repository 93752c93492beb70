"""Airflow far from anybody's own, and a pipeline between a hostile vendor and a warehouse of each test's own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.contract.pipeline import Night, Pipeline
from tests.hostile.hostile_world import HostileServer, hostile_pipeline
from tests.oracle.world import World

# Airflow reads these when it is first imported.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-of-tests-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")


@pytest.fixture(scope="session")
def hostile_server() -> Iterator[HostileServer]:
    """Both vendors, running, of no world yet."""
    with HostileServer() as server:
        yield server


@pytest.fixture
def night_of(hostile_server: HostileServer, warehouse: Engine, tmp_path: Path) -> Callable[[World], Night]:
    """A function that runs a whole night on a world and returns it."""

    def run(world: World) -> Night:
        hostile_server.show(world)
        pipeline: Pipeline = hostile_pipeline(hostile_server, warehouse, tmp_path, world.settings)
        return pipeline.run(world.as_of)

    return run
