from __future__ import annotations

import pyarrow as pa
import pytest

from certrecon.report.safe import cells, joined, one_line, one_line_column

CELLS = {
    "formula": ("=1+1", "'=1+1"),
    "plus": ("+47 900", "'+47 900"),
    "minus": ("-1", "'-1"),
    "at": ("@SUM(A1)", "'@SUM(A1)"),
    "full width": ("＝1+1", "'＝1+1"),
    "formula behind a space": (" =1", "'=1"),
    "formula behind a space that does not break": ("\u00a0=1", "'=1"),
    "formula behind a tab": ("\t=1", "'=1"),
    "formula behind a mark of direction": ("\u202e=1", "'=1"),
    "formula behind a byte order mark": ("\ufeff=1", "'=1"),
    "tab": ("\tword", "'word"),
    "carriage return": ("\rword", "'word"),
    "null character": ("\x00word", "'word"),
    "line break inside": ("one\r\ntwo", "one two"),
    "escape sequence": ("red \x1b[31mtext", "red [31mtext"),
    "harmless": ("Kari Nordmann", "Kari Nordmann"),
    "harmless sign inside": ("a=b", "a=b"),
    "leading zeros": ("0007", "0007"),
    "composed letters": ("Łódź Ås", "Łódź Ås"),
    "empty": ("", ""),
    "null": (None, None),
}


@pytest.mark.parametrize(("text", "cell"), CELLS.values(), ids=CELLS)
def test_cells(text: str | None, cell: str | None) -> None:
    assert cells(pa.array([text], pa.string())).to_pylist() == [cell]


@pytest.mark.parametrize("text", [text for text, _ in CELLS.values() if text is not None])
def test_text_and_column_are_cleaned_alike(text: str) -> None:
    assert one_line_column(pa.array([text])).to_pylist() == [one_line(text)]


def test_joining_keeps_rows_in_which_everything_is_null() -> None:
    left, right = pa.array([None, "a", None, "c"]), pa.array([None, None, "b", "d"])
    assert joined([left, right], "; ").to_pylist() == ["", "a", "b", "c; d"]
