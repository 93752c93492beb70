"""Approval under a real scheduler, answered by people at Airflow's own page in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser
from sqlalchemy import Engine, text

from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.roles import AUDITOR
from tests.browser.asking import ASKERS, SECONDS, Api, first_night, prolong, settings_of
from tests.browser.station import Station, running_station
from tests.browser.visit import DAG, Visit, visiting

REASON = "The training centre prolonged these courses."


@pytest.fixture(scope="module")
def asking(program: str) -> Iterator[Station]:
    """An Airflow of its own, whose runs change what was delivered."""
    with running_station(first_night, ASKERS) as running:
        Api(running, "olga").unpause()
        yield running


@pytest.fixture
def anna(browser: Browser, asking: Station) -> Iterator[Visit]:
    """An operator at her window."""
    with visiting(browser, asking) as visit:
        visit.log_in("anna")
        yield visit


@pytest.fixture(scope="module")
def warehouse(asking: Station) -> Iterator[Engine]:
    """The warehouse behind that Airflow."""
    engine = connect_engine(asking.warehouse, AUDITOR)
    yield engine
    engine.dispose()


def asked(station: Station, day: str, settings: dict[str, Any]) -> tuple[Api, str]:
    """Let three deliveries change, start a run as olga, and wait until it asks."""
    settings_of(station, **settings)
    prolong(station, day)
    olga = Api(station, "olga")
    run = olga.trigger()
    olga.wait_for_the_question(run)
    return olga, run


def answer(visit: Visit, run: str, option: str) -> None:
    """Answer as people do: open the task's required action, give a reason, click."""
    visit.page.goto(f"{visit.station.url}/dags/{DAG}/runs/{run}/tasks/approve/required_actions")
    visit.page.locator("input[name='element_reason'], textarea[name='element_reason']").first.fill(REASON)
    visit.page.get_by_role("button", name=option).click()
    visit.page.get_by_text("Awaiting Input").wait_for(state="hidden")


def approvals(engine: Engine, run: str) -> list[tuple[str | None, str | None, str | None]]:
    """Return who decided what, and why."""
    query = """
        SELECT decided_by, decision, a.reason FROM reconciliation.approval AS a JOIN reconciliation.run USING (run_seq)
         WHERE run_id = :run ORDER BY approval_id"""
    with engine.connect() as conn:
        return [tuple(row) for row in conn.execute(text(query), {"run": run})]  # type: ignore[misc]


def row_of(engine: Engine, run: str) -> Any:
    with engine.connect() as conn:
        return conn.execute(text("SELECT * FROM reconciliation.run WHERE run_id = :run"), {"run": run}).one()


def why(user: Api, engine: Engine, run: str) -> str:
    """Return what a failed run says of itself."""
    return f"{row_of(engine, run).failure}; {user.tasks(run)}"


def test_another_person_approves_at_the_page(asking: Station, anna: Visit, warehouse: Engine) -> None:
    olga, run = asked(asking, "2028-05-05", {"four_eyes": "true"})
    assert olga.answer(run, "Approve", "It is my own run.").ok
    until = time.monotonic() + SECONDS
    while not approvals(warehouse, run):
        assert time.monotonic() < until, "the answer never reached the record"
        time.sleep(0.5)
    olga.wait_for_the_question(run)
    answer(anna, run, "Approve")
    assert olga.wait_for_the_end(run) == "success", why(olga, warehouse, run)
    first, second = approvals(warehouse, run)
    assert first[:2] == ("olga", "not_counted")
    assert second == ("anna", "approved", REASON)
    assert (row_of(warehouse, run).status, row_of(warehouse, run).sent) == ("succeeded", 3)


def test_a_refused_plan_is_loaded_and_reported_and_no_task_is_skipped(
    asking: Station, anna: Visit, warehouse: Engine
) -> None:
    olga, run = asked(asking, "2028-06-06", {"four_eyes": "false"})
    answer(anna, run, "Refuse")
    assert olga.wait_for_the_end(run) == "success", why(olga, warehouse, run)
    assert set(olga.tasks(run).values()) == {"success"}
    row = row_of(warehouse, run)
    assert (row.status, row.sent, row.dispositions["refused"]) == ("succeeded", 0, 3)
    assert approvals(warehouse, run) == [("anna", "refused", REASON)]
    anna.open(f"/runs/{row.run_seq}/report")
    assert REASON in anna.page.inner_text("body")
    assert "2028-06-06" not in {one["validUntilDateTime"][:10] for one in asking.sandbox.rows("upserts")}


def test_a_question_that_nobody_answers_ends_as_refused(asking: Station, warehouse: Engine) -> None:
    olga, run = asked(asking, "2028-07-07", {"timeout_hours": 0.001})
    assert olga.wait_for_the_end(run) == "success", why(olga, warehouse, run)
    [(who, decision, reason)] = approvals(warehouse, run)
    assert (who, decision) == (None, "expired")
    assert "Nobody answered within 0.001 hours" in str(reason)
    assert set(olga.tasks(run).values()) == {"success"}


def test_only_approvers_may_answer(asking: Station, warehouse: Engine) -> None:
    olga, run = asked(asking, "2028-08-08", {"approvers": "[bo]"})
    assert Api(asking, "anna").answer(run, "Approve", "I may not.").status_code == 403
    assert approvals(warehouse, run) == []
    assert Api(asking, "bo").answer(run, "Refuse", "Not today.").ok
    assert olga.wait_for_the_end(run) == "success", why(olga, warehouse, run)
    assert approvals(warehouse, run) == [("bo", "refused", "Not today.")]


def test_after_all_of_this_the_weekly_verification_holds(asking: Station) -> None:
    weekly = Api(asking, "olga", "audit_verification")
    weekly.unpause()
    run = weekly.trigger()
    assert weekly.wait_for_the_end(run) == "success"
    assert weekly.tasks(run) == {"verify-1": "success", "purge-1": "success"}
