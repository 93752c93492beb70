"""The planted vendors, a pipeline between them and a warehouse, and the search afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.contract.pipeline import Pipeline
from tests.privacy.canaries import Aviary
from tests.privacy.vendors import CanaryServer

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> list[str]:
    """Lines about what was searched, shown after the tests."""
    return pytestconfig.stash.setdefault(FIGURES, [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show what was searched."""
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def birds() -> Aviary:
    """Every canary of the session."""
    return Aviary()


@pytest.fixture(scope="session")
def vendors(birds: Aviary) -> Iterator[CanaryServer]:
    """The planted vendors, running."""
    with CanaryServer(birds) as server:
        yield server


@pytest.fixture
def pipeline_of(vendors: CanaryServer, warehouse: Engine, tmp_path: Path) -> Callable[..., Pipeline]:
    """A function that makes the pipeline between the planted vendors and a fresh warehouse."""

    def make(settings: dict[str, Any], *, static: bool = False) -> Pipeline:
        fourhse = vendors.fourhse_endpoint(static=static)
        return Pipeline(warehouse, fourhse, vendors.ditio_endpoint(), tmp_path, settings)

    return make
