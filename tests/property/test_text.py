"""Text and names: folding, trimming, and agreement."""

from __future__ import annotations

import json
import unicodedata

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from certrecon.dispositions.payloads import digests, payload_texts
from certrecon.names import Name, names_agree
from certrecon.text import collapsed, fold, fold_key, fold_tokens, json_literals, trimmed, trimmed_column
from tests.oracle import text as oracle
from tests.oracle.world import payload_sha256
from tests.property.strategies import ANY_TEXT, DAYS, FAMILY, GIVEN

MANY = settings(max_examples=300, deadline=None)
LETTERS = st.text(st.sampled_from("aåÅæøØöÖłŁđÐþßẞœŒéÉe\u0301iİıﬁǅ -'.2²٣\u00a0\u200b"), max_size=10)
TEXT = st.one_of(ANY_TEXT, LETTERS)
GIVEN_NAMES = st.one_of(st.sampled_from(GIVEN), LETTERS)
FAMILY_NAMES = st.one_of(st.sampled_from(FAMILY), LETTERS)
NAMES = st.builds(Name, GIVEN_NAMES, FAMILY_NAMES)


@MANY
@given(TEXT)
def test_folding_and_trimming_twice_is_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold_key(fold_key(text)) == fold_key(text)
    assert fold_tokens(" ".join(fold_tokens(text))) == fold_tokens(text)
    assert trimmed(trimmed(text)) == trimmed(text)
    assert collapsed(collapsed(text)) == collapsed(text)


@MANY
@given(TEXT)
def test_how_letters_are_composed_makes_no_difference(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert fold(composed) == fold(decomposed)
    assert fold_tokens(composed) == fold_tokens(decomposed)
    assert trimmed(composed) == trimmed(decomposed)


@MANY
@given(st.lists(st.one_of(st.none(), TEXT), max_size=10))
def test_columns_are_trimmed_as_single_texts_are(texts: list[str | None]) -> None:
    column = trimmed_column(pa.array(texts, pa.string())).to_pylist()
    assert column == [None if text is None else trimmed(text) or None for text in texts]


@MANY
@given(st.lists(st.one_of(st.none(), TEXT), max_size=10))
def test_columns_become_json_as_single_texts_do(texts: list[str | None]) -> None:
    literals = json_literals(pa.array(texts, pa.string())).to_pylist()
    assert [json.loads(literal) for literal in literals] == texts
    assert literals == [json.dumps(text, ensure_ascii=False) for text in texts]


@MANY
@given(NAMES, NAMES)
def test_agreement_has_no_sides_and_is_the_oracle_s(one: Name, other: Name) -> None:
    agree = names_agree(one, other)
    assert agree == names_agree(other, one)
    assert agree == oracle.names_agree((one.given, one.family), (other.given, other.family))


@MANY
@given(NAMES)
def test_a_name_with_both_parts_agrees_with_itself_and_swapped(name: Name) -> None:
    whole = bool(fold_tokens(name.given or "") and fold_tokens(name.family or ""))
    assert names_agree(name, name) == whole
    assert names_agree(name, Name(name.family, name.given)) == whole


@MANY
@given(st.lists(st.tuples(TEXT, TEXT, TEXT, DAYS, DAYS), max_size=5))
def test_payloads_are_canonical_json(rows: list[tuple[str, str, str, object, object]]) -> None:
    numbers, types, ids, issued, until = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 5
    texts = payload_texts(
        employee_number=pa.array(numbers, pa.string()),
        certificate_type=pa.array(types, pa.string()),
        certificate_id=pa.array(ids, pa.string()),
        issued=pa.array(issued, pa.date32()),
        until=pa.array(until, pa.date32()),
    )
    expected = [
        {
            "employeeNumber": number,
            "certificateType": type_,
            "certificateNumber": certificate,
            "issuedDateTime": f"{first}T00:00:00Z",
            "validUntilDateTime": f"{last}T00:00:00Z",
        }
        for number, type_, certificate, first, last in rows
    ]
    assert [json.loads(text) for text in texts.to_pylist()] == expected
    assert digests(texts).to_pylist() == [payload_sha256(payload) for payload in expected]
