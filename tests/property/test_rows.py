"""Bitmaps, lists of codes, winners and batches against plain loops."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certrecon.dispositions.decide import PLAN
from certrecon.dispositions.verdicts import code_lists
from certrecon.dispositions.winners import CONTENDERS, winners
from certrecon.publishing.batches import batches_of
from certrecon.validation.bitmaps import decode_bitmap, encode_bitmap
from tests.oracle.world import Row

MANY = settings(max_examples=200, deadline=None)
CONTENDER = st.fixed_dictionaries(
    {
        "employee_number": st.sampled_from(["1", "2"]),
        "certificate_type": st.sampled_from(["A", "B"]),
        "valid_until": st.sampled_from([date(2027, 1, 1), date(2028, 1, 1)]),
        "issued_on": st.sampled_from([date(2025, 1, 1), date(2025, 1, 2)]),
    }
)


@MANY
@given(st.lists(st.booleans(), max_size=70))
def test_a_bitmap_gives_back_its_rows(rows: list[bool]) -> None:
    assert decode_bitmap(encode_bitmap(np.array(rows, np.bool_)), len(rows)).tolist() == rows


@MANY
@given(st.lists(st.booleans(), max_size=40), st.integers(0, 100))
def test_a_bitmap_of_other_rows_is_refused(rows: list[bool], size: int) -> None:
    bitmap = encode_bitmap(np.array(rows, np.bool_))
    if (size + 7) // 8 == (len(rows) + 7) // 8:
        assert len(decode_bitmap(bitmap, size)) == size
    else:
        with pytest.raises(ValueError, match="bitmap"):
            decode_bitmap(bitmap, size)


@MANY
@given(st.integers(0, 6), st.data())
def test_code_lists_are_those_of_a_plain_loop(width: int, data: st.DataObject) -> None:
    codes = [f"CODE_{number}" for number in range(width)]
    height = data.draw(st.integers(0, 12))
    cells = data.draw(
        st.lists(st.lists(st.booleans(), min_size=width, max_size=width), min_size=height, max_size=height)
    )
    matrix = np.array(cells, np.bool_).reshape(height, width)
    expected = [[code for code, there in zip(codes, row, strict=True) if there] for row in cells]
    assert code_lists(codes, matrix).to_pylist() == expected


@MANY
@given(st.lists(CONTENDER, max_size=12), st.randoms(use_true_random=False))
def test_winners_are_those_of_a_plain_loop_in_any_order(rows: list[Row], draw: object) -> None:
    numbered = [row | {"certificate_id": f"c{place}"} for place, row in enumerate(rows)]
    draw.shuffle(numbered)  # type: ignore[attr-defined]
    won = winners(pa.Table.from_pylist(numbered, CONTENDERS))
    assert {row["certificate_id"] for row, wins in zip(numbered, won, strict=True) if wins} == _plain_winners(numbered)


def _plain_winners(rows: list[Row]) -> set[str]:
    best: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: row["certificate_id"]):
        key = row["employee_number"], row["certificate_type"]
        held = best.get(key)
        if held is None or (row["valid_until"], row["issued_on"]) > (held["valid_until"], held["issued_on"]):
            best[key] = row
    return {row["certificate_id"] for row in best.values()}


@MANY
@given(st.integers(0, 40), st.integers(1, 15))
def test_batches_hold_every_row_once(rows: int, size: int) -> None:
    plan = [
        dict.fromkeys(PLAN.names, "x") | {"employee_number": str(number), "payload": f'{{"n":{number}}}'}
        for number in range(rows)
    ]
    batches = list(batches_of(pa.Table.from_pylist(plan, PLAN), size))
    sent = [number for batch in batches for number in batch.rows["employee_number"].to_pylist()]
    assert sent == [str(number) for number in range(rows)]
    assert all(1 <= len(batch.rows) <= size for batch in batches)
    for batch in batches:
        halves = batch.halves() if len(batch.rows) > 1 else (batch,)
        assert [row for half in halves for row in half.rows.to_pylist()] == batch.rows.to_pylist()
        assert len({batch.batch_id, *(half.batch_id for half in halves)}) == (3 if len(halves) == 2 else 1)
