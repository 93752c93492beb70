"""Pages to columns: values as received, undocumented fields by name, nothing dropped is decoded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certrecon.api.rows import mended, text_of_raw
from certrecon.errors import ResponseFormatError
from certrecon.extract.decode import MAX_UNDOCUMENTED, PageDecoder
from certrecon.extract.fields import CERTIFICATES, LINKS, person_fields
from certrecon.extract.taking import text_array


def decoded(body: bytes, decoder: PageDecoder | None = None) -> list[dict[str, str | None]]:
    """Return a page's rows as text, only what is not null."""
    columns = (decoder or PageDecoder(CERTIFICATES, "the page")).columns(body)
    texts = [text_array(values).to_pylist() for values in columns]
    rows = zip(*texts, strict=True)
    return [
        {name: value for name, value in zip(CERTIFICATES.columns, row, strict=True) if value is not None}
        for row in rows
    ]


VALUES: list[tuple[str, bytes, str | None]] = [
    ("text", b'"a"', "a"),
    ("empty text", b'""', ""),
    ("blank", b'" 0042 "', " 0042 "),
    ("null", b"null", None),
    ("int", b"1", "1"),
    ("negative", b"-7", "-7"),
    ("float", b"1.5", "1.5"),
    ("huge int", b"123456789012345678901234567890", "123456789012345678901234567890"),
    ("huge float", b"1e400", "1e400"),
    ("true", b"true", "true"),
    ("false", b"false", "false"),
    ("object", b'{"a": [1, "\xc3\xb8"]}', '{"a":[1,"\u00f8"]}'),
    ("array", b"[1, 2]", "[1,2]"),
    ("nul", b'"a\\u0000b"', "a\x00b"),
    ("lone surrogate", b'"a\\ud800b"', "a\ufffdb"),
    ("lone low surrogate", b'"a\\uDC00"', "a\ufffd"),
    ("two high surrogates", b'"\\ud83d\\ud83d\\ude00"', "\ufffd\U0001f600"),
    ("surrogate pair", b'"\\ud83d\\ude00"', "\U0001f600"),
    ("escaped backslash before u", b'"\\\\ud800"', "\\ud800"),
    ("not utf-8", b'"a\xffb"', "a\ufffdb"),
    ("no such date", b'"0000-00-00"', "0000-00-00"),
    ("escape sequence", b'"\\u001b[31m"', "\x1b[31m"),
]


@pytest.mark.parametrize(("value", "expected"), [one[1:] for one in VALUES], ids=[one[0] for one in VALUES])
@pytest.mark.parametrize("name", ["certificate_id", "date_expire", "validity"])
def test_values_stay_as_received(name: str, value: bytes, expected: str | None) -> None:
    body = b'[{"%s": %s}, {"%s": "other", "data": {"x": 1}}]' % (name.encode(), value, name.encode())
    first, second = decoded(body)
    assert first == ({} if expected is None else {name: expected})
    assert second == {name: "other"}


BROKEN = [
    b"",
    b"[",
    b"[{}",
    b"{}",
    b"[1]",
    b"[null]",
    b'[{"a":}]',
    b"[{}] x",
    b'[{"a" 1}]',
    b"<html>",
    b"[NaN]",
]


@pytest.mark.parametrize("body", [*BROKEN, b'[{"name":' + b"[" * 3000 + b"]" * 3000 + b"}]"])
def test_what_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(ResponseFormatError, match="the page"):
        decoded(body)


def test_an_empty_page() -> None:
    assert decoded(b"[]") == []


def test_undocumented_fields_are_named_and_documented_ones_are_not() -> None:
    decoder = PageDecoder(CERTIFICATES, "the page")
    documented = {
        "note": "n",
        "data": {"exam": 1},
        "resource_name": "x",
        "subtenant_id": "s",
        "subtenant_type": "t",
    }
    row = {"certificate_id": "1", **documented, "project_name": "p"}
    assert decoded(json.dumps([row]).encode(), decoder) == [{"certificate_id": "1"}]
    assert decoder.undocumented == ()
    page = [row, {**row, "permission": "x", "cl ass": 1}, {**row, "\u202eodd\n": {"a": {}}, "": 1}]
    assert decoded(json.dumps(page).encode(), decoder) == [{"certificate_id": "1"}] * 3
    assert decoder.undocumented == ("", "cl ass", "odd", "permission")
    later = [{**row, "permission": [1], "late": None}]
    assert decoded(json.dumps(later).encode(), decoder) == [{"certificate_id": "1"}]
    assert decoder.undocumented == ("", "cl ass", "late", "odd", "permission")


def test_odd_values_and_undocumented_fields_at_once() -> None:
    decoder = PageDecoder(CERTIFICATES, "the page")
    page = b'[{"certificate_id": 7, "name": ["x"], "permission": 1, "note": "\\ud800"}]'
    assert decoded(page, decoder) == [{"certificate_id": "7", "name": '["x"]'}]
    assert decoder.undocumented == ("permission",)


def test_more_undocumented_fields_than_anybody_names() -> None:
    decoder = PageDecoder(CERTIFICATES, "the page")
    page = [
        {"certificate_id": "1", **{f"f{number}": 1 for number in range(2000)}},
        {"certificate_id": "2", "g": 1},
    ]
    assert decoded(json.dumps(page).encode(), decoder) == [{"certificate_id": "1"}, {"certificate_id": "2"}]
    assert len(decoder.undocumented) == MAX_UNDOCUMENTED


def test_ids_are_text() -> None:
    decoder = PageDecoder(CERTIFICATES, "the page")
    ids = (b"1", b"null", b'"a"', b"true")
    body = b"[" + b"".join(b'{"certificate_id": %s}, ' % one for one in ids) + b"{}]"
    assert decoder.ids(decoder.columns(body)) == ["1", None, "a", "true", None]


@pytest.mark.parametrize("field", ["code", "tax_code", "entity_id"])
def test_the_number_is_the_field_of_the_settings(field: str) -> None:
    fields = person_fields(field)
    columns = PageDecoder(fields, "x").columns(json.dumps([{field: "0042", "code_": 1}]).encode())
    assert dict(zip(fields.columns, columns, strict=True))["number"] == ("0042",)
    assert {"note", "birth_place", "sex"} <= fields.dropped
    assert not fields.dropped & set(fields.columns.values())


def test_no_name_of_a_certificate_is_among_the_links() -> None:
    assert "certificate_name" in LINKS.dropped


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from([*CERTIFICATES.columns, *CERTIFICATES.dropped]) | st.text()


@given(st.lists(st.dictionaries(names, json_values, max_size=6), max_size=5), st.booleans())
def test_no_page_of_objects_is_refused_and_text_comes_through(rows: list[dict[str, Any]], ascii_only: bool) -> None:
    read = decoded(json.dumps(rows, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))
    assert len(read) == len(rows)
    for row, got in zip(rows, read, strict=True):
        for name in CERTIFICATES.columns:
            value = row.get(name)
            if isinstance(value, str):
                assert got[name] == value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            elif value is None:
                assert name not in got
            else:
                assert json.loads(got[name]) == value


@given(st.binary(max_size=200))
def test_mending_twice_changes_nothing(body: bytes) -> None:
    once = mended(body)
    assert mended(once) == once


def test_a_value_that_is_not_there_is_null() -> None:
    assert text_of_raw(None) is None


COLUMNS: list[tuple[str, list[Any], list[str | None]]] = [
    ("text", ["a", None], ["a", None]),
    ("ints", [1, None, 2], ["1", None, "2"]),
    ("booleans", [True, None, False], ["true", None, "false"]),
    ("ints and booleans", [1, True, 0, False], ["1", "true", "0", "false"]),
    ("ints and floats", [1, 2.5], ["1", "2.5"]),
    ("text and ints", ["a", 1], ["a", "1"]),
    ("ints, then text", [1, "a"], ["1", "a"]),
    ("huge", [2**70, 1], [str(2**70), "1"]),
    ("nulls", [None, None], [None, None]),
    ("none", [], []),
]


@pytest.mark.parametrize(("values", "expected"), [one[1:] for one in COLUMNS], ids=[one[0] for one in COLUMNS])
def test_columns_are_text(values: list[Any], expected: list[str | None]) -> None:
    column = text_array(values)
    assert column.type == "string"
    assert column.to_pylist() == expected
