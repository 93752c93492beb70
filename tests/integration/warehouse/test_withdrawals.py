"""Withdrawn entries open, stay, change their reason and end."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sqlalchemy import Connection, Engine

from certrecon.errors import RunTakenOverError
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.ledger import KEY, read_ledger
from certrecon.warehouse.withdrawals import WITHDRAWN, open_withdrawn_keys, write_withdrawn
from tests.integration.warehouse.samples import TARGET, answer, opened_seq, query, queue

_ROWS = """
    SELECT employee_number, certificate_id, reason, first_run_seq, ended_run_seq
      FROM reconciliation.withdrawn_upsert ORDER BY withdrawn_id"""


def _withdrawn(*rows: dict[str, Any]) -> pa.Table:
    usual = {
        "employee_number": "1",
        "certificate_type": "Byggekort",
        "certificate_id": "cA",
        "reason": "deleted",
    }
    return pa.Table.from_pylist([usual | row for row in rows], WITHDRAWN)


def _judged(conn: Connection, scope: list[str]) -> pa.Table:
    """Return the keys of the entries whose certificate lies in these tenants."""
    ledger = read_ledger(conn, TARGET)
    tenants = pc.coalesce(ledger["acknowledged_tenant_id"], ledger["tenant_id"])
    return ledger.filter(pc.is_in(tenants, value_set=pa.array(scope, pa.string()))).select(KEY.names).cast(KEY)


def _write(engine: Engine, run_seq: int, rows: pa.Table, scope: list[str] | None = None) -> tuple[int, int, int]:
    with transaction(engine) as conn:
        judged = None if scope is None else pa.concat_tables([_judged(conn, scope), rows.select(KEY.names).cast(KEY)])
        change = write_withdrawn(conn, run_seq, TARGET, rows, judged)
    return change.opened, change.ended, change.unchanged


def test_open_stay_change_end(warehouse: Engine) -> None:
    one, two = {}, {"employee_number": "2"}
    runs = []
    for rows, expected in [
        ((one, two), (2, 0, 0)),
        ((two, one), (0, 0, 2)),
        ((one, two | {"reason": "blocked:EXPIRED"}), (1, 1, 1)),
        ((one | {"certificate_id": None}, two | {"reason": "blocked:EXPIRED"}), (1, 1, 1)),
        ((), (0, 2, 0)),
        ((), (0, 0, 0)),
    ]:
        runs.append(opened_seq(warehouse))
        assert _write(warehouse, runs[-1], _withdrawn(*rows)) == expected
    assert query(warehouse, _ROWS) == [
        ("1", "cA", "deleted", runs[0], runs[3]),
        ("2", "cA", "deleted", runs[0], runs[2]),
        ("2", "cA", "blocked:EXPIRED", runs[2], runs[4]),
        ("1", None, "deleted", runs[3], runs[4]),
    ]
    with transaction(warehouse) as conn:
        found = [open_withdrawn_keys(conn, TARGET, run).num_rows for run in runs]
        third = open_withdrawn_keys(conn, TARGET, runs[2]).column("reason").to_pylist()
        assert open_withdrawn_keys(conn, "target-b", runs[2]).num_rows == 0
    assert found == [2, 2, 2, 2, 0, 0]
    assert third == ["deleted", "blocked:EXPIRED"]


def test_an_unchanged_night_writes_nothing(warehouse: Engine) -> None:
    _write(warehouse, opened_seq(warehouse), _withdrawn({}))
    physical = "SELECT ctid::text, xmin::text, xmax::text FROM reconciliation.withdrawn_upsert"
    before = query(warehouse, physical)
    assert _write(warehouse, opened_seq(warehouse), _withdrawn({})) == (0, 0, 1)
    assert query(warehouse, physical) == before


@pytest.mark.parametrize(
    ("scope", "ended"),
    [
        pytest.param(["tA"], ["1"], id="the acknowledged certificate's tenant"),
        pytest.param(["tB"], ["2"], id="another tenant"),
        pytest.param(["tC"], ["3"], id="the tenant of what waits does not count"),
        pytest.param([], [], id="no tenant"),
        pytest.param(None, ["1", "2", "3"], id="unlimited"),
    ],
)
def test_a_limited_run_ends_only_what_lies_in_its_scope(
    warehouse: Engine, scope: list[str] | None, ended: list[str]
) -> None:
    first = opened_seq(warehouse)
    rows = [
        {"employee_number": "1"},
        {"employee_number": "2", "version": "B"},
        {"employee_number": "3", "version": "C"},
    ]
    queue(warehouse, first, *rows)
    answer(warehouse, first, *rows)
    _write(warehouse, first, _withdrawn(*({"employee_number": number} for number in "123")))
    second = opened_seq(warehouse)
    queue(warehouse, second, {"employee_number": "3", "version": "A"})
    _write(warehouse, second, _withdrawn(), scope)
    found = query(
        warehouse,
        "SELECT employee_number FROM reconciliation.withdrawn_upsert WHERE ended_run_seq = :n ORDER BY 1",
        n=second,
    )
    assert [number for (number,) in found] == ended


def test_a_run_that_was_taken_over_withdraws_nothing(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    opened_seq(warehouse, "second")
    with pytest.raises(RunTakenOverError):
        _write(warehouse, first, _withdrawn({}))
