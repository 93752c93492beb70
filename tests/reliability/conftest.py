"""One sandbox and one warehouse after a first night, from which every trial starts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import pytest

from certrecon.warehouse.engine import connect_engine
from certrecon_sandbox.server import SandboxServer
from tests.contract.sandbox_nights import FIRST_DAY
from tests.reliability.nights import PAGE_SIZE, Stage, quiet_pipeline, small_world

pytest.register_assert_rewrite("tests.reliability.trial")

FIRST_NIGHT = "before_the_fault"


@pytest.fixture(scope="session")
def stage(
    new_database: Callable[..., str],
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """The stage of all trials."""
    with SandboxServer(small_world) as server:
        server.options.max_page_size = PAGE_SIZE
        engine = connect_engine(new_database(migrated_template, FIRST_NIGHT))
        night = quiet_pipeline(server, engine, tmp_path_factory.mktemp("first_night")).run(FIRST_DAY)
        assert night.errors == {}
        engine.dispose()
        yield Stage(
            server,
            copy.deepcopy(server.world),
            lambda: connect_engine(new_database(FIRST_NIGHT)),
            lambda: tmp_path_factory.mktemp("nights"),
        )
