"""Arrow tables into PostgreSQL as binary COPY: neither side spells, quotes or parses anything.

For the tables that grow most; `bulk` takes any.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from sqlalchemy import Connection

from certrecon.warehouse.ahead import ahead
from certrecon.warehouse.engine import driver
from certrecon.warehouse.tables import JSON_COLUMNS, SCHEMA

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_JSONB_VERSION = b"\x01"
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MICROSECONDS_BEFORE_EPOCH = int(_EPOCH.timestamp()) * 1_000_000
_DAYS_BEFORE_EPOCH = (_EPOCH.date() - dt.date(1970, 1, 1)).days
_TEXT = 25
_ITEM = b"\xff"
_ROWS_A_BLOCK = 8_192


def copy_binary_in(conn: Connection, table_name: str, rows: pa.Table, shared: Mapping[str, str | int]) -> None:
    """Append rows to a table of the warehouse, by column name.

    Args:
        conn: A connection in a transaction.
        table_name: The table.
        rows: Storable rows (`storable`): texts and lists of texts, digests, days, instants in microseconds, truth
            values, 32 and 64 bit numbers, each of the width that its column has; JSON is text that is never missing,
            or bytes (`jsonb_bytes`).
        shared: Columns in which all rows have the same text or 64 bit number.
    """
    if rows.num_rows:
        copy_binary_blocks_in(conn, table_name, rows.column_names, iter([rows]), shared)


def copy_binary_blocks_in(
    conn: Connection, table_name: str, names: Sequence[str], blocks: Iterator[pa.Table], shared: Mapping[str, str | int]
) -> None:
    """Append blocks of rows with columns `names`, as `copy_binary_in` does; while one is sent the next is made."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(SCHEMA, table_name),
        sql.SQL(", ").join(map(sql.Identifier, [*shared, *names])),
    )
    with driver(conn).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEAD)
        for data in ahead(data for rows in blocks for data in _blocks(rows.select(names), shared)):
            copy.write(data)
        copy.write(_END)


def jsonb_bytes(column: pa.Array) -> pa.Array:
    """Return a column of JSON text, in which null is missing, as bytes for `copy_binary_in`."""
    return pc.binary_join_element_wise(pa.scalar(_JSONB_VERSION), column.cast(pa.binary()), pa.scalar(b""))


def _blocks(rows: pa.Table, shared: Mapping[str, str | int]) -> Iterator[pa.Buffer]:
    width = len(shared) + rows.num_columns
    begin = width.to_bytes(2, "big") + b"".join(map(_shared_field, shared.values()))
    for start in range(0, rows.num_rows, _ROWS_A_BLOCK):
        block = rows.slice(start, _ROWS_A_BLOCK)
        fields = [part for name in block.column_names for part in _fields(block.column(name).combine_chunks(), name)]
        yield _content(pc.binary_join_element_wise(pa.scalar(begin, pa.binary()), *fields, pa.scalar(b"")))


def _shared_field(value: str | int) -> bytes:
    data = value.encode() if isinstance(value, str) else value.to_bytes(8, "big", signed=True)
    return len(data).to_bytes(4, "big") + data


def _fields(column: pa.Array, name: str) -> list[pa.Array | pa.Scalar]:
    """Return a column in parts which, put behind each other, are its fields."""
    if pa.types.is_string(column.type):
        return _text_fields(column, _JSONB_VERSION if name in JSON_COLUMNS else b"")
    if pa.types.is_list(column.type):
        return _text_fields(_array_values(column), b"")
    if pa.types.is_binary(column.type):
        return _text_fields(column, b"")
    if pa.types.is_fixed_size_binary(column.type):
        return _text_fields(column.cast(pa.binary()), b"")
    return [_number_fields(_as_numbers(column))]


def _as_numbers(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return pc.subtract(column.cast(pa.int64()), _MICROSECONDS_BEFORE_EPOCH)
    if pa.types.is_date32(column.type):
        return pc.subtract(column.cast(pa.int32()), pa.scalar(_DAYS_BEFORE_EPOCH, pa.int32()))
    return column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column


def _array_values(lists: pa.Array) -> pa.Array:
    """Return each list of texts as the value of an array; few are distinct, and only those are spelled."""
    # No text holds the byte that parts the items, and one stands before the first, so that none and one empty differ.
    items = pc.binary_join_element_wise(pa.scalar(_ITEM), lists.flatten().cast(pa.binary()), pa.scalar(b""))
    offsets = pc.subtract(lists.offsets, lists.offsets[0])
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, items, mask=lists.is_null()), pa.scalar(b""))
    coded = joined.dictionary_encode()
    return pa.array(map(_array_value, coded.dictionary.to_pylist()), pa.binary()).take(coded.indices)


def _array_value(joined: bytes) -> bytes:
    """Return the binary value of `text[]`: dimensions, no nulls, the items' type, their number from 1 on, the items."""
    items = joined.split(_ITEM)[1:]
    sized = b"".join(len(item).to_bytes(4, "big") + item for item in items)
    return struct.pack(">iii", bool(items), 0, _TEXT) + (struct.pack(">ii", len(items), 1) + sized if items else b"")


def _text_fields(column: pa.Array, begin: bytes) -> list[pa.Array | pa.Scalar]:
    if not begin:
        lengths = pc.fill_null(pc.binary_length(column), -1)
        return [_fixed(lengths.to_numpy().astype(">i4")), pc.fill_null(column.cast(pa.binary()), b"")]
    if column.null_count:
        message = "JSON is never missing in a table that is copied so."
        raise ValueError(message)
    lengths = pc.add(pc.binary_length(column), len(begin))
    return [_fixed(lengths.to_numpy().astype(">i4")), pa.scalar(begin), column.cast(pa.binary())]


def _number_fields(column: pa.Array) -> pa.Array:
    values = pc.fill_null(column, 0).to_numpy()
    width = values.dtype.itemsize
    fields = np.empty(len(values), [("length", ">i4"), ("value", f">i{width}")])
    fields["length"], fields["value"] = width, values
    written = _fixed(fields)
    return pc.if_else(column.is_valid(), written, pa.scalar(_NULL)) if column.null_count else written


def _fixed(values: np.ndarray) -> pa.Array:
    kind = pa.binary(values.dtype.itemsize)
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(values), [None, pa.py_buffer(values.tobytes())]).cast(
        pa.binary()
    )


def _content(texts: pa.Array) -> pa.Buffer:
    """Return all values of an array behind each other."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)
    first, last = int(offsets[texts.offset]), int(offsets[texts.offset + len(texts)])
    return texts.buffers()[2].slice(first, last - first)
