"""Opening, taking over, the lock, finalising, and the baseline."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text

from certrecon.errors import IntegrityError, RunTakenOverError
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.runs import (
    FINALISED_RUN,
    RunResult,
    baseline,
    finalise_run,
    finalised_runs,
    open_run,
    read_run,
    require_running,
    set_evidence_uri,
)
from certrecon.words import Mode, RunStatus
from tests.integration.warehouse.samples import DAY, TARGET, finalise, new_run, opened, opened_seq, query

DRY = {"mode": Mode.DRY_RUN}
ELSEWHERE = {"target": "target-b"}


def _record(engine: Engine, run_seq: int) -> Any:
    with transaction(engine) as conn:
        return read_run(conn, run_seq)


def test_a_run_opens_as_it_was_asked_for(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse, "scheduled__1", scope={"tenant_ids": ["t1"]}, as_of=DAY + dt.timedelta(days=1))
    run = _record(warehouse, run_seq)
    assert (run.run_id, run.attempt, run.target, run.mode, run.status) == (
        "scheduled__1",
        1,
        TARGET,
        "publish",
        "running",
    )
    assert (run.run_day, run.as_of, run.scope) == (DAY, DAY + dt.timedelta(days=1), {"tenant_ids": ["t1"]})
    assert run.started_at.tzinfo is not None
    assert (run.finished_at, run.failure, run.certificates, run.dispositions, run.chain_no) == (None,) * 5


@pytest.mark.parametrize("scope", [None, {}, {"tenant_ids": []}])
def test_an_unlimited_scope_has_one_spelling(warehouse: Engine, scope: Any) -> None:
    assert _record(warehouse, opened_seq(warehouse, scope=scope)).scope == {"tenant_ids": []}


@pytest.mark.parametrize(
    ("earlier", "later", "taken"),
    [
        pytest.param({}, {}, True, id="publish takes publish"),
        pytest.param({"scope": {"tenant_ids": ["t1"]}}, {"scope": {"tenant_ids": ["t2"]}}, True, id="limited or not"),
        pytest.param(DRY, {}, True, id="publish takes a dry run"),
        pytest.param({}, DRY, False, id="a dry run takes nothing over"),
        pytest.param(ELSEWHERE, {}, False, id="another target"),
        pytest.param(DRY | {"run_id": "same"}, DRY | {"run_id": "same"}, True, id="the same Airflow run, dry"),
        pytest.param({"run_id": "same"}, DRY | {"run_id": "same"}, True, id="the same Airflow run, now dry"),
        pytest.param(
            ELSEWHERE | {"run_id": "same"},
            {"run_id": "same"},
            True,
            id="the same Airflow run, another target",
        ),
    ],
)
def test_taking_over(warehouse: Engine, earlier: dict[str, Any], later: dict[str, Any], taken: bool) -> None:
    first = open_run(warehouse, new_run(**{"run_id": "first"} | earlier)).run_seq
    second = open_run(warehouse, new_run(**{"run_id": "second"} | later))
    assert second.abandoned == ([first] if taken else [])
    run = _record(warehouse, first)
    if taken:
        assert run.status == "failed"
        assert run.finished_at is not None
        assert run.failure.startswith(f"abandoned: run {second.run_seq} ")
    else:
        assert (run.status, run.failure, run.finished_at) == ("running", None, None)


def test_the_words_of_an_abandoned_run(warehouse: Engine) -> None:
    first, second = opened_seq(warehouse, "a"), opened_seq(warehouse, "b")
    assert _record(warehouse, first).failure == f"abandoned: run {second} took the target over"
    third, fourth = opened_seq(warehouse, "c", **DRY), opened_seq(warehouse, "c", **DRY)
    assert _record(warehouse, third).failure == f"abandoned: run {fourth} opened the same Airflow run again"


def test_a_finalised_run_is_not_taken_over(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    finalise(warehouse, first)
    before = query(warehouse, "SELECT xmin, r.* FROM reconciliation.run r")
    assert opened(warehouse, "second").abandoned == []
    assert query(warehouse, "SELECT xmin, r.* FROM reconciliation.run r WHERE run_seq = :n", n=first) == before


def test_attempts_count_the_openings_of_one_airflow_run(warehouse: Engine) -> None:
    attempts = [opened(warehouse, run_id).attempt for run_id in ("a", "b", "a", "a", "b")]
    assert attempts == [1, 1, 2, 3, 2]


def test_of_runs_opened_at_once_one_is_left_running(warehouse: Engine) -> None:
    with ThreadPoolExecutor(6) as pool:
        runs = list(pool.map(lambda number: opened(warehouse, f"run {number}"), range(6)))
    running = query(warehouse, "SELECT run_seq FROM reconciliation.run WHERE status = 'running'")
    assert running == [(max(run.run_seq for run in runs),)]
    assert sum(len(run.abandoned) for run in runs) == 5


def test_a_takeover_waits_for_the_write_that_holds_the_row(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    second = threading.Event()
    taker = threading.Thread(target=lambda: (opened(warehouse, "second"), second.set()))
    with transaction(warehouse) as conn:
        require_running(conn, first)
        taker.start()
        assert not second.wait(0.3)
        set_evidence_uri(conn, first, "file:///evidence/1")
    assert second.wait(10)
    taker.join()
    run = _record(warehouse, first)
    assert (run.evidence_uri, run.status) == ("file:///evidence/1", "failed")


def test_two_writes_of_one_run_wait_for_each_other(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    with transaction(warehouse) as conn:
        require_running(conn, run_seq)
        with pytest.raises(Exception, match="lock timeout"), transaction(warehouse) as other:  # noqa: PT012
            other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            require_running(other, run_seq)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda engine, _: opened(engine, "next"), id="taken over"),
        pytest.param(finalise, id="finalised"),
    ],
)
def test_a_run_that_is_over_writes_no_more(warehouse: Engine, end: Any) -> None:
    run_seq = opened_seq(warehouse)
    end(warehouse, run_seq)
    for write in (
        lambda conn: require_running(conn, run_seq),
        lambda conn: set_evidence_uri(conn, run_seq, "x"),
        lambda conn: finalise_run(conn, run_seq, RunResult(RunStatus.FAILED)),
    ):
        with pytest.raises(RunTakenOverError, match="clear the whole run"), transaction(warehouse) as conn:
            write(conn)


def test_a_run_that_never_was(warehouse: Engine) -> None:
    with pytest.raises(RunTakenOverError, match="Run 77"), transaction(warehouse) as conn:
        require_running(conn, 77)


def test_finalising_writes_everything_at_once(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    counts = {
        "certificates": 1,
        "links": 2,
        "persons": 3,
        "employees": 4,
        "claims": 5,
        "sent": 6,
        "withdrawn": 7,
    }
    facts = {
        "tenants": {"t1": {"certificates": 1}},
        "dispositions": {"delivered": 5},
        "findings": {"EXPIRED": 1},
        "guards": {"drop": {"tripped": False, "why": "a\0b ø"}},
        "inputs_sha256": "aa",
        "outcome_sha256": "bb",
    }
    finalise(warehouse, run_seq, RunStatus.SUCCEEDED_WITH_REJECTS, **counts, **facts)
    run = _record(warehouse, run_seq)
    assert run.status == "succeeded_with_rejects"
    assert run.finished_at >= run.started_at
    assert {name: getattr(run, name) for name in counts} == counts
    assert run.guards == {"drop": {"tripped": False, "why": "a\ufffdb ø"}}
    assert (run.tenants, run.inputs_sha256) == (facts["tenants"], "aa")


def test_a_failed_run_keeps_what_it_never_reached_null(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    finalise(warehouse, run_seq, RunStatus.FAILED, failure="100 of 101\0 rows came", certificates=100)
    run = _record(warehouse, run_seq)
    assert (run.failure, run.certificates, run.claims, run.findings) == (
        "100 of 101\ufffd rows came",
        100,
        None,
        None,
    )


def test_running_is_no_end(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    with pytest.raises(ValueError, match="running"):
        finalise(warehouse, run_seq, RunStatus.RUNNING)


def test_no_run_no_record(warehouse: Engine) -> None:
    assert _record(warehouse, 1) is None


@pytest.mark.parametrize(
    ("changes", "status", "counts"),
    [
        pytest.param({}, RunStatus.SUCCEEDED, True, id="succeeded"),
        pytest.param({}, RunStatus.SUCCEEDED_WITH_REJECTS, True, id="with rejects"),
        pytest.param({}, RunStatus.FAILED, False, id="failed"),
        pytest.param({}, None, False, id="still running"),
        pytest.param(DRY, RunStatus.SUCCEEDED, False, id="dry"),
        pytest.param({"scope": {"tenant_ids": ["t1"]}}, RunStatus.SUCCEEDED, False, id="limited"),
        pytest.param(ELSEWHERE, RunStatus.SUCCEEDED, False, id="another target"),
    ],
)
def test_the_baseline(warehouse: Engine, changes: dict[str, Any], status: RunStatus | None, counts: bool) -> None:
    first = opened_seq(warehouse, "first")
    finalise(warehouse, first, tenants={"t1": {"certificates": 9}}, employees=4)
    second = opened_seq(warehouse, "second", **changes)
    if status:
        finalise(warehouse, second, status)
    with transaction(warehouse) as conn:
        found = baseline(conn, TARGET)
    assert found is not None
    assert found.run_seq == (second if counts else first)
    if not counts:
        assert (found.tenants, found.employees) == ({"t1": {"certificates": 9}}, 4)


def test_a_target_without_a_baseline(warehouse: Engine) -> None:
    opened_seq(warehouse)
    with transaction(warehouse) as conn:
        assert baseline(conn, TARGET) is None


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        pytest.param("mode = 'try'", "run_mode", id="mode"),
        pytest.param("status = 'ended', finished_at = now()", "run_status", id="status"),
        pytest.param("status = 'failed'", "run_finished", id="an end without a time"),
        pytest.param("attempt = 1, run_id = 'first'", "run_attempt_once", id="one row an attempt"),
        pytest.param("chain_no = 1", "run_chain_no_once", id="one row a link"),
    ],
)
def test_what_a_run_row_may_not_say(warehouse: Engine, change: str, constraint: str) -> None:
    opened_seq(warehouse, "first")
    run_seq = opened_seq(warehouse, "second")
    with pytest.raises(IntegrityError, match=constraint), transaction(warehouse) as conn:  # noqa: PT012
        # A constraint holds even where somebody switched the triggers off.
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        statement = f"UPDATE reconciliation.run SET {change} WHERE run_seq = :n"  # noqa: S608
        conn.execute(text(statement), {"n": run_seq})


def test_the_finalised_runs_of_a_target(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    finalise(warehouse, first, claims=3, dispositions={"delivered": 3})
    second = opened_seq(warehouse, "limited", scope={"tenant_ids": ["t1"]})
    finalise(warehouse, second, RunStatus.FAILED)
    finalise(warehouse, opened_seq(warehouse, "dry", **DRY))
    finalise(warehouse, opened_seq(warehouse, "elsewhere", **ELSEWHERE))
    last = opened_seq(warehouse, "running")
    with transaction(warehouse) as conn:
        found = finalised_runs(conn, TARGET, last)
        earlier = finalised_runs(conn, TARGET, second)
    assert found.schema == FINALISED_RUN
    assert found.select(["run_seq", "run_day", "status", "limited", "claims", "dispositions", "chain_no"]).to_pylist() == [
        {"run_seq": first, "run_day": DAY, "status": "succeeded", "limited": False, "claims": 3,
         "dispositions": '{"delivered": 3}', "chain_no": 1},
        {"run_seq": second, "run_day": DAY, "status": "failed", "limited": True, "claims": None,
         "dispositions": None, "chain_no": 2},
    ]  # fmt: skip
    assert earlier.column("run_seq").to_pylist() == [first]
