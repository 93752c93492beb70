"""What each answer of Ditio means for a batch, and how batches are cut."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from certrecon.dispositions.decide import PLAN
from certrecon.publishing.batches import ROWS, Batch, Meaning, batches_of, meaning_of

A, S, R, T, X = Meaning.ACKNOWLEDGED, Meaning.SPLIT, Meaning.REJECTED, Meaning.TRY_AGAIN, Meaning.STOP
TABLE = [
    # status, a batch of several, a row alone
    (None, T, T),
    (200, A, A),
    (201, A, A),
    (204, A, A),
    (299, A, A),
    (301, X, X),
    (304, X, X),
    (400, S, R),
    (401, X, X),
    (402, X, X),
    (403, X, X),
    (404, X, X),
    (405, X, X),
    (408, T, T),
    (409, X, X),
    (410, X, X),
    (413, S, R),
    (415, X, X),
    (422, S, R),
    (425, T, T),
    (429, T, T),
    (451, X, X),
    (500, T, T),
    (502, T, T),
    (503, T, T),
    (504, T, T),
    (521, T, T),
    (599, T, T),
]


@pytest.mark.parametrize(("status", "several", "alone"), TABLE, ids=[str(row[0]) for row in TABLE])
def test_meaning(status: int | None, several: Meaning, alone: Meaning) -> None:
    assert (meaning_of(status, 2), meaning_of(status, 100), meaning_of(status, 1)) == (several, several, alone)


def batch_of(*payloads: str) -> Batch:
    """Return a batch with rows of these payloads, numbered through."""
    rows = [
        {"employee_number": str(number), "certificate_type": "A", "payload": payload, "payload_sha256": "digest"}
        for number, payload in enumerate(payloads)
    ]
    return Batch(pa.RecordBatch.from_pylist(rows, ROWS))


@pytest.mark.parametrize(("size", "halves"), [(2, (1, 1)), (3, (1, 2)), (7, (3, 4)), (100, (50, 50))], ids=str)
def test_halves(size: int, halves: tuple[int, int]) -> None:
    batch = batch_of(*["{}"] * size)
    first, second = batch.halves()
    assert (len(first.rows), len(second.rows)) == halves
    assert first.rows.to_pylist() + second.rows.to_pylist() == batch.rows.to_pylist()


def test_a_batch_is_a_json_array_of_its_payloads() -> None:
    batch = batch_of('{"employeeNumber":"1"}', '{"employeeNumber":"2"}', '{"certificateType":"Å"}')
    assert json.loads(batch.body()) == [{"employeeNumber": "1"}, {"employeeNumber": "2"}, {"certificateType": "Å"}]
    _, half = batch.halves()
    assert json.loads(half.body()) == [{"employeeNumber": "2"}, {"certificateType": "Å"}]


def test_no_plan_no_batches() -> None:
    assert list(batches_of(PLAN.empty_table(), 10)) == []


def test_batches_of_a_plan_in_pieces() -> None:
    """A plan read from a file comes in chunks; a batch never has fewer rows for it than its size allows... or more."""
    plan = pa.concat_tables(
        [pa.Table.from_pylist([dict.fromkeys(PLAN.names, str(number))], PLAN) for number in range(5)]
    )
    batches = list(batches_of(plan, 2))
    assert [number for batch in batches for number in batch.rows["employee_number"].to_pylist()] == list("01234")
    assert all(len(batch.rows) <= 2 for batch in batches)
