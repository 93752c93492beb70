"""Reading columns of tables as whole arrays."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def column(table: pa.Table, name: str) -> pa.Array:
    """Return a column as one array."""
    return table.column(name).combine_chunks()


def in_tenant(table: pa.Table, tenant: str, name: str) -> pa.Array:
    """Return one text a row that stands for an id within its tenant; null where the id is missing."""
    return pc.binary_join_element_wise(column(table, tenant), column(table, name), "\x1f")
