"""Gives out lists as files: CSV part by part as it is read, Excel up to the rows that a sheet takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
from starlette.responses import Response, StreamingResponse

from certrecon.report.csv_files import MARK, to_csv
from certrecon.report.sheets import MOST_ROWS, Column, Sheet, write_workbook
from certrecon_plugin.pages.warehouse import Warehouse

if TYPE_CHECKING:
    from sqlalchemy import Connection

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Reading = Callable[["Connection"], Iterator[pa.Table]]
"""Reads a list from the warehouse as tables of texts."""


def csv_download(warehouse: Warehouse, name: str, columns: Sequence[Column], read: Reading) -> Response:
    """Return a CSV file that is sent while it is read, in one transaction.

    Args:
        warehouse: Where it is read.
        name: The file's name.
        columns: Its columns.
        read: Reads the rows.

    Raises:
        CertreconError: What the first rows cannot be read for; later the answer breaks off.
    """
    parts = _csv(warehouse, _nothing(columns), read)
    first = next(parts)  # before any header is sent, so that a mistake in the address is said in words
    return StreamingResponse(_chained(first, parts), media_type="text/csv; charset=utf-8", headers=attachment(name))


def excel_download(name: str, title: str, columns: Sequence[Column], tables: Iterable[pa.Table]) -> Response:
    """Return an Excel workbook of one sheet with as many rows as a sheet takes; it says when there are more.

    Args:
        name: The file's name.
        title: The sheet's title.
        columns: Its columns.
        tables: The rows.
    """
    kept, rows = [_nothing(columns)], 0
    for table in tables:
        kept.append(table)
        rows += table.num_rows
        if rows > MOST_ROWS:
            break
    sheet = Sheet(title, tuple(columns), pa.concat_tables(kept))
    book = write_workbook([sheet], dt.datetime.now(dt.UTC).date())
    return Response(book, media_type=EXCEL, headers=attachment(name))


def attachment(name: str) -> dict[str, str]:
    """Return the headers by which a browser saves an answer as a file."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _csv(warehouse: Warehouse, nothing: pa.Table, read: Reading) -> Iterator[bytes]:
    with warehouse.reading() as conn:
        tables = read(conn)
        first = next(tables, nothing)
        yield to_csv(first if first.num_rows else nothing)
        for table in tables:
            yield to_csv(table)[len(MARK) :].partition(b"\r\n")[2]


def _chained(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _nothing(columns: Sequence[Column]) -> pa.Table:
    return pa.table({column.name: pa.array([], pa.string()) for column in columns})
