"""One request with a fault in it, and what a fault can do about it."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from certrecon_sandbox.state import Sandbox

TRANSPORT = "certrecon.transport"
"""Where the server puts a request's connection into the scope's state."""
Headers = list[tuple[bytes, bytes]]
_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass
class Answer:
    """A whole answer.

    Attributes:
        status: Its status.
        headers: Its headers, names in lower case.
        body: Its body.
    """

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def set_header(self, name: str, value: str | None) -> None:
        """Replace a header; None takes it away."""
        wanted = name.lower().encode()
        self.headers = [one for one in self.headers if one[0].lower() != wanted]
        if value is not None:
            self.headers.append((wanted, value.encode("latin-1")))

    def header(self, name: str) -> str | None:
        """Return the value of a header."""
        wanted = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == wanted), None)

    @property
    def value(self) -> Any:
        """The body decoded; None where it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return None

    def set_value(self, value: Any) -> None:
        """Replace the body by a value as JSON."""
        self.body = msgspec.json.encode(value)


def json_answer(status: int, value: Any, **headers: str) -> Answer:
    """Return an answer with a value as JSON; `Retry_After` becomes `retry-after`."""
    answer = Answer(status, [(b"content-type", b"application/json")], msgspec.json.encode(value))
    for name, text in headers.items():
        answer.set_header(name.replace("_", "-"), text)
    return answer


@dataclass
class Exchange:
    """A request on its way to the application, with the ways in which a fault can interfere.

    Attributes:
        sandbox: The sandbox that is asked.
        endpoint: The endpoint's name.
        hit: How often this fault has happened, this time included.
    """

    sandbox: Sandbox
    endpoint: str
    scope: Scope
    receive: Receive
    send: Send
    app: ASGIApp
    hit: int
    _body: bytes | None = None

    async def request_body(self) -> bytes:
        """Return the request's whole body; the application can still read it afterwards."""
        if self._body is None:
            self._body = await read_whole(self.receive)
        return self._body

    async def request_value(self) -> Any:
        """Return the request's body decoded; an empty object where it is no JSON."""
        try:
            return msgspec.json.decode(await self.request_body())
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return {}

    def set_request(self, value: Any) -> None:
        """Let the application see another request body."""
        self._body = msgspec.json.encode(value)
        length = str(len(self._body)).encode()
        headers = [(name, length if name == b"content-length" else text) for name, text in self.scope["headers"]]
        self.scope = {**self.scope, "headers": headers}

    async def go_on(self) -> None:
        """Let the application answer as if nothing were wrong."""
        await self.app(self.scope, self._replaying(), self.send)

    async def answer(self) -> Answer:
        """Let the application process the request, and keep its answer."""
        kept = Answer(500)

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept.status, kept.headers = message["status"], list(message.get("headers", ()))
            else:
                kept.body += message.get("body", b"")

        await self.app(self.scope, self._replaying(), keep)
        return kept

    async def reply(self, answer: Answer) -> None:
        """Send an answer with the length of its body."""
        await self.start(answer, len(answer.body))
        await self.send({"type": "http.response.body", "body": answer.body})

    async def start(self, answer: Answer, length: int) -> None:
        """Send status and headers, announcing a body of that length."""
        if answer.status in {204, 304}:
            answer.set_header("content-length", None)
            answer.body = b""
        else:
            answer.set_header("content-length", str(length))
        await self.send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})

    async def reset(self) -> None:
        """Break the connection with a TCP reset: what was not read by the peer is lost."""
        _linger_off(self._transport())
        self._transport().abort()
        await self.gone()

    async def close(self) -> None:
        """Close the connection in order, wherever the answer is."""
        self._transport().close()
        await self.gone()

    def _transport(self) -> asyncio.Transport:
        transport: asyncio.Transport = self.scope["state"][TRANSPORT]
        return transport

    async def gone(self) -> None:
        """Wait until the peer or the server has closed the connection."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _replaying(self) -> Receive:
        return self.receive if self._body is None else replaying(self._body, self.receive)


async def read_whole(receive: Receive) -> bytes:
    """Read a request's body to its end."""
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False) and message["type"] == "http.request"
    return b"".join(parts)


def replaying(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives this body, and after it whatever comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _linger_off(transport: asyncio.Transport) -> None:
    """Let closing the socket send a reset instead of an end."""
    own = transport.get_extra_info("socket")
    with socket.fromfd(own.fileno(), own.family, own.type) as copy:
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
