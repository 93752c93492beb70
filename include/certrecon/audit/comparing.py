"""Two tables that should be the same, compared row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.warehouse.digests import row_digests

MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between what a run left and what its evidence gives again.

    Attributes:
        table: The table or file.
        key: Which row, empty where it is the whole file.
        column: Which column, empty where the row is on one side only.
        was: What the run left.
        again: What comes out now.
    """

    table: str
    key: str
    column: str
    was: str
    again: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing a table came to.

    Attributes:
        table: The table or file.
        rows: How many rows the run left, 1 for a file.
        differing: How many rows differ or are on one side only.
        differences: The first of them.
    """

    table: str
    rows: int
    differing: int
    differences: tuple[Difference, ...]


def compare_tables(name: str, key: Sequence[str], was: pa.Table, again: pa.Table) -> Comparison:
    """Compare two tables whatever the order of their rows.

    Args:
        name: What they hold.
        key: The columns that name a row.
        was: What the run left.
        again: What comes out now; the same columns.
    """
    was = _plain(was)
    again = again.select(was.column_names).cast(was.schema)
    if was.equals(again):
        return Comparison(name, was.num_rows, 0, ())
    gone, new = _only(was, again), _only(again, was)
    before, after = _by_key(gone, key), _by_key(new, key)
    keys = sorted(before.keys() | after.keys())
    differences = [one for each in keys[:MOST_NAMED] for one in _row(name, each, before.get(each), after.get(each))]
    lost = _multiplicity(name, was, again) if not keys else ()
    return Comparison(name, was.num_rows, len(keys) + len(lost), (*differences, *lost))


def _plain(table: pa.Table) -> pa.Table:
    """Return a table with its coded columns as texts: the same texts may be numbered otherwise."""
    coded = pa.types.is_dictionary
    fields = [field.with_type(field.type.value_type) if coded(field.type) else field for field in table.schema]
    return table.cast(pa.schema(fields))


def compare_content(name: str, was: object, again: object) -> Comparison:
    """Compare two files or values as a whole."""
    if was == again:
        return Comparison(name, 1, 0, ())
    difference = Difference(name, "", "", *_where_differing(was, again))
    return Comparison(name, 1, 1, (difference,))


def _texts(table: pa.Table) -> pa.Table:
    """Return the table with every column as text, so that each row has a digest."""
    columns = []
    for column in table.columns:
        whole = column.combine_chunks()
        plain = pa.array([]) if not len(whole) else whole
        listed = pa.types.is_list(column.type) and not pa.types.is_string(column.type.value_type)
        columns.append(plain.cast(pa.list_(pa.string())) if listed and len(whole) else whole)
    return pa.table(columns, names=table.column_names)


def _only(some: pa.Table, others: pa.Table) -> pa.Table:
    mine, theirs = (row_digests(_texts(table)).cast(pa.binary()) for table in (some, others))
    return some.filter(pc.invert(pc.is_in(mine, value_set=theirs)))


def _by_key(rows: pa.Table, key: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {", ".join(str(row[name]) for name in key): row for row in rows.to_pylist()}


def _row(name: str, key: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[Difference]:
    if before is None or after is None:
        return [Difference(name, key, "", "there" if before else "not there", "there" if after else "not there")]
    return [
        Difference(name, key, column, str(before[column]), str(after[column]))
        for column in before
        if before[column] != after[column]
    ]


def _multiplicity(name: str, was: pa.Table, again: pa.Table) -> tuple[Difference, ...]:
    """Return the difference of tables whose rows are the same ones, but not as many."""
    if was.num_rows == again.num_rows:
        return ()
    return (Difference(name, "", "", f"{was.num_rows} rows", f"{again.num_rows} rows"),)


def _where_differing(was: object, again: object) -> tuple[str, str]:
    if not isinstance(was, bytes) or not isinstance(again, bytes):
        return str(was)[:200], str(again)[:200]
    pairs = enumerate(zip(was, again, strict=False))
    place = next((at for at, (one, other) in pairs if one != other), min(len(was), len(again)))
    start = max(place - 20, 0)
    return _shown(was, start), _shown(again, start)


def _shown(content: bytes, start: int) -> str:
    return f"from byte {start} of {len(content)}: {content[start : start + 60].decode('utf-8', 'replace')!r}"
