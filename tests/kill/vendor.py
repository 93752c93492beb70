"""The sandbox as a process that can be killed: what Ditio had accepted is there again when it is back.

What came in and what was answered is on disk as well, so that a test sees every row that was ever sent.
A request can be held at one point, so that a kill falls between two moments and not near them.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from certrecon_sandbox.app import create_app
from certrecon_sandbox.endpoints import endpoint_name
from certrecon_sandbox.options import SandboxOptions
from certrecon_sandbox.server import build_server, listen
from certrecon_sandbox.world import UpsertKey, World
from tests.kill.processes import PROCESSES

CERTIFICATES, TOKEN = "ditio.certificates", "ditio.token"
START_SECONDS = 30
LATENCY_MS = 2
LOOK_SECONDS = 0.002


class Point(StrEnum):
    """Where a request can be held."""

    RECEIVED = "received"
    PROCESSED = "processed"


@dataclass(frozen=True, slots=True)
class Vendor:
    """A sandbox on disk.

    Attributes:
        folder: Everything that outlives the process.
        port: Where it listens, always the same: the address is part of the target.
    """

    folder: Path
    port: int

    @property
    def world(self) -> Path:
        """The vendors' state but for Ditio's certificates."""
        return self.folder / "world.pickle"

    @property
    def accepted(self) -> Path:
        """Ditio's certificates, a line each time one was accepted."""
        return self.folder / "accepted.jsonl"

    @property
    def posts(self) -> Path:
        """Every POST of certificates as it came in, and every answer."""
        return self.folder / "posts.jsonl"

    @property
    def hold(self) -> Path:
        """What to hold; there while it is held."""
        return self.folder / "hold.json"

    @property
    def held(self) -> Path:
        """There once a request is held."""
        return self.folder / "held"

    def put(self, world: World) -> None:
        """Let the next start serve this world; what Ditio has accepted stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.world.write_bytes(pickle.dumps(world))

    def ditio(self) -> dict[UpsertKey, dict[str, Any]]:
        """Return what Ditio holds."""
        return dict(_accepted(self.accepted))

    def requests(self) -> list[dict[str, Any]]:
        """Return the POSTs of certificates: `rows`, `at`, and `status` where one was answered."""
        found: dict[str, dict[str, Any]] = {}
        for line in _lines(self.posts):
            found.setdefault(line["post"], {}).update(line)
        return list(found.values())

    @contextmanager
    def holding(self, endpoint: str, point: Point, skip: int = 0) -> Iterator[None]:
        """Hold the request of an endpoint that comes after `skip` others, until the block ends."""
        self.hold_next(endpoint, point, skip)
        try:
            yield
        finally:
            self.release()

    def hold_next(self, endpoint: str, point: Point, skip: int = 0) -> None:
        """Let go what is held, and hold the request of an endpoint that comes after `skip` others."""
        self.held.unlink(missing_ok=True)
        order = {"id": time.monotonic_ns(), "endpoint": endpoint, "point": point, "skip": skip}
        fresh = self.hold.with_suffix(".new")
        fresh.write_text(json.dumps(order), encoding="utf-8")
        fresh.replace(self.hold)

    def order(self) -> dict[str, Any]:
        """Return what is to be held; nothing while nothing is."""
        try:
            found: dict[str, Any] = json.loads(self.hold.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def release(self) -> None:
        """Let what is held go on."""
        self.hold.unlink(missing_ok=True)
        self.held.unlink(missing_ok=True)


class VendorProcess:
    """Starts, kills and starts again the process of a vendor on disk."""

    def __init__(self, vendor: Vendor) -> None:
        """Take what is to be served."""
        self.vendor = vendor
        self._process: BaseProcess | None = None

    def start(self) -> None:
        """Start, killing what still runs, and return once it listens."""
        self.kill()
        ready = self.vendor.folder / "ready"
        ready.unlink(missing_ok=True)
        self._process = PROCESSES.Process(target=_serve, args=(self.vendor, ready), daemon=True)
        self._process.start()
        end = time.monotonic() + START_SECONDS
        while not ready.exists():
            assert time.monotonic() < end, "the sandbox did not start"
            assert self._process.is_alive(), f"the sandbox ended: {self._process.exitcode}"
            time.sleep(LOOK_SECONDS)

    def kill(self) -> None:
        """SIGKILL; whatever was being answered is cut off."""
        if self._process is not None and self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            self._process.join()
        self.vendor.release()


class _Accepted(dict[UpsertKey, dict[str, Any]]):
    """Ditio's certificates, each on disk before anybody hears that it was accepted."""

    def __init__(self, file: Path) -> None:
        super().__init__(_accepted(file))
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __setitem__(self, key: UpsertKey, row: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(row).encode() + b"\n")
        super().__setitem__(key, row)


class _Doorkeeper:
    """Writes down what comes in and what goes out, and holds what it was told to hold."""

    def __init__(self, app: Any, vendor: Vendor) -> None:
        self._app = app
        self._vendor = vendor
        self._seen: dict[int, int] = {}
        self._file = os.open(vendor.posts, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        endpoint = endpoint_name(scope["path"]) if scope["type"] == "http" else ""
        if endpoint not in {CERTIFICATES, TOKEN}:
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        number = f"{os.getpid()}-{time.monotonic_ns()}"
        if endpoint == CERTIFICATES:
            self._write({"post": number, "at": time.time(), "rows": json.loads(body)})
        await self._hold(endpoint, Point.RECEIVED)

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                await self._hold(endpoint, Point.PROCESSED)
                if endpoint == CERTIFICATES:
                    self._write({"post": number, "status": message["status"]})
            await send(message)

        await self._app(scope, _replay(body, receive), answer)

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")

    async def _hold(self, endpoint: str, point: Point) -> None:
        order = self._vendor.order()
        if (order.get("endpoint"), order.get("point")) != (endpoint, point):
            return
        seen = self._seen[order["id"]] = self._seen.get(order["id"], 0) + 1
        if seen != order["skip"] + 1:
            return
        self._vendor.held.touch()
        while self._vendor.order().get("id") == order["id"]:  # noqa: ASYNC110 - another process lets it go
            await asyncio.sleep(LOOK_SECONDS)


def _serve(vendor: Vendor, ready: Path) -> None:
    world: World = pickle.loads(vendor.world.read_bytes())  # noqa: S301 - written by the test itself
    world.upserts = _Accepted(vendor.accepted)
    app = create_app(world, SandboxOptions(latency_ms=LATENCY_MS))
    server = build_server(_Doorkeeper(app, vendor), ready.touch)  # type: ignore[arg-type]
    server.run(sockets=[listen(vendor.port)])


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replay(body: bytes, receive: Any) -> Any:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Any:
        return waiting.pop() if waiting else await receive()

    return replayed


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def _accepted(file: Path) -> Iterator[tuple[UpsertKey, dict[str, Any]]]:
    for row in _lines(file):
        yield (row["employeeNumber"], row["certificateType"]), row
