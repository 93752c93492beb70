"""Webhooks at a running Airflow: what they point at is at Ditio soon after, and never beside a night."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
import requests
from sqlalchemy import Engine

from certrecon.warehouse.addresses import make_address
from certrecon.warehouse.engine import connect_engine, transaction
from certrecon.words import ChangeEvent
from tests.browser.nights import SandboxControl, must_end_well
from tests.browser.station import Station, running_station
from tests.contract import warehouse as sql
from tests.e2e.quickstart import Checkout

EVENTS, NIGHT = "certificate_events", "certificate_reconciliation"
PATIENCE = 180

pytestmark = pytest.mark.slow


@dataclass
class Listening:
    """An Airflow after one night, with both DAGs on and an address for changed certificates."""

    station: Station
    engine: Engine
    webhook: str
    headers: dict[str, str]

    def api(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.station.url}/api/v2/{path}"
        answer = requests.request(method, url, json=body, headers=self.headers, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def runs(self, dag: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("GET", f"dags/{dag}/dagRuns?order_by=id")["dag_runs"]
        return found

    def start_night(self) -> str:
        body = {"logical_date": None, "conf": {}}
        return str(self.api("POST", f"dags/{NIGHT}/dagRuns", body)["dag_run_id"])

    def change(self, claim: dict[str, Any], day: str) -> None:
        """Change the expiry of a certificate and of its links in 4HSE, and let 4HSE tell of it."""
        sandbox, certificate = self.station.sandbox, claim["certificate_id"]
        links = [row for row in sandbox.rows("links") if row["certificate_id"] == certificate]
        changes = [sandbox.change("links", row["certificate_action_id"], date_expire=day) for row in links]
        sandbox.mutate([*changes, sandbox.change("certificates", certificate, date_expire=day)])
        updated = {"date_expire": {"old": "2020-01-01", "new": "1999-09-09"}}
        answer = requests.post(self.webhook, json={"entity_id": certificate, "updated_fields": updated}, timeout=30)
        assert answer.status_code in {200, 204}

    def at_ditio(self, claim: dict[str, Any]) -> str:
        """Until when Ditio takes a claim's employee to be qualified."""
        [row] = [
            row
            for row in self.station.sandbox.rows("upserts")
            if (row["employeeNumber"].strip(), row["certificateType"]) == key_of(claim)
        ]
        return str(row["validUntilDateTime"])[:10]

    def waiting(self) -> int:
        query = "SELECT count(*) AS n FROM reconciliation.change_hint WHERE settled_run_seq IS NULL"
        return int(sql.rows(self.engine, query)[0]["n"])

    def claims(self) -> list[dict[str, Any]]:
        """Delivered claims that are the only ones of their key, and of their certificate."""
        found = sql.claims(self.engine)
        keys, certificates = [key_of(row) for row in found], [row["certificate_id"] for row in found]
        single = [row for row in found if keys.count(key_of(row)) == 1 == certificates.count(row["certificate_id"])]
        return [row for row in single if row["disposition"] == "delivered"]

    def until(self, what: str, true: Callable[[], object]) -> None:
        ends = time.monotonic() + PATIENCE
        while not true():
            states = [(run["dag_run_id"], run["state"]) for dag in (EVENTS, NIGHT) for run in self.runs(dag)]
            assert time.monotonic() < ends, f"never came: {what}; {states}"
            time.sleep(0.5)


def key_of(claim: dict[str, Any]) -> tuple[str, str]:
    return claim["employee_number"], claim["certificate_type"]


def one_night(checkout: Checkout, _sandbox: SandboxControl) -> None:
    must_end_well(checkout, {})


@pytest.fixture(scope="module")
def listening() -> Iterator[Listening]:
    """Keep it up for the length of the module."""
    with running_station(one_night, {"admin": "admin"}) as station:
        engine = connect_engine(station.warehouse)
        with transaction(engine) as conn:
            token = make_address(conn, ChangeEvent.CERTIFICATE_UPDATE, "a test").token
        login = {"username": "admin", "password": station.passwords["admin"]}
        signed_in = requests.post(f"{station.url}/auth/token", json=login, timeout=60).json()["access_token"]
        webhook = f"{station.url}/certrecon-webhooks/fourhse/{token}"
        found = Listening(station, engine, webhook, {"Authorization": f"Bearer {signed_in}"})
        for dag in (EVENTS, NIGHT):
            found.until(f"{dag} is parsed", lambda dag=dag: _patched(found, dag))
        yield found
        engine.dispose()


def _patched(listening: Listening, dag: str) -> bool:
    """Switch a DAG on, and return whether Airflow has parsed it already."""
    url = f"{listening.station.url}/api/v2/dags/{dag}"
    return requests.patch(url, json={"is_paused": False}, headers=listening.headers, timeout=60).ok


def test_a_change_is_at_ditio_without_a_night(listening: Listening) -> None:
    """The body's own values are never taken: Ditio gets what 4HSE's API says."""
    claim = listening.claims()[0]
    listening.change(claim, "2034-05-06")
    listening.until("the new date at Ditio", lambda: listening.at_ditio(claim) == "2034-05-06")
    listening.until("the end of the run", lambda: [run["state"] for run in listening.runs(EVENTS)][-1:] == ["success"])
    [run] = sql.rows(listening.engine, "SELECT * FROM reconciliation.run WHERE scope ? 'by' ORDER BY run_seq")
    assert (run["status"], run["sent"]) == ("succeeded", 1)
    assert (run["trigger"], listening.waiting()) == ("asset_triggered", 0)


def test_a_change_during_a_night_waits_for_its_end(listening: Listening) -> None:
    """The hint is followed after the night, by a run of its own if the night had read that certificate already."""
    claim = listening.claims()[1]
    night = listening.start_night()
    running = "SELECT 1 FROM reconciliation.run WHERE status = 'running' AND NOT scope ? 'by'"
    listening.until("the night is open", lambda: sql.rows(listening.engine, running))
    listening.change(claim, "2035-06-07")
    listening.until("the new date at Ditio", lambda: listening.at_ditio(claim) == "2035-06-07")
    listening.until("all hints settled", lambda: listening.waiting() == 0)
    ended = {"success", "failed"}
    listening.until(
        "the end of all", lambda: all(run["state"] in ended for dag in (EVENTS, NIGHT) for run in listening.runs(dag))
    )
    assert [run["state"] for run in listening.runs(NIGHT) if run["dag_run_id"] == night] == ["success"]
    runs = sql.rows(
        listening.engine, "SELECT started_at, finished_at, failure FROM reconciliation.run ORDER BY run_seq"
    )
    assert all(run["failure"] is None for run in runs)
    assert all(one["finished_at"] <= later["started_at"] for one, later in pairwise(runs))


def test_started_by_hand_with_nothing_to_do_it_skips_the_rest(listening: Listening) -> None:
    body = {"logical_date": None, "conf": {}}
    started = listening.api("POST", f"dags/{EVENTS}/dagRuns", body)["dag_run_id"]
    path = f"dags/{EVENTS}/dagRuns/{started}"
    listening.until("the end of the run", lambda: listening.api("GET", path)["state"] == "success")
    tasks = listening.api("GET", f"{path}/taskInstances")["task_instances"]
    states = {task["task_id"]: task["state"] for task in tasks}
    assert states.pop("wait_for_turn") == "success"
    assert set(states.values()) == {"skipped"}
    log = listening.api("GET", f"{path}/taskInstances/wait_for_turn/logs/1")
    assert "wait_for_turn ended after" in str(log)
