"""The limit of publishing: ready bodies, so many at a time, nothing put on the record.

python -m benchmarks.peers.bare_sender URL PLAN.parquet ROWS CONCURRENCY
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import uvloop

from benchmarks.peers.batches import payload_batches
from benchmarks.telling import tell, timed

HEADERS = {"Authorization": "Bearer benchmark", "Content-Type": "application/json"}


async def send(url: str, bodies: list[bytes], concurrency: int) -> None:
    """Send all bodies."""
    waiting = iter(bodies)

    async def work(session: aiohttp.ClientSession) -> None:
        for body in waiting:
            async with session.post(url, data=body) as answer:
                answer.raise_for_status()
                await answer.read()

    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS) as session, asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work(session))


def main() -> None:
    """Send once and tell seconds and requests."""
    base, plan, rows, concurrency = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    batches = payload_batches(plan, rows)
    bodies = [("[" + ",".join(batch) + "]").encode() for batch in batches]
    url = f"{base}/ditio/core/api/v4/integration/certificates"
    seconds, _ = timed(lambda: uvloop.run(send(url, bodies, concurrency)))
    tell(seconds, rows=sum(map(len, batches)), requests=len(bodies))


if __name__ == "__main__":
    main()
