"""A real client that tells of many changes over many connections, and repeats whatever got no answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiohttp

PAUSE = 0.2
"""How long a caller waits who got no 2xx, before it calls again."""


@dataclass
class Telling:
    """What became of the calls.

    Attributes:
        seconds: How long each call took that was answered with 2xx.
        told: Which ids were acknowledged.
        refused: How many calls got another status.
        broken: How many got no answer.
        took: How long it took in all.
    """

    seconds: list[float] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    refused: int = 0
    broken: int = 0
    took: float = 0

    def slowest(self, share: float) -> float:
        """How long the given share of the calls took at most, in milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    def __str__(self) -> str:
        rate = len(self.seconds) / self.took
        return (
            f"{len(self.seconds)} calls in {self.took:.1f} s ({rate:.0f}/s): p50 {self.slowest(0.5):.1f} ms, "
            f"p99 {self.slowest(0.99):.1f} ms; {self.refused} refused, {self.broken} broken"
        )


def tell(
    url: str, ids: Sequence[str], connections: int, patience: float = 120, meanwhile: Callable[[Telling], None] = lambda _: None
) -> Telling:  # fmt: skip
    """Post an update of each id, each until it is acknowledged; `meanwhile` may look on from another thread."""
    telling = Telling()

    async def run() -> None:
        looking = asyncio.create_task(asyncio.to_thread(meanwhile, telling))
        async with asyncio.timeout(patience):
            await _all(url, deque(ids), connections, telling)
        await looking

    began = time.monotonic()
    asyncio.run(run())
    telling.took = time.monotonic() - began
    return telling


async def _all(url: str, waiting: deque[str], connections: int, telling: Telling) -> None:
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        await asyncio.gather(*(_caller(session, url, waiting, telling) for _ in range(connections)))


async def _caller(session: aiohttp.ClientSession, url: str, waiting: deque[str], telling: Telling) -> None:
    while waiting:
        one = waiting.popleft()
        if not await _acknowledged(session, url, one, telling):
            waiting.append(one)
            await asyncio.sleep(PAUSE)


async def _acknowledged(session: aiohttp.ClientSession, url: str, one: str, telling: Telling) -> bool:
    began = time.monotonic()
    try:
        async with session.post(url, data=json.dumps({"entity_id": one, "updated_fields": {}})) as answer:
            await answer.read()
    except (aiohttp.ClientError, OSError, TimeoutError):
        telling.broken += 1
        return False
    if answer.status != 200:
        telling.refused += 1
        return False
    telling.seconds.append(time.monotonic() - began)
    telling.told.add(one)
    return True
