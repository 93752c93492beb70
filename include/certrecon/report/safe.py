"""Makes foreign text harmless: on one line, without control characters, no formula in a spreadsheet."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

# Control characters, line and paragraph separators, and marks that turn the direction of writing.
_UNSEEN = "\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
_PYTHON_UNSEEN = re.compile(rf"\s*[{_UNSEEN}]+\s*")
_ARROW_UNSEEN = r"\s*[\x00-\x1f\x7f-\x{9f}\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}\x{feff}]+\s*"
# What a spreadsheet takes for a formula, in full width as well.
_FORMULA = r"^[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
_CONTROL = r"^[\x00-\x1f\x7f-\x{9f}]"


def one_line(text: str) -> str:
    """Return `text` on one line, each run of control characters as one space."""
    return _PYTHON_UNSEEN.sub(" ", text).strip()


def one_line_column(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return a string column as `one_line` does."""
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(column, _ARROW_UNSEEN, " "))


def one_line_table(table: pa.Table) -> pa.Table:
    """Return a table with all of its string columns as `one_line` does."""
    columns = [one_line_column(column) if pa.types.is_string(column.type) else column for column in table.columns]
    return pa.table(columns, names=table.column_names)


def cells(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return a string column as cells that no spreadsheet takes for a formula.

    What starts like one, or with a control character, gets a leading apostrophe.
    """
    clean = one_line_column(column)
    risky = pc.or_(pc.match_substring_regex(clean, _FORMULA), pc.match_substring_regex(column, _CONTROL))
    return pc.if_else(risky, pc.binary_join_element_wise("'", clean, ""), clean)


def joined(columns: list[pa.ChunkedArray | pa.Array], separator: str) -> pa.ChunkedArray | pa.Array:
    """Return string columns joined row by row, nulls left out; empty where all are null.

    Arrow's own way to leave nulls out loses the rows in which there is nothing else.
    """
    parts = [pc.fill_null(pc.binary_join_element_wise(separator, column, ""), "") for column in columns]
    return pc.utf8_slice_codeunits(pc.binary_join_element_wise(*parts, ""), len(separator))
