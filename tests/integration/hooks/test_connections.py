"""The connection types of Airflow's form, and *Test connection*: what it says, and what it never does."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
from airflow.models.connection import Connection
from airflow.providers_manager import ProvidersManager

from certrecon_plugin.hooks.ditio import DitioHook
from certrecon_plugin.hooks.fourhse import FourHseHook
from certrecon_plugin.provider import get_provider_info
from certrecon_sandbox import credentials
from certrecon_sandbox.ditio.employees import SUBSIDIARY
from certrecon_sandbox.faults.wanted import parse_fault
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.world import WorldSpec

SECRETS = (
    credentials.PASSWORD,
    credentials.CLIENT_SECRET,
    credentials.ACCESS_TOKEN,
    credentials.DITIO_CLIENT_SECRET,
    "hush-wrong",
)
HOOKS = {"fourhse": FourHseHook, "ditio": DitioHook}


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(WorldSpec(certificates=200, seed=5, today=dt.date(2026, 3, 2))) as running:
        yield running


@pytest.fixture
def sandbox(server: SandboxServer) -> Iterator[SandboxServer]:
    """The sandbox without faults; whatever the test did, nothing may have been written."""
    server.sandbox.journal.clear()
    yield server
    server.sandbox.faults.clear()
    assert server.sandbox.journal.writes == []


def connection_of(sandbox: SandboxServer, kind: str, *, access_token: bool = False) -> dict[str, Any]:
    """Return the connection that works."""
    variables = sandbox.connection_variables(access_token=access_token)
    found: dict[str, Any] = json.loads(variables[f"AIRFLOW_CONN_{kind.upper()}_DEFAULT"])
    return found


def changed(connection: dict[str, Any], changes: dict[str, Any], sandbox: SandboxServer) -> dict[str, Any]:
    """Return a connection with other parts; `{base}` is the sandbox's address, None takes a part away."""
    result = {**connection, "extra": dict(connection["extra"])}
    for name, value in changes.items():
        place, key = (result["extra"], name.removeprefix("extra.")) if name.startswith("extra.") else (result, name)
        if value is None:
            place.pop(key)
        else:
            place[key] = value.format(base=sandbox.urls["base_url"]) if isinstance(value, str) else value
    return result


def try_out(monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]) -> tuple[bool, str]:
    """Test a connection as the form's button does: Airflow gives it a made-up id and hands it over as an address."""
    made = {**connection, "extra": json.dumps(connection["extra"])}
    transient = Connection(conn_id="Xk3fake", **made)
    monkeypatch.setenv("AIRFLOW_CONN_XK3FAKE", transient.get_uri())
    works, words = transient.test_connection()
    assert "Xk3fake" not in words
    assert not [secret for secret in SECRETS if secret in words], words
    assert not re.search(r"Bearer (?!\*\*\*)", words), words
    return works, words


# --- what works ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("access_token", [False, True], ids=["password grant", "access token"])
def test_4hse_says_how_many_projects_are_visible_and_active(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer, access_token: bool
) -> None:
    projects = list(sandbox.world.projects)
    active = [row for row in projects if row["status"] == "active" and row["project_type"] != "template"]
    assert 0 < len(active) < len(projects)
    works, words = try_out(monkeypatch, connection_of(sandbox, "fourhse", access_token=access_token))
    assert works
    readable = "In the first active one certificates, certificate actions, persons can be read"
    assert words == f"{len(projects)} projects visible, {len(active)} active. {readable}"


@pytest.mark.parametrize("shape", ["array", "envelope"])
def test_ditio_says_how_many_employees_are_readable(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer, shape: str
) -> None:
    monkeypatch.setattr(sandbox.options, "ditio_employees_shape", shape)
    employees = [row for row in sandbox.world.employees if row["kind"] != SUBSIDIARY]
    untried = "Whether certificates may be sent was not tried: a test never writes"
    assert try_out(monkeypatch, connection_of(sandbox, "ditio")) == (
        True,
        f"{len(employees)} employees readable. {untried}",
    )


def test_of_many_employees_one_part_is_read(monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer) -> None:
    monkeypatch.setattr(sandbox.options, "ditio_employees_shape", "envelope")
    monkeypatch.setattr(sandbox.options, "ditio_employees_page_size", 7)
    works, words = try_out(monkeypatch, connection_of(sandbox, "ditio"))
    assert works
    assert words.startswith("7 employees and more readable. ")
    assert sandbox.sandbox.journal.endpoints["ditio.employees.list"].requests == 1


def test_of_many_projects_one_page_is_read(monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer) -> None:
    monkeypatch.setattr(sandbox.options, "max_page_size", 4)
    works, words = try_out(monkeypatch, connection_of(sandbox, "fourhse"))
    assert works
    assert words.startswith(f"{len(sandbox.world.projects)} projects visible; of the first 4 ")
    assert sandbox.sandbox.journal.endpoints["4hse.project.index"].requests == 1


def test_users_v4_stand_in_where_employees_v5_may_not_be_read(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer
) -> None:
    sandbox.sandbox.faults.add(parse_fault("ditio.employees.list=status:status=403"))
    works, words = try_out(monkeypatch, connection_of(sandbox, "ditio"))
    assert works
    counted = f"{len(sandbox.world.employees)} employees readable through users v4 only"
    assert words.startswith(f"{counted}: set ditio.employee_source to users_v4. ")


# --- what is wrong ---------------------------------------------------------------------------------------

Case = tuple[str, str, dict[str, Any], str, str]
WRONG: list[Case] = [
    # what, type of connection, changes to the one that works, fault of the vendor, words
    ("host cannot be resolved", "fourhse", {"host": "https://nowhere.invalid"}, "", "Host does not work: 4HSE at nowhere.invalid has a host name that could not be resolved. Check it: usually it is https://service.4hse.com"),
    ("host cannot be resolved", "ditio", {"host": "https://nowhere.invalid"}, "", "Host does not work: Ditio at nowhere.invalid has a host name that could not be resolved. Check it: usually it is https://core-api.ditio.app/core"),
    ("host refuses", "fourhse", {"host": "http://127.0.0.1:1"}, "", "Host does not work: 4HSE at 127.0.0.1:1 could not be connected to (Connection refused). Check it: usually it is https://"),
    ("host refuses", "ditio", {"host": "http://127.0.0.1:1"}, "", "Host does not work: Ditio at 127.0.0.1:1 could not be connected to (Connection refused). Check it: usually it is https://"),
    ("host speaks no TLS", "fourhse", {"host": "https://localhost:{port}"}, "", "could not agree on TLS"),
    ("host is a page", "fourhse", {}, "4hse.project.index=html:status=200", "answered 200 with something that is no JSON array. Check it: usually it is https://service.4hse.com"),
    ("host is a page", "ditio", {}, "ditio.employees.list=html:status=200", "answered 200 with something that is no JSON. Check it: usually it is https://core-api.ditio.app/core"),
    ("host without its path", "fourhse", {"host": "{base}"}, "", "answered 404 Not Found (Not Found), so there is no API at this address"),
    ("host without its path", "ditio", {"host": "{base}"}, "", "answered 404 Not Found (Not Found), so there is no API at this address"),
    ("host moved", "fourhse", {}, "4hse.project.index=redirect", "answered 302 Found, so there is no API at this address"),
    ("host is plain http", "fourhse", {"host": "http://4hse.example"}, "", "host of the connection is plain http to '4hse.example', which would show the credentials"),
    ("host is plain http", "ditio", {"host": "http://ditio.example"}, "", "host of the connection is plain http to 'ditio.example', which would show the credentials"),
    ("host is no address", "fourhse", {"host": "https://not a host"}, "", "host of the connection names no host"),
    ("no host", "ditio", {"host": None}, "", "The connection has no host. It needs a host (https://core-api.ditio.app/core)"),
    ("no login", "fourhse", {"login": None}, "", "The connection has no login. It needs"),
    ("no password", "ditio", {"password": None}, "", "The connection has no password. It needs"),
    ("no token_url", "fourhse", {"extra.token_url": None}, "", "The connection has no extra 'token_url'. It needs"),
    ("no token_url", "ditio", {"extra.token_url": None}, "", "The connection has no extra 'token_url'. It needs"),
    ("no client_id", "fourhse", {"extra.client_id": ""}, "", "The connection has no extra 'client_id'. It needs"),
    ("token_url is plain http", "ditio", {"extra.token_url": "http://ditio.example/t"}, "", "extra 'token_url' of the connection is plain http"),
    ("token_url cannot be resolved", "fourhse", {"extra.token_url": "https://nowhere.invalid/token"}, "", "Token URL does not work: 4HSE at nowhere.invalid has a host name that could not be resolved. Check it: usually it is https://auth.4hse.com/"),
    ("token_url without its path", "ditio", {"extra.token_url": "{base}/ditio"}, "", "so there is no API at this address. Check it: usually it is https://identity.ditio.app/connect/token"),
    ("token_url is a page", "fourhse", {}, "4hse.token=html:status=200", "Token URL does not work: 4HSE at 127.0.0.1:{port} answered 200 with something that is no JSON object"),
    ("wrong user", "fourhse", {"login": "somebody"}, "", "Login or Password is wrong: 4HSE gave no token: 400 Bad Request (invalid_grant: Invalid user credentials)"),
    ("wrong password", "fourhse", {"password": "hush-wrong"}, "", "Login or Password is wrong: 4HSE gave no token: 400 Bad Request (invalid_grant: Invalid user credentials)"),
    ("wrong client", "fourhse", {"extra.client_secret": "hush-wrong"}, "", "Client ID or Client secret is wrong: 4HSE gave no token: 401 Unauthorized (invalid_client:"),
    ("wrong client", "ditio", {"password": "hush-wrong"}, "", "Client ID or Client secret is wrong: Ditio gave no token: 400 Bad Request (invalid_client)"),
    ("wrong access token", "fourhse", {"extra.access_token": "hush-wrong"}, "", "4HSE refused the token: 401 Unauthorized (Unauthorized: Your request was made with invalid credentials.). Access token is wrong or was withdrawn"),
    ("wrong scope", "ditio", {"extra.scope": "no-such-scope"}, "", "Scope is wrong: Ditio gave no token: 400 Bad Request (invalid_scope). Leave it empty, or take the usual one: ditioapiv3"),
    ("wrong scope", "fourhse", {"extra.scope": "ditioapiv3"}, "", "Scope is wrong: 4HSE gave no token: 400 Bad Request (invalid_scope: Invalid scopes: ditioapiv3). Leave it empty, or take the usual one: openid profile email"),
    ("missing scope", "ditio", {"extra.scope": credentials.DITIO_REPORTING_SCOPE}, "", "There is no right to read employees: 403 Forbidden (Forbidden: The scope ditioapiv3 is required.). Check that Scope is ditioapiv3"),
    ("token not taken", "fourhse", {}, "4hse.project.index=token_ends", "4HSE refused the token: 401 Unauthorized (Unauthorized: Your request was made with invalid credentials.). Check that Host and Token URL belong to the same 4HSE"),
    ("token not taken", "ditio", {}, "ditio.employees.list=token_ends", "Ditio refused the token: 401 Unauthorized (Unauthorized: The access token is missing, wrong or has expired.). Check that Host and Token URL belong to the same Ditio, that Scope is ditioapiv3"),
    ("no right to projects", "fourhse", {}, "4hse.project.index=status:status=403", "There is no right to read projects: 403 Forbidden"),
    ("no right to certificates", "fourhse", {}, "4hse.certificate.index=status:status=403", "There is no right to read certificates: 403 Forbidden"),
    ("no right to links", "fourhse", {}, "4hse.certificate-action.index=status:status=403", "There is no right to read certificate actions: 403 Forbidden"),
    ("no right to persons", "fourhse", {}, "4hse.person.index=status:status=403", "There is no right to read persons: 403 Forbidden (Forbidden: The server does not feel well.). Ask an administrator of 4HSE"),
    ("no right to employees", "ditio", {}, "ditio.*.list=status:status=403", "There is no right to read employees: 403 Forbidden"),
    ("not well", "fourhse", {}, "4hse.project.index=status:status=503", "4HSE is not available at the moment: 503 Service Unavailable"),
    ("not well", "ditio", {}, "ditio.token=status:status=500", "Ditio is not available at the moment: 500 Internal Server Error"),
    ("busy", "ditio", {}, "ditio.employees.list=rate_limited:wait=60", "Ditio is not available at the moment: 429 Too Many Requests"),
    ("answer breaks off", "fourhse", {}, "4hse.project.index=reset", "Host does not work: 4HSE at 127.0.0.1:{port} broke the connection off"),
    ("a list that is none", "ditio", {}, "ditio.employees.list=truncated", "answered 200 with something that is no JSON. Check it: usually it is https://core-api.ditio.app/core"),
    ("password repeated by the server", "fourhse", {}, "4hse.token=status:status=400,echo=credentials", "4HSE gave no token: 400 Bad Request (refused:"),
    ("token repeated by the server", "ditio", {}, "ditio.employees.list=status:status=400,echo=credentials", "Ditio refused to list employees: 400 Bad Request (BadRequest:"),
    ("the mask of the form", "fourhse", {"extra.client_secret": "***"}, "", "extra 'client_secret' of the connection is '***', Airflow's mask and not the value: type it in again"),
    ("the mask of the form", "ditio", {"password": "***"}, "", "password of the connection is '***', Airflow's mask and not the value: type it in again"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "changes", "fault", "words"), [case[1:] for case in WRONG], ids=[f"{case[1]}: {case[0]}" for case in WRONG]
)
def test_what_is_wrong_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer, kind: str, changes: dict[str, Any], fault: str, words: str
) -> None:
    if fault:
        sandbox.sandbox.faults.add(parse_fault(fault))
    port = str(sandbox.port)
    changes = {name: value.replace("{port}", port) if value else value for name, value in changes.items()}
    works, said = try_out(monkeypatch, changed(connection_of(sandbox, kind), changes, sandbox))
    assert not works
    assert words.replace("{port}", port) in said


@pytest.mark.parametrize(
    ("projects", "words"),
    [
        ([], "4HSE accepts the credentials, but no project is visible to this user. Ask an administrator of 4HSE"),
        ([{"status": "suspended"}], "1 project visible, none of them active"),
        ([{"project_type": "template"}], "1 project visible, none of them active"),
    ],
    ids=["no project", "none active", "a template alone"],
)
def test_a_user_who_sees_no_active_project(
    monkeypatch: pytest.MonkeyPatch, projects: list[dict[str, str]], words: str
) -> None:
    with SandboxServer(WorldSpec(certificates=10, tenants=1, today=dt.date(2026, 3, 2))) as empty:
        kept = {}
        for row in list(empty.world.projects):
            kept = empty.world.projects.remove(row["project_id"])
        for values in projects:
            empty.world.projects.add({**kept, **values})
        works, said = try_out(monkeypatch, connection_of(empty, "fourhse"))
    assert not works
    assert said.startswith(words)


def test_a_client_who_sees_no_employee(monkeypatch: pytest.MonkeyPatch) -> None:
    with SandboxServer(WorldSpec(certificates=10, tenants=1, today=dt.date(2026, 3, 2))) as empty:
        for row in list(empty.world.employees):
            empty.world.employees.remove(row["companyProfileId"])
        works, said = try_out(monkeypatch, connection_of(empty, "ditio"))
    assert (works, said) == (False, "Ditio accepts the credentials, but no employee is visible to this client")


@pytest.mark.parametrize("fault", ["4hse.token=status:status=503", "4hse.project.index=status:status=503"])
def test_nothing_is_tried_twice(monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer, fault: str) -> None:
    sandbox.sandbox.faults.add(parse_fault(fault))
    try_out(monkeypatch, connection_of(sandbox, "fourhse"))
    assert sandbox.sandbox.journal.endpoints[fault.partition("=")[0]].requests == 1


def test_a_missing_connection_is_named_by_no_made_up_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_NOT_THERE", raising=False)
    works, said = FourHseHook("not_there").test_connection()
    assert not works
    assert said.startswith("The connection is missing or cannot be read. It needs a host")


# --- the form --------------------------------------------------------------------------------------------

FORM = {
    "fourhse": (
        "4HSE",
        {"token_url", "client_id", "client_secret", "scope", "access_token"},
        {"client_secret", "access_token"},
    ),
    "ditio": ("Ditio", {"token_url", "scope"}, set()),
}


@pytest.mark.parametrize("kind", FORM)
def test_the_form_has_the_fields_of_the_design_and_no_others(kind: str) -> None:
    name, extra, secret = FORM[kind]
    [form] = [one for one in HookMetaService.hook_meta_data() if one.connection_type == kind]
    assert form.hook_name == name
    assert form.standard_fields is not None
    assert form.extra_fields is not None
    shown = form.standard_fields
    assert [field.hidden for field in (shown.url_schema, shown.port) if field] == [True, True]
    assert not any(field.hidden for field in (shown.host, shown.login, shown.password) if field)
    assert set(form.extra_fields) == extra
    assert {key for key, field in form.extra_fields.items() if field["schema"].get("format") == "password"} == secret
    for field in form.extra_fields.values():
        assert field["schema"]["title"]
        assert field["description"]
        assert field["value"] is None, "a default of token_url would be masked, and saved as the mask"


@pytest.mark.parametrize("kind", FORM)
def test_airflow_finds_the_hook_behind_the_type(kind: str) -> None:
    found = ProvidersManager().hooks[kind]
    assert found is not None
    hook = HOOKS[kind]
    assert (found.hook_name, found.connection_type) == (hook.hook_name, hook.conn_type)
    assert found.hook_class_name == f"{hook.__module__}.{hook.__name__}"
    assert found.connection_testable
    assert found.connection_id_attribute_name == hook.conn_name_attr


def test_every_type_of_the_provider_is_one_of_the_designs() -> None:
    types = get_provider_info()["connection-types"]
    assert {one["connection-type"] for one in types} == set(FORM)


@pytest.mark.parametrize("kind", FORM)
def test_what_the_form_calls_a_field_is_what_the_hook_reads(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer, kind: str
) -> None:
    """Fill in every field that the form has, under its key, and nothing else: it works."""
    [form] = [one for one in get_provider_info()["connection-types"] if one["connection-type"] == kind]
    connection = connection_of(sandbox, kind)
    values = {"scope": "openid profile email", **connection["extra"], "access_token": ""}
    connection["extra"] = {key: values[key] for key in form["conn-fields"]}
    works, words = try_out(monkeypatch, connection)
    assert works, words
