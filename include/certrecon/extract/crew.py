"""Some of many things at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

One = TypeVar("One")


async def each(things: Iterable[One], work: Callable[[One], Awaitable[object]], at_once: int) -> None:
    """Do the work for each thing, `at_once` of them at a time; the first failure ends all of it."""
    waiting = iter(things)

    async def take() -> None:
        for one in waiting:
            await work(one)

    workers = [asyncio.ensure_future(take()) for _ in range(at_once)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
