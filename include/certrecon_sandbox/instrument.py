"""The one middleware around both vendors: counts, latency, the sandbox's header, the journal, and faults.

The journal lies outside the faults, so it has what the client sent and what the client got.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from certrecon_sandbox.credentials import SANDBOX_HEADER
from certrecon_sandbox.endpoints import endpoint_name, is_write
from certrecon_sandbox.faults.exchange import TRANSPORT
from certrecon_sandbox.faults.plan import with_faults
from certrecon_sandbox.journal import EndpointCount, Write
from certrecon_sandbox.state import Sandbox

_MARK = (SANDBOX_HEADER.lower().encode(), b"1")


class Instrument:
    """Wraps the application; see the module."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        """Wrap `app`."""
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith("/control"):
            await self._control(scope, receive, send)
        else:
            await self._vendor(scope, receive, send)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _from_loopback(scope):
            await self._app(scope, receive, send)
        else:
            refusal = JSONResponse({"error": "the control API answers to loopback only"}, 403)
            await refusal(scope, receive, send)

    async def _vendor(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = endpoint_name(scope["path"])
        count = self._sandbox.journal.begin(endpoint)
        count.header_names.update(name.decode("latin-1") for name, _ in scope["headers"])
        write = self._write(endpoint, scope)
        if write is not None:
            receive = _recording(receive, write)
        try:
            if self._sandbox.options.latency_ms:
                await asyncio.sleep(self._sandbox.options.latency_ms / 1000)
            faults = self._sandbox.faults.happening(endpoint)
            app = with_faults(self._app, faults, endpoint, self._sandbox)
            await app(scope, receive, _marking(scope, send, count, write))
        finally:
            count.in_flight -= 1

    def _write(self, endpoint: str, scope: Scope) -> Write | None:
        if not is_write(endpoint, scope["method"]):
            return None
        kind = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
        return self._sandbox.journal.write(endpoint, scope["method"], scope["path"], kind)


def _marking(scope: Scope, send: Send, count: EndpointCount, write: Write | None) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            count.statuses[message["status"]] += 1
            if write is not None:
                write.status = message["status"]
                write.answer_type = _content_type(message.get("headers", ()))
            message["headers"] = [*message.get("headers", ()), _MARK]
        await send(message)
        if write is not None and message["type"] == "http.response.body":
            write.answered = not message.get("more_body", False) and _is_there(scope)

    return marked


def _content_type(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return next((value.decode("latin-1") for name, value in headers if name.lower() == b"content-type"), "")


def _is_there(scope: Scope) -> bool:
    """Tell whether the client of a request still holds its connection."""
    transport = scope.get("state", {}).get(TRANSPORT)
    return transport is None or not transport.is_closing()


def _recording(receive: Receive, write: Write) -> Receive:
    async def recorded() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            write.body += message.get("body", b"")
        return message

    return recorded


def _from_loopback(scope: Scope) -> bool:
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
