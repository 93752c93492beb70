"""Texts as the warehouse keeps them: what is held against claims that it gave back is brought into the same form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from certrecon.claims.coded import Coded
from certrecon.report.pieces import piece
from certrecon.warehouse.storable import storable

TEXTS: Final = (
    "certificate_id", "certificate_type", "tenant_id", "resource_id", "person_name", "employee_number",
)  # fmt: skip
"""The texts of claims that are compared with the claims before."""


def as_stored(table: pa.Table, names: Iterable[str] = TEXTS) -> pa.Table:
    """Return a table with some of its columns of texts as the warehouse would give them back.

    Most come back as they are. Of a coded column each distinct text is looked at once.

    Args:
        table: Any table.
        names: The columns; the warehouse shortens those that are keys to it, and it knows them by their names.
    """
    for name in names:
        column = piece(table, name)
        is_coded = pa.types.is_dictionary(column.type)
        texts = pa.table({name: column.dictionary if is_coded else column})
        stored = storable(texts)
        if stored is texts:
            continue
        kept = piece(stored, name)
        changed = Coded.of(column).changed(kept).to_arrow() if is_coded else kept
        table = table.set_column(table.column_names.index(name), name, changed)
    return table
