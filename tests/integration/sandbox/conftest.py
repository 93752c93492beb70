"""Servers and sessions for the sandbox's tests: real sockets, no stand-ins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from certrecon_sandbox import credentials
from certrecon_sandbox.generate import generate_world
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.world import WorldSpec
from tests.integration.sandbox.raw import Raw

TODAY = dt.date(2026, 3, 2)
SPEC = WorldSpec(certificates=400, seed=3, today=TODAY)


@dataclass
class Client:
    """A server with a session for each vendor."""

    server: SandboxServer
    fourhse: requests.Session
    ditio: requests.Session

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Call 4HSE as a user."""
        return self.fourhse.request(method, self.server.urls["fourhse_url"] + path, timeout=10, **arguments)

    def core(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Call Ditio as a client."""
        return self.ditio.request(method, self.server.urls["ditio_url"] + path, timeout=10, **arguments)

    def control(self, method: str, path: str, **arguments: Any) -> Any:
        """Call the control API."""
        url = self.server.urls["control_url"] + path
        answer = requests.request(method, url, timeout=10, **arguments)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture(scope="session")
def password_form() -> dict[str, str]:
    """4HSE's password grant."""
    return {
        "grant_type": "password",
        "client_id": credentials.CLIENT_ID,
        "client_secret": credentials.CLIENT_SECRET,
        "username": credentials.USERNAME,
        "password": credentials.PASSWORD,
    }


@pytest.fixture(scope="session")
def client_form() -> dict[str, str]:
    """Ditio's client credentials grant."""
    return {
        "grant_type": "client_credentials",
        "client_id": credentials.DITIO_CLIENT_ID,
        "client_secret": credentials.DITIO_CLIENT_SECRET,
        "scope": credentials.DITIO_SCOPE,
    }


@pytest.fixture(scope="session")
def server() -> Iterator[SandboxServer]:
    """One server for the session; `client` puts its world back."""
    with SandboxServer(lambda: generate_world(SPEC)) as running:
        yield running


@pytest.fixture
def client(server: SandboxServer, password_form: dict[str, str], client_form: dict[str, str]) -> Iterator[Client]:
    """A server as if just started, with a session for each vendor."""
    client = Client(server, requests.Session(), requests.Session())
    client.control("POST", "/reset", json={"what": ["world", "journal", "tokens", "options"]})
    for session, url, form in (
        (client.fourhse, server.urls["fourhse_token_url"], password_form),
        (client.ditio, server.urls["ditio_token_url"], client_form),
    ):
        token = requests.post(url, data=form, timeout=10).json()["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"
    client.control("POST", "/reset", json={"what": ["journal"]})
    yield client
    client.fourhse.close()
    client.ditio.close()


@pytest.fixture
def raw(client: Client) -> Iterator[Raw]:
    """A client on bare sockets, of a sandbox without faults."""
    client.server.sandbox.faults.clear()
    yield Raw(client)
    client.server.sandbox.faults.clear()
