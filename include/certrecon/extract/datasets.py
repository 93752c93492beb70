"""Where datasets go, and what is known of each when it is whole."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa


class DatasetFile(Protocol):
    """One dataset while it is written.

    Attributes:
        address: Where it can be read once it is closed.
    """

    address: str

    def write(self, table: pa.Table) -> None:
        """Append rows."""


class DatasetWriter(Protocol):
    """Opens datasets. One that is left by an exception is none: that read was not whole."""

    def open_dataset(self, name: str, schema: pa.Schema) -> AbstractContextManager[DatasetFile]:
        """Open the dataset of that name for one read of it."""


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What the manifest says of a dataset.

    Attributes:
        name: `certificates`, `links`, `persons`, `lookups` or `employees`.
        address: Where its file is.
        rows: Rows in the file.
        foreign_rows: Rows of another tenant (employees: of another company), dropped.
        duplicate_rows: Rows that came more than once, dropped.
        vendor_total: What the vendor counts; None where it counts nothing.
        undocumented_fields: Fields that came although no document has them, dropped.
        read_from: When the read began.
        read_to: When it ended.
        reads: How many reads it took.
        pages: Pages of the read that counts.
        without_id: Rows without an id, dropped: nothing can be said of them.
        sandbox: Whether the project's sandbox answered (employees only; 4HSE is only read).
    """

    name: str
    address: str
    rows: int
    foreign_rows: int
    duplicate_rows: int
    vendor_total: int | None
    undocumented_fields: tuple[str, ...]
    read_from: datetime
    read_to: datetime
    reads: int
    pages: int
    without_id: int = 0
    sandbox: bool = False

    def as_record(self) -> dict[str, Any]:
        """Return the facts as plain JSON values, for XCom and the manifest."""
        return {
            **asdict(self),
            "undocumented_fields": list(self.undocumented_fields),
            "read_from": self.read_from.isoformat(),
            "read_to": self.read_to.isoformat(),
        }
