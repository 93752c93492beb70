"""Does for many callers at once what costs about the same for one, such as a transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

MOST: Final = 1_000
"""How many callers one round serves at most."""


@dataclass(frozen=True, slots=True)
class _Caller(Generic[Item, Outcome]):
    """Somebody who waits: what for, and where the outcome goes."""

    item: Item
    outcome: asyncio.Future[Outcome]


class Together(Generic[Item, Outcome]):
    """Rounds of a blocking step: who comes while a round is under way is served by the next one.

    A single caller waits for nobody, and a crowd costs few rounds.
    """

    def __init__(self, step: Callable[[Sequence[Item]], Sequence[Outcome]], pool: Executor) -> None:
        """Take the step, which returns one outcome an item, in their order, and the threads that it runs in."""
        self._step = step
        self._pool = pool
        self._callers: deque[_Caller[Item, Outcome]] = deque()
        self._rounds: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Outcome:
        """Return the item's outcome once its round is over.

        Raises:
            Exception: What the step raised; every caller of the round gets it.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Outcome] = loop.create_future()
        self._callers.append(_Caller(item, outcome))
        if self._rounds is None or self._rounds.done():
            self._rounds = loop.create_task(self._serve(loop))
        return await outcome

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._callers:
            served = [self._callers.popleft() for _ in range(min(MOST, len(self._callers)))]
            try:
                outcomes = await loop.run_in_executor(self._pool, self._step, [one.item for one in served])
            except Exception as error:  # noqa: BLE001 - whatever it is, it is for the callers
                for one in served:
                    if not one.outcome.done():
                        one.outcome.set_exception(error)
            else:
                for one, outcome in zip(served, outcomes, strict=True):
                    if not one.outcome.done():  # a caller may have gone
                        one.outcome.set_result(outcome)
