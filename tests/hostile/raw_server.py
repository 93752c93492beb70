"""A server that writes the bytes it is told to, well-formed or not, and remembers what it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

TOKEN = b'{"access_token": "token-value-4", "expires_in": 300, "token_type": "Bearer"}'

Say = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes one answer."""


@dataclass
class RawServer:
    """What was sent to the server.

    Attributes:
        url: Where it is.
        heads: Request line and headers of each request, as they came.
        bodies: Their bodies.
    """

    url: str = ""
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def received(self) -> str:
        """Everything that came, as one text."""
        return "\n".join(self.heads) + "\n".join(body.decode("latin-1") for body in self.bodies)


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole answer."""
    head = [f"HTTP/1.1 {status}", *headers, "Connection: close", f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


def saying(*pieces: bytes) -> Say:
    """Return what writes these pieces and closes the connection."""

    async def say(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return say


def repeating(first: bytes, piece: bytes, *, pause: float = 0.0) -> Say:
    """Return what writes a beginning and then one piece for ever."""

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return say


@asynccontextmanager
async def raw_server(say: Say, *, token: Say | None = None) -> AsyncIterator[RawServer]:
    """Run a server in the current loop: `/token` gives a token, every other path what `say` writes."""
    server = RawServer()
    fetching = token or saying(answer(TOKEN, "Content-Type: application/json"))
    open_ones: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(asyncio.current_task())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            server.heads.append(head)
            server.bodies.append(await reader.readexactly(_length(head)))
            await (fetching if "/token" in head.split("\r\n")[0] else say)(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has had enough, or the test is over
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for task in filter(None, open_ones):
            task.cancel()
        await asyncio.gather(*filter(None, open_ones), return_exceptions=True)


def _length(head: str) -> int:
    lines = (line.lower().partition(":") for line in head.split("\r\n"))
    return next((int(value) for name, _, value in lines if name == "content-length"), 0)
