"""A vendor that answers what it is told to, over real HTTP on loopback, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from certrecon.api.delays import RetryPolicy
from certrecon.api.endpoint import DitioEndpoint, FourHseEndpoint, PasswordGrant

QUICK = RetryPolicy(attempts=3, rate_limited_attempts=4, base=0.001, cap=0.004, total=5.0)

PASSWORD = "pass&word/Ünsafe 1"
CLIENT_SECRET = "client-secret-2"
DITIO_SECRET = "ditio-secret-3"
TOKENS = ("token-value-4", "token-value-5", "token-value-6", "token-value-7")
SECRETS = (PASSWORD, CLIENT_SECRET, DITIO_SECRET, *TOKENS, "refresh-token-8")


@dataclass(frozen=True)
class Reply:
    """One answer; `then` says how the connection ends, `@auth@` is the request's own Authorization."""

    status: int = 200
    body: Any = b"[]"
    headers: Mapping[str, str] = field(default_factory=dict)
    then: str = "end"

    @property
    def raw(self) -> bytes:
        """The body as bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Vendor:
    """Answers each path with its replies in turn; the last one stays."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.seen: list[Seen] = []
        self.refused_tokens: set[str] = set()
        self.url = ""

    def script(self, path: str, *replies: Reply) -> None:
        self.replies[path] = list(replies)

    def asked(self, path: str) -> list[Seen]:
        return [one for one in self.seen if one.path == path]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(request.method, request.path, dict(request.query), dict(request.headers), await request.read())
        self.seen.append(seen)
        if seen.headers.get("Authorization", "").removeprefix("Bearer ") in self.refused_tokens:
            return web.Response(status=401)
        replies = self.replies.get(request.path, [Reply(404, {"name": "Not Found", "message": "no such page"})])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if b"@auth@" in reply.raw:
            token = seen.headers.get("Authorization", "").encode()
            reply = replace(reply, body=reply.raw.replace(b"@auth@", token))
        return await _send(request, reply)


async def _send(request: web.Request, reply: Reply) -> web.StreamResponse:
    if reply.then == "reset":
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    if reply.then == "end":
        return web.Response(status=reply.status, body=reply.raw, headers=reply.headers)
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    await response.prepare(request)
    await response.write(reply.raw)
    while reply.then == "endless":
        await response.write(b"x" * 2**20)
    assert request.transport is not None
    request.transport.abort()
    return response


@asynccontextmanager
async def vendor(*, keep_alive: float = 75.0) -> AsyncIterator[Vendor]:
    """Run a scripted vendor in the current loop; it closes connections that are idle for `keep_alive` seconds."""
    scripted = Vendor()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", scripted.answer)
    server = TestServer(app)
    await server.start_server(keepalive_timeout=keep_alive)
    scripted.url = str(server.make_url("")).rstrip("/")
    scripted.script("/token", *(Reply(body=token_answer(token)) for token in TOKENS))
    try:
        yield scripted
    finally:
        await server.close()


@contextmanager
def vendor_in_a_thread(*, keep_alive: float = 75.0) -> Iterator[Vendor]:
    """Run a scripted vendor in a loop of its own, which goes on while the client's stands still."""
    started: Future[tuple[Vendor, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def main() -> None:
        async with vendor(keep_alive=keep_alive) as scripted:
            over = asyncio.Event()
            started.set_result((scripted, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    scripted, loop, over = started.result(timeout=30)
    try:
        yield scripted
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(timeout=30)


def token_answer(token: str, **more: Any) -> dict[str, Any]:
    """Return an answer of a token endpoint."""
    return {"access_token": token, "expires_in": 300, "token_type": "Bearer", **more}


def fourhse_endpoint(url: str) -> FourHseEndpoint:
    """Return 4HSE at the scripted vendor, by password grant."""
    grant = PasswordGrant(f"{url}/token", "the-client", "user", PASSWORD, CLIENT_SECRET)
    return FourHseEndpoint(f"{url}/4hse", grant)


def ditio_endpoint(url: str) -> DitioEndpoint:
    """Return Ditio at the scripted vendor."""
    return DitioEndpoint(f"{url}/ditio", f"{url}/token", "ditio-client", DITIO_SECRET)


def fake_clock(values: list[float]) -> Callable[[], float]:
    """Return a clock that shows the first of `values`, which a test may change."""
    return lambda: values[0]
