"""Downloads every page of every index with a bare aiohttp client; what is done with a page is the caller's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

TENANT_FIELDS = {"certificate": "tenant_id", "certificate-action": "tenant_id", "person": "project_id"}
PAGE_SIZE = 100
ANY_TOKEN = "benchmark"  # noqa: S105 - a server of prepared answers lets everybody in
Take = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be downloaded.

    Attributes:
        url: Where 4HSE's API begins.
        tenants: Its projects.
        views: Certificates to be asked for by id, by project.
        headers: What opens the API.
    """

    url: str
    tenants: tuple[str, ...]
    views: dict[str, list[str]]
    headers: dict[str, str]

    @classmethod
    def of(cls, url: str, places: Path, token: str = ANY_TOKEN) -> Source:
        """Return what a server of prepared answers has, or a sandbox that a file describes like one."""
        known: dict[str, Any] = json.loads(places.read_text(encoding="utf-8"))
        return cls(f"{url}/4hse", tuple(known["certificate"]), known["dangling"], {"Authorization": f"Bearer {token}"})


async def _in_workers(jobs: Iterable[Callable[[], Awaitable[None]]], concurrency: int) -> None:
    """Do all jobs, so many at a time."""
    waiting = iter(jobs)

    async def work() -> None:
        for job in waiting:
            await job()

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())


async def download_index(
    session: aiohttp.ClientSession, source: Source, entity: str, tenant: str, concurrency: int, take: Take
) -> None:
    """Download one index: page 1 for the number of pages, then the others at once."""
    url = f"{source.url}/v2/{entity}/index"

    async def page(number: int) -> int:
        body = {"filter": {TENANT_FIELDS[entity]: tenant}, "per-page": PAGE_SIZE, "page": number, "history": True}
        if entity != "person":
            del body["history"]
        async with session.post(url, data=json.dumps(body), headers={"Content-Type": "application/json"}) as answer:
            answer.raise_for_status()
            take(entity, await answer.read())
            return int(answer.headers["X-Pagination-Page-Count"])

    def job(number: int) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            await page(number)

        return do

    pages = await page(1)
    await _in_workers((job(number) for number in range(2, pages + 1)), concurrency)


async def _views(session: aiohttp.ClientSession, source: Source, tenant: str, concurrency: int) -> None:
    def job(row_id: str) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            async with session.get(f"{source.url}/v2/certificate/view/{row_id}") as answer:
                await answer.read()

        return do

    await _in_workers((job(row_id) for row_id in source.views[tenant]), concurrency)


async def indexes(source: Source) -> AsyncIterator[tuple[str, str]]:
    """Yield tenants and their indexes in the order in which they are read."""
    for tenant in source.tenants:
        for entity in TENANT_FIELDS:
            yield tenant, entity


async def download(source: Source, concurrency: int, take: Take, finish: Callable[[str, str], None]) -> None:
    """Download every index of every tenant, then look up what dangles.

    Args:
        source: What is to be downloaded.
        concurrency: Requests at a time.
        take: Is given the entity and the body of every page.
        finish: Is told when an index of a tenant is whole.
    """
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, headers=source.headers, read_bufsize=2**18) as session:
        async for tenant, entity in indexes(source):
            await download_index(session, source, entity, tenant, concurrency, take)
            finish(tenant, entity)
            if entity == "certificate-action":
                await _views(session, source, tenant, concurrency)
