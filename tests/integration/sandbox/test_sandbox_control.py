"""The control API and the command line."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from certrecon_sandbox import credentials
from certrecon_sandbox.app import create_app
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.world import World, WorldSpec
from tests.integration.sandbox.conftest import Client

INDEX = "/v2/certificate/index"
UPSERT = "/api/v4/integration/certificates"
GOOD = {
    "employeeNumber": "1042",
    "certificateType": "Byggekort",
    "issuedDateTime": "2026-01-15T00:00:00Z",
    "validUntilDateTime": "2028-01-15T00:00:00Z",
}


def test_counters(client: Client) -> None:
    client.call("POST", INDEX, json={})
    client.call("POST", INDEX, json={"sort": "x"})
    client.call("GET", "/v2/person/view/unknown")
    client.core("GET", "/api/v5/integration/employees")
    counts = client.control("GET", "/requests")
    assert counts["4hse.certificate.index"]["requests"] == 2
    assert counts["4hse.certificate.index"]["statuses"] == {"200": 1, "422": 1}
    assert counts["4hse.person.view"]["statuses"] == {"404": 1}
    assert counts["ditio.employees.list"]["statuses"] == {"200": 1}
    assert "authorization" in counts["ditio.employees.list"]["header_names"]
    client.control("POST", "/reset", json={"what": ["journal"]})
    assert client.control("GET", "/requests") == {}


def test_most_in_flight(client: Client) -> None:
    client.server.options.latency_ms = 100
    url = client.server.urls["fourhse_url"] + INDEX

    async def ask() -> None:
        def one() -> None:
            requests.post(url, json={}, headers=client.fourhse.headers, timeout=10)

        await asyncio.gather(*(asyncio.to_thread(one) for _ in range(3)))

    asyncio.run(ask())
    assert client.control("GET", "/requests")["4hse.certificate.index"]["most_in_flight"] == 3


def test_writes_are_kept_with_their_rows(client: Client) -> None:
    client.core("POST", UPSERT, json=[GOOD])
    client.core("POST", UPSERT, json=[GOOD, GOOD | {"employeeNumber": "x"}])
    client.call("DELETE", "/v2/certificate/delete/unknown")
    client.call("POST", INDEX, json={})
    writes = client.control("GET", "/writes")
    assert [(write["endpoint"], write["status"]) for write in writes] == [
        ("ditio.certificates", 201),
        ("ditio.certificates", 400),
        ("4hse.certificate.delete", 404),
    ]
    assert [len(write["body"]) for write in writes[:2]] == [1, 2]
    only = client.control("GET", "/writes", params={"endpoint": "ditio.certificates"})
    assert only == writes[:2]


def test_latency(client: Client) -> None:
    client.control("POST", "/options", json={"latency_ms": 120})
    for call in (
        lambda: client.call("POST", INDEX, json={}),
        lambda: client.core("GET", "/api/v5/integration/employees"),
    ):
        began = time.monotonic()
        assert call().status_code == 200
        assert time.monotonic() - began >= 0.12


@pytest.mark.parametrize(
    "values",
    [
        {"unknown": 1},
        {"latency_ms": -1},
        {"latency_ms": "fast"},
        {"max_page_size": 1.5},
        {"ditio_casing": "snake"},
        {"max_page_size": 5, "unknown": 1},
    ],
)
def test_wrong_options_change_nothing(client: Client, values: dict[str, Any]) -> None:
    before = client.control("GET", "/options")
    answer = requests.post(client.server.urls["control_url"] + "/options", json=values, timeout=10)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert client.control("GET", "/options") == before


def test_mutate(client: Client) -> None:
    row = dict(next(iter(client.server.world.certificates)))
    identity = row["certificate_id"]
    view = f"/v2/certificate/view/{identity}"
    operation = {"table": "certificates", "id": identity}

    def mutate(**more: Any) -> None:
        client.control("POST", "/mutate", json={"operations": [operation | more]})

    mutate(do="change", values={"date_release": "0000-00-00", "odd": {"deep": [1]}}, drop=["name"])
    shown = client.call("GET", view).json()
    assert (shown["date_release"], shown["odd"], "name" in shown) == ("0000-00-00", {"deep": [1]}, False)
    mutate(do="delete")
    assert client.call("GET", view).status_code == 404
    mutate(do="add", row={"certificate_id": identity, "tenant_id": None})
    assert client.call("GET", view).json() == {"certificate_id": identity, "tenant_id": None}
    client.control("POST", "/reset")
    assert client.call("GET", view).json() == row


@pytest.mark.parametrize("raw", ['{"name": "\\ud800"}', "{", '{"certificate_id": 1e400}'])
def test_raw_rows(client: Client, raw: str) -> None:
    identity = next(iter(client.server.world.certificates.rows))
    operation = {"do": "raw", "table": "certificates", "id": identity, "json": raw}
    client.control("POST", "/mutate", json={"operations": [operation]})
    assert client.call("GET", f"/v2/certificate/view/{identity}").text == raw
    assert client.call("POST", INDEX, json={"per-page": 1}).text == f"[{raw}]"


@pytest.mark.parametrize(
    "operation",
    [
        {"do": "add", "table": "certificates", "row": {}},
        {"do": "add", "table": "unicorns", "row": {}},
        {"do": "delete", "table": "certificates", "id": "unknown"},
        {"do": "explode", "table": "certificates", "id": "unknown"},
        "delete",
    ],
)
def test_wrong_operations(client: Client, operation: object) -> None:
    url = client.server.urls["control_url"] + "/mutate"
    answer = requests.post(url, json={"operations": [operation]}, timeout=10)
    assert answer.status_code == 400


def test_change_share_is_deterministic(client: Client) -> None:
    counts, tables = [], []
    for _ in range(2):
        client.control("POST", "/reset")
        counts.append(client.control("POST", "/change", json={"share": 0.1, "seed": 5}))
        tables.append(client.control("GET", "/world/certificates"))
    assert counts[0] == counts[1]
    assert sum(counts[0].values()) == 40
    assert len(counts[0]) > 2
    assert tables[0] == tables[1]


def test_world_tables(client: Client) -> None:
    world = client.control("GET", "/world")
    assert world["spec"]["certificates"] == 400
    assert world["spec"]["today"] == "2026-03-02"
    for name, count in world["rows"].items():
        assert len(client.control("GET", f"/world/{name}")) == count


def test_employee_number_reused(client: Client) -> None:
    client.core("POST", UPSERT, json=[GOOD])
    facts = client.control("POST", "/scenario/employee_number_reused")
    assert facts["employee_number"] == "1042"
    persons = [row for row in client.server.world.persons if row.get("code") == "1042"]
    assert [row["person_id"] for row in persons] == [facts["person_id"]]
    employee = client.core("GET", "/api/v5/integration/employees/1042").json()
    assert employee["lastName"] == persons[0]["last_name"] != "Smith"
    asked = {"filter": {"resource_id": facts["person_id"]}}
    rows = client.call("POST", INDEX, json=asked).json()
    assert [row["certificate_id"] for row in rows] == facts["certificate_ids"] != []


def test_employee_moved_to_project_company(client: Client) -> None:
    client.core("POST", UPSERT, json=[GOOD])
    facts = client.control("POST", "/scenario/employee_moved_to_project_company")
    assert facts["employee_number"] == GOOD["employeeNumber"]
    listed = client.core("GET", "/api/v5/integration/employees").json()
    assert facts["employee_number"] in {row["employeeNumber"] for row in listed}
    assert client.core("POST", UPSERT, json=[GOOD]).status_code == 400


def test_control_answers_to_loopback_only() -> None:
    async def ask(address: str) -> int:
        app = create_app(World())
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/control/world",
            "query_string": b"",
            "headers": [],
            "client": (address, 1),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(ask("127.0.0.1")) == 200
    assert asyncio.run(ask("::1")) == 200
    assert asyncio.run(ask("10.0.0.5")) == 403
    assert asyncio.run(ask("testclient")) == 403


@pytest.mark.parametrize("vendor", ["4hse", "ditio"])
def test_openapi_descriptions(client: Client, vendor: str) -> None:
    base = client.server.urls["base_url"]
    paths = requests.get(f"{base}/{vendor}/openapi.json", timeout=10).json()["paths"]
    wanted = {
        "4hse": {"/v2/certificate/index", "/v2/certificate/view/{id}", "/v2/certificate/create"},
        "ditio": {"/core/api/v4/integration/certificates", "/core/api/v5/integration/employees"},
    }
    assert wanted[vendor] <= set(paths)


def test_connections_lead_to_it(client: Client) -> None:
    variables = client.server.connection_variables()
    assert sorted(variables) == ["AIRFLOW_CONN_DITIO_DEFAULT", "AIRFLOW_CONN_FOURHSE_DEFAULT"]
    fourhse = json.loads(variables["AIRFLOW_CONN_FOURHSE_DEFAULT"])
    ditio = json.loads(variables["AIRFLOW_CONN_DITIO_DEFAULT"])
    assert (fourhse["conn_type"], ditio["conn_type"]) == ("fourhse", "ditio")
    form = fourhse["extra"] | {"username": fourhse["login"], "password": fourhse["password"]}
    token = requests.post(form.pop("token_url"), data=form | {"grant_type": "password"}, timeout=10)
    assert token.status_code == 200
    form = {"grant_type": "client_credentials", "scope": ditio["extra"]["scope"]}
    form |= {"client_id": ditio["login"], "client_secret": ditio["password"]}
    assert requests.post(ditio["extra"]["token_url"], data=form, timeout=10).status_code == 200
    static = json.loads(client.server.connection_variables(access_token=True)["AIRFLOW_CONN_FOURHSE_DEFAULT"])
    assert static["extra"] == {"access_token": credentials.ACCESS_TOKEN}


def test_command_line(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "certrecon_sandbox"]
    options = ["--certificates", "120", "--seed", "9", "--today", "2026-01-31", "--latency-ms", "5"]
    process = subprocess.Popen([*command, *options, "--ready-file", str(ready)])
    try:
        end = time.monotonic() + 30
        while not ready.exists() and time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        facts = json.loads(ready.read_text())
        assert (facts["pid"], facts["today"]) == (process.pid, "2026-01-31")
        url = facts["control_url"]
        world = requests.get(url + "/world", timeout=10).json()
        assert world["spec"] == {"certificates": 120, "seed": 9, "today": "2026-01-31", "tenants": 3}
        assert requests.get(url + "/options", timeout=10).json()["latency_ms"] == 5
        changed = subprocess.run(
            [*command, "change", "--port", str(facts["port"]), "--share", "0.05"],
            check=True,
            capture_output=True,
            text=True,
        )
        assert sum(json.loads(changed.stdout).values()) == 6
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def test_servers_do_not_share_anything() -> None:
    with SandboxServer(WorldSpec(0)) as one, SandboxServer(WorldSpec(0)) as other:
        assert one.port != other.port
        requests.post(one.urls["fourhse_url"] + INDEX, timeout=10)
        assert requests.get(other.urls["control_url"] + "/requests", timeout=10).json() == {}
