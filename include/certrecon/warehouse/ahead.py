"""Two steps of a stream at the same time: Arrow and PostgreSQL work while Python waits for neither."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield `items`, each next one being made in a thread while the one before it is used.

    At most two of them are in memory. What making one raises is raised here, in its place.
    """
    with ThreadPoolExecutor(1) as maker:
        following = maker.submit(_next, items)
        while made := following.result():
            following = maker.submit(_next, items)
            yield made[0]


def _next(items: Iterator[T]) -> tuple[T] | None:
    for item in items:
        return (item,)
    return None
