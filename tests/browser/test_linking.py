"""Linking under a real scheduler: ticked on the worklist, started from the page, approved at Airflow's own page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, text

from certrecon.publishing.question import shown
from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.roles import AUDITOR
from tests.browser.asking import ASKERS, Api, first_night, settings_of
from tests.browser.station import Station, running_station
from tests.browser.visit import Visit, frame, visiting

DAG = "link_certificates"
FOLLOW_SECONDS = 180
REASON = "The course papers are here."
UNLINKED = """
    SELECT certificate_id, tenant_id FROM reconciliation.claim_current
     WHERE 'ACTION_LINK_MISSING' = ANY (findings) AND disposition = 'held' AND action_type = 'TRAINING'
     ORDER BY certificate_id"""


@pytest.fixture(scope="module")
def linking(program: str) -> Iterator[Station]:
    """An Airflow of its own; linking is switched off until a test allows it."""
    with running_station(first_night, ASKERS) as running:
        Api(running, "olga", DAG).unpause()
        yield running


@pytest.fixture
def olga(browser: Browser, linking: Station) -> Iterator[Visit]:
    with visiting(browser, linking) as visit:
        visit.log_in("olga")
        yield visit


@pytest.fixture
def anna(browser: Browser, linking: Station) -> Iterator[Visit]:
    with visiting(browser, linking) as visit:
        visit.log_in("anna")
        yield visit


@pytest.fixture(scope="module")
def warehouse(linking: Station) -> Iterator[Engine]:
    engine = connect_engine(linking.warehouse, AUDITOR)
    yield engine
    engine.dispose()


@dataclass(frozen=True)
class Chosen:
    """What a test links.

    Attributes:
        certificates: Unlinked certificates of one project.
        tenant: The project.
        action: An action of it that the settings map.
    """

    certificates: tuple[str, ...]
    tenant: str
    action: str


@pytest.fixture
def chosen(linking: Station, warehouse: Engine) -> Chosen:
    found: dict[str, list[str]] = {}
    linked = {row["certificate_id"] for row in linking.sandbox.rows("links")}
    for row in rows(warehouse, UNLINKED):
        if row["certificate_id"] not in linked:
            found.setdefault(row["tenant_id"], []).append(row["certificate_id"])
    tenant = max(found, key=lambda one: len(found[one]))
    action = next(
        row["action_id"]
        for row in linking.sandbox.rows("actions")
        if (row["tenant_id"], row["code"], row["action_type"]) == (tenant, "BYGG", "TRAINING")
    )
    return Chosen(tuple(found[tenant][:2]), tenant, action)


def rows(engine: Engine, query: str) -> list[dict[str, Any]]:
    with engine.connect() as conn:
        return [dict(row) for row in conn.execute(text(query)).mappings()]


def links(station: Station, certificates: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return certificate and action of every link of these certificates in 4HSE."""
    found = station.sandbox.rows("links")
    return sorted((row["certificate_id"], row["action_id"]) for row in found if row["certificate_id"] in certificates)


def test_switched_off_the_page_says_so_and_a_run_refuses(
    linking: Station, olga: Visit, chosen: Chosen, warehouse: Engine
) -> None:
    olga.open(f"/worklist?finding=ACTION_LINK_MISSING&tenant={chosen.tenant}")
    assert "linking: {enabled: true}" in olga.page.inner_text("body")
    assert olga.page.get_by_role("checkbox").count() == 0
    api = Api(linking, "olga", DAG)
    run = api.trigger(certificate_ids=list(chosen.certificates), action_id=chosen.action)
    assert api.wait_for_the_end(run) == "failed"
    assert api.tasks(run)["check-1"] == "failed"
    assert links(linking, chosen.certificates) == []
    assert rows(warehouse, "SELECT 1 FROM reconciliation.linking") == []


def test_ticked_asked_approved_linked_and_hinted_at(
    linking: Station, olga: Visit, anna: Visit, chosen: Chosen, warehouse: Engine
) -> None:
    settings_of(linking, enabled="true", four_eyes="true")
    run = started_from_the_worklist(olga, chosen)
    api = Api(linking, "olga", DAG, "ask")
    api.wait_for_the_question(run)

    names = {row["certificate_id"]: row["resource_name"] for row in linking.sandbox.rows("certificates")}
    body = api.call("GET", f"/dags/{DAG}/dagRuns/{run}/taskInstances/ask/-1/hitlDetails").json()["body"]
    assert all(shown(names[one]) in body for one in chosen.certificates)
    assert "Byggekort" in body
    answer(anna, run, names[chosen.certificates[0]])

    assert api.wait_for_the_end(run) == "success", api.tasks(run)
    assert set(api.tasks(run).values()) == {"success"}, "no task is skipped"
    assert links(linking, chosen.certificates) == sorted((one, chosen.action) for one in chosen.certificates)
    [asked] = rows(warehouse, "SELECT * FROM reconciliation.linking")
    assert (asked["triggered_by"], asked["decided_by"], asked["decision"]) == ("olga", "anna", "approved")
    assert asked["reason"] == REASON
    hints = rows(warehouse, "SELECT * FROM reconciliation.change_hint WHERE source = 'link_certificates'")
    assert sorted(one for row in hints for one in row["certificate_ids"]) == sorted(chosen.certificates)
    events = api.call("GET", f"/assets/events?source_dag_id={DAG}").json()["asset_events"]
    facts = {event["uri"]: event["extra"] for event in events}
    assert len(events) == len(facts) == 2
    assert facts["certrecon://warehouse/hints"]["hints"] == len(chosen.certificates)
    assert facts["fourhse://api/certificate-action"]["links"] == len(chosen.certificates)
    anna.open("/linking")
    assert "approved by anna" in anna.page.inner_text("body")
    follow(linking, warehouse, chosen)


def follow(station: Station, warehouse: Engine, chosen: Chosen) -> None:
    """Switch certificate_events on: the certificates are linked in the warehouse too, without any night."""
    Api(station, "olga", "certificate_events").unpause()
    waiting = "SELECT 1 FROM reconciliation.change_hint WHERE settled_run_seq IS NULL"
    ends = time.monotonic() + FOLLOW_SECONDS
    while rows(warehouse, waiting):
        assert time.monotonic() < ends, "the hints were never followed"
        time.sleep(0.5)
    claims = rows(warehouse, "SELECT certificate_id, linked, certificate_type FROM reconciliation.claim_current")
    found = {row["certificate_id"]: row for row in claims}
    assert all(found[one]["linked"] for one in chosen.certificates)
    assert {found[one]["certificate_type"] for one in chosen.certificates} == {"Byggekort"}


def started_from_the_worklist(visit: Visit, chosen: Chosen) -> str:
    """Tick the certificates within Airflow's own window, give the action, and return the run's id."""
    visit.page.goto(f"{visit.station.url}/plugin/reconciliation")
    inside = frame(visit.page)
    inside.get_by_role("link", name="Worklist").click()
    inside.locator("select[name=finding]").select_option("ACTION_LINK_MISSING")
    inside.locator("select[name=tenant]").select_option(chosen.tenant)
    inside.get_by_role("button", name="Show").click()
    for one in chosen.certificates:
        inside.locator(f"input[form=linking][value='{one}']").check()
    inside.get_by_role("button", name="Link the ticked certificates").click()
    ticked = inside.locator("ul.ticked li")
    expect(ticked).to_have_count(len(chosen.certificates))
    assert all("valid until" in said for said in ticked.all_inner_texts()), "who and what, not ids alone"
    inside.locator("input[name=action_id]").fill(chosen.action)
    inside.get_by_role("button", name="Start the run").click()
    return inside.get_by_role("status").filter(has_text="was started").locator(".code").inner_text()


def answer(visit: Visit, run: str, name: str) -> None:
    """Answer as people do: look at the list, give a reason, click."""
    visit.page.goto(f"{visit.station.url}/dags/{DAG}/runs/{run}/tasks/ask/required_actions")
    visit.page.get_by_role("cell", name=name).first.wait_for()
    visit.page.locator("input[name='element_reason'], textarea[name='element_reason']").first.fill(REASON)
    visit.page.get_by_role("button", name="Approve").click()
    visit.page.get_by_text("Awaiting Input").wait_for(state="hidden")


def test_a_refused_list_leaves_4hse_as_it_is(linking: Station, chosen: Chosen, warehouse: Engine) -> None:
    settings_of(linking, enabled="true")
    before = linking.sandbox.rows("links")
    api = Api(linking, "olga", DAG, "ask")
    run = api.trigger(certificate_ids=list(chosen.certificates), action_id=chosen.action)
    api.wait_for_the_question(run)
    assert Api(linking, "bo", DAG, "ask").answer(run, "Refuse", "Not these.").ok
    assert api.wait_for_the_end(run) == "success", api.tasks(run)
    assert set(api.tasks(run).values()) == {"success"}
    assert linking.sandbox.rows("links") == before
    decisions = rows(warehouse, "SELECT decided_by, decision FROM reconciliation.linking ORDER BY linking_id")
    assert decisions[-1] == {"decided_by": "bo", "decision": "refused"}
