"""Commits what Ditio answered while further batches are under way."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from certrecon.publishing.batches import ROWS, Batch
from certrecon.words import LedgerState

ATTEMPTS = pa.schema(
    [
        ("batch_id", pa.string()),
        ("employee_number", pa.string()),
        ("certificate_type", pa.string()),
        ("payload_sha256", pa.string()),
        ("sent_at", pa.timestamp("us", "UTC")),
        ("answered_at", pa.timestamp("us", "UTC")),
        ("http_status", pa.int32()),
        ("message", pa.string()),
        ("state", pa.string()),
        ("in_doubt", pa.bool_()),
    ]
)
"""Rows of requests. `state` is what the answer made of the ledger entry, null where it decided nothing;
`in_doubt` says that the row may be saved although no answer says so."""

MOST_ROWS = 20_000
"""Rows after which a transaction takes no further answer."""

MOST_WAITING = 400
"""Answers that may wait to be committed: what a crash would leave in doubt stays small."""

_SHARED = pa.schema([field for field in ATTEMPTS if field.name not in ROWS.names])


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
        """Return what all rows of the request have in common, in the order of `ATTEMPTS`."""
        state = None if self.state is None else str(self.state)
        return (
            self.batch.batch_id, self.sent_at, self.answered_at, self.status, self.message, state, self.in_doubt,
        )  # fmt: skip


def attempts_of(answers: Sequence[Answer]) -> pa.Table:
    """Return schema `ATTEMPTS`, one row a row of each request, in the order of the answers."""
    batches = [answer.batch.rows for answer in answers]
    columns = [pa.array(column, field.type) for column, field in zip(_columns(answers), _SHARED, strict=True)]
    owners = np.repeat(np.arange(len(batches)), [len(batch) for batch in batches])
    rows = pa.Table.from_batches(batches, schema=ROWS)
    for name, column in zip(_SHARED.names, columns, strict=True):
        rows = rows.append_column(name, column.take(pa.array(owners)))
    return rows.select(ATTEMPTS.names)


def _columns(answers: Sequence[Answer]) -> list[tuple[object, ...]]:
    return list(zip(*(answer.shared() for answer in answers), strict=True))


def _rows(answer: Answer | None) -> int:
    return 0 if answer is None else len(answer.batch.rows)


class Recorder:
    """Writes answers in the order in which they came, several in one transaction when they pile up."""

    def __init__(self, write: Callable[[pa.Table], None]) -> None:
        """Take the function that commits rows of schema `ATTEMPTS`."""
        self._write = write
        self._waiting: asyncio.Queue[Answer | None] = asyncio.Queue(MOST_WAITING)

    async def record(self, answer: Answer) -> None:
        """Hand over an answer, once fewer than `MOST_WAITING` wait; it is committed soon."""
        await self._waiting.put(answer)

    async def finish(self) -> None:
        """Say that no further answer comes."""
        await self._waiting.put(None)

    async def _next(self) -> list[Answer | None]:
        """Wait for an answer and return it with those behind it, up to `MOST_ROWS` rows."""
        taken = [await self._waiting.get()]
        rows = _rows(taken[0])
        while rows < MOST_ROWS and not self._waiting.empty():
            taken.append(self._waiting.get_nowait())
            rows += _rows(taken[-1])
        return taken

    async def run(self) -> None:
        """Commit answers until `finish`.

        Raises:
            RunTakenOverError: The run is no longer the running one of its target.
            WarehouseUnavailableError: PostgreSQL is gone.
        """
        while True:
            taken = await self._next()
            answers = [answer for answer in taken if answer is not None]
            if answers:
                await asyncio.to_thread(self._write, attempts_of(answers))
            if len(answers) < len(taken):
                return
