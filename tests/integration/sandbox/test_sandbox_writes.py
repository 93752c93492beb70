"""Creating, changing and deleting certificates and their links."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from certrecon_sandbox.generate.persons import DOCUMENT_PERSON_ID
from certrecon_sandbox.generate.tenants import DOCUMENT_TENANT_ID
from tests.integration.sandbox.conftest import Client

Row = dict[str, Any]
GOOD: Row = {
    "date_release": "2024-01-15",
    "date_expire": "2029-01-15",
    "name": "Fire Safety Training Certificate",
    "action_type": "TRAINING",
    "resource_id": DOCUMENT_PERSON_ID,
    "tenant_id": DOCUMENT_TENANT_ID,
    "validity_unit": "YEAR",
    "validity": 5,
}


def create(client: Client, **changes: Any) -> Row:
    answer = client.call("POST", "/v2/certificate/create", json=GOOD | changes)
    assert answer.status_code == 201, answer.text
    created: Row = answer.json()
    return created


def action_of(client: Client, code: str = "BYGG", tenant: str = DOCUMENT_TENANT_ID) -> Row:
    found = (row for row in client.server.world.actions if row["code"] == code)
    return next(row for row in found if row["tenant_id"] == tenant)


def link(client: Client, certificate: Row, **changes: Any) -> Any:
    values = {
        "certificate_id": certificate["certificate_id"],
        "action_id": action_of(client)["action_id"],
        "tenant_id": DOCUMENT_TENANT_ID,
    }
    return client.call("POST", "/v2/certificate-action/create", json=values | changes)


def test_created_is_viewed_and_derived(client: Client) -> None:
    row = create(client)
    assert row.items() >= GOOD.items()
    assert uuid.UUID(row["certificate_id"])
    assert row["resource_type"] == "PERSON"
    assert row["resource_name"] == "Smith John"
    assert row["project_name"] == "Acme Construction Ltd"
    assert row["subtenant_id"] is None
    assert client.call("GET", f"/v2/certificate/view/{row['certificate_id']}").json() == row


def test_other_resources_are_known(client: Client) -> None:
    resource, (kind, name) = next(iter(client.server.world.resources.items()))
    row = create(client, resource_id=resource, action_type="MAINTENANCE")
    assert (row["resource_type"], row["resource_name"]) == (kind, name)


def test_form_values_become_numbers(client: Client) -> None:
    form = {name: str(value) for name, value in GOOD.items()} | {"warning": "1", "data[hours]": "8"}
    answer = client.call("POST", "/v2/certificate/create", data=form)
    assert answer.status_code == 201
    assert answer.json().items() >= (GOOD | {"warning": 1, "data": {"hours": "8"}}).items()


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        pytest.param({"date_release": None}, "date_release", "cannot be blank", id="no issue date"),
        pytest.param({"name": "  "}, "name", "cannot be blank", id="blank name"),
        pytest.param({"action_type": None}, "action_type", "cannot be blank", id="no type"),
        pytest.param({"resource_id": None}, "resource_id", "cannot be blank", id="no resource"),
        pytest.param({"tenant_id": None}, "tenant_id", "cannot be blank", id="no tenant"),
        pytest.param({"name": "x" * 256}, "name", "at most 255", id="long name"),
        pytest.param({"name": 5}, "name", "string", id="name no text"),
        pytest.param({"action_type": "training"}, "action_type", "invalid", id="enum is exact"),
        pytest.param({"validity_unit": "WEEK"}, "validity_unit", "invalid", id="unit"),
        pytest.param({"warning": 2}, "warning", "invalid", id="warning"),
        pytest.param({"validity": "five"}, "validity", "integer", id="validity"),
        pytest.param({"validity": True}, "validity", "integer", id="validity no flag"),
        pytest.param({"date_release": "15.01.2024"}, "date_release", "format", id="date form"),
        pytest.param({"date_expire": "2024-02-30"}, "date_expire", "format", id="no such day"),
        pytest.param({"date_expire": "20240115"}, "date_expire", "format", id="basic ISO"),
        pytest.param({"data": "x"}, "data", "object", id="data"),
        pytest.param({"certificate_id": "x"}, "certificate_id", "UUID", id="id"),
        pytest.param({"tenant_id": str(uuid.uuid4())}, "tenant_id", "invalid", id="unknown tenant"),
    ],
)
def test_create_refusals(client: Client, change: Row, field: str, message: str) -> None:
    before = len(client.server.world.certificates)
    answer = client.call("POST", "/v2/certificate/create", json=GOOD | change)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()] == [field]
    assert message in answer.json()[0]["message"]
    assert len(client.server.world.certificates) == before


def test_every_wrong_field_is_named(client: Client) -> None:
    answer = client.call("POST", "/v2/certificate/create", json={"validity": "x"})
    fields = {error["field"] for error in answer.json()}
    assert fields == {"date_release", "name", "action_type", "resource_id", "tenant_id", "validity"}


def test_an_id_is_taken_once(client: Client) -> None:
    row = create(client, certificate_id=str(uuid.uuid4()))
    answer = client.call("POST", "/v2/certificate/create", json=GOOD | {"certificate_id": row["certificate_id"]})
    assert answer.status_code == 422
    assert "already been taken" in answer.json()[0]["message"]


def test_what_is_no_attribute_is_ignored(client: Client) -> None:
    row = create(client, permission="owner", resource_type="ROLE", colour="red")
    assert row["permission"] != "owner"
    assert row["resource_type"] == "PERSON"
    assert "colour" not in row


def test_suspended_projects_cannot_be_written(client: Client) -> None:
    suspended = next(row for row in client.server.world.projects if row["status"] == "suspended")
    answer = client.call("POST", "/v2/certificate/create", json=GOOD | {"tenant_id": suspended["project_id"]})
    assert (answer.status_code, answer.json()["name"]) == (403, "Forbidden")


@pytest.mark.parametrize("address", ["/update/{id}", "/update?id={id}"])
@pytest.mark.parametrize("kind", ["json", "data"])
def test_update_changes_only_what_is_given(client: Client, address: str, kind: str) -> None:
    row = create(client)
    values = {"name": "Fire Safety Training Certificate - Renewed", "date_expire": "2030-01-15"}
    path = "/v2/certificate" + address.format(id=row["certificate_id"])
    answer = client.call("PUT", path, **{kind: values})
    assert (answer.status_code, answer.json()) == (200, row | values)
    assert client.call("GET", f"/v2/certificate/view/{row['certificate_id']}").json() == row | values


def test_update_refusals(client: Client) -> None:
    row = create(client)
    path = f"/v2/certificate/update/{row['certificate_id']}"
    for values in ({"name": ""}, {"name": None}, {"date_release": "x"}, {"action_type": "X"}):
        assert client.call("PUT", path, json=values).status_code == 422
    assert client.call("PUT", "/v2/certificate/update/unknown", json={}).status_code == 404
    assert client.call("GET", f"/v2/certificate/view/{row['certificate_id']}").json() == row


def test_optional_values_can_be_emptied(client: Client) -> None:
    row = create(client)
    path = f"/v2/certificate/update/{row['certificate_id']}"
    assert client.call("PUT", path, json={"date_expire": None}).json()["date_expire"] is None


def test_link_takes_from_certificate_and_action(client: Client) -> None:
    certificate, action = create(client), action_of(client)
    answer = link(client, certificate)
    row = answer.json()
    assert answer.status_code == 201
    assert row["date_expire"] == "2029-01-15"
    assert row["is_date_inherited"] == 1
    assert (row["action_code"], row["action_name"]) == ("BYGG", action["name"])
    assert row["certificate_name"] == GOOD["name"]
    viewed = client.call("GET", f"/v2/certificate/view/{certificate['certificate_id']}").json()
    assert viewed["subtenant_id"] == action["subtenant_id"]
    asked = {"filter": {"certificate_id": certificate["certificate_id"]}}
    assert client.call("POST", "/v2/certificate-action/index", json=asked).json() == [row]


def test_links_follow_their_certificate(client: Client) -> None:
    certificate = create(client)
    inherited = link(client, certificate).json()
    own = link(client, certificate, date_expire="2027-07-07").json()
    assert own["is_date_inherited"] == 0
    path = f"/v2/certificate/update/{certificate['certificate_id']}"
    client.call("PUT", path, json={"date_expire": "2031-01-01", "name": "Renamed"})
    view = "/v2/certificate-action/view/"
    first = client.call("GET", view + inherited["certificate_action_id"]).json()
    second = client.call("GET", view + own["certificate_action_id"]).json()
    assert (first["date_expire"], second["date_expire"]) == ("2031-01-01", "2027-07-07")
    assert {first["certificate_name"], second["certificate_name"]} == {"Renamed"}


def test_link_update(client: Client) -> None:
    row = link(client, create(client)).json()
    path = f"/v2/certificate-action/update/{row['certificate_action_id']}"
    changed = client.call("PUT", path, json={"date_expire": "2026-12-31"}).json()
    assert (changed["date_expire"], changed["is_date_inherited"]) == ("2026-12-31", 0)
    kept = client.call("PUT", path, json={}).json()
    assert kept == changed
    back = client.call("PUT", path, json={"date_expire": None}).json()
    assert (back["date_expire"], back["is_date_inherited"]) == ("2029-01-15", 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"certificate_id": None}, "certificate_id", id="no certificate"),
        pytest.param({"certificate_id": str(uuid.uuid4())}, "certificate_id", id="unknown certificate"),
        pytest.param({"action_id": None}, "action_id", id="no action"),
        pytest.param({"action_id": str(uuid.uuid4())}, "action_id", id="unknown action"),
        pytest.param({"tenant_id": None}, "tenant_id", id="no tenant"),
        pytest.param({"date_expire": "soon"}, "date_expire", id="date"),
    ],
)
def test_link_refusals(client: Client, change: Row, field: str) -> None:
    answer = link(client, create(client), **change)
    assert (answer.status_code, [error["field"] for error in answer.json()]) == (422, [field])


def test_link_to_another_tenants_action(client: Client) -> None:
    others = [row for row in client.server.world.actions if row["tenant_id"] != DOCUMENT_TENANT_ID]
    assert link(client, create(client), action_id=others[0]["action_id"]).status_code == 422


@pytest.mark.parametrize("address", ["/delete/{id}?x=1", "/delete?id={id}"])
def test_delete_previews_without_force(client: Client, address: str) -> None:
    certificate = create(client)
    tied = link(client, certificate).json()
    path = "/v2/certificate" + address.format(id=certificate["certificate_id"])
    for force in ("", "&force=false", "&force=0"):
        answer = client.call("DELETE", path + force)
        assert answer.status_code == 200
        assert [item["id"] for item in answer.json()] == [tied["certificate_action_id"]]
    view = f"/v2/certificate/view/{certificate['certificate_id']}"
    assert client.call("GET", view).status_code == 200
    answer = client.call("DELETE", path + "&force=true")
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.call("GET", view).status_code == 404
    gone = client.call("GET", f"/v2/certificate-action/view/{tied['certificate_action_id']}")
    assert gone.status_code == 404
    assert client.call("DELETE", path + "&force=true").status_code == 404


def test_delete_a_link(client: Client) -> None:
    certificate = create(client)
    tied = link(client, certificate).json()
    path = f"/v2/certificate-action/delete/{tied['certificate_action_id']}"
    assert client.call("DELETE", path).json() == []
    assert client.call("DELETE", path + "?force=true").status_code == 204
    asked = {"filter": {"certificate_id": certificate["certificate_id"]}}
    assert client.call("POST", "/v2/certificate-action/index", json=asked).json() == []
