"""What PostgreSQL can hold, and how Arrow values are spelled for it.

PostgreSQL stores no U+0000 in text, no lone surrogate in JSON, and indexes nothing longer than a
third of a page. Vendors may send all three, and none may stop a load.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.warehouse.tables import JSON_COLUMNS

REPLACEMENT = "\ufffd"
MAX_KEY = 255
"""The longest text, in characters, that an indexed column holds as it is."""

_KEYS = frozenset({"certificate_id", "certificate_type", "tenant_id", "employee_number", "certificate_action_id"})
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SUSPICIOUS_JSON = r"\\u(0000|[dD][89a-fA-F])"


def storable(rows: pa.Table) -> pa.Table:
    """Return `rows` with every text as PostgreSQL can hold it; most tables come back as they are."""
    columns = [
        _storable_column(rows.column(name).combine_chunks(), name)
        if _holds_text(rows.schema.field(name).type)
        else None
        for name in rows.column_names
    ]
    for place, column in enumerate(columns):
        if column is not None:
            rows = rows.set_column(place, rows.column_names[place], column)
    return rows


def storable_text(text: str | None) -> str | None:
    """Return `text` with what PostgreSQL cannot hold replaced by U+FFFD."""
    return None if text is None else _UNSTORABLE.sub(REPLACEMENT, text)


def storable_json(value: object) -> str:
    """Return `value` as JSON text that PostgreSQL can hold."""
    return json.dumps(_storable_value(value), ensure_ascii=False, separators=(",", ":"))


def sorted_lists(lists: pa.ListArray) -> pa.ListArray:
    """Return a column of text lists with each list sorted; lists that are sorted already cost one look."""
    owners, values = pc.list_parent_indices(lists), lists.flatten()
    if len(values) < 2 or _is_sorted(owners, values):
        return lists
    order = pc.sort_indices(
        pa.table({"owner": owners, "value": values}),
        sort_keys=[("owner", "ascending"), ("value", "ascending")],
    )
    return _lists_like(lists, values.take(order))


def array_literals(lists: pa.ListArray) -> pa.StringArray:
    """Return a column of text lists as PostgreSQL's array literals (`{"a","b"}`)."""
    values = lists.flatten().cast(pa.string())
    escaped = pc.replace_substring(pc.replace_substring(values, "\\", "\\\\"), '"', '\\"')
    quoted = pc.binary_join_element_wise('"', escaped, '"', "")
    joined = pc.binary_join(_lists_like(lists, pc.fill_null(quoted, "NULL")), ",")
    return pc.binary_join_element_wise("{", joined, "}", "")


def hex_literals(values: pa.FixedSizeBinaryArray) -> pa.StringArray:
    r"""Return a column of digests as PostgreSQL's bytea literals (`\x00ff`)."""
    width, size = values.type.byte_width, len(values)
    if values.null_count:
        raise ValueError("A digest is missing.")
    start = values.offset * width
    digits = values.buffers()[1][start : start + size * width].to_pybytes().hex().encode()
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(2 * width), size, [None, pa.py_buffer(digits)])
    return pc.binary_join_element_wise("\\x", fixed.cast(pa.binary()).cast(pa.string()), "")


def _holds_text(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _holds_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _storable_column(column: pa.Array, name: str) -> pa.Array | None:
    """Return the column made storable, or null when it is so already."""
    if isinstance(column, pa.ListArray | pa.LargeListArray):
        values = _without_nul(column.flatten())
        return None if values is None else _lists_like(column, values)
    if name in JSON_COLUMNS:
        return _with_storable_json(column)
    cleaned = _without_nul(column)
    shortened = _short_keys(cleaned if cleaned is not None else column) if name in _KEYS else None
    return shortened if shortened is not None else cleaned


def _without_nul(column: pa.Array) -> pa.Array | None:
    return pc.replace_substring(column, "\0", REPLACEMENT) if _has_byte(column, 0) else None


def _has_byte(column: pa.Array, byte: int) -> bool:
    """Return whether the byte is anywhere in the column's text: one look at memory, not one a value."""
    return bool((_text_bytes(column) == byte).any())


def _text_bytes(column: pa.Array) -> npt.NDArray[np.uint8]:
    """Return the bytes of all texts of a column, one behind the other, where they lie in memory."""
    _, offsets, content = column.buffers()
    if content is None or not len(column):
        return np.empty(0, np.uint8)
    places = np.frombuffer(offsets, np.int64 if pa.types.is_large_string(column.type) else np.int32)
    return np.frombuffer(content, np.uint8)[places[column.offset] : places[column.offset + len(column)]]


def _short_keys(column: pa.Array) -> pa.Array | None:
    if (pc.max(pc.binary_length(column)).as_py() or 0) <= MAX_KEY:
        return None
    long = pc.fill_null(pc.greater(pc.utf8_length(column), MAX_KEY), fill_value=False)
    return pc.replace_with_mask(column, long, pa.array(map(_short_key, column.filter(long).to_pylist()), column.type))


def _short_key(key: str) -> str:
    # The digest keeps two long keys apart that begin alike.
    return f"{key[: MAX_KEY - 65]}…{hashlib.sha256(key.encode()).hexdigest()}"


def _with_storable_json(column: pa.Array) -> pa.Array | None:
    if not _has_byte(column, ord("\\")):
        return None
    suspicious = pc.fill_null(pc.match_substring_regex(column, _SUSPICIOUS_JSON), fill_value=False)
    cleaned = [storable_json(json.loads(text)) for text in column.filter(suspicious).to_pylist()]
    return pc.replace_with_mask(column, suspicious, pa.array(cleaned, column.type))


def _storable_value(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(str(key)): _storable_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable_value(inner) for inner in value]
    return value


def _is_sorted(owners: pa.Array, values: pa.Array) -> bool:
    same_owner = pc.equal(owners.slice(1), owners.slice(0, len(owners) - 1))
    in_order = pc.less_equal(values.slice(0, len(values) - 1), values.slice(1))
    return bool(pc.all(pc.or_(pc.invert(same_owner), in_order)).as_py())


def _lists_like(lists: pa.Array, values: pa.Array) -> pa.ListArray:
    """Return `values`, the changed flat values of `lists`, cut up as `lists` is."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
    return pa.ListArray.from_arrays(offsets, values, mask=lists.is_null())
