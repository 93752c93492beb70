"""A whole night by a user who is in the writer's role alone, and every statement of it in that role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from certrecon.errors import ConnectionSettingsError
from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.roles import AUDITOR, OWNER, WRITER
from certrecon.warehouse.tables import SCHEMA, metadata
from certrecon_plugin import resources
from certrecon_plugin.pages.warehouse import Warehouse
from tests.contract import warehouse as sql
from tests.hostile.hostile_world import HostileServer, hostile_pipeline
from tests.integration.warehouse.logins import login_in
from tests.oracle.base import base_world

WHO = """
    CREATE TABLE public.who (at_table text, took text, logged_in text);
    GRANT INSERT ON public.who TO PUBLIC;
    CREATE FUNCTION public.note_who() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO public.who VALUES (TG_TABLE_NAME, current_user, session_user); RETURN NULL; END$$;"""
NOTE = "CREATE TRIGGER who AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION public.note_who()"


@pytest.fixture
def watched(warehouse: Engine) -> Engine:
    """A warehouse that notes in whose role each of its tables is written."""
    with warehouse.begin() as conn:
        conn.exec_driver_sql(WHO)
        for table in metadata.tables.values():
            conn.exec_driver_sql(NOTE.format(table=f"{SCHEMA}.{table.name}"))
    return warehouse


@pytest.fixture
def writing_user(postgres_url: str, watched: Engine, warehouse_url: str) -> Iterator[str]:
    """The address of the warehouse for a user who is in the writer's role alone."""
    with login_in(postgres_url, warehouse_url, WRITER) as url:
        yield url


@pytest.fixture
def auditing_user(postgres_url: str, warehouse_url: str) -> Iterator[str]:
    """The address of the warehouse for a user who is in the auditor's role alone."""
    with login_in(postgres_url, warehouse_url, AUDITOR) as url:
        yield url


def test_a_night_needs_the_writers_role_and_nothing_else(watched: Engine, writing_user: str, tmp_path: Path) -> None:
    engine = connect_engine(writing_user, WRITER)
    with HostileServer() as server:
        server.show(base_world())
        night = hostile_pipeline(server, engine, tmp_path, base_world().settings).run(base_world().as_of)
    engine.dispose()
    assert (night.errors, night.status) == ({}, "succeeded")
    seen = sql.rows(watched, "SELECT DISTINCT took, logged_in FROM public.who")
    assert [(row["took"], row["logged_in"]) for row in seen] == [(WRITER, f"login_{WRITER}")]
    written = {row["at_table"] for row in sql.rows(watched, "SELECT at_table FROM public.who")}
    assert {"run", "claim", "ditio_upsert", "ditio_attempt", "settings_version"} <= written


def as_connection(url: str) -> str:
    """Return an address as an Airflow connection."""
    address = make_url(url)
    return json.dumps(
        {"conn_type": "postgres", "host": address.host, "port": address.port, "login": address.username,
         "password": address.password, "schema": address.database, "extra": dict(address.query)}
    )  # fmt: skip


def test_the_tasks_of_airflow_take_the_writers_role_on(monkeypatch: pytest.MonkeyPatch, writing_user: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE_DEFAULT", as_connection(writing_user))
    with resources.warehouse() as engine:
        assert sql.rows(engine, "SELECT current_user AS took, session_user AS logged_in") == [
            {"took": WRITER, "logged_in": f"login_{WRITER}"}
        ]
        with pytest.raises(ConnectionSettingsError), resources.warehouse(OWNER) as owner:
            sql.rows(owner, "SELECT 1")


def test_the_pages_read_as_the_auditor_and_note_removals_as_the_writer(
    monkeypatch: pytest.MonkeyPatch, warehouse_url: str, auditing_user: str
) -> None:
    who = text("SELECT current_user, current_setting('transaction_read_only')")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE_DEFAULT", as_connection(warehouse_url))
    pages = Warehouse()
    with pages.reading() as conn:
        assert tuple(conn.execute(who).one()) == (AUDITOR, "on")
    with pages.writing() as conn:
        assert tuple(conn.execute(who).one()) == (WRITER, "off")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE_DEFAULT", as_connection(auditing_user))
    alone = Warehouse()
    with alone.reading() as conn:
        assert tuple(conn.execute(who).one()) == (AUDITOR, "on")
    with pytest.raises(ConnectionSettingsError, match=f"GRANT {WRITER} TO"), alone.writing():
        pytest.fail("an auditor's connection must not write")
