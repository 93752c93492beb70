"""Webhooks posted by a real client at a running Airflow: forged, too large, ten thousand at once, and a killed server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from certrecon.words import ChangeEvent
from tests.e2e.webhook_station import DAG, WebhookStation, running_webhook_station, until
from tests.integration.webhooks.crowd import Telling, tell
from tests.integration.webhooks.raw import pieces, post

BURST = 10_000
CONNECTIONS = 64
KILL_AFTER = 3_000
PATIENCE = 300
HUNDRED = 100 * 2**20
RUNS = f"SELECT state FROM dag_run WHERE dag_id = '{DAG}' AND run_type = 'asset_triggered'"
EVENTS = """
    SELECT json_extract(e.extra, '$.hints') FROM asset_event AS e JOIN asset AS a ON a.id = e.asset_id
     WHERE a.uri = 'certrecon://warehouse/hints' ORDER BY e.id"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def station() -> Iterator[WebhookStation]:
    """A running Airflow whose one DAG is scheduled on hints."""
    with running_webhook_station() as running:
        yield running


@pytest.fixture(scope="module")
def token(station: WebhookStation) -> str:
    """The token of the address for updates of certificates."""
    return station.address(ChangeEvent.CERTIFICATE_UPDATE)


def test_one_webhook_starts_the_dag(station: WebhookStation, token: str) -> None:
    answer = httpx.post(f"{station.url}/fourhse/{token}", json={"entity_id": "first", "updated_fields": {}}, timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"stored": True})
    until(lambda: station.airflow(RUNS) == [("success",)], 60)
    assert station.airflow(EVENTS) == [(1,)]


@pytest.mark.parametrize("forged", ["x" * 43, "", "..%2f..", "%00"], ids=["a guess", "none", "a way out", "no text"])
def test_a_forged_token_gets_404_and_stores_nothing(station: WebhookStation, token: str, forged: str) -> None:
    before = station.warehouse("SELECT count(*) FROM reconciliation.change_hint")
    answer = httpx.post(f"{station.url}/fourhse/{forged}", json={"entity_id": "c1"}, timeout=30)
    assert (answer.status_code, answer.content) == (404, b"")
    assert station.warehouse("SELECT count(*) FROM reconciliation.change_hint") == before


@pytest.mark.parametrize("known", [True, False], ids=["a right token", "a forged one"])
@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "its length said"])
def test_a_body_of_100_mb_is_refused_by_airflow_without_being_held(
    station: WebhookStation, token: str, known: bool, chunked: bool
) -> None:
    headers = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(HUNDRED)}
    held = station.server.memory_info().rss
    path = f"/certrecon-webhooks/fourhse/{token if known else 'forged'}"
    answer = post(station.port, path, headers, pieces(HUNDRED, chunked=chunked), 0 if chunked and known else 10)
    assert answer.status == (413 if known else 404)
    assert answer.sent <= 24 * 2**20  # what is on its way before an answer can be seen
    assert station.server.memory_info().rss - held < 24 * 2**20


def test_ten_thousand_in_a_burst_with_the_server_killed_in_its_middle_are_all_stored(
    station: WebhookStation, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [f"c{number}" for number in range(BURST)]

    def kill_and_start(telling: Telling) -> None:
        until(lambda: len(telling.told) >= KILL_AFTER, PATIENCE)
        station.kill_server()
        station.start_server()

    telling = tell(f"{station.url}/fourhse/{token}", ids, CONNECTIONS, PATIENCE, kill_and_start)
    with capsys.disabled():
        print(f"\n{CONNECTIONS} connections, server killed after {KILL_AFTER}: {telling}")  # noqa: T201
    assert telling.broken > 0  # there was a time without a server
    stored = station.warehouse("SELECT entity_id FROM reconciliation.change_hint WHERE entity_id LIKE 'c%'")
    assert set(stored) == set(ids)
    assert len(stored) <= BURST + CONNECTIONS  # only what was under way at the kill may be there twice


def test_after_the_last_hint_of_the_burst_the_dag_was_started_once_more(station: WebhookStation) -> None:
    [hints] = station.warehouse("SELECT count(*) FROM reconciliation.change_hint WHERE settled_run_seq IS NULL")
    until(lambda: station.airflow(EVENTS)[-1] == (hints,), 60)
    until(lambda: {state for (state,) in station.airflow(RUNS)} == {"success"}, 60)
    assert len(station.airflow(EVENTS)) < 60  # throttled: ten thousand hints are no ten thousand events


def test_no_token_is_in_any_log_or_file_of_airflow(station: WebhookStation, token: str) -> None:
    logs = [*station.folder.glob("*.log"), *files(station.project.logs), *files(station.project.airflow_home)]
    said = {path: path.read_bytes() for path in logs}
    assert sum(len(re.findall(rb"/certrecon-webhooks/\*\*\*", content)) for content in said.values()) > KILL_AFTER
    assert [path.name for path, content in said.items() if token.encode() in content] == []


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
