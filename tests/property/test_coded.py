"""Text columns as numbers, against plain loops over the texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from certrecon.claims.coded import CODED, Coded, coded_schema, pair_numbers

MANY = settings(max_examples=200, deadline=None)
TEXTS = st.lists(st.sampled_from(["", " ", "a", "b", "ø", "a b", None]), max_size=12)
PAIRS = st.lists(st.tuples(st.sampled_from(["1", "2", "3", None]), st.sampled_from(["A", "B", None])), max_size=12)


def coded(texts: list[str | None]) -> Coded:
    """Return a column of texts."""
    return Coded.of(pa.array(texts, pa.string()))


def read_back(column: Coded) -> list[str | None]:
    """Return the texts of a column."""
    texts: list[str | None] = column.to_arrow().to_pylist()
    return texts


@MANY
@given(TEXTS, st.integers(0, 12))
def test_any_kind_of_column_is_read_alike(texts: list[str | None], cut: int) -> None:
    pieces = pa.chunked_array([texts[:cut], texts[cut:]], pa.string())
    for column in (pa.array(texts, pa.string()), pieces, pieces.cast(CODED), coded(texts).to_arrow(), coded(texts)):
        assert read_back(Coded.of(column)) == texts


@MANY
@given(TEXTS, st.data())
def test_rows_are_taken_and_nobody_s_row_has_no_text(texts: list[str | None], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(-1, len(texts) - 1), max_size=12))
    taken = coded(texts).take(np.array(rows, np.int64))
    assert read_back(taken) == [None if row < 0 else texts[row] for row in rows]
    assert set(taken.to_arrow().dictionary.to_pylist()) == {text for text in read_back(taken) if text is not None}


@MANY
@given(TEXTS, TEXTS, st.data())
def test_one_column_or_another(texts: list[str | None], others: list[str | None], data: st.DataObject) -> None:
    height = min(len(texts), len(others))
    condition = data.draw(st.lists(st.booleans(), min_size=height, max_size=height))
    chosen = coded(texts[:height]).where(np.array(condition, np.bool_), coded(others[:height]))
    rows = zip(condition, texts[:height], others[:height], strict=True)
    assert read_back(chosen) == [text if first else other for first, text, other in rows]


@MANY
@given(TEXTS, TEXTS)
def test_joined_columns_have_equal_numbers_for_equal_texts(texts: list[str | None], others: list[str | None]) -> None:
    left, right = Coded.joined(coded(texts), coded(others))
    assert (read_back(left), read_back(right)) == (texts, others)
    for number, text in zip(left.codes, texts, strict=True):
        assert [bool(one) for one in right.codes == number] == [other == text for other in others]


@MANY
@given(TEXTS)
def test_blank_is_no_text_and_ranks_go_with_the_order_of_texts(texts: list[str | None]) -> None:
    column = coded(texts)
    assert read_back(column.present()) == [text if (text or "").strip() else None for text in texts]
    order = sorted(range(len(texts)), key=column.ranks().tolist().__getitem__)
    assert [texts[row] for row in order] == sorted(texts, key=lambda text: (text is not None, (text or "").encode()))


@MANY
@given(PAIRS, PAIRS)
def test_pairs_have_equal_numbers_exactly_where_both_texts_are_equal(
    pairs: list[tuple[str | None, str | None]], others: list[tuple[str | None, str | None]]
) -> None:
    left, right = ((coded([one for one, _ in rows]), coded([two for _, two in rows])) for rows in (pairs, others))
    numbers, found = (column.to_pylist() for column in pair_numbers(left, right))
    assert [number is None for number in numbers] == [None in pair for pair in pairs]
    for number, pair in zip(numbers, pairs, strict=True):
        same = [number is not None and other == number for other in found]
        assert same == [None not in pair and other == pair for other in others]


def test_only_texts_are_coded() -> None:
    schema = pa.schema(
        [("id", pa.string()), ("type", pa.string()), ("day", pa.date32()), ("codes", pa.list_(pa.string()))]
    )
    assert coded_schema(schema, "id") == schema.set(1, pa.field("type", CODED))
