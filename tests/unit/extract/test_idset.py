"""The set of ids behaves as a set does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from certrecon.extract.idset import IdSet

ids = st.lists(st.none() | st.text(max_size=2), max_size=30)


@given(st.lists(ids, max_size=8), ids)
def test_it_is_a_set(chunks: list[list[str | None]], asked: list[str | None]) -> None:
    fast, plain, nulls = IdSet(), set[str](), 0
    for chunk in chunks:
        expected = []
        for one in chunk:
            expected.append(one is None or one not in plain)
            if one is None:
                nulls += 1
            else:
                plain.add(one)
        assert fast.add(chunk).tolist() == expected
    assert len(fast) == len(plain) + nulls
    assert fast.contains(asked).tolist() == [one is not None and one in plain for one in asked]


def test_many_ids_stay_in_few_runs() -> None:
    fast = IdSet()
    for start in range(0, 50_000, 1_000):
        assert fast.add([f"id-{number}" for number in range(start, start + 1_000)]).all()
    assert len(fast) == 50_000
    assert len(fast._runs) < 8
    assert fast.contains(["id-0", "id-49999", "id-50000"]).tolist() == [True, True, False]
