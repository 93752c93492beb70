"""Running the application: in a thread for tests, or in the foreground for the command line."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from certrecon_sandbox.app import create_app
from certrecon_sandbox.credentials import connection_variables, sandbox_urls
from certrecon_sandbox.faults.exchange import TRANSPORT
from certrecon_sandbox.generate import generate_world
from certrecon_sandbox.options import SandboxOptions
from certrecon_sandbox.state import Sandbox
from certrecon_sandbox.world import World, WorldSpec

_START_SECONDS = 30


def listen(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    """Return a listening socket; port 0 lets the system choose one."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(2048)
    return sock


class _Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen when it is imported
    """uvicorn's own protocol; requests carry their connection, so that a fault can break it."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Put the connection into the state of its requests."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


class _Server(uvicorn.Server):
    """A server that tells when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def build_server(
    app: FastAPI, ready: Callable[[], object] = lambda: None, *, access_log: bool = False
) -> uvicorn.Server:
    """Return a uvicorn server for `app`; uvloop and httptools are used where they are there."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        log_level="info" if access_log else "warning",
        access_log=access_log,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        backlog=2048,
        timeout_keep_alive=75,  # as a proxy before the real ones would
    )
    return _Server(config, ready)


class SandboxServer:
    """A sandbox in a thread of this process, for tests.

    ```python
    with SandboxServer(WorldSpec(certificates=200)) as sandbox:
        requests.get(sandbox.urls["fourhse_url"] + "/v2/...")
    ```
    """

    def __init__(
        self,
        world: WorldSpec | World | Callable[[], World] | None = None,
        options: SandboxOptions | None = None,
        port: int = 0,
    ) -> None:
        """Prepare a sandbox.

        Args:
            world: A spec to generate from, a ready world, or a function that makes one.
            options: How the servers behave.
            port: 0 = any free one.
        """
        self._app = create_app(_maker(world or WorldSpec()), options)
        self._socket = listen(port)
        self._server = build_server(self._app)
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._socket.getsockname()[1])

    @property
    def urls(self) -> dict[str, str]:
        """Its addresses by name."""
        return sandbox_urls(self.port)

    @property
    def sandbox(self) -> Sandbox:
        """Its state."""
        sandbox: Sandbox = self._app.state.sandbox
        return sandbox

    @property
    def world(self) -> World:
        """The vendors' state as it is now."""
        return self.sandbox.world

    @property
    def options(self) -> SandboxOptions:
        """How the servers behave; may be changed."""
        return self.sandbox.options

    def connection_variables(self, **choices: Any) -> dict[str, str]:
        """Return the `AIRFLOW_CONN_*` variables that lead here."""
        return connection_variables(self.port, **choices)

    def start(self) -> Self:
        """Start, and return once it answers."""
        self._thread.start()
        end = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > end or not self._thread.is_alive():
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop at once; what is being answered is cut off."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=_START_SECONDS)
        self._socket.close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _run(self) -> None:
        factory = self._server.config.get_loop_factory()
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(self._server.serve(sockets=[self._socket]))


def _maker(world: WorldSpec | World | Callable[[], World]) -> World | Callable[[], World]:
    if isinstance(world, WorldSpec):
        spec = world
        return lambda: generate_world(spec)
    return world
