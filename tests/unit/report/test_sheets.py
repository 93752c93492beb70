from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pyarrow as pa
import pytest

from certrecon.report import sheets
from certrecon.report.sheets import Column, Sheet, columns_of, write_workbook

DAY = dt.date(2026, 11, 23)

TEXTS = {
    "formula": ("=1+1", "=1+1"),
    "plus": ("+47 900 00 000", "+47 900 00 000"),
    "minus": ("-1", "-1"),
    "at": ("@SUM(A1)", "@SUM(A1)"),
    "number": ("0007", "0007"),
    "address": ("https://example.invalid/", "https://example.invalid/"),
    "day": ("2026-01-02", "2026-01-02"),
    "control": ("\x00=1\x1f+2\r\n3", "=1 +2 3"),
    "no XML": ("a\ufffe\uffffb", "ab"),
    "markup": ("<b>&amp;</b>", "<b>&amp;</b>"),
    "markup of the library": ("<r><t>injected</t></r>", "<r><t>injected</t></r> "),
    "escape of Excel": ("_x0041_", "_x0041_"),
    "long": ("x" * 40_000, "x" * 32_766),
    "letters": ("Łukasz 🏗", "Łukasz 🏗"),
}


def book_of(*own: Sheet) -> Any:
    return openpyxl.load_workbook(io.BytesIO(write_workbook(own, DAY)))


def sheet_of(table: pa.Table, **other: Any) -> Sheet:
    return Sheet("One", columns_of(table, {}), table, **other)


@pytest.mark.parametrize(("text", "shown"), TEXTS.values(), ids=TEXTS)
def test_text_is_text(text: str, shown: str) -> None:
    cell = book_of(sheet_of(pa.table({"name": [text]})))["One"]["A2"]
    value = cell.value.replace("_x005F_", "_")
    assert (value, cell.data_type, cell.hyperlink) == (shown, "s", None)


VALUES = {
    "day": (pa.array([DAY]), dt.datetime.fromisoformat("2026-11-23"), "yyyy-mm-dd"),
    "early day": (pa.array([dt.date(1899, 1, 1)]), "1899-01-01", "General"),
    "time": (
        pa.array([dt.datetime(2026, 11, 23, 4, 5, 6, 7, tzinfo=dt.UTC)]),
        dt.datetime.fromisoformat("2026-11-23 04:05:06"),
        "yyyy-mm-dd hh:mm:ss",
    ),
    "count": (pa.array([1_000_000]), 1_000_000, "#,##0"),
    "yes": (pa.array([True]), "yes", "General"),
    "list": (pa.array([["A", "B"]]), "A, B", "General"),
    "nothing": (pa.array([None], pa.string()), None, "General"),
    "no day": (pa.array([None], pa.date32()), None, "General"),
}


@pytest.mark.parametrize(("column", "value", "shape"), VALUES.values(), ids=VALUES)
def test_values_keep_their_kind(column: pa.Array, value: object, shape: str) -> None:
    cell = book_of(sheet_of(pa.table({"it": column})))["One"]["A2"]
    assert (cell.value, cell.number_format) == (value, shape)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-02", dt.datetime.fromisoformat("2026-01-02")),
        ("2025-02-31", "2025-02-31"),
        ("20260102", "20260102"),
        ("0001-01-01", "0001-01-01"),
        ("=1", "=1"),
        (None, None),
    ],
)
def test_days_that_are_text_become_days_where_they_are_days(text: str | None, value: object) -> None:
    table = pa.table({"issued_on": pa.array([text], pa.string())})
    cell = book_of(Sheet("One", columns_of(table, {}, ["issued_on"]), table))["One"]["A2"]
    assert cell.value == value
    assert cell.is_date is isinstance(value, dt.datetime)


def test_a_sheet_is_ready_to_work_with() -> None:
    table = pa.table({"person_name": ["Kari", "Ola"], "claims": [1, 2]})
    page = book_of(Sheet("One", columns_of(table, {"person_name": 30}), table))["One"]
    assert [cell.value for cell in page[1]] == ["Person name", "Claims"]
    assert page["A1"].font.bold
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:B3"
    assert page.column_dimensions["A"].width == pytest.approx(30, abs=1)
    assert page.page_setup.orientation == "landscape"
    assert page.print_title_rows == "$1:$1"


def test_only_the_chosen_columns_are_shown() -> None:
    table = pa.table({"a": [1], "b": [2]})
    page = book_of(Sheet("One", (Column("b", "Second"),), table))["One"]
    assert [[cell.value for cell in row] for row in page] == [["Second"], [2]]


def test_a_long_list_says_how_much_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    page = book_of(sheet_of(pa.table({"n": list(range(1_003))})))["One"]
    assert [cell.value for cell in page["A"]] == ["N", 0, 1, 2, "... and 1,000 more, the CSV has all"]
    assert page.auto_filter.ref == "A1:A4"


@pytest.mark.parametrize(
    ("table", "total", "last"),
    [
        (pa.table({"n": pa.array([], pa.int64())}), None, "None."),
        (pa.table({"n": [1]}), 2, "... and 1 more, the CSV has all"),
        (pa.table({"n": [1]}), 1, 1),
    ],
    ids=["empty", "only the first", "all"],
)
def test_its_last_line(table: pa.Table, total: int | None, last: object) -> None:
    assert book_of(sheet_of(table, total=total))["One"]["A"][-1].value == last


def test_rows_keep_their_order_over_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_BATCH", 2)
    page = book_of(sheet_of(pa.table({"n": list(range(5))})))["One"]
    assert [cell.value for cell in page["A"]] == ["N", 0, 1, 2, 3, 4]


def test_the_same_tables_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = sheet_of(pa.table({"n": [1], "d": [DAY]}))
    assert write_workbook([sheet], DAY) == write_workbook([sheet], DAY)
    files = zipfile.ZipFile(io.BytesIO(write_workbook([sheet], DAY)))
    assert "2026-11-23T00:00:00Z" in files.read("docProps/core.xml").decode()
    assert {info.date_time[:3] for info in files.infolist()} == {(1980, 1, 31)}


def test_every_part_is_xml() -> None:
    every = sheet_of(pa.table({"text": [text for text, _ in TEXTS.values()]}))
    files = zipfile.ZipFile(io.BytesIO(write_workbook([every], DAY)))
    for name in files.namelist():
        assert ET.fromstring(files.read(name)) is not None  # noqa: S314 - our own
