"""A real PostgreSQL for whoever wants one: the server once a session, a database of its own per test."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.migrate import migrate
from certrecon_quickstart.migrations import warehouse_url as address_of
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.project import Project

_TEMPLATE = "migrated"
# A test's database need not outlive the machine; without this each one costs ten times as much.
_CARELESS = ("fsync", "synchronous_commit", "full_page_writes")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL server's `postgres` database; works as root and as anybody."""
    # Not under pytest's own folder: as root PostgreSQL runs as another user, and every pytest that
    # starts on the machine takes that folder's permissions away again.
    with tempfile.TemporaryDirectory(prefix="certrecon-postgres-", ignore_cleanup_errors=True) as folder:
        checkout = Project.of_checkout()
        server = EmbeddedPostgres(Project(root=checkout.root, var=Path(folder), dags=checkout.dags))
        server.start()
        try:
            address = address_of(server.connection()).set(drivername="postgresql", database="postgres")
            yield _prepared(address.render_as_string(hide_password=False))
        finally:
            server.stop()


@pytest.fixture(scope="session")
def new_database(postgres_url: str) -> Callable[..., str]:
    """A function that makes a database, a copy of `template`, and returns its address."""
    numbers = itertools.count(1)

    def make(template: str = "template0", name: str | None = None) -> str:
        name = name or f"test_{os.getpid()}_{next(numbers)}"
        with psycopg.connect(postgres_url, autocommit=True) as conn:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
            conn.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return make_url(postgres_url).set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture(scope="session")
def migrated_template(new_database: Callable[..., str]) -> str:
    """The name of a database with the warehouse's schema, to copy from."""
    with _engine(new_database(name=_TEMPLATE)) as engine:
        migrate(engine)
    return _TEMPLATE


@pytest.fixture
def empty_database_url(postgres_url: str, new_database: Callable[..., str]) -> Iterator[str]:
    """The address of a fresh database without anything in it."""
    url = new_database()
    yield url
    _drop(postgres_url, url)


@pytest.fixture
def warehouse_url(postgres_url: str, new_database: Callable[..., str], migrated_template: str) -> Iterator[str]:
    """The address of a fresh warehouse: migrated and empty."""
    url = new_database(migrated_template)
    yield url
    _drop(postgres_url, url)


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Engine]:
    """An engine on a fresh warehouse."""
    with _engine(warehouse_url) as engine:
        yield engine


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = connect_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _prepared(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as conn:
        for name in _CARELESS:
            conn.execute(sql.SQL("ALTER SYSTEM SET {} TO off").format(sql.Identifier(name)))
        conn.execute("SELECT pg_reload_conf()")
    return url


def _drop(postgres_url: str, url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        name = sql.Identifier(make_url(url).database or "")
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
