"""Commits what Ditio answered while further batches are under way."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from certrecon.publishing.batches import Batch
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

    def to_table(self) -> pa.Table:
        """Return schema `ATTEMPTS`, one row a row of the batch."""
        rows = self.batch.rows
        shared = (
            self.sent_at,
            self.answered_at,
            self.status,
            self.message,
            self.state and str(self.state),
            self.in_doubt,
        )
        own = (
            [row.employee_number for row in rows],
            [row.certificate_type for row in rows],
            [row.payload_sha256 for row in rows],
        )
        columns = [[self.batch.batch_id] * len(rows), *own, *([value] * len(rows) for value in shared)]
        return pa.table(columns, schema=ATTEMPTS)


class Recorder:
    """Writes answers in the order in which they came, several in one transaction when they pile up."""

    def __init__(self, write: Callable[[pa.Table], None]) -> None:
        """Take the function that commits rows of schema `ATTEMPTS`."""
        self._write = write
        self._waiting: asyncio.Queue[Answer | None] = asyncio.Queue()

    def record(self, answer: Answer) -> None:
        """Hand over an answer; it is committed soon."""
        self._waiting.put_nowait(answer)

    def finish(self) -> None:
        """Say that no further answer comes."""
        self._waiting.put_nowait(None)

    def _all_waiting(self, first: Answer | None) -> list[Answer | None]:
        taken = [first]
        while not self._waiting.empty():
            taken.append(self._waiting.get_nowait())
        return taken

    async def run(self) -> None:
        """Commit answers until `finish`.

        Raises:
            RunTakenOverError: The run is no longer the running one of its target.
            WarehouseUnavailableError: PostgreSQL is gone.
        """
        while True:
            taken = self._all_waiting(await self._waiting.get())
            answers = [answer for answer in taken if answer is not None]
            if answers:
                rows = pa.concat_tables([answer.to_table() for answer in answers])
                await asyncio.to_thread(self._write, rows)
            if len(answers) < len(taken):
                return
