"""Commits what Ditio answered while further batches are under way."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from certrecon.publishing.batches import ROWS, Batch
from certrecon.schemas import ATTEMPT
from certrecon.words import LedgerState

MOST_ROWS = 20_000
"""Rows with which no further answer is let in to wait for its commit; the transaction under way has as many at most.

The last answer let in may exceed it by less than a batch. So a kill leaves in doubt what waits, what is being
committed, and one batch of each sender.
"""

_SHARED = pa.schema([field for field in ATTEMPT if field.name not in ROWS.names])


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and what came of it.

    Attributes:
        batch: The rows that were sent.
        sent_at: When.
        answered_at: When the answer came; None without one.
        status: Its HTTP status; None without one.
        message: The vendor's words, cut and without secrets.
        state: What it made of the rows; None where it decided nothing.
        in_doubt: Whether the rows may be saved although no answer says so.
    """

    batch: Batch
    sent_at: dt.datetime
    answered_at: dt.datetime | None
    status: int | None
    message: str | None
    state: LedgerState | None
    in_doubt: bool

    def shared(self) -> tuple[object, ...]:
        """Return what all rows of the request have in common, in the order of `ATTEMPT`."""
        state = None if self.state is None else str(self.state)
        return (
            self.batch.batch_id, self.sent_at, self.answered_at, self.status, self.message, state, self.in_doubt,
        )  # fmt: skip


def attempts_of(answers: Sequence[Answer]) -> pa.Table:
    """Return schema `ATTEMPT`, one row a row of each request, in the order of the answers."""
    batches = [answer.batch.rows for answer in answers]
    columns = [pa.array(column, field.type) for column, field in zip(_columns(answers), _SHARED, strict=True)]
    owners = np.repeat(np.arange(len(batches)), [len(batch) for batch in batches])
    rows = pa.Table.from_batches(batches, schema=ROWS)
    for name, column in zip(_SHARED.names, columns, strict=True):
        rows = rows.append_column(name, column.take(pa.array(owners)))
    return rows.select(ATTEMPT.names)


def _columns(answers: Sequence[Answer]) -> list[tuple[object, ...]]:
    return list(zip(*(answer.shared() for answer in answers), strict=True))


class Recorder:
    """Writes answers in the order in which they came; all that wait go into one transaction."""

    def __init__(self, write: Callable[[pa.Table], None]) -> None:
        """Take the function that commits rows of schema `ATTEMPT`."""
        self._write = write
        self._waiting: list[Answer] = []
        self._rows = 0
        self._finished = False
        self._changed = asyncio.Condition()

    async def record(self, answer: Answer) -> None:
        """Hand over an answer once fewer than `MOST_ROWS` rows wait; it is committed soon."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._rows < MOST_ROWS)
            self._waiting.append(answer)
            self._rows += len(answer.batch.rows)
            self._changed.notify_all()

    async def finish(self) -> None:
        """Say that no further answer comes."""
        async with self._changed:
            self._finished = True
            self._changed.notify_all()

    async def _next(self) -> list[Answer]:
        """Wait for answers and take all that are there; none once no further one comes."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._finished or bool(self._waiting))
            taken, self._waiting, self._rows = self._waiting, [], 0
            self._changed.notify_all()
            return taken

    async def run(self) -> None:
        """Commit answers until `finish`.

        Raises:
            RunTakenOverError: The run is no longer the running one of its target.
            WarehouseUnavailableError: PostgreSQL is gone.
        """
        while answers := await self._next():
            await asyncio.to_thread(self._write, attempts_of(answers))
