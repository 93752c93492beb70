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


@dataclass(frozen=True, slots=True)
class Row:
    """One plan row as it is sent.

    Attributes:
        employee_number: Half of the key, trimmed.
        certificate_type: The other half.
        payload: Canonical JSON.
        payload_sha256: Its digest.
    """

    employee_number: str
    certificate_type: str
    payload: str
    payload_sha256: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one request.

    Attributes:
        rows: The rows, each with its own key.
        batch_id: The name of the request's rows in `ditio_attempt`; a part of a split batch has its own.
    """

    rows: tuple[Row, ...]
    batch_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def body(self) -> bytes:
        """Return the JSON array that is sent."""
        return ("[" + ",".join(row.payload for row in self.rows) + "]").encode()

    def halves(self) -> tuple[Batch, Batch]:
        """Return the two halves of a batch of at least two rows."""
        middle = len(self.rows) // 2
        return Batch(self.rows[:middle]), Batch(self.rows[middle:])


def batches_of(plan: pa.Table, size: int) -> Iterator[Batch]:
    """Cut a plan (schema `PLAN`, one row a key) into batches of at most `size` rows."""
    names = ["employee_number", "certificate_type", "payload", "payload_sha256"]
    for slice_ in plan.select(names).to_batches(max_chunksize=size):
        yield Batch(tuple(map(Row, *(slice_.column(name).to_pylist() for name in names))))


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
