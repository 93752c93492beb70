"""The clients' coroutines from ordinary code: one session a call, or one for a whole `with`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from typing import Any, Generic, Self, TypeVar

from certrecon.api.loop import new_runner

Client = TypeVar("Client")
Result = TypeVar("Result")

_TURNS = 5


class Blocking(Generic[Client]):
    """Runs what a client does, and waits for it.

    Outside a `with`, every call opens a session of its own and asks for a token of its own; inside, all
    calls share one. It cannot be used where an event loop is already running: use the client there.
    """

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[Client]]) -> None:
        """Keep how a client is made."""
        self._make = make
        self._kept: tuple[asyncio.Runner, Client] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open the session that all calls share."""
        if self._kept is not None:
            message = "the session is already open: use one 'with' at a time"
            raise RuntimeError(message)
        self._kept = self._stack.enter_context(self._opened())
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self._kept = None
        self._stack.close()

    def call(self, work: Callable[[Client], Coroutine[Any, Any, Result]]) -> Result:
        """Run one coroutine of the client to its end and return its result."""
        with self._session() as (runner, client):
            return runner.run(_awake(work(client)))

    def iterate(self, work: Callable[[Client], AsyncGenerator[Result]]) -> Iterator[Result]:
        """Yield what an asynchronous generator of the client yields; leaving early closes it."""
        with self._session() as (runner, client):
            items = work(client)
            try:
                while True:
                    try:
                        item = runner.run(_awake(_following(items)))
                    except StopAsyncIteration:
                        return
                    yield item
            finally:
                runner.run(items.aclose())

    @contextmanager
    def _session(self) -> Iterator[tuple[asyncio.Runner, Client]]:
        if self._kept is not None:
            yield self._kept
            return
        with self._opened() as opened:
            yield opened

    @contextmanager
    def _opened(self) -> Iterator[tuple[asyncio.Runner, Client]]:
        _require_no_loop()
        with new_runner() as runner:
            manager = self._make()
            client = runner.run(_entered(manager))
            try:
                yield runner, client
            finally:
                runner.run(_left(manager))


def _require_no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    message = "an event loop is running here: use the client with 'async with' instead of the waiting calls"
    raise RuntimeError(message)


async def _awake(work: Coroutine[Any, Any, Result]) -> Result:
    """Let the loop see first what happened while it stood still.

    A connection that the server closed meanwhile would else be written into, and nobody could tell whether
    what was written had been done. TLS takes some turns of the loop until it hands on that the other side is gone.
    """
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    return await work


async def _following(items: AsyncGenerator[Result]) -> Result:
    return await anext(items)


async def _entered(manager: AbstractAsyncContextManager[Client]) -> Client:
    return await manager.__aenter__()


async def _left(manager: AbstractAsyncContextManager[Client]) -> None:
    await manager.__aexit__(None, None, None)
