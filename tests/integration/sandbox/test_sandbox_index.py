"""Listing and viewing 4HSE's entities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from certrecon_sandbox.fourhse.entities import CERTIFICATE, LISTED, VIEWED, Entity
from certrecon_sandbox.generate.tenants import DOCUMENT_TENANT_ID
from certrecon_sandbox.table import as_text
from tests.integration.sandbox.conftest import Client

INDEX = "/v2/certificate/index"
PAGING = ("Current-Page", "Page-Count", "Per-Page", "Total-Count")
Row = dict[str, Any]


def paging(answer: Any) -> tuple[int, ...]:
    return tuple(int(answer.headers[f"X-Pagination-{name}"]) for name in PAGING)


@pytest.mark.parametrize("entity", LISTED, ids=lambda entity: entity.name)
def test_every_page_once(client: Client, entity: Entity) -> None:
    table = entity.table(client.server.world)
    seen: list[Row] = []
    page, pages = 1, 1
    while page <= pages:
        answer = client.call("POST", f"/v2/{entity.name}/index", json={"page": page, "per-page": 37, "history": True})
        current, pages, size, total = paging(answer)
        assert (current, size, total) == (page, 37, len(table))
        seen += answer.json()
        page += 1
    assert seen == list(table)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, (1, 5, 100, 404), id="defaults"),
        pytest.param({"per-page": 100}, (1, 5, 100, 404), id="the most"),
        pytest.param({"per-page": 5000}, (1, 5, 100, 404), id="clamped"),
        pytest.param({"per-page": 0}, (1, 404, 1, 404), id="at least one"),
        pytest.param({"per-page": -3}, (1, 404, 1, 404), id="negative"),
        pytest.param({"per-page": "20"}, (1, 21, 20, 404), id="text"),
        pytest.param({"page": 5}, (5, 5, 100, 404), id="last"),
        pytest.param({"page": 6}, (5, 5, 100, 404), id="past the end"),
        pytest.param({"page": 99999}, (5, 5, 100, 404), id="far past the end"),
        pytest.param({"page": 0}, (1, 5, 100, 404), id="page zero"),
        pytest.param({"page": "x"}, (1, 5, 100, 404), id="page no number"),
        pytest.param({"filter": {"name": "no such name"}}, (1, 0, 100, 0), id="nothing"),
    ],
)
def test_paging_headers(client: Client, asked: Row, expected: tuple[int, ...]) -> None:
    answer = client.call("POST", INDEX, json=asked)
    assert paging(answer) == expected
    assert len(answer.json()) == max(0, min(expected[2], expected[3] - (expected[0] - 1) * expected[2]))


def test_page_past_the_end_is_the_last_page_again(client: Client) -> None:
    last = client.call("POST", INDEX, json={"page": 5}).json()
    assert client.call("POST", INDEX, json={"page": 6}).json() == last
    assert len(last) == 4


def test_clamp_is_an_option(client: Client) -> None:
    client.control("POST", "/options", json={"max_page_size": 7})
    answer = client.call("POST", INDEX, json={"per-page": 100})
    assert paging(answer) == (1, 58, 7, 404)
    assert len(answer.json()) == 7


def sample_of(table: Any, name: str) -> Any:
    return next((row[name] for row in table if as_text(row.get(name)) not in (None, "")), None)


FILTERS = [pytest.param(e, name, id=f"{e.name}-{name}") for e in LISTED for name in sorted(e.filters)]


@pytest.mark.parametrize(("entity", "name"), FILTERS)
def test_every_documented_filter(client: Client, entity: Entity, name: str) -> None:
    table = entity.table(client.server.world)
    value = sample_of(table, name)
    if value is None:
        value = 1 if name in entity.allowed else "nothing has this"
    if name in entity.partial:
        wanted = str(value)[1:4].upper()
        expected = [row for row in table if wanted.lower() in (row.get(name) or "").lower()]
    else:
        wanted = value
        expected = [row for row in table if row.get(name) == value]
    answer = client.call("POST", f"/v2/{entity.name}/index", json={"filter": {name: wanted}, "history": True})
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["X-Pagination-Total-Count"]) == len(expected)
    assert answer.json() == expected[:100]


def test_filters_narrow_one_another(client: Client) -> None:
    asked = {"tenant_id": DOCUMENT_TENANT_ID, "action_type": "TRAINING", "name": "kurs", "warning": 0}
    rows = client.call("POST", INDEX, json={"filter": asked}).json()
    expected = [
        row
        for row in client.server.world.certificates
        if row["tenant_id"] == DOCUMENT_TENANT_ID
        and row["action_type"] == "TRAINING"
        and "kurs" in row["name"].lower()
        and row["warning"] == 0
    ]
    assert rows == expected
    assert rows


@pytest.mark.parametrize("value", [None, ""])
def test_empty_filter_values_do_not_count(client: Client, value: str | None) -> None:
    answer = client.call("POST", INDEX, json={"filter": {"name": value}})
    assert answer.headers["X-Pagination-Total-Count"] == "404"


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"filter": {"colour": "red"}}, id="unknown filter"),
        pytest.param({"filter": {"action_type": "COOKING"}}, id="value outside the enum"),
        pytest.param({"filter": {"warning": 2}}, id="warning outside 0 and 1"),
        pytest.param({"filter": {"name": ["a", "b"]}}, id="list"),
        pytest.param({"filter": "name"}, id="filter no object"),
        pytest.param({"sort": "note"}, id="sort by an undocumented field"),
        pytest.param({"sort": "--name"}, id="sort twice minus"),
        pytest.param({"sort": ["name"]}, id="sort list"),
    ],
)
def test_422(client: Client, asked: Row) -> None:
    answer = client.call("POST", INDEX, json=asked)
    assert answer.status_code == 422
    assert [sorted(error) for error in answer.json()] == [["field", "message"]]


SORTS = [
    pytest.param(e, sign + name, id=f"{e.name}{sign or '+'}{name}")
    for e in LISTED
    for name in sorted(e.sorts)
    for sign in ("", "-")
]


@pytest.mark.parametrize(("entity", "sort"), SORTS)
def test_every_documented_sort(client: Client, entity: Entity, sort: str) -> None:
    rows = client.call("POST", f"/v2/{entity.name}/index", json={"sort": sort, "history": True}).json()
    name = sort.lstrip("-")
    values = [(row.get(name) is not None, str(row.get(name) or "").casefold()) for row in rows]
    assert values == sorted(values, reverse=sort.startswith("-"))


@pytest.mark.parametrize("form", ["json", "form", "get", "get id only in query"])
def test_the_same_page_in_every_form(client: Client, form: str) -> None:
    flat = {
        "filter[tenant_id]": DOCUMENT_TENANT_ID,
        "filter[action_type]": "TRAINING",
        "per-page": "5",
        "page": "2",
        "sort": "-date_expire",
    }
    nested = {
        "filter": {"tenant_id": DOCUMENT_TENANT_ID, "action_type": "TRAINING"},
        "per-page": 5,
        "page": 2,
        "sort": "-date_expire",
    }
    calls: dict[str, Callable[[], Any]] = {
        "json": lambda: client.call("POST", INDEX, json=nested),
        "form": lambda: client.call("POST", INDEX, data=flat),
        "get": lambda: client.call("GET", INDEX, params=flat),
        "get id only in query": lambda: client.call("POST", INDEX, params=flat),
    }
    answer, reference = calls[form](), calls["json"]()
    assert answer.status_code == 200
    assert answer.json() == reference.json()
    assert len(answer.json()) == 5
    assert paging(answer) == paging(reference)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        pytest.param(b"{", "application/json", 400, id="broken JSON"),
        pytest.param(b"[]", "application/json", 400, id="an array"),
        pytest.param(b"<a/>", "text/xml", 415, id="XML"),
        pytest.param(b"\xff\xfe", "application/json", 400, id="no UTF-8"),
        pytest.param(b"[" * 100_000, "application/json", 400, id="deep"),
        pytest.param(b"", "application/json", 200, id="empty"),
    ],
)
def test_bodies_that_cannot_be_read(client: Client, body: bytes, kind: str, status: int) -> None:
    answer = client.call("POST", INDEX, data=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    if status != 200:
        assert set(answer.json()) == {"name", "message", "code", "status"}


def test_persons_who_left_need_history(client: Client) -> None:
    table = client.server.world.persons
    left = [row["person_id"] for row in table if not (row["owned_active"] and row["parent_active"])]
    assert left
    for history, expected in ((None, False), (False, False), (True, True), ("1", True), ("0", False)):
        asked = {} if history is None else {"history": history}
        shown = {row["person_id"] for row in client.call("POST", "/v2/person/index", json=asked).json()}
        assert (set(left) <= shown) is expected
        assert len(shown) == (len(table) if expected else len(table) - len(left))


@pytest.mark.parametrize("entity", VIEWED, ids=lambda entity: entity.name)
def test_view_in_both_address_forms(client: Client, entity: Entity) -> None:
    table = entity.table(client.server.world)
    row = next(iter(table))
    for path in (f"/view/{row[table.key]}", f"/view?id={row[table.key]}"):
        answer = client.call("GET", f"/v2/{entity.name}{path}")
        assert (answer.status_code, answer.json()) == (200, row)
    for path in ("/view/unknown", "/view?id=unknown"):
        answer = client.call("GET", f"/v2/{entity.name}{path}")
        assert (answer.status_code, answer.json()["name"]) == (404, "Not Found")
    assert client.call("GET", f"/v2/{entity.name}/view").status_code == 400


def test_person_by_code_and_project(client: Client) -> None:
    asked = {"code": "1042", "project_id": DOCUMENT_TENANT_ID}
    answer = client.call("GET", "/v2/person/view", params=asked)
    assert answer.json()["last_name"] == "Smith"
    assert client.call("GET", "/v2/person/view", params=asked | {"code": "x"}).status_code == 404
    assert client.call("GET", "/v2/person/view", params={"code": "1042"}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/certificate/explode", 404),
        ("GET", "/v2/unicorn/index", 404),
        ("GET", "/v2/certificate/create", 405),
        ("DELETE", "/v2/certificate/index", 405),
        ("POST", "/v2/person/create", 404),
    ],
)
def test_unknown_paths_and_methods(client: Client, method: str, path: str, status: int) -> None:
    answer = client.call(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_rows_carry_what_the_documents_do_not_name(client: Client) -> None:
    row = client.call("POST", INDEX, json={"per-page": 1}).json()[0]
    assert set(row) - CERTIFICATE.filters == {"permission"}


def test_pages_follow_every_write(client: Client) -> None:
    asked = {"filter": {"tenant_id": DOCUMENT_TENANT_ID}}
    before = client.call("POST", INDEX, json=asked)
    identity = before.json()[0]["certificate_id"]
    client.call("PUT", f"/v2/certificate/update/{identity}", json={"name": "Nytt navn"})
    assert client.call("POST", INDEX, json=asked).json()[0]["name"] == "Nytt navn"
    client.call("DELETE", f"/v2/certificate/delete/{identity}?force=true")
    after = client.call("POST", INDEX, json=asked)
    assert paging(after)[3] == paging(before)[3] - 1
    assert identity not in {row["certificate_id"] for row in after.json()}
