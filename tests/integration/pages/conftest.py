"""The pages as Airflow serves them: mounted in its own API server's application, on a warehouse with rows."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow import plugins_manager
from airflow.api_fastapi.app import create_app, get_auth_manager, purge_cached_app
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.engine import make_url
from starlette.routing import Mount

from certrecon.warehouse.engine import connect_engine
from tests.integration.pages.rows import fill

CONNECTION = "AIRFLOW_CONN_WAREHOUSE_DEFAULT"
PREFIX = "/certrecon"
ROLES = ("admin", "viewer")


@pytest.fixture(scope="session")
def filled_url(new_database: Callable[..., str], migrated_template: str, tmp_path_factory: Any) -> str:
    """The address of a warehouse with two runs, and their evidence."""
    url = new_database(migrated_template)
    engine = connect_engine(url)
    fill(engine, tmp_path_factory.mktemp("evidence"))
    engine.dispose()
    return url


def as_connection(url: str) -> str:
    """An address as an Airflow connection."""
    address = make_url(url)
    return json.dumps(
        {
            "conn_type": "postgres", "host": address.host, "port": address.port, "login": address.username,
            "password": address.password, "schema": address.database, "extra": dict(address.query),
        }
    )  # fmt: skip


@pytest.fixture(scope="session")
def airflow(filled_url: str) -> Iterator[FastAPI]:
    """Airflow's API server's application with the project's plugin in it."""
    before = os.environ.get(CONNECTION)
    os.environ[CONNECTION] = as_connection(filled_url)
    plugins_manager.get_fastapi_plugins.cache_clear()
    try:
        yield create_app(apps="core")
    finally:
        purge_cached_app()
        os.environ.pop(CONNECTION)
        if before is not None:
            os.environ[CONNECTION] = before


@pytest.fixture(scope="session")
def pages(airflow: FastAPI) -> FastAPI:
    """The application of the pages, as Airflow mounted it."""
    mounted = [route.app for route in airflow.routes if isinstance(route, Mount) and route.path == PREFIX]
    assert len(mounted) == 1, "Airflow did not mount the pages"
    return mounted[0]


def browser(airflow: FastAPI, role: str | None = None, *, signed_in: bool = True) -> TestClient:
    """A browser: signed in with Airflow's cookie in a role (none = no right at all), or not signed in."""
    client = TestClient(airflow, base_url="http://localhost", follow_redirects=False, raise_server_exceptions=False)
    if signed_in:
        user = SimpleAuthManagerUser(username=role or "nobody", role=role)
        client.cookies.set("_token", get_auth_manager().generate_jwt(user))
    return client


@pytest.fixture(scope="session")
def anonymous(airflow: FastAPI) -> TestClient:
    return browser(airflow, signed_in=False)


@pytest.fixture(scope="session")
def nobody(airflow: FastAPI) -> TestClient:
    return browser(airflow)


@pytest.fixture(scope="session")
def viewer(airflow: FastAPI) -> TestClient:
    return browser(airflow, "viewer")


@pytest.fixture(scope="session")
def admin(airflow: FastAPI) -> TestClient:
    return browser(airflow, "admin")
