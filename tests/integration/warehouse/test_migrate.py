"""The schema comes to be on an empty database, stays on a second call, and is checked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from certrecon.browse.outcomes import known_outcomes
from certrecon.errors import ConnectionSettingsError
from certrecon.warehouse.engine import connect_engine, driver, transaction
from certrecon.warehouse.migrate import HEAD, migrate, require_head
from certrecon.warehouse.tables import SCHEMA, metadata
from tests.integration.warehouse.samples import TARGET, claims, opened_seq, query, write

_OBJECTS = """
    SELECT relname, oid FROM pg_class WHERE relnamespace = 'reconciliation'::regnamespace
    UNION ALL
    SELECT proname, oid FROM pg_proc WHERE pronamespace = 'reconciliation'::regnamespace ORDER BY 1"""


_COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = 'reconciliation.claim'::regclass"


def _alembic(conn: Connection, step: Callable[[Config, str], None], version: str) -> None:
    """Drop what stands on the tables, as a migration does, and go to a version."""
    driver(conn).execute(files("certrecon.warehouse").joinpath("sql", "drop.sql").read_bytes())
    config = Config()
    config.set_main_option("script_location", "certrecon.warehouse:migrations")
    config.attributes["connection"] = conn
    step(config, version)


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    engine = connect_engine(empty_database_url)
    yield engine
    engine.dispose()


def test_an_empty_database_gets_every_table_view_and_function(empty: Engine) -> None:
    migrate(empty)
    require_head(empty)
    names = {name for name, _ in query(empty, _OBJECTS)}
    assert names >= {table.name for table in metadata.tables.values()}
    assert names >= {"claim_current", "claim_as_of", "reconciliation_report", "reconciliation_report_of"}
    assert names >= {"report_summary", "alembic_version"}


def test_a_migrated_database_stays_as_it_is(warehouse: Engine) -> None:
    opened_seq(warehouse)
    before = query(warehouse, _OBJECTS)
    migrate(warehouse)
    assert query(warehouse, _OBJECTS) == before
    assert query(warehouse, "SELECT count(*) FROM reconciliation.run") == [(1,)]


def test_views_of_another_version_are_made_anew(warehouse: Engine) -> None:
    opened_seq(warehouse)
    with transaction(warehouse) as conn:
        conn.execute(text("DROP VIEW reconciliation.report_summary"))
        conn.execute(text("COMMENT ON SCHEMA reconciliation IS 'other'"))
    with pytest.raises(ConnectionSettingsError, match="make migrate"):
        require_head(warehouse)
    migrate(warehouse)
    require_head(warehouse)
    assert query(warehouse, "SELECT count(*) FROM reconciliation.report_summary") == [(0,)]


def test_two_migrations_at_once_make_one_schema(empty: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: migrate(empty), range(2)))
    require_head(empty)
    assert query(empty, "SELECT version_num FROM reconciliation.alembic_version") == [(HEAD,)]


def test_the_migration_makes_what_the_code_uses(warehouse: Engine) -> None:
    with transaction(warehouse) as conn:
        options = {
            "include_schemas": True,
            "version_table_schema": SCHEMA,
            "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
        }
        assert compare_metadata(MigrationContext.configure(conn, opts=options), metadata) == []


def test_head_is_the_last_version() -> None:
    config = Config()
    config.set_main_option("script_location", "certrecon.warehouse:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_claims_of_an_older_version_are_found_by_their_outcome(warehouse: Engine) -> None:
    """Version 0007 numbers the findings of every claim that is there."""
    rows = claims({}, {"certificate_id": "c2", "findings": ["B", "A"]}, {"certificate_id": "c3", "findings": ["A"]})
    write(warehouse, opened_seq(warehouse), rows)
    write(warehouse, opened_seq(warehouse), rows.slice(0, 2))
    counted = "SELECT findings, count(DISTINCT findings_key) FROM reconciliation.claim GROUP BY 1 ORDER BY 1"
    before = query(warehouse, counted)
    with transaction(warehouse) as conn:
        _alembic(conn, command.downgrade, "0006")
    assert "findings_key" not in {name for (name,) in query(warehouse, _COLUMNS)}
    migrate(warehouse)
    require_head(warehouse)
    assert query(warehouse, counted) == before == [([], 1), (["A"], 1), (["A", "B"], 1)]
    with transaction(warehouse) as conn:
        assert sorted(known_outcomes(conn, TARGET)) == [("delivered", ()), ("delivered", ("A", "B"))]
        assert known_outcomes(conn, TARGET, ended=True) == [("delivered", ("A",))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param("SELECT 1", "is empty", id="nothing there"),
        pytest.param(
            "CREATE SCHEMA reconciliation; CREATE TABLE reconciliation.alembic_version (version_num text);"
            "INSERT INTO reconciliation.alembic_version VALUES ('0000')",
            "is at version 0000",
            id="an older version",
        ),
    ],
)
def test_what_is_not_migrated_is_refused(empty: Engine, change: str, message: str) -> None:
    with transaction(empty) as conn:
        for statement in change.split(";"):
            conn.execute(text(statement))
    with pytest.raises(ConnectionSettingsError, match=f"{message}.*make migrate"):
        require_head(empty)
