"""Takes pages into chunks: duplicates and rows of other tenants out, values as text, memory flat."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.api.paging import UnstableReadError
from certrecon.api.rows import text_of
from certrecon.errors import ResponseFormatError
from certrecon.extract.decode import Columns, PageDecoder
from certrecon.extract.fields import EntityFields
from certrecon.extract.idset import IdSet

logger = logging.getLogger(__name__)

CHUNK_ROWS = 20_000
"""Rows at which a chunk is handed on: about 200 pages."""
CHUNK_BYTES = 32 * 2**20
"""Bytes of pages at which a chunk is handed on, however few rows they hold."""

Keep = Callable[[pa.Table, pa.Table], None]
"""Takes a chunk: its rows of the tenant, and its rows of other tenants (which are only to be known of)."""


def text_array(values: Sequence[Any]) -> pa.Array | pa.ChunkedArray:
    """Return values as a text column: 1 is "1", true is "true", null is null."""
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        pass
    try:
        typed = pa.array(values)
    except (pa.ArrowTypeError, pa.ArrowInvalid, OverflowError):
        typed = None
    if typed is not None and (pa.types.is_int64(typed.type) or pa.types.is_boolean(typed.type)):
        return typed.cast(pa.string())
    return pa.array([text_of(value) for value in values], pa.string())


class DatasetTaker:
    """Takes the pages of one read of one dataset (a `PageTaker`).

    Attributes:
        seen: The ids of every row read, of other tenants too.
        rows: Rows kept.
        foreign_rows: Rows of other tenants.
        duplicate_rows: Rows that came again.
        without_id: Rows without an id: nothing can be said of them, so they are dropped.
    """

    def __init__(self, fields: EntityFields, tenant_id: str, keep: Keep) -> None:
        """Start one read.

        Args:
            fields: The dataset's fields.
            tenant_id: The tenant whose rows are kept; a row that names no tenant is taken to be its.
            keep: Is given every chunk.
        """
        self.seen = IdSet()
        self.rows = self.foreign_rows = self.duplicate_rows = self.without_id = 0
        self._fields = fields
        self._tenant_id = tenant_id
        self._keep = keep
        self._what = f"4HSE's {fields.dataset} of tenant {tenant_id}"
        self._decoder = PageDecoder(fields, f"a page of {self._what}")
        self._pending: list[list[Any]] = [[] for _ in fields.columns]
        self._ids: list[str | None] = []
        self._bytes = 0

    @property
    def undocumented(self) -> tuple[str, ...]:
        """Names of undocumented fields."""
        return self._decoder.undocumented

    def ids(self, body: bytes) -> list[str | None]:
        """Return the ids of a page's rows."""
        return self._decoder.ids(self._columns(body))

    def take(self, body: bytes) -> list[str | None]:
        """Keep a page's rows and return their ids.

        Raises:
            UnstableReadError: A whole chunk of pages brought no new row: the server goes round in circles.
        """
        columns = self._columns(body)
        ids = self._decoder.ids(columns)
        for pending, values in zip(self._pending, columns, strict=True):
            pending.extend(values)
        self._ids.extend(ids)
        self._bytes += len(body)
        if len(self._ids) >= CHUNK_ROWS or self._bytes >= CHUNK_BYTES:
            rows = len(self._ids)
            if not self._flush():
                raise UnstableReadError(f"the last {rows:,} rows had all come before")
        return ids

    def flush(self) -> None:
        """Hand on what is waiting."""
        if self._ids:
            self._flush()

    def _flush(self) -> bool:
        """Hand on what is waiting and return whether there was anything new in it."""
        new = self.seen.add(self._ids)
        table = pa.Table.from_arrays(list(map(text_array, self._pending)), schema=self._fields.schema)
        for pending in self._pending:
            pending.clear()
        self._ids, self._bytes = [], 0
        if not new.all():
            self.duplicate_rows += int(len(table) - np.count_nonzero(new))
            table = table.filter(pa.array(new))
        self._hand_on(table)
        return bool(new.any())

    def _hand_on(self, table: pa.Table) -> None:
        without_id = table.column(self._fields.id_column).null_count
        if without_id:
            self.without_id += without_id
            table = table.filter(pc.is_valid(table.column(self._fields.id_column)))
        position = table.schema.get_field_index(self._fields.tenant_column)
        ours = pc.fill_null(pc.equal(table.column(position), self._tenant_id), fill_value=True)
        foreign = table.slice(0, 0)
        if not pc.all(ours).as_py():
            table, foreign = table.filter(ours), table.filter(pc.invert(ours))
        tenant = pa.repeat(pa.scalar(self._tenant_id, pa.string()), len(table))
        self.rows += len(table)
        self.foreign_rows += len(foreign)
        self._keep(table.set_column(position, self._fields.tenant_column, tenant), foreign)
        logger.info("%s: %s rows read", self._what, f"{len(self.seen):,}")

    def _columns(self, body: bytes) -> Columns:
        try:
            return self._decoder.columns(body)
        except ResponseFormatError as error:
            raise UnstableReadError(str(error)) from None
