"""Playing the faults of one request around the application."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from certrecon_sandbox.faults.exchange import Exchange, read_whole, replaying
from certrecon_sandbox.faults.switchboard import Switched
from certrecon_sandbox.state import Sandbox


def with_faults(app: ASGIApp, faults: list[Switched], endpoint: str, sandbox: Sandbox) -> ASGIApp:
    """Return the application with these faults around it, the first one outermost.

    They strike when the request has arrived whole, so that the journal has all of it.
    """
    for fault in reversed(faults):
        app = _around(app, fault, endpoint, sandbox)
    return _received_whole(app) if faults else app


def _received_whole(app: ASGIApp) -> ASGIApp:
    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_whole(receive)
        await app(scope, replaying(body, receive), send)

    return waiting


def _around(app: ASGIApp, switched: Switched, endpoint: str, sandbox: Sandbox) -> ASGIApp:
    hit = switched.hits

    async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
        await switched.fault.play(Exchange(sandbox, endpoint, scope, receive, send, app, hit))

    return faulty
