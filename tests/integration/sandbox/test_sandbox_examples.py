"""The vendors' own examples and the shapes of their public samples, with only the host changed."""

from __future__ import annotations

import uuid
from typing import Any

import requests

from certrecon_sandbox import credentials
from certrecon_sandbox.generate.persons import SAMPLE_PERSON_ID
from certrecon_sandbox.generate.tenants import SAMPLE_ACTION_ID, SAMPLE_TENANT_ID
from certrecon_sandbox.server import SandboxServer
from tests.integration.sandbox.conftest import Client

# The request bodies of the 4HSE document.
INDEX_EXAMPLE = {
    "filter": {"resource_id": "e3a1f5d2-8c4b-4e7a-9f6d-2b1c3d4e5f6a", "action_type": "TRAINING"},
    "per-page": 20,
    "page": 1,
    "sort": "-date_expire",
}
CREATE_EXAMPLE = {
    "date_release": "2024-01-15",
    "date_expire": "2029-01-15",
    "name": "Fire Safety Training Certificate",
    "action_type": "TRAINING",
    "resource_id": "e3a1f5d2-8c4b-4e7a-9f6d-2b1c3d4e5f6a",
    "tenant_id": "b5a7d602-3fc9-4e2a-9d1a-6e5b4c8f7a01",
    "validity_unit": "YEAR",
    "validity": 5,
}
UPDATE_EXAMPLE = {"name": "Fire Safety Training Certificate - Renewed", "date_expire": "2030-01-15"}
# What the document shows of an answer; the id and the office are the sandbox's own.
ANSWER_EXAMPLE = CREATE_EXAMPLE | {
    "resource_type": "PERSON",
    "resource_name": "Smith John",
    "warning": 0,
    "project_name": "Acme Construction Ltd",
}
# The request body of the Ditio document.
DITIO_EXAMPLE = [
    {
        "employeeNumber": "1042",
        "certificateType": "Byggekort",
        "certificateNumber": "BK-2026-12345",
        "issuedDateTime": "2026-01-15T00:00:00Z",
        "validUntilDateTime": "2028-01-15T00:00:00Z",
        "notes": "Utstedt av opplæringskontoret",
    },
    {
        "employeeNumber": "1042",
        "certificateType": "Kranførerbevis",
        "certificateNumber": "KF-2026-67890",
        "issuedDateTime": "2025-06-01T00:00:00Z",
        "validUntilDateTime": "2027-06-01T00:00:00Z",
    },
]


def test_fourhse_document(client: Client) -> None:
    created = client.call("POST", "/v2/certificate/create", json=CREATE_EXAMPLE)
    assert created.status_code == 201
    assert created.json().items() >= ANSWER_EXAMPLE.items()
    identity = created.json()["certificate_id"]
    rows = client.call("POST", "/v2/certificate/index", json=INDEX_EXAMPLE).json()
    assert identity in {row["certificate_id"] for row in rows}
    assert {row["resource_id"] for row in rows} == {CREATE_EXAMPLE["resource_id"]}
    updated = client.call("PUT", f"/v2/certificate/update/{identity}", json=UPDATE_EXAMPLE).json()
    assert updated.items() >= (UPDATE_EXAMPLE | {"certificate_id": identity}).items()


def test_sample_that_files_a_certificate(client: Client) -> None:
    """4HSE's e-learning sample: forms, uuid1 ids, `access-token` in the query."""
    host = client.server.urls["fourhse_url"]
    certificate_id = uuid.uuid1()
    for token in (credentials.ACCESS_TOKEN, *credentials.SAMPLE_ACCESS_TOKENS):
        authentication = {"access-token": token}
        certificate: dict[str, Any] = {
            "certificate_id": certificate_id,
            "validity_unit": "YEAR",
            "validity": 3,
            "date_release": "2022-01-10",
            "date_expire": "2025-01-10",
            "name": "Formazione anticendio rischio alto",
            "action_type": "TRAINING",
            "resource_id": SAMPLE_PERSON_ID,
            "tenant_id": SAMPLE_TENANT_ID,
        }
        answer = requests.post(host + "/v2/certificate/create", data=certificate, params=authentication, timeout=10)
        assert answer.status_code == 201, answer.text
        link = {
            "certificate_action_id": uuid.uuid1(),
            "certificate_id": certificate_id,
            "action_id": SAMPLE_ACTION_ID,
            "tenant_id": SAMPLE_TENANT_ID,
        }
        answer = requests.post(host + "/v2/certificate-action/create", data=link, params=authentication, timeout=10)
        assert answer.status_code == 201, answer.text
        assert answer.json()["date_expire"] == "2025-01-10"
        certificate_id = uuid.uuid1()


def test_sample_that_reads_subscriptions(client: Client) -> None:
    """4HSE's e-learning sample, second part: GET with a bracketed filter."""
    answer = requests.get(
        client.server.urls["fourhse_url"] + "/v2/action-subscription/index",
        params={"filter[tenant_id]": SAMPLE_TENANT_ID, "access-token": "my-access-token"},
        timeout=10,
    )
    assert answer.status_code == 200
    assert {row["tenant_id"] for row in answer.json()} == {SAMPLE_TENANT_ID}


def test_oldest_sample(server: SandboxServer, client: Client) -> None:
    """4HSE's first sample: offices at the unversioned address, rows inside `data`."""
    host, token = server.urls["fourhse_url"], {"access-token": "replace_with_yours"}

    def call(method: str, path: str, params: dict[str, Any], **more: Any) -> requests.Response:
        answer = requests.request(method, host + path, params=params | token, timeout=10, **more)
        assert answer.ok, answer.text
        return answer

    listed = call("GET", "/office/index", {"limit": 10, "sort": "-name"}).json()["data"]
    names = [row["name"].casefold() for row in listed]
    assert names == sorted(names, reverse=True)
    office = {
        "office_id": str(uuid.uuid1()),
        "name": "My new office",
        "project_id": listed[0]["project_id"],
    }
    call("POST", "/office/create", {}, data=office)
    shown = call("GET", "/office/view", {"id": office["office_id"]}).json()["data"]
    assert shown == office
    call("PUT", "/office/update", {"id": office["office_id"]}, data=shown | {"name": "new name"})
    assert call("GET", "/office/view", {"id": office["office_id"]}).json()["data"]["name"] == "new name"
    call("DELETE", "/office/delete", {"id": office["office_id"], "force": "true"})
    assert client.call("GET", f"/office/view?id={office['office_id']}").status_code == 404


def test_ditio_document(client: Client, client_form: dict[str, str]) -> None:
    urls = client.server.urls
    token = requests.post(urls["ditio_token_url"], data=client_form, timeout=10).json()["access_token"]
    response = requests.post(
        f"{urls['ditio_url']}/api/v4/integration/certificates",
        headers={"Authorization": f"Bearer {token}"},
        json=DITIO_EXAMPLE,
        timeout=10,
    )
    response.raise_for_status()
    held = client.control("GET", "/world/upserts")
    assert [{k: v for k, v in row.items() if v is not None} for row in held] == DITIO_EXAMPLE
