"""Batches of plan rows, and what an answer of Ditio means for one (design, *Publishing*; apis.md 3.6)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

import pyarrow as pa

ROW_AT_FAULT = frozenset({400, 413, 422})
"""Refusals that can be one row's fault: the batch is split until that row stands alone."""

PASSING = frozenset({408, 425, 429})
"""Refusals of the moment, tried again like a 5xx or no answer."""

FIRST_ERROR = 300
FIRST_SERVER_ERROR = 500


class Meaning(Enum):
    """What an answer to a batch means."""

    ACKNOWLEDGED = auto()
    SPLIT = auto()
    REJECTED = auto()
    TRY_AGAIN = auto()
    STOP = auto()


ROWS = pa.schema([(name, pa.string()) for name in ("employee_number", "certificate_type", "payload", "payload_sha256")])
"""Plan rows as they are sent: the key, the payload as JSON text, and the payload's digest."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one request.

    Attributes:
        rows: The rows (schema `ROWS`), each with its own key.
        batch_id: The name of the request's rows in `ditio_attempt`; a part of a split batch has its own.
    """

    rows: pa.RecordBatch
    batch_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def body(self) -> bytes:
        """Return the JSON array that is sent."""
        return ("[" + ",".join(self.rows.column("payload").to_pylist()) + "]").encode()

    def halves(self) -> tuple[Batch, Batch]:
        """Return the two halves of a batch of at least two rows."""
        middle = len(self.rows) // 2
        return Batch(self.rows.slice(0, middle)), Batch(self.rows.slice(middle))


def batches_of(plan: pa.Table, size: int) -> Iterator[Batch]:
    """Cut a plan (schema `ROWS` or more, one row a key) into batches of at most `size` rows."""
    # Rows of a batch are a part of the plan's own memory, not a copy of it.
    return map(Batch, plan.select(ROWS.names).to_batches(max_chunksize=size))


def meaning_of(status: int | None, rows: int) -> Meaning:
    """Return what an answer means for a batch of that many rows.

    Args:
        status: The HTTP status; None where no answer came.
        rows: How many rows the request had.
    """
    if status is None or status >= FIRST_SERVER_ERROR or status in PASSING:
        return Meaning.TRY_AGAIN
    if status < FIRST_ERROR:
        return Meaning.ACKNOWLEDGED
    if status in ROW_AT_FAULT:
        return Meaning.SPLIT if rows > 1 else Meaning.REJECTED
    return Meaning.STOP
