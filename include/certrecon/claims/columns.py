"""Reading columns of tables as whole arrays."""

from __future__ import annotations

import pyarrow as pa


def column(table: pa.Table, name: str) -> pa.Array:
    """Return a column as one array."""
    return table.column(name).combine_chunks()
