"""Links without a certificate over the runs, and the notes on what is to be removed."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine

from certrecon.errors import ParameterError, RunTakenOverError
from certrecon.warehouse.dangling import DANGLING, OPEN_DANGLING, open_dangling, write_dangling
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.removals import MAX_NOTE, Removal, add_removal
from certrecon.warehouse.withdrawals import OPEN_WITHDRAWN, WITHDRAWN, open_withdrawn, write_withdrawn
from tests.integration.warehouse.samples import TARGET, opened_seq, query


def _links(*rows: dict[str, Any]) -> pa.Table:
    usual = {"tenant_id": "t1", "certificate_action_id": "l1", "certificate_id": "gone", "action_name": "Crane"}
    return pa.Table.from_pylist([usual | row for row in rows], DANGLING)


def _write(engine: Engine, rows: pa.Table, scope: list[str] | None = None) -> tuple[int, int, int]:
    run_seq = opened_seq(engine)
    with transaction(engine) as conn:
        change = write_dangling(conn, run_seq, TARGET, rows, scope)
    return change.opened, change.ended, change.unchanged


@pytest.mark.parametrize(
    ("second", "scope", "expected"),
    [
        pytest.param([{}, {"tenant_id": "t2"}], None, (0, 0, 2), id="the same"),
        pytest.param([{}], None, (0, 1, 1), id="one is mended"),
        pytest.param([], None, (0, 2, 0), id="all are mended"),
        pytest.param([], ["t1"], (0, 1, 1), id="mended in a limited run"),
        pytest.param([{}], ["t1"], (0, 0, 2), id="the same in a limited run"),
        pytest.param([{"action_name": None}, {"tenant_id": "t2"}], None, (1, 1, 1), id="another name"),
        pytest.param(
            [{}, {"tenant_id": "t2"}, {"certificate_action_id": "l\0" * 999}], None, (1, 0, 2), id="a new one"
        ),
        pytest.param([{}, {}, {"tenant_id": "t2"}], None, (0, 0, 2), id="one twice"),
    ],
)
def test_a_row_lasts_as_long_as_its_link_dangles(
    warehouse: Engine, second: list[dict[str, Any]], scope: list[str] | None, expected: tuple[int, int, int]
) -> None:
    assert _write(warehouse, _links({}, {"tenant_id": "t2"})) == (2, 0, 0)
    assert _write(warehouse, _links(*second), scope) == expected
    assert _write(warehouse, _links(*second), scope)[:2] == (0, 0)


def test_what_dangles_now(warehouse: Engine) -> None:
    _write(warehouse, _links({}, {"certificate_action_id": "l2"}))
    _write(warehouse, _links({}, {"tenant_id": "t0", "action_type": "TRAINING"}))
    with transaction(warehouse) as conn:
        found = open_dangling(conn, TARGET)
        assert open_dangling(conn, "other").equals(OPEN_DANGLING.empty_table())
    assert found.schema == OPEN_DANGLING
    assert [(row["tenant_id"], row["action_type"], row["first_run_seq"]) for row in found.to_pylist()] == [
        ("t0", "TRAINING", 2),
        ("t1", None, 1),
    ]


def test_nothing_dangles_and_nothing_did(warehouse: Engine) -> None:
    assert _write(warehouse, _links()) == (0, 0, 0)


def test_a_run_that_was_taken_over_writes_no_links(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    opened_seq(warehouse, "second")
    with pytest.raises(RunTakenOverError), transaction(warehouse) as conn:
        write_dangling(conn, first, TARGET, _links({}), None)


@pytest.fixture
def withdrawn(warehouse: Engine) -> Engine:
    """A warehouse in which the delivery of employee 1, Byggekort, certificate c1, is withdrawn."""
    key = {"employee_number": "1", "certificate_type": "Byggekort", "certificate_id": "c1", "reason": "deleted"}
    run_seq = opened_seq(warehouse)
    with transaction(warehouse) as conn:
        write_withdrawn(conn, run_seq, TARGET, pa.Table.from_pylist([key], WITHDRAWN), None)
    return warehouse


def _removal(**changes: Any) -> Removal:
    usual = {"target": TARGET, "employee_number": "1", "certificate_type": "Byggekort", "certificate_id": "c1",
             "noted_by": "eva", "done": False, "note": None}  # fmt: skip
    return Removal(**usual | changes)


def test_what_is_withdrawn_now_and_since_when(withdrawn: Engine) -> None:
    with transaction(withdrawn) as conn:
        found = open_withdrawn(conn, TARGET)
    assert found.schema == OPEN_WITHDRAWN
    assert [(row["employee_number"], row["first_run_seq"]) for row in found.to_pylist()] == [("1", 1)]


@pytest.mark.parametrize(
    ("note", "kept"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(" \t\n", None, id="blank"),
        pytest.param(" removed by hand\n", "removed by hand", id="white space around it"),
        pytest.param("a\0b\x1b[31mc\x85d\n\te", "ab[31mcd\n\te", id="control characters"),
        pytest.param("ø" * MAX_NOTE, "ø" * MAX_NOTE, id="the longest"),
        pytest.param("<script>'; DROP", "<script>'; DROP", id="as it was written"),
    ],
)
def test_a_note_is_appended_as_text(withdrawn: Engine, note: str | None, kept: str | None) -> None:
    with transaction(withdrawn) as conn:
        first = add_removal(conn, _removal(note="earlier"))
        second = add_removal(conn, _removal(note=note, done=True))
    assert second > first
    rows = query(withdrawn, "SELECT note, done, noted_by FROM reconciliation.removal ORDER BY removal_id")
    assert rows == [("earlier", False, "eva"), (kept, True, "eva")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"employee_number": "2"}, "never on the list", id="another employee"),
        pytest.param({"certificate_type": "byggekort"}, "never on the list", id="another type"),
        pytest.param({"certificate_id": "c2"}, "never on the list", id="another certificate"),
        pytest.param({"target": "other"}, "never on the list", id="another target"),
        pytest.param({"note": "x" * (MAX_NOTE + 1)}, "2001 characters", id="too long"),
        pytest.param({"noted_by": " \0"}, "name of who", id="by nobody"),
    ],
)
def test_a_note_that_is_refused(withdrawn: Engine, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words), transaction(withdrawn) as conn:
        add_removal(conn, _removal(**changes))
    assert query(withdrawn, "SELECT count(*) FROM reconciliation.removal") == [(0,)]
