"""Airflow far from anybody's own: its home is a folder of the test session."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Iterator

import pytest
import requests

# Airflow reads these when it is first imported.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-of-tests-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")

from certrecon.api.delays import RetryPolicy  # noqa: E402
from certrecon_plugin.hooks.ditio import DitioHook  # noqa: E402
from certrecon_plugin.hooks.fourhse import FourHseHook  # noqa: E402
from certrecon_sandbox.generate import generate_world  # noqa: E402
from certrecon_sandbox.server import SandboxServer  # noqa: E402
from certrecon_sandbox.world import WorldSpec  # noqa: E402

QUICK = RetryPolicy(attempts=3, rate_limited_attempts=4, base=0.001, cap=0.01, total=10.0)
WORLD = WorldSpec(certificates=400, seed=3, today=dt.date(2026, 3, 2))


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[SandboxServer]:
    """One sandbox for the session."""
    with SandboxServer(lambda: generate_world(WORLD)) as server:
        yield server


@pytest.fixture
def vendors(running_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    """The sandbox as if just started, with the Airflow connections that lead to it."""
    everything = {"what": ["world", "journal", "tokens", "options", "faults"]}
    requests.post(f"{running_sandbox.urls['control_url']}/reset", json=everything, timeout=10).raise_for_status()
    for variable, value in running_sandbox.connection_variables().items():
        monkeypatch.setenv(variable, value)
    return running_sandbox


@pytest.fixture
def fourhse(vendors: SandboxServer) -> Iterator[FourHseHook]:
    """4HSE's hook with one session open."""
    with FourHseHook(retry=QUICK) as hook:
        yield hook


@pytest.fixture
def ditio(vendors: SandboxServer) -> Iterator[DitioHook]:
    """Ditio's hook with one session open."""
    with DitioHook(retry=QUICK) as hook:
        yield hook
