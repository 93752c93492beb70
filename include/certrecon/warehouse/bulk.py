"""Arrow tables into PostgreSQL and back by COPY (measured: within a tenth of ready bytes)."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
from psycopg import sql
from sqlalchemy import Connection, text

from certrecon.warehouse.ahead import ahead
from certrecon.warehouse.engine import driver
from certrecon.warehouse.storable import array_literals, hex_literals, storable
from certrecon.warehouse.tables import SCHEMA, metadata

_ROWS_A_WRITE = 16_384
_BYTES_A_READ = 8 << 20
_WRITE = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
# Characters that hardly any text has: commas and quotation marks would have half of all text quoted and unquoted again.
_BETWEEN, _QUOTE = "\x1f", "\x1e"
_PARSE = pa_csv.ParseOptions(delimiter=_BETWEEN, quote_char=_QUOTE, newlines_in_values=True, ignore_empty_lines=False)
_READ_AS = sql.SQL("FORMAT csv, DELIMITER {}, QUOTE {}, ENCODING 'UTF8'").format(
    sql.Literal(_BETWEEN), sql.Literal(_QUOTE)
)


def copy_in(conn: Connection, table_name: str, rows: pa.Table) -> None:
    """Append `rows` to a table of the warehouse or to a temporary one, by column name.

    Null stays null and an empty text empty. Columns of JSON are given as text, arrays as lists of
    text, bytea as fixed-size binary. What PostgreSQL cannot hold is replaced (`storable`).
    """
    if rows.num_rows:
        _copy_in(conn, table_name, rows.column_names, _csv_blocks(storable(rows)))


def copy_out(
    conn: Connection, query: str, params: Mapping[str, Any] | Sequence[Any] | None, schema: pa.Schema
) -> pa.Table:
    """Return the result of `query` (psycopg placeholders) as a table of `schema`, columns by position.

    Lists of text are exact: nulls, quotes and commas inside come back as they are.
    """
    tables = list(copy_batches(conn, query, params, schema))
    return pa.concat_tables(tables).combine_chunks() if tables else schema.empty_table()


def copy_batches(
    conn: Connection, query: str, params: Mapping[str, Any] | Sequence[Any] | None, schema: pa.Schema
) -> Generator[pa.Table, None, None]:
    """Yield what `copy_out` returns, some megabytes at a time; nothing else may use `conn` until the last.

    Whoever may stop before the last closes it (`contextlib.closing`): until then the transaction cannot end.
    """
    columns = [_read_expression(field) for field in schema]
    names = sql.SQL(", ").join(map(sql.Identifier, schema.names))
    # The caller's query is code of this package; its values travel as parameters.
    statement = sql.SQL("COPY (SELECT {} FROM ({}) AS q ({})) TO STDOUT ({})").format(
        sql.SQL(", ").join(columns), sql.SQL(query), names, _READ_AS
    )
    with (
        driver(conn).cursor() as cursor,
        cursor.copy(statement, params) as copy,
        closing(ahead(_row_blocks(copy))) as blocks,
    ):
        for block in blocks:
            yield _parsed(block, schema)


def stage(conn: Connection, name: str, like: str, rows: pa.Table) -> None:
    """Make the temporary table `name` with the columns of `rows` in the warehouse table `like`, and fill it.

    It is gone at the end of the transaction.
    """
    names = ", ".join(rows.column_names)
    conn.execute(text(f"DROP TABLE IF EXISTS pg_temp.{name}"))
    shape = f"SELECT {names} FROM {SCHEMA}.{like} WITH NO DATA"  # noqa: S608 - names of this package
    conn.execute(text(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {shape}"))
    copy_in(conn, name, rows)
    conn.execute(text(f"ANALYZE pg_temp.{name}"))


def _copy_in(conn: Connection, table_name: str, names: Sequence[str], blocks: Iterator[pa.Buffer]) -> None:
    known = f"{SCHEMA}.{table_name}" in metadata.tables
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')").format(
        sql.Identifier(SCHEMA if known else "pg_temp", table_name),
        sql.SQL(", ").join(map(sql.Identifier, names)),
    )
    with driver(conn).cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            copy.write(block)


def _csv_blocks(rows: pa.Table) -> Iterator[pa.Buffer]:
    for start in range(0, rows.num_rows, _ROWS_A_WRITE):
        block = rows.slice(start, _ROWS_A_WRITE).combine_chunks()
        spelled = pa.table([_spelled(column) for column in block.columns], names=block.column_names)
        sink = pa.BufferOutputStream()
        pa_csv.write_csv(spelled, sink, _WRITE)
        yield sink.getvalue()


def _spelled(column: pa.ChunkedArray) -> pa.Array:
    """Return the column in a type that the CSV writer spells as PostgreSQL reads it."""
    values = column.combine_chunks()
    kind = values.type
    if pa.types.is_dictionary(kind):
        return values.dictionary_decode()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return array_literals(values)
    if pa.types.is_fixed_size_binary(kind):
        return hex_literals(values)
    return values.cast(pa.string()) if pa.types.is_null(kind) else values


def _read_expression(field: pa.Field) -> sql.Composable:
    # PostgreSQL's array literals have no vectorised reader; JSON has.
    shape = sql.SQL("array_to_json({})::text") if pa.types.is_list(field.type) else sql.SQL("{}")
    return shape.format(sql.Identifier(field.name))


def _row_blocks(copy: Any) -> Iterator[bytearray]:
    block = bytearray()
    # PostgreSQL sends whole rows, one a message, so a block never ends inside of one. Each is copied at once: rows that
    # are held until a block is full take twice the time.
    for row in copy:
        block += row
        if len(block) >= _BYTES_A_READ:
            yield block
            block = bytearray()
    if block:
        yield block


def _parsed(block: bytearray, schema: pa.Schema) -> pa.Table:
    plain = {field.name: pa.string() if pa.types.is_list(field.type) else field.type for field in schema}
    read = pa_csv.read_csv(
        pa.BufferReader(block),
        # One thread takes a third of the processor time that several take for blocks of this size.
        read_options=pa_csv.ReadOptions(column_names=schema.names, block_size=max(len(block), 1), use_threads=False),
        parse_options=_PARSE,
        convert_options=pa_csv.ConvertOptions(
            column_types=plain, null_values=[""], true_values=["t"], false_values=["f"],
            strings_can_be_null=True, quoted_strings_can_be_null=False,
        ),
    )  # fmt: skip
    columns = [
        _lists_from_json(read.column(field.name), field.type)
        if pa.types.is_list(field.type)
        else read.column(field.name)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _lists_from_json(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """Return JSON arrays as lists; few are distinct, and only those are parsed."""
    coded = pc.fill_null(column.combine_chunks(), "null").dictionary_encode()
    if not len(coded):
        return pa.array([], kind)
    lines = pc.binary_join_element_wise('{"v":', coded.dictionary, "}\n", "")
    content = "".join(lines.to_pylist()).encode()
    parsed = pa_json.read_json(
        io.BytesIO(content),
        read_options=pa_json.ReadOptions(block_size=max(len(content), 1)),
        parse_options=pa_json.ParseOptions(explicit_schema=pa.schema([("v", kind)])),
    )
    return parsed.column("v").combine_chunks().take(coded.indices)
