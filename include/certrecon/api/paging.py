"""Pages of an index, read whole or not at all (design, *Extraction*: control totals).

Page numbers come from the answers' headers: the server may clamp `per-page`, and past the end it
gives the last page again. No documented sort is unique, so rows can move between pages meanwhile;
whoever reads compares the totals and, where they disagree, reads again. A row that goes while another
comes leaves the totals as they are and shifts the rows between: pages are looked at a second time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol, TypeVar

from certrecon.errors import IncompleteReadError, ResponseFormatError

logger = logging.getLogger(__name__)

READS = 3
"""Most reads of one dataset."""
LOOKS = 20
"""Most pages looked at again at the end of a read, spread evenly over it; a list of no more pages is read for sure."""
MAX_PAGES = 200_000
"""Most pages a server is believed to have."""

Whole = TypeVar("Whole")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an index: the body and what the `X-Pagination-*` headers say (None: no number)."""

    body: bytes = field(repr=False)
    current_page: int | None
    page_count: int | None
    per_page: int | None
    total_count: int | None


class PageTaker(Protocol):
    """What becomes of pages."""

    def ids(self, body: bytes) -> list[str | None]:
        """Return the ids of a page's rows."""

    def take(self, body: bytes) -> list[str | None]:
        """Keep a page's rows and return their ids."""


class UnstableReadError(Exception):
    """A read cannot have been the whole; the text has the numbers. It never leaves the reading code."""


Fetch = Callable[[int], Awaitable[Page]]


@dataclass(slots=True)
class Reads:
    """How often one dataset has been read, and why it was read again.

    Attributes:
        what: The dataset, for messages.
        used: Reads begun so far.
    """

    what: str
    used: int = 0
    reasons: list[str] = field(default_factory=list)

    def again(self, reason: str) -> None:
        """Note that the last read was not the whole.

        Raises:
            IncompleteReadError: It was the last one allowed.
        """
        self.reasons.append(reason)
        logger.warning("%s: read %d of %d was not whole: %s", self.what, self.used, READS, reason)
        if self.used >= READS:
            told = "; ".join(f"read {number}: {text}" for number, text in enumerate(self.reasons, 1))
            message = f"{self.what} could not be read whole in {self.used} reads ({told}). Run again"
            raise IncompleteReadError(message)

    async def until_whole(self, read_once: Callable[[], Awaitable[Whole]]) -> Whole:
        """Return the first read that is whole."""
        while True:
            self.used += 1
            try:
                return await read_once()
            except UnstableReadError as error:
                reason = str(error)
            self.again(reason)


def _planned(first: Page, rows: int) -> int:
    """Return how many pages the first one promises; the larger of what its headers say."""
    per_page = max(first.per_page or rows, 1)
    pages = max(first.page_count or 1, -(-(first.total_count or 0) // per_page))
    if pages > MAX_PAGES:
        message = f"4HSE promises {pages:,} pages, which cannot be right"
        raise ResponseFormatError(message)
    return pages


async def _in_order(fetch: Fetch, numbers: Iterable[int], window: int) -> AsyncGenerator[tuple[int, Page]]:
    """Yield the pages of these numbers in order, up to `window` of them on the way at once."""
    started = ((number, asyncio.ensure_future(fetch(number))) for number in numbers)
    waiting = deque(islice(started, window))
    try:
        while waiting:
            number, task = waiting[0]
            page = await task
            waiting.popleft()
            waiting.extend(islice(started, 1))
            yield number, page
    finally:
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)


def _require_total(page: Page, number: int, total: int | None = None) -> int:
    if page.total_count is None:
        message = f"page {number} came without X-Pagination-Total-Count, so nothing can be checked"
        raise UnstableReadError(message)
    if total is not None and page.total_count != total:
        message = f"page 1 counted {total:,} rows in all, page {number} {page.total_count:,}"
        raise UnstableReadError(message)
    return page.total_count


def _to_look_at(pages: int) -> set[int]:
    """Return the pages to look at again: the first, the last, and others between, evenly spread."""
    looks = min(pages, LOOKS)
    return {1 + round(place * (pages - 1) / max(looks - 1, 1)) for place in range(looks)}


async def _look_again(
    fetch: Fetch, taker: PageTaker, before: Mapping[int, set[str | None]], total: int, window: int
) -> None:
    """Raise `UnstableReadError` unless these pages still hold the rows they held before."""
    async with aclosing(_in_order(fetch, sorted(before), window)) as pages:
        async for number, page in pages:
            _require_total(page, number, total)
            if set(taker.ids(page.body)) != before[number]:
                message = f"page {number} held other rows at the end than at the start"
                raise UnstableReadError(message)


async def read_pages(fetch: Fetch, taker: PageTaker, *, window: int) -> tuple[int, int]:
    """Take every page once, look at some again, and return the total the server counts and the pages read.

    Raises:
        UnstableReadError: The pages do not agree with one another, or with themselves a little later.
    """
    first = await fetch(1)
    total = _require_total(first, 1)
    ids, read = taker.take(first.body), 1
    pages = _planned(first, len(ids))
    held, wanted = {1: set(ids)}, _to_look_at(pages)
    async with aclosing(_in_order(fetch, range(2, pages + 1), window)) as later:
        async for number, page in later:
            _require_total(page, number, total)
            if page.current_page not in {None, number}:
                break
            before, ids = ids, taker.take(page.body)
            read += 1
            if not ids or ids == before:
                break
            if number in wanted:
                held[number] = set(ids)
    await _look_again(fetch, taker, held, total, window)
    return total, read


def require_distinct(total: int, distinct: int) -> None:
    """Raise `UnstableReadError` unless as many different rows were read as the server counts."""
    if distinct != total:
        message = f"the server counts {total:,} rows, {distinct:,} different ones were read"
        raise UnstableReadError(message)
