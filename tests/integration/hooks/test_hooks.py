"""The hooks read Airflow connections as the design says, and work against the sandbox."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certrecon.api.endpoint import AccessToken, FourHseEndpoint, PasswordGrant
from certrecon.api.loop import run
from certrecon.errors import ConnectionSettingsError, CredentialsError
from certrecon.extract.datasets import DatasetFacts
from certrecon.extract.employees import extract_employees
from certrecon.extract.tenant import TenantExtract, TenantRead, extract_tenant
from certrecon.words import EmployeeSource
from certrecon_plugin.hooks.ditio import DitioHook
from certrecon_plugin.hooks.fourhse import FourHseHook
from certrecon_plugin.hooks.vendor import VendorHook
from certrecon_sandbox.ditio.employees import SUBSIDIARY
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.world import WorldSpec
from tests.integration.extract.parquet import Folder, column, table_of

TODAY = dt.date(2026, 3, 2)
OAUTH = {"token_url": "https://auth.example/token", "client_id": "cid", "client_secret": "hush-secret"}
GOOD = {
    "conn_type": "fourhse",
    "host": "https://h.example/base/",
    "login": "u",
    "password": "hush-pw",
    "extra": OAUTH,
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(WorldSpec(certificates=700, seed=5, today=TODAY)) as server:
        yield server


def connect(monkeypatch: pytest.MonkeyPatch, name: str, connection: dict[str, Any] | str | None) -> None:
    """Set one connection as a variable, or take it away."""
    variable = f"AIRFLOW_CONN_{name.upper()}"
    if connection is None:
        monkeypatch.delenv(variable, raising=False)
    else:
        monkeypatch.setenv(variable, connection if isinstance(connection, str) else json.dumps(connection))


def without(key: str, extra_key: str | None = None) -> dict[str, Any]:
    """Return a good connection that lacks one part."""
    if extra_key:
        return {**GOOD, "extra": {name: value for name, value in OAUTH.items() if name != extra_key}}
    return {name: value for name, value in GOOD.items() if name != key}


def test_a_password_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "fourhse_default", GOOD)
    grant = PasswordGrant("https://auth.example/token", "cid", "u", "hush-pw", "hush-secret")
    assert FourHseHook().endpoint() == FourHseEndpoint("https://h.example/base", grant)


@pytest.mark.parametrize(
    ("given", "asked"), [("openid profile email", "openid profile email"), ("", None), (None, None), (["x"], "['x']")]
)
def test_a_scope_of_ones_own(monkeypatch: pytest.MonkeyPatch, given: Any, asked: str | None) -> None:
    connect(monkeypatch, "fourhse_default", {**GOOD, "extra": {**OAUTH, "scope": given}})
    token = FourHseHook().endpoint().token
    assert isinstance(token, PasswordGrant)
    assert token.scope == asked


def test_an_access_token(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "mine", {"conn_type": "fourhse", "host": "https://h", "extra": {"access_token": "hush"}})
    assert FourHseHook("mine").endpoint() == FourHseEndpoint("https://h", AccessToken("hush"))


def test_client_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "ditio_default", {**GOOD, "conn_type": "ditio", "extra": {"token_url": "https://t"}})
    endpoint = DitioHook().endpoint()
    assert (endpoint.base_url, endpoint.token_url) == ("https://h.example/base", "https://t")
    assert (endpoint.client_id, endpoint.client_secret, endpoint.scope) == ("u", "hush-pw", "ditioapiv3")


HOSTS = [
    ({"host": "https://h.example:8443/a/"}, "https://h.example:8443/a"),
    ({"host": "h.example"}, "https://h.example"),
    ({"host": "h.example/core", "port": 8443}, "https://h.example:8443/core"),
    ({"host": "https://h.example/core", "port": 8443}, "https://h.example:8443/core"),
    ({"host": "127.0.0.1", "port": 8080, "schema": "http"}, "http://127.0.0.1:8080"),
    ({"host": "http://h.example", "extra": {**OAUTH, "allow_http": True}}, "http://h.example"),
]


@pytest.mark.parametrize(("parts", "expected"), HOSTS, ids=[str(one) for _, one in HOSTS])
def test_the_host_may_carry_everything(monkeypatch: pytest.MonkeyPatch, parts: dict[str, Any], expected: str) -> None:
    connect(monkeypatch, "fourhse_default", {**GOOD, **parts})
    assert FourHseHook().endpoint().base_url == expected


BAD: list[tuple[str, dict[str, Any] | str | None, str]] = [
    ("missing", None, "is missing or cannot be read"),
    ("unreadable", "{not json hush", "is missing or cannot be read"),
    ("no host", without("host"), "has no host"),
    ("no login", without("login"), "has no login"),
    ("no password", without("password"), "has no password"),
    ("no token_url", without("", "token_url"), "has no extra 'token_url'"),
    ("no client_id", without("", "client_id"), "has no extra 'client_id'"),
    ("blank access token", {**GOOD, "extra": {"access_token": ""}}, "has no extra 'token_url'"),
    ("extra is a list", {**GOOD, "extra": "[1]"}, "no JSON object"),
    ("extra is no JSON", {**GOOD, "extra": "hush"}, "no JSON object"),
    ("plain http", {**GOOD, "host": "http://h.example"}, "plain http"),
    ("a file", {**GOOD, "host": "file:///etc/passwd"}, "https://"),
    ("a token_url in the clear", {**GOOD, "extra": {**OAUTH, "token_url": "http://h.example"}}, "plain http"),
    ("a user in the address", {**GOOD, "host": "https://u:hush@h.example"}, "without user"),
]


@pytest.mark.parametrize(("connection", "words"), [one[1:] for one in BAD], ids=[one[0] for one in BAD])
def test_a_bad_connection_is_named_with_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any] | str | None, words: str
) -> None:
    connect(monkeypatch, "fourhse_default", connection)
    with pytest.raises(ConnectionSettingsError, match="onnection 'fourhse_default'") as raised:
        FourHseHook().endpoint()
    assert words in str(raised.value)
    assert "hush" not in str(raised.value)
    assert raised.value.__context__ is None


def test_a_missing_ditio_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "ditio_default", None)
    with pytest.raises(ConnectionSettingsError, match=r"'ditio_default' .*token_url.*AIRFLOW_CONN_DITIO_DEFAULT"):
        DitioHook().client()


@pytest.mark.parametrize("hook", [FourHseHook(), DitioHook()], ids=["4HSE", "Ditio"])
def test_the_http_providers_own_requests_are_refused(hook: VendorHook) -> None:
    with pytest.raises(NotImplementedError, match=r"client\(\)"):
        hook.get_conn()
    with pytest.raises(NotImplementedError, match=r"client\(\)"):
        hook.run("/v2/certificate/index")


# --- against the sandbox --------------------------------------------------------------------------------


def read_everything(folder: Path) -> tuple[list[TenantExtract], DatasetFacts]:
    """Read every operational project and the employees through the hooks."""

    async def main() -> tuple[list[TenantExtract], DatasetFacts]:
        async with FourHseHook().client() as fourhse, DitioHook().client() as ditio:
            tenants = [one.project_id for one in await fourhse.projects() if one.operational]
            for one in tenants:
                (folder / one).mkdir()
            read = [await extract_tenant(fourhse, TenantRead(one, Folder(folder / one))) for one in tenants]
            return read, await extract_employees(ditio, EmployeeSource.EMPLOYEES_V5, None, Folder(folder))

    return run(main())


@pytest.mark.parametrize("access_token", [True, False], ids=["access token", "password grant"])
def test_the_sandbox_is_read_whole(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: SandboxServer,
    tmp_path: Path,
    access_token: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for variable, value in sandbox.connection_variables(access_token=access_token).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sandbox.options, "fourhse_expires_in", 1)
    monkeypatch.setattr(sandbox.options, "max_page_size", 30)
    world = sandbox.world
    read, employees = read_everything(tmp_path)
    assert len(read) == world.spec.tenants
    for tenant in read:
        ours = [row for row in world.certificates if row["tenant_id"] == tenant.tenant_id]
        assert column(tenant.certificates, "certificate_id") == sorted(row["certificate_id"] for row in ours)
        links = [row["certificate_action_id"] for row in world.links if row["tenant_id"] == tenant.tenant_id]
        assert column(tenant.links, "certificate_action_id") == sorted(links)
        persons = [row["person_id"] for row in world.persons if row["project_id"] == tenant.tenant_id]
        assert column(tenant.persons, "person_id") == sorted(persons)
        assert "permission" in tenant.certificates.undocumented_fields
    assert employees.rows == len(listed_employees(sandbox, EmployeeSource.EMPLOYEES_V5))
    assert employees.sandbox
    shown = caplog.text
    for secret in (
        "sandbox-password",
        "sandbox-secret",
        "ditio-sandbox-secret",
        "sandbox-access-token",
        "Bearer ",
    ):
        assert secret not in shown


def test_names_of_health_stay_in_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer, tmp_path: Path
) -> None:
    for variable, value in sandbox.connection_variables().items():
        monkeypatch.setenv(variable, value)
    world = sandbox.world
    read, _ = read_everything(tmp_path)
    health = {row["certificate_id"]: row for row in world.certificates if row["action_type"] == "HEALTH"}
    links = {row["certificate_action_id"]: row for row in world.links}
    seen = 0
    for tenant in read:
        for row in table_of(tenant.certificates).to_pylist():
            if row["certificate_id"] in health:
                seen += 1
                assert row["name"] is None
        for row in table_of(tenant.links).to_pylist():
            of = links[row["certificate_action_id"]]
            private = of["action_type"] == "HEALTH" or of["certificate_id"] in health
            assert (row["action_name"] is None) == private
    assert seen > 0


def listed_employees(sandbox: SandboxServer, source: EmployeeSource) -> list[dict[str, Any]]:
    """Return whom Ditio lists: only v4 lists the employees of subsidiaries unasked."""
    everybody = list(sandbox.world.employees)
    nearer = [row for row in everybody if row["kind"] != SUBSIDIARY]
    return everybody if source is EmployeeSource.USERS_V4 else nearer


@pytest.mark.parametrize("source", list(EmployeeSource))
@pytest.mark.parametrize("shape", ["array", "envelope"])
@pytest.mark.parametrize("casing", ["camel", "pascal"])
def test_employees_in_every_form(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: SandboxServer,
    tmp_path: Path,
    source: EmployeeSource,
    shape: str,
    casing: str,
) -> None:
    for variable, value in sandbox.connection_variables().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sandbox.options, "ditio_employees_shape", shape)
    monkeypatch.setattr(sandbox.options, "ditio_employees_page_size", 7)
    monkeypatch.setattr(sandbox.options, "ditio_casing", casing)

    async def main() -> DatasetFacts:
        async with DitioHook().client() as ditio:
            return await extract_employees(ditio, source, None, Folder(tmp_path))

    facts = run(main())
    listed = listed_employees(sandbox, source)
    assert column(facts, "employee_number") == sorted(row["employeeNumber"] for row in listed)
    assert column(facts, "disabled").count("true") == sum(bool(row["isDisabled"]) for row in listed) > 0


def test_wrong_credentials_say_so(monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer) -> None:
    connection = json.loads(sandbox.connection_variables()["AIRFLOW_CONN_FOURHSE_DEFAULT"])
    connect(monkeypatch, "fourhse_default", {**connection, "password": "hush-wrong"})

    async def main() -> None:
        async with FourHseHook().client() as client:
            await client.projects()

    with pytest.raises(CredentialsError, match="Check the credentials") as raised:
        run(main())
    assert "hush" not in str(raised.value)
