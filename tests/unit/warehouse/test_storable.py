"""What PostgreSQL cannot hold is replaced, everything else stays as it is."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from certrecon.warehouse.digests import row_digests
from certrecon.warehouse.storable import (
    MAX_KEY,
    array_literals,
    hex_literals,
    sorted_lists,
    storable,
    storable_json,
    storable_text,
)

LISTS = pa.list_(pa.string())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a\x00b", "a\ufffdb", id="nul"),
        pytest.param("\x00", "\ufffd", id="nothing but nul"),
        pytest.param("", "", id="empty"),
        pytest.param(None, None, id="null"),
        pytest.param("Łucja\u202e <b>'\"\\", "Łucja\u202e <b>'\"\\", id="odd but storable"),
    ],
)
def test_text_columns(text: str | None, expected: str | None) -> None:
    rows = pa.table({"certificate_name": pa.array([text, "x"], pa.string())})
    assert storable(rows).column(0).to_pylist() == [expected, "x"]
    assert storable_text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"a": "b\\u0000c"}', {"a": "b\ufffdc"}, id="escaped nul"),
        pytest.param('{"a\\u0000": [1, "\\u0000"]}', {"a\ufffd": [1, "\ufffd"]}, id="nul in key and list"),
        pytest.param('{"a": "\\ud800"}', {"a": "\ufffd"}, id="lone surrogate"),
        pytest.param('{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}, id="pair of surrogates"),
        pytest.param('{"a": "\\\\u0000"}', {"a": "\\u0000"}, id="a backslash and u0000"),
    ],
)
def test_json_columns(text: str, expected: object) -> None:
    rows = pa.table({"detail": pa.array([None, "{}", text], pa.string())})
    cleaned = storable(rows).column(0).to_pylist()
    assert cleaned[:2] == [None, "{}"]
    assert json.loads(cleaned[2]) == expected


def test_json_values() -> None:
    assert json.loads(storable_json({"a": ["\x00", "\ud800", 1, None, True]})) == {
        "a": ["\ufffd", "\ufffd", 1, None, True]
    }


@pytest.mark.parametrize(
    ("start", "expected"),
    [(0, ["a", None]), (1, [None, "b\ufffd"]), (2, ["b\ufffd", "c"]), (3, ["c"]), (4, [])],
)
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
def test_of_a_slice_only_its_own_rows_count(kind: pa.DataType, start: int, expected: list[str | None]) -> None:
    table = pa.table({"name": pa.array(["a", None, "b\0", "c"], kind)}).slice(start, 2)
    assert storable(table).column("name").to_pylist() == expected


def test_what_is_storable_comes_back_itself() -> None:
    rows = pa.table({"detail": ['{"a":1}'], "findings": pa.array([["A"]], LISTS), "certificate_id": ["c"]})
    assert storable(rows) is rows


def test_long_keys_are_short_and_stay_apart() -> None:
    keys = ["x" * 10_000 + "1", "x" * 10_000 + "2", "ø" * MAX_KEY, None]
    rows = pa.table({"employee_number": keys, "certificate_name": keys})
    first, second, kept, none = storable(rows).column("employee_number").to_pylist()
    assert first != second
    assert len(first) == len(second) == MAX_KEY
    assert kept == "ø" * MAX_KEY
    assert none is None
    assert storable(rows).column("certificate_name").to_pylist() == keys


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        pytest.param([["B", "A"], ["A"]], [["A", "B"], ["A"]], id="one to sort"),
        pytest.param([["B"], ["A"], [], ["A", "B"]], [["B"], ["A"], [], ["A", "B"]], id="sorted"),
        pytest.param([[], ["C", "B", "A"], None, ["B", "A"]], [[], ["A", "B", "C"], None, ["A", "B"]], id="gaps"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_sorted_lists(lists: list[list[str] | None], expected: list[list[str] | None]) -> None:
    column = pa.array([["Z", "Y"], *lists], LISTS).slice(1)
    assert sorted_lists(column).to_pylist() == expected


def test_array_literals() -> None:
    column = pa.array([["skipped"], ["a", 'b"c'], ["d\\e", "f,g", "", None, "NULL"], [], None], LISTS).slice(1)
    assert array_literals(column).to_pylist() == [
        '{"a","b\\"c"}',
        '{"d\\\\e","f,g","",NULL,"NULL"}',
        "{}",
        None,
    ]


def test_hex_literals_of_a_slice() -> None:
    column = pa.array([b"\x00\x01", b"\xab\xff", b"\x10\x00"], pa.binary(2)).slice(1)
    assert hex_literals(column).to_pylist() == ["\\xabff", "\\x1000"]


def _digests(*rows: tuple[object, object, list[str]]) -> list[bytes]:
    first, second, third = zip(*rows, strict=True)
    table = pa.table([pa.array(first, pa.string()), pa.array(second, pa.string()), pa.array(third, LISTS)], list("abc"))
    return row_digests(table).to_pylist()


def test_no_two_different_rows_have_one_digest() -> None:
    rows = [
        ("a", "b", []),
        ("ab", "", []),
        ("", "ab", []),
        (None, "ab", []),
        ("ab", None, []),
        (None, None, []),
        ("", "", []),
        ("a", "b", ["c"]),
        ("a", "bc", []),
        ("a", "b", ["c", "d"]),
        ("a", "b", ["cd"]),
        ("\x01", None, []),
    ]
    assert len(set(_digests(*rows))) == len(rows)


def test_digests_do_not_depend_on_how_the_table_is_cut() -> None:
    table = pa.table({"a": [f"row {number}" for number in range(200_000)]})
    cut = pa.concat_tables([table.slice(0, 70_001), table.slice(70_001)])
    assert row_digests(table).equals(row_digests(cut))
