"""Tokens and who is let in."""

from __future__ import annotations

import time

import pytest
import requests

from certrecon_sandbox import credentials
from certrecon_sandbox.server import SandboxServer
from tests.integration.sandbox.conftest import Client

INDEX = "/v2/certificate/index"
UPSERT = "/api/v4/integration/certificates"


def test_keycloak_shape(client: Client, password_form: dict[str, str]) -> None:
    answer = requests.post(client.server.urls["fourhse_token_url"], data=password_form, timeout=10)
    body = answer.json()
    assert answer.status_code == 200
    assert {name: type(value) for name, value in body.items()} == {
        "access_token": str,
        "expires_in": int,
        "refresh_expires_in": int,
        "refresh_token": str,
        "token_type": str,
        "not-before-policy": int,
        "session_state": str,
        "scope": str,
    }
    assert body["expires_in"] == 300
    assert body["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        pytest.param({"grant_type": None}, 400, "invalid_request", id="no grant"),
        pytest.param({"grant_type": "magic"}, 400, "unsupported_grant_type", id="unknown grant"),
        pytest.param({"client_id": "x"}, 401, "invalid_client", id="unknown client"),
        pytest.param({"client_secret": "x"}, 401, "invalid_client", id="wrong secret"),
        pytest.param({"client_secret": None}, 401, "invalid_client", id="no secret"),
        pytest.param({"username": "x"}, 400, "invalid_grant", id="unknown user"),
        pytest.param({"password": "x"}, 400, "invalid_grant", id="wrong password"),
        pytest.param({"password": None}, 400, "invalid_grant", id="no password"),
        pytest.param({"scope": "openid x"}, 400, "invalid_scope", id="one unknown scope"),
        pytest.param({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant", id="wrong refresh"),
    ],
)
def test_fourhse_token_refusals(
    client: Client, password_form: dict[str, str], change: dict[str, str | None], status: int, error: str
) -> None:
    form = {name: value for name, value in (password_form | change).items() if value is not None}
    answer = requests.post(client.server.urls["fourhse_token_url"], data=form, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    ("asked", "given"),
    [(None, "profile email"), ("", "profile email"), ("openid profile email", "openid profile email")],
)
def test_fourhse_scopes(client: Client, password_form: dict[str, str], asked: str | None, given: str) -> None:
    form = password_form if asked is None else password_form | {"scope": asked}
    assert requests.post(client.server.urls["fourhse_token_url"], data=form, timeout=10).json()["scope"] == given


def test_refresh_token_works_once(client: Client, password_form: dict[str, str]) -> None:
    url = client.server.urls["fourhse_token_url"]
    first = requests.post(url, data=password_form, timeout=10).json()
    form = password_form | {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = requests.post(url, data=form, timeout=10)
    assert second.status_code == 200
    client.fourhse.headers["Authorization"] = f"Bearer {second.json()['access_token']}"
    assert client.call("POST", INDEX, json={}).status_code == 200
    assert requests.post(url, data=form, timeout=10).status_code == 400
    client.fourhse.headers["Authorization"] = f"Bearer {first['refresh_token']}"
    assert client.call("POST", INDEX, json={}).status_code == 401


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        pytest.param({}, "", 401, id="nothing"),
        pytest.param({"Authorization": "Bearer wrong"}, "", 401, id="wrong bearer"),
        pytest.param({"Authorization": "Basic c2FuZGJveDpzYW5kYm94LXBhc3N3b3Jk"}, "", 401, id="basic"),
        pytest.param({}, "?access-token=wrong", 401, id="wrong access-token"),
        pytest.param({}, f"?access-token={credentials.ACCESS_TOKEN}", 200, id="access-token"),
        pytest.param(
            {"Authorization": "Bearer wrong"},
            f"?access-token={credentials.ACCESS_TOKEN}",
            401,
            id="a wrong bearer is not made up for",
        ),
    ],
)
@pytest.mark.parametrize("path", [INDEX, "/v2/person/index", "/v2/certificate/create"])
def test_fourhse_security_schemes(client: Client, headers: dict[str, str], query: str, status: int, path: str) -> None:
    answer = requests.post(client.server.urls["fourhse_url"] + path + query, json={}, headers=headers, timeout=10)
    assert answer.headers["X-Certrecon-Sandbox"] == "1"
    if status == 401:
        assert answer.status_code == 401
        assert answer.json()["name"] == "Unauthorized"
        assert answer.json()["status"] == 401
    else:
        assert answer.status_code != 401


def test_tokens_end(client: Client, password_form: dict[str, str]) -> None:
    client.server.options.fourhse_expires_in = 1
    token = requests.post(client.server.urls["fourhse_token_url"], data=password_form, timeout=10).json()
    assert token["expires_in"] == 1
    client.fourhse.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert client.call("POST", INDEX, json={}).status_code == 200
    time.sleep(1.1)
    assert client.call("POST", INDEX, json={}).status_code == 401


def test_control_ends_tokens(client: Client) -> None:
    assert client.call("POST", INDEX, json={}).status_code == 200
    client.control("POST", "/tokens/expire", json={"vendor": "4hse"})
    assert client.call("POST", INDEX, json={}).status_code == 401
    assert client.core("POST", UPSERT, json=[]).status_code == 201
    client.control("POST", "/tokens/expire")
    assert client.core("POST", UPSERT, json=[]).status_code == 401


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param({"grant_type": "password"}, "unsupported_grant_type", id="wrong grant"),
        pytest.param({"client_id": "x"}, "invalid_client", id="unknown client"),
        pytest.param({"client_secret": "x"}, "invalid_client", id="wrong secret"),
        pytest.param({"scope": "x"}, "invalid_scope", id="unknown scope"),
        pytest.param({"scope": "ditioapiv3 x"}, "invalid_scope", id="one unknown scope"),
        pytest.param({"scope": ""}, "invalid_scope", id="no scope"),
    ],
)
def test_ditio_token_refusals(client: Client, client_form: dict[str, str], change: dict[str, str], error: str) -> None:
    answer = requests.post(client.server.urls["ditio_token_url"], data=client_form | change, timeout=10)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_ditio_scope_is_checked(client: Client, client_form: dict[str, str]) -> None:
    url = client.server.urls["ditio_token_url"]
    body = requests.post(url, data=client_form | {"scope": "reportingapiv1"}, timeout=10).json()
    assert body["scope"] == "reportingapiv1"
    assert body["expires_in"] == 1800
    client.ditio.headers["Authorization"] = f"Bearer {body['access_token']}"
    assert client.core("GET", "/api/v5/integration/employees").status_code == 403
    both = requests.post(url, data=client_form | {"scope": "ditioapiv3 reportingapiv1"}, timeout=10).json()
    client.ditio.headers["Authorization"] = f"Bearer {both['access_token']}"
    assert client.core("GET", "/api/v5/integration/employees").status_code == 200


@pytest.mark.parametrize("path", [UPSERT, "/api/v5/integration/employees", "/api/v4/integration/users"])
@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", "Basic abc"])
def test_ditio_refuses_strangers(server: SandboxServer, path: str, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    method = "POST" if path == UPSERT else "GET"
    answer = requests.request(method, server.urls["ditio_url"] + path, json=[], headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["X-Certrecon-Sandbox"] == "1"


def test_one_vendors_token_is_nothing_to_the_other(client: Client) -> None:
    client.fourhse.headers, client.ditio.headers = client.ditio.headers, client.fourhse.headers
    assert client.call("POST", INDEX, json={}).status_code == 401
    assert client.core("GET", "/api/v5/integration/employees").status_code == 401
