"""Writes tables as an Excel workbook: one sheet a table, real dates, and no cell that could be a formula.

The report of a run and the downloads of the pages in Airflow are written with it.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.report.safe import one_line_column

if TYPE_CHECKING:
    from xlsxwriter.format import Format  # type: ignore[import-untyped]
    from xlsxwriter.workbook import Workbook  # type: ignore[import-untyped]
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

MOST_ROWS: Final = 50_000
"""How many rows of a table a sheet holds."""

MOST_CHARACTERS: Final = 32_767
"""How many characters Excel takes in a cell."""

Cell = str | int | float | dt.date | dt.datetime | None

_ISO_DAY = r"^\d{4}-\d{2}-\d{2}$"
_FIRST_DAY = dt.date(1900, 3, 1)  # Excel takes 1900 for a leap year: earlier days would be other days there
_BATCH = 4_096
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet.

    Attributes:
        name: The table's column.
        title: What stands above it.
        width: Its width in characters.
        day: Whether it holds days as text: what is a day becomes a date, anything else stays the text it is.
    """

    name: str
    title: str
    width: int = 16
    day: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    r"""A sheet of a workbook.

    Attributes:
        title: Its name: at most 31 characters, none of `[ ] : * ? / \`, unlike every other of the workbook.
        columns: What it shows, from the left.
        table: The rows. Strings, numbers, booleans, days, times (shown in UTC) and lists of strings can be shown.
        rest: Where the rows beyond `MOST_ROWS` are, in words.
        nothing: What stands there where there are no rows.
        total: How many rows there are, where `table` holds only the first of them.
    """

    title: str
    columns: tuple[Column, ...]
    table: pa.Table
    rest: str = "the CSV has all"
    nothing: str = "None."
    total: int | None = None

    @property
    def rows(self) -> int:
        """How many rows it shows."""
        return min(int(self.table.num_rows), MOST_ROWS)

    @property
    def more(self) -> int:
        """How many rows it leaves out."""
        return max(int(self.table.num_rows), self.total or 0) - self.rows


def columns_of(table: pa.Table, widths: Mapping[str, int], days: Iterable[str] = ()) -> tuple[Column, ...]:
    """Return all columns of a table, their names in words above them.

    Args:
        table: The table.
        widths: Widths in characters by column; 16 where nothing is said.
        days: The columns that hold days as text.
    """
    as_text = frozenset(days)
    return tuple(
        Column(name, (name[:1].upper() + name[1:]).replace("_", " "), widths.get(name, 16), name in as_text)
        for name in table.column_names
    )


def _texts(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return strings as Excel can hold them: on one line, not too long, nothing that XML forbids.

    XlsxWriter takes a text from `<r>` to `</r>` for markup of its own; with a space behind it stays text.
    """
    clean = one_line_column(pc.replace_substring_regex(column, r"[\x{fffe}\x{ffff}]", ""))
    short = pc.utf8_slice_codeunits(clean, 0, MOST_CHARACTERS - 1)
    return pc.replace_substring_regex(short, "^(<r>.*</r>)$", r"\1 ")


def _day(text: str) -> Cell:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return text  # such as the 31st of February, as it was received
    return day if day >= _FIRST_DAY else text


def _days(column: pa.ChunkedArray | pa.Array) -> list[Cell]:
    """Return strings that are days as days; each distinct string is looked at once."""
    encoded = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    encoded = encoded.combine_chunks().dictionary_encode()
    shaped = pc.match_substring_regex(encoded.dictionary, _ISO_DAY).to_pylist()
    distinct = [_day(text) if own else text for text, own in zip(encoded.dictionary.to_pylist(), shaped, strict=True)]
    return [None if place is None else distinct[place] for place in encoded.indices.to_pylist()]


def _values(column: pa.ChunkedArray, *, day: bool) -> list[Cell]:
    """Return a column as the values of its cells."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "yes", "no").to_pylist()  # type: ignore[no-any-return]
    if pa.types.is_timestamp(kind):
        seconds = column.cast(pa.timestamp("s", "UTC"), safe=False)
        return [value and value.replace(tzinfo=None) for value in seconds.to_pylist()]
    if pa.types.is_date(kind):
        return _days(column.cast(pa.string()))
    if pa.types.is_list(kind):
        column = pc.binary_join(column, ", ")
    elif not pa.types.is_string(kind):
        return column.to_pylist()  # type: ignore[no-any-return]
    return _days(_texts(column)) if day else _texts(column).to_pylist()


def _batches(sheet: Sheet) -> Iterator[tuple[int, list[list[Cell]]]]:
    """Yield the rows as columns of cells, not too many at once, each with the place of its first row."""
    for start in range(0, sheet.rows, _BATCH):
        rows = sheet.table.slice(start, min(_BATCH, sheet.rows - start))
        yield start, [_values(rows.column(column.name), day=column.day) for column in sheet.columns]


@dataclass(frozen=True, slots=True)
class _Formats:
    head: Format
    day: Format
    time: Format
    count: Format
    note: Format


def _formats(book: Workbook) -> _Formats:
    head = {"bold": True, "bg_color": "#E7ECE9", "bottom": 1, "text_wrap": True, "valign": "top"}
    return _Formats(
        book.add_format(head),
        book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
        book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"}),
        book.add_format({"num_format": "#,##0"}),
        book.add_format({"italic": True}),
    )


def _write_cell(page: Worksheet, row: int, place: int, value: Cell, formats: _Formats) -> None:
    if isinstance(value, str):
        page.write_string(row, place, value)
    elif isinstance(value, dt.datetime):
        page.write_datetime(row, place, value, formats.time)
    elif isinstance(value, dt.date):
        page.write_datetime(row, place, value, formats.day)
    elif value is not None:
        page.write_number(row, place, value, formats.count)


def _write_rows(page: Worksheet, sheet: Sheet, formats: _Formats) -> None:
    for start, columns in _batches(sheet):
        for row, values in enumerate(zip(*columns, strict=True), start + 1):
            for place, value in enumerate(values):
                _write_cell(page, row, place, value, formats)
    if not sheet.rows:
        page.write_string(1, 0, sheet.nothing, formats.note)
    elif sheet.more:
        page.write_string(sheet.rows + 1, 0, f"... and {sheet.more:,} more, {sheet.rest}", formats.note)


def _write_sheet(book: Workbook, sheet: Sheet, formats: _Formats) -> None:
    page = book.add_worksheet(sheet.title)
    last = len(sheet.columns) - 1
    page.freeze_panes(1, 0)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, column.width)
        page.write_string(0, place, column.title, formats.head)
    if sheet.columns:
        page.autofilter(0, 0, sheet.rows, last)
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{sheet.rows + 2}"})
    _write_rows(page, sheet, formats)


def write_workbook(sheets: Iterable[Sheet], created: dt.date) -> bytes:
    """Return an Excel workbook.

    Args:
        sheets: Its sheets in order, one at least.
        created: The day that it gives as its own, so that the same tables give the same bytes.
    """
    from xlsxwriter.workbook import Workbook  # noqa: PLC0415 - only those who write a workbook should wait for it

    with tempfile.TemporaryDirectory(prefix="certrecon-") as folder:
        path = Path(folder) / "workbook.xlsx"
        book = Workbook(str(path), {**_OPTIONS, "tmpdir": folder})
        book.set_properties({"created": dt.datetime.combine(created, dt.time(), dt.UTC), "author": "certrecon"})
        formats = _formats(book)
        for sheet in sheets:
            _write_sheet(book, sheet, formats)
        book.close()
        return path.read_bytes()
