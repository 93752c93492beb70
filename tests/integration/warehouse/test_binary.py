"""What goes in by binary COPY is what was given, and what COPY of text would have written."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from certrecon.errors import IntegrityError
from certrecon.warehouse.binary import copy_binary_in
from certrecon.warehouse.bulk import copy_in
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.ledger import RECORDED_ATTEMPT
from tests.integration.warehouse.samples import NOON, TARGET, plan, query

SHARED = {"target": TARGET, "run_seq": 7}
COLUMNS = RECORDED_ATTEMPT.names[1:]
ATTEMPT = pa.schema([RECORDED_ATTEMPT.field(name) for name in COLUMNS])
_READ = f"SELECT target, run_seq, {', '.join(COLUMNS)} FROM reconciliation.ditio_attempt ORDER BY attempt_id"  # noqa: S608


def attempts(*rows: dict[str, Any]) -> pa.Table:
    """Rows of requests, but for what differs."""
    usual = {
        "batch_id": "b", "employee_number": "1", "certificate_type": "Byggekort", "payload_sha256": "5e77",
        "sent_at": NOON, "answered_at": NOON, "http_status": 201, "message": None, "state": "acknowledged",
    }  # fmt: skip
    return pa.Table.from_pylist([usual | row for row in rows], ATTEMPT)


def written(engine: Engine, rows: pa.Table) -> list[tuple[Any, ...]]:
    """Append rows of requests and read the table."""
    with transaction(engine) as conn:
        copy_binary_in(conn, "ditio_attempt", rows, SHARED)
    return query(engine, _READ)


@pytest.mark.parametrize(
    "words",
    ["", None, " ", "\\N", "\\.", "NULL", '"', ",", "a\nb", "\r", "\t", "Łukasz Żółć", "\U0001f600", "x" * 70_000],
)
def test_text(warehouse: Engine, words: str | None) -> None:
    rows = attempts({"message": words}, {"batch_id": words or ""}, {"message": "after"})
    assert [row[2:] for row in written(warehouse, rows)] == [tuple(row.values()) for row in rows.to_pylist()]


@pytest.mark.parametrize("status", [None, 0, 1, -1, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize(
    "moment",
    [
        NOON.replace(microsecond=123_456),
        dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
        dt.datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
        dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        dt.datetime(9999, 12, 31, tzinfo=dt.UTC),
    ],
    ids=str,
)
def test_numbers_and_instants(warehouse: Engine, moment: dt.datetime, status: int | None) -> None:
    rows = attempts({"http_status": status, "sent_at": moment, "answered_at": None}, {"answered_at": moment}, {})
    assert written(warehouse, rows) == [(TARGET, 7, *row.values()) for row in rows.to_pylist()]


def test_the_same_rows_as_by_copy_of_text(warehouse: Engine) -> None:
    """JSON, texts and nulls, cut out of a larger table and in several pieces."""
    people = [
        {"employee_number": str(number), "payload": json.dumps({"n": number, "ø": '"\\'}), "person_id": person}
        for number, person in enumerate(["p", None, "", "Å"] * 3)
    ]
    rows = pa.concat_tables([plan(*people[:5]), plan(*people[5:])]).slice(2, 9)
    for target in ("binary", "text"):
        shared = {"target": target, "state": "pending", "run_seq": 7}
        with transaction(warehouse) as conn:
            if target == "binary":
                copy_binary_in(conn, "ditio_upsert", rows, shared)
            else:
                for name, value in shared.items():
                    rows = rows.append_column(name, pa.array([value] * rows.num_rows))
                copy_in(conn, "ditio_upsert", rows)
    found = query(warehouse, "SELECT * FROM reconciliation.ditio_upsert ORDER BY target, employee_number")
    assert len(found) == 18
    assert [row[1:] for row in found[:9]] == [row[1:] for row in found[9:]]


def test_many_rows_in_many_blocks(warehouse: Engine) -> None:
    size = 20_001
    rows = attempts(*({"employee_number": str(number), "http_status": number} for number in range(size)))
    found = [(row[3], row[8]) for row in written(warehouse, rows)]
    assert found == [(str(number), number) for number in range(size)]


def test_nothing_to_write(warehouse: Engine) -> None:
    assert written(warehouse, attempts()) == []


def test_a_refused_row_writes_nothing(warehouse: Engine) -> None:
    with pytest.raises(IntegrityError, match="ditio_attempt_state"):
        written(warehouse, attempts({}, {"state": "sent"}))
    assert query(warehouse, _READ) == []


def test_missing_json_is_refused(warehouse: Engine) -> None:
    with pytest.raises(IntegrityError, match="payload"), transaction(warehouse) as conn:
        copy_binary_in(conn, "ditio_upsert", plan({"payload": None}), {"target": TARGET, "state": "pending"})
    with transaction(warehouse) as conn:
        assert conn.execute(text("SELECT count(*) FROM reconciliation.ditio_upsert")).scalar_one() == 0
