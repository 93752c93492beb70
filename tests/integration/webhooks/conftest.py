"""The receiver in a server process of its own on a real warehouse, and raw connections to it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from certrecon.warehouse.addresses import make_address
from certrecon.warehouse.engine import connect_engine, transaction
from certrecon.words import ChangeEvent
from certrecon_plugin.webhooks.app import PREFIX
from tests.integration.pages.conftest import CONNECTION, as_connection

START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A receiver that runs.

    Attributes:
        port: On which port of this machine.
        process: Its process.
        log: What it prints, with a line for each request.
        engine: The warehouse behind it.
        database: The warehouse's address.
    """

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    engine: Engine
    database: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def address(self, event: ChangeEvent = ChangeEvent.CERTIFICATE_UPDATE) -> str:
        """Make an address and return its token."""
        with transaction(self.engine) as conn:
            return make_address(conn, event, "a test").token

    def hints(self) -> list[tuple[str, str, list[str]]]:
        """Every hint: event, entity and certificates, in the order in which they came."""
        query = "SELECT event, entity_id, certificate_ids FROM reconciliation.change_hint ORDER BY hint_id"
        with transaction(self.engine) as conn:
            return [tuple(row) for row in conn.execute(text(query))]

    def memory(self) -> int:
        """How many bytes the process ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@contextmanager
def serving(database: str, log: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a receiver on a warehouse for the length of a block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "tests.integration.webhooks.serving:app", "--port", str(port)]  # fmt: skip
    inherited = os.environ | {CONNECTION: as_connection(database)} | dict(environment)
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=inherited, stdout=output, stderr=output)
    engine = connect_engine(database)
    try:
        wait_until_open(port, process, log)
        yield Server(port, process, log, engine, database)
    finally:
        engine.dispose()
        process.terminate()
        process.wait(20)


def wait_until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < until, log.read_text(encoding="utf-8")
        time.sleep(0.1)


@pytest.fixture(scope="module")
def make_server(
    new_database: Callable[..., str], migrated_template: str, tmp_path_factory: Any
) -> Iterator[Callable[..., Any]]:
    """A function that runs a receiver on a fresh warehouse."""

    def make(**environment: str) -> Any:
        log = tmp_path_factory.mktemp("receiver") / "server.log"
        return serving(new_database(migrated_template), log, environment)

    return make


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Any]) -> Iterator[Server]:
    """A receiver without a key."""
    with make_server() as running:
        yield running


@pytest.fixture(scope="module")
def keyed(make_server: Callable[..., Any]) -> Iterator[Server]:
    """A receiver that asks for signatures in a header of its own."""
    with make_server(CERTRECON_WEBHOOK_HMAC_KEY="the key", CERTRECON_WEBHOOK_HMAC_HEADER="X-4HSE-Signature") as running:
        yield running
