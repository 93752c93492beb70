"""Arrow tables into PostgreSQL as binary COPY: neither side spells, quotes or parses anything.

For the tables that grow most; `bulk` takes any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb
from psycopg import sql
from sqlalchemy import Connection

from certrecon.warehouse.ahead import ahead
from certrecon.warehouse.engine import driver
from certrecon.warehouse.tables import JSON_COLUMNS, SCHEMA

_ROWS_A_BLOCK = 8_192

Shared = Mapping[str, str | int]
"""Columns in which all rows have the same text or 64 bit number."""


def copy_binary_in(conn: Connection, table_name: str, rows: pa.Table, shared: Shared) -> None:
    """Append rows to a table of the warehouse, by column name.

    Args:
        conn: A connection in a transaction.
        table_name: The table.
        rows: Storable rows (`storable`): texts and lists of texts, JSON as text, digests, days, instants in
            microseconds, truth values, 32 and 64 bit numbers, each of the width that its column has.
        shared: Columns beside them.
    """
    copy_binary_blocks_in(conn, table_name, rows.schema, iter([rows]), shared)


def copy_binary_blocks_in(
    conn: Connection, table_name: str, schema: pa.Schema, blocks: Iterator[pa.Table], shared: Shared
) -> None:
    """Append blocks of rows of `schema`, as `copy_binary_in` does; while one is sent the next is made."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(SCHEMA, table_name),
        sql.SQL(", ").join(map(sql.Identifier, [*schema.names, *shared])),
    )
    encoder = _encoder(_beside(schema.empty_table(), shared).schema)
    with driver(conn).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encoder.write_header())
        for data in ahead(encoder.write_batch(batch) for rows in blocks for batch in _batches(rows, shared)):
            copy.write(data)
        copy.write(encoder.finish())


def _beside(rows: pa.Table, shared: Shared) -> pa.Table:
    for name, value in shared.items():
        rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
    return rows


def _batches(rows: pa.Table, shared: Shared) -> list[pa.RecordBatch]:
    return _beside(rows, shared).combine_chunks().to_batches(_ROWS_A_BLOCK)  # type: ignore[no-any-return]


def _encoder(schema: pa.Schema) -> ArrowToPostgresBinaryEncoder:
    inferred = {field.name: ArrowToPostgresBinaryEncoder.infer_encoder(field) for field in schema}
    texts = [field for field in schema if field.name in JSON_COLUMNS and pa.types.is_string(field.type)]
    as_json = {field.name: StringEncoderBuilder.new_with_output(field, Jsonb()) for field in texts}
    return ArrowToPostgresBinaryEncoder.new_with_encoders(schema, inferred | as_json)
