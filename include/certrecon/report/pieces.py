"""Columns of large tables, whose texts may be coded (`certrecon.claims.coded`), without copies that nobody needs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import NONE, Coded, Codes, pair_numbers

Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
"""Places of rows in another table; -1 where there is none."""

_NO_NUMBER = -(2**31)

KEY = ("employee_number", "certificate_type")


def piece(table: pa.Table, name: str) -> pa.Array:
    """Return a column as one array."""
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def in_tenant(table: pa.Table, tenant: str, name: str) -> pa.Array:
    """Return one text a row that stands for an id within its tenant; null where the id is missing."""
    return pc.binary_join_element_wise(piece(table, tenant), piece(table, name), "\x1f")


def plain(table: pa.Table) -> pa.Table:
    """Return a table with its coded texts as texts, each column in one piece."""
    fields = [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in table.schema]
    return table.cast(pa.schema(fields)).combine_chunks()


def coded(table: pa.Table, name: str) -> Coded:
    """Return a column of texts as codes."""
    return Coded.of(piece(table, name))


def truths(mask: pa.Array | pa.ChunkedArray) -> Bools:
    """Return a mask without nulls, which count as false."""
    return np.asarray(pc.fill_null(mask, False))


def among(table: pa.Table, name: str, values: Iterable[str]) -> Bools:
    """Return in which rows a column of texts has one of some values."""
    return truths(pc.is_in(piece(table, name), value_set=pa.array([str(value) for value in values], pa.string())))


def as_numbers(left: pa.Table, right: pa.Table, name: str, *, empty_is_none: bool = False) -> tuple[Codes, Codes]:
    """Return a column of both tables as numbers: equal where the values are equal, `NONE` where there is no text.

    Args:
        left: A table.
        right: A table with the same column.
        name: The column.
        empty_is_none: Whether an empty text counts as none.
    """
    kind = left.schema.field(name).type
    if pa.types.is_date(kind) or pa.types.is_boolean(kind):
        days = (piece(table, name).cast(pa.int32()) for table in (left, right))
        then, now = (np.asarray(pc.fill_null(own, _NO_NUMBER)) for own in days)
        return then, now
    texts = (piece(table, name) for table in (left, right))
    joined = (pc.binary_join(own, " ") for own in texts) if pa.types.is_list(kind) else texts
    mine, theirs = Coded.joined(*map(Coded.of, joined))
    empty = pc.index(mine.texts, "").as_py() if empty_is_none else -1
    then, now = (np.where(own.codes == empty, np.int32(NONE), own.codes) for own in (mine, theirs))
    return then, now


def places_of(values: pa.Array, others: pa.Array) -> Places:
    """Return the place of each value among others; null is nowhere."""
    return np.asarray(pc.fill_null(pc.index_in(values, value_set=others, skip_nulls=True), -1)).astype(np.int64)


def places_by_key(table: pa.Table, others: pa.Table, key: tuple[str, str] = KEY) -> Places:
    """Return the place of each row's key in another table, -1 where it is nowhere or one of its texts is missing."""
    theirs, own = pair_numbers(*((coded(one, key[0]), coded(one, key[1])) for one in (others, table)))
    return places_of(own, theirs)
