"""Which rows are about HEALTH: their names never reach a file (design, *Extraction*, what is dropped)."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.words import HEALTH


def is_health_type(action_type: object) -> bool:
    """Return whether one action type means HEALTH, however it is written; what merely names it counts too."""
    return HEALTH in str(action_type).upper()


def health_rows(table: pa.Table) -> pa.ChunkedArray:
    """Return for each row whether its own `action_type` is HEALTH, however it is written.

    What merely names it (a list, an object, a longer word) counts too: a name too few harms nobody.
    """
    types = pc.utf8_upper(table.column("action_type"))
    return pc.fill_null(pc.match_substring(types, HEALTH), fill_value=False)


def without_names(table: pa.Table, health: pa.ChunkedArray | pa.Array, columns: Iterable[str]) -> pa.Table:
    """Return the table with these columns null where `health` is true."""
    for column in columns:
        position = table.schema.get_field_index(column)
        cleaned = pc.if_else(health, pa.scalar(None, pa.string()), table.column(position))
        table = table.set_column(position, table.schema.field(position), cleaned)
    return table
