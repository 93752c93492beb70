"""Ditio's upsert, employees and users."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from certrecon_sandbox.ditio.employees import OWN, PROJECT, SUBSIDIARY
from tests.integration.sandbox.conftest import Client

UPSERT = "/api/v4/integration/certificates"
EMPLOYEES = "/api/v5/integration/employees"
USERS = "/api/v4/integration/users"
Row = dict[str, Any]
GOOD: Row = {
    "employeeNumber": "1042",
    "certificateType": "Byggekort",
    "issuedDateTime": "2026-01-15T00:00:00Z",
    "validUntilDateTime": "2028-01-15T00:00:00Z",
}


def held(client: Client) -> list[str]:
    return [row["certificateType"] for row in client.server.world.upserts.values()]


def test_upsert_by_exact_key(client: Client) -> None:
    answer = client.core("POST", UPSERT, json=[GOOD, GOOD | {"certificateType": "byggekort"}])
    assert (answer.status_code, answer.content) == (201, b"")
    assert held(client) == ["Byggekort", "byggekort"]
    client.core("POST", UPSERT, json=[GOOD | {"certificateNumber": "2"}])
    assert held(client) == ["Byggekort", "byggekort"]
    assert client.server.world.upserts["1042", "Byggekort"]["certificateNumber"] == "2"


def test_nothing_to_do(client: Client) -> None:
    assert client.core("POST", UPSERT, json=[]).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"employeeNumber": "no such number"}, id="unknown employee"),
        pytest.param({"employeeNumber": " 1042"}, id="number is exact"),
        pytest.param({"employeeNumber": None}, id="no employee"),
        pytest.param({"employeeNumber": 1042}, id="number no text"),
        pytest.param({"certificateType": None}, id="no type"),
        pytest.param({"certificateType": "  "}, id="blank type"),
        pytest.param({"certificateType": "x" * 256}, id="long type"),
        pytest.param({"issuedDateTime": None}, id="no issue date"),
        pytest.param({"validUntilDateTime": None}, id="no expiry"),
        pytest.param({"issuedDateTime": "15.01.2026"}, id="no ISO date"),
        pytest.param({"validUntilDateTime": "2027-02-30T00:00:00Z"}, id="no such day"),
        pytest.param({"issuedDateTime": "2028-01-15T00:00:00Z"}, id="equal dates"),
        pytest.param({"issuedDateTime": "2029-01-15T00:00:00Z"}, id="swapped dates"),
        pytest.param({"issuedDateTime": "2028-01-15T01:00:00+01:00"}, id="equal in another zone"),
        pytest.param({"notes": "x" * 1001}, id="long notes"),
        pytest.param({"certificateNumber": ["1"]}, id="number no text"),
    ],
)
def test_refused_item_comes_after_saved_ones(client: Client, change: Row) -> None:
    items = [
        GOOD | {"certificateType": "first"},
        GOOD | {"certificateType": "second"} | change,
        GOOD | {"certificateType": "third"},
    ]
    answer = client.core("POST", UPSERT, json=items)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "message"}
    assert held(client) == ["first"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        pytest.param(b"{", "application/json", 400, id="broken JSON"),
        pytest.param(b"{}", "application/json", 400, id="one object"),
        pytest.param(b"[1]", "application/json", 400, id="item no object"),
        pytest.param(b"", "application/json", 400, id="empty"),
        pytest.param(b"[]", "text/plain", 415, id="content type"),
    ],
)
def test_refused_bodies(client: Client, body: bytes, kind: str, status: int) -> None:
    answer = client.core("POST", UPSERT, data=body, headers={"Content-Type": kind})
    assert answer.status_code == status


def test_field_names_in_any_case(client: Client) -> None:
    item = {name[0].upper() + name[1:]: value for name, value in GOOD.items()}
    assert client.core("POST", UPSERT, json=[item]).status_code == 201
    assert held(client) == ["Byggekort"]


def test_too_many_rows(client: Client) -> None:
    client.server.options.ditio_max_rows = 2
    assert client.core("POST", UPSERT, json=[GOOD] * 3).status_code == 413
    assert held(client) == []


def test_echo(client: Client) -> None:
    client.server.options.ditio_success_body = "echo"
    body = client.core("POST", UPSERT, json=[GOOD]).json()
    assert body == [GOOD | {"certificateNumber": None, "notes": None}]


@pytest.mark.parametrize(
    ("shape", "kind", "keys"),
    [
        ("simple", "application/json", {"error", "message"}),
        ("v5", "application/json", {"message", "errors"}),
        ("older", "application/json", {"error"}),
        ("aspnet", "application/problem+json", {"type", "title", "status", "traceId", "errors"}),
        ("text", "text/plain", None),
    ],
)
def test_error_shapes(client: Client, shape: str, kind: str, keys: set[str] | None) -> None:
    client.control("POST", "/options", json={"ditio_error_shape": shape})
    answer = client.core("POST", UPSERT, json=[GOOD, GOOD | {"employeeNumber": "x"}])
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith(kind)
    assert "No user with employee number" in answer.text
    if keys is not None:
        assert set(answer.json()) == keys
    if shape == "aspnet":
        assert list(answer.json()["errors"]) == ["[1].EmployeeNumber"]
    if shape == "v5":
        assert answer.json()["errors"][0]["field"] == "employeeNumber"


def test_employees_v5(client: Client) -> None:
    rows = client.core("GET", EMPLOYEES).json()
    employees = list(client.server.world.employees)
    assert len(rows) == len([row for row in employees if row["kind"] in (OWN, PROJECT)])
    assert set(rows[0]) == {
        *("companyProfileId", "companyId", "employeeNumber", "firstName", "lastName", "phone"),
        *("birthDate", "email", "workTitle", "isDisabled", "employment"),
    }
    assert set(rows[0]["employment"]) == {"startDate", "endDate", "department", "payroll"}
    more = client.core("GET", EMPLOYEES, params={"includeEmployeesFromSubsidiaries": "true"}).json()
    assert len(more) == len(employees) > len(rows)
    assert any(row["kind"] == SUBSIDIARY for row in employees)


def test_includes(client: Client) -> None:
    asked = {"include": "tags,employment-history,work-time-arrangements"}
    for row in client.core("GET", EMPLOYEES, params=asked).json():
        assert row["employmentHistory"]
        assert row["tags"] == row["workTimeArrangements"] == []
    assert client.core("GET", EMPLOYEES, params={"include": "secrets"}).status_code == 400
    wrong = client.core("GET", EMPLOYEES, params={"includeEmployeesFromSubsidiaries": "maybe"})
    assert wrong.status_code == 400


def test_one_employee(client: Client) -> None:
    assert client.core("GET", EMPLOYEES + "/1042").json()["lastName"].casefold() == "smith"
    assert client.core("GET", EMPLOYEES + "/nobody").status_code == 404
    spaced = next(r for r in client.server.world.employees if r["employeeNumber"].startswith(" "))
    answer = client.core("GET", f"{EMPLOYEES}/{quote(spaced['employeeNumber'])}")
    assert answer.json()["companyProfileId"] == spaced["companyProfileId"]


@pytest.mark.parametrize("field", ["firstName", "lastName", "phone", "email", "employeeNumber"])
def test_search(client: Client, field: str) -> None:
    row = next(row for row in client.server.world.employees if row["employeeNumber"] == "1042")
    found = client.core("GET", EMPLOYEES + "/search", params={"query": row[field].upper()}).json()
    assert row["companyProfileId"] in {item["companyProfileId"] for item in found}
    assert client.core("GET", EMPLOYEES + "/search", params={"query": "zzzz"}).json() == []
    assert client.core("GET", EMPLOYEES + "/search").status_code == 400


def test_users_v4(client: Client) -> None:
    rows = client.core("GET", USERS).json()
    employees = list(client.server.world.employees)
    assert [row["companyProfileId"] for row in rows] == [row["companyProfileId"] for row in employees]
    assert {"identityId", "employmentEndDate", "isDisabled", "mobileWork"} <= set(rows[0])
    user = rows[0]
    assert client.core("GET", f"{USERS}/by-profile-id/{user['companyProfileId']}").json() == user
    by_number = client.core("GET", f"{USERS}/by-employee-number/1042").json()
    assert by_number["employeeNumber"] == "1042"
    assert client.core("GET", f"{USERS}/by-profile-id/x").status_code == 404
    assert client.core("GET", f"{USERS}/by-employee-number/x").status_code == 404


def test_users_changed_since(client: Client) -> None:
    moments = sorted(row["modified"] for row in client.server.world.employees)
    middle = moments[len(moments) // 2]
    rows = client.core("GET", USERS, params={"changedSince": middle}).json()
    assert len(rows) == len([moment for moment in moments if moment >= middle])
    assert client.core("GET", USERS, params={"changedSince": "yesterday"}).status_code == 400


def test_envelope_is_followed_to_its_end(client: Client) -> None:
    plain = client.core("GET", EMPLOYEES).json()
    client.control(
        "POST",
        "/options",
        json={"ditio_employees_shape": "envelope", "ditio_employees_page_size": 10},
    )
    rows: list[Row] = []
    token: str | None = None
    for _ in range(100):
        page = client.core("GET", EMPLOYEES, params={"continuationToken": token} if token else {}).json()
        rows += page["data"]
        token = page["continuationToken"]
        if not token:
            break
    assert rows == plain


def test_pascal_case(client: Client) -> None:
    client.control("POST", "/options", json={"ditio_casing": "pascal"})
    row = client.core("GET", EMPLOYEES).json()[0]
    assert {"EmployeeNumber", "Employment"} <= set(row)
    assert "StartDate" in row["Employment"]
    assert "IdentityId" in client.core("GET", USERS).json()[0]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", UPSERT, 405),
        ("DELETE", UPSERT, 405),
        ("GET", "/api/v4/integration/unicorns", 404),
        ("POST", EMPLOYEES, 405),
    ],
)
def test_unknown_paths_and_methods(client: Client, method: str, path: str, status: int) -> None:
    answer = client.core(method, path)
    assert answer.status_code == status
    assert answer.headers["X-Certrecon-Sandbox"] == "1"


def test_employees_follow_changes(client: Client) -> None:
    row = next(row for row in client.server.world.employees if row["employeeNumber"] == "1042")
    change = {"do": "change", "table": "employees", "id": row["companyProfileId"]}
    client.control("POST", "/mutate", json={"operations": [change | {"values": {"employeeNumber": "77"}}]})
    assert client.core("GET", EMPLOYEES + "/1042").status_code == 404
    assert client.core("POST", UPSERT, json=[GOOD]).status_code == 400
    assert client.core("POST", UPSERT, json=[GOOD | {"employeeNumber": "77"}]).status_code == 201
