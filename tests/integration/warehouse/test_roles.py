"""The writer does what the pipeline does and no more; the auditor reads; who is neither is told what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from certrecon.errors import ConnectionSettingsError
from certrecon.warehouse.catalogue import write_catalogue
from certrecon.warehouse.engine import connect_engine, transaction
from certrecon.warehouse.migrate import migrate, require_head
from certrecon.warehouse.removals import Removal, add_removal
from certrecon.warehouse.roles import AUDITOR, OWNER, WRITER, become_owner
from certrecon.warehouse.runs import open_run
from certrecon.warehouse.tables import SCHEMA, metadata
from tests.integration.warehouse.samples import TARGET, claims, finalise, new_run, opened_seq, query, write
from tests.integration.warehouse.test_triggers import _everything

TABLES = sorted(table.name for table in metadata.tables.values())
INSERTS = set(TABLES) - {"installation"}


@pytest.fixture
def writer(warehouse_url: str) -> Iterator[Engine]:
    engine = connect_engine(warehouse_url, WRITER)
    yield engine
    engine.dispose()


@pytest.fixture
def auditor(warehouse_url: str) -> Iterator[Engine]:
    engine = connect_engine(warehouse_url, AUDITOR)
    yield engine
    engine.dispose()


def _may(engine: Engine, statement: str) -> bool:
    try:
        with transaction(engine) as conn:
            conn.execute(text(f"SET LOCAL search_path = {SCHEMA}, pg_temp"))
            conn.execute(text(statement))
    except ConnectionSettingsError:
        return False
    except Exception:  # noqa: BLE001 - refused for another reason than the right to do it
        return True
    return True


def test_a_whole_night_as_the_writer(writer: Engine, auditor: Engine) -> None:
    require_head(writer)
    with transaction(writer) as conn:
        write_catalogue(conn)
    _everything(writer)
    run_seq = open_run(writer, new_run("third"), above=40).run_seq
    assert run_seq == 41
    write(writer, run_seq, claims({"disposition": "blocked"}), ["t1"])
    finalise(writer, run_seq)
    require_head(auditor)
    assert query(auditor, "SELECT count(*) FROM reconciliation.reconciliation_report") == [(1,)]
    assert query(auditor, "SELECT count(*) FROM reconciliation.claim_as_of(1)") == [(1,)]
    assert query(auditor, "SELECT current_user, session_user = current_user") == [(AUDITOR, False)]


@pytest.mark.parametrize("table", TABLES)
def test_what_each_role_may_do_to_a_table(writer: Engine, auditor: Engine, table: str) -> None:
    second = metadata.tables[f"{SCHEMA}.{table}"].columns.values()[1].name
    updates = {"run": "status", "claim": "ended_run_seq", "withdrawn_upsert": "ended_run_seq",
               "dangling_link": "ended_run_seq", "ditio_upsert": "state", "finding_catalogue": "title"}  # fmt: skip
    allowed = {
        f"SELECT * FROM {table}": {"writer", "auditor"},
        f"INSERT INTO {table} DEFAULT VALUES": {"writer"} if table in INSERTS else set(),
        f"DELETE FROM {table}": {"writer"} if table in {"claim_person", "change_hint"} else set(),
        f"TRUNCATE {table}": set(),
        f"ALTER TABLE {table} DISABLE TRIGGER ALL": set(),
        f"DROP TABLE {table} CASCADE": set(),
        f"UPDATE {table} SET {updates.get(table, second)} = NULL": {"writer"} if table in updates else set(),
    }
    roles = {"writer": writer, "auditor": auditor}
    found = {statement: {name for name, engine in roles.items() if _may(engine, statement)} for statement in allowed}
    assert found == allowed


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE claim SET disposition = 'held'", id="a claim's disposition"),
        pytest.param("UPDATE claim SET row_sha256 = pseudonym_sha256", id="a claim's digest"),
        pytest.param("UPDATE run SET run_seq = DEFAULT", id="a run's number"),
        pytest.param("UPDATE withdrawn_upsert SET reason = 'x'", id="a reason"),
        pytest.param("CREATE TABLE other (a int)", id="a table in the schema"),
        pytest.param("SET session_replication_role = replica", id="triggers off"),
    ],
)
def test_what_the_writer_may_not(writer: Engine, statement: str) -> None:
    assert not _may(writer, statement.replace("TABLE other", f"TABLE {SCHEMA}.other"))


def test_the_auditor_leaves_no_note(warehouse: Engine, auditor: Engine) -> None:
    _everything(warehouse)
    with pytest.raises(ConnectionSettingsError, match="removal"), transaction(auditor) as conn:
        add_removal(conn, Removal(TARGET, "1", "Byggekort", None, "eva", done=True))


def test_a_role_lasts_over_transactions(auditor: Engine) -> None:
    for _ in range(3):
        assert query(auditor, "SELECT current_user") == [(AUDITOR,)]


@pytest.fixture
def stranger(postgres_url: str, warehouse_url: str) -> Iterator[str]:
    """The address of the warehouse for a user who has no part in it."""
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute("CREATE ROLE stranger LOGIN PASSWORD 'hunter2'")
    yield make_url(warehouse_url).set(username="stranger", password="hunter2").render_as_string(hide_password=False)  # noqa: S106
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute("DROP ROLE stranger")


def test_a_user_who_is_not_a_member_is_told_what_is_missing(stranger: str) -> None:
    engine = connect_engine(stranger, WRITER)
    with pytest.raises(ConnectionSettingsError, match=f'GRANT {WRITER} TO "stranger"'):
        query(engine, "SELECT 1")
    engine.dispose()


def test_a_warehouse_without_roles_asks_for_the_migration(warehouse_url: str) -> None:
    engine = connect_engine(warehouse_url, "certrecon_nobody")
    with pytest.raises(ConnectionSettingsError, match="make migrate"):
        query(engine, "SELECT 1")
    engine.dispose()


def test_who_may_not_make_the_roles_gets_the_sql_for_an_administrator(
    postgres_url: str, new_database: Callable[..., str], stranger: str
) -> None:
    fresh = make_url(new_database())
    address = make_url(stranger).set(database=fresh.database).render_as_string(hide_password=False)
    engine = connect_engine(address)
    with pytest.raises(ConnectionSettingsError) as caught:
        migrate(engine)
    engine.dispose()
    assert f'GRANT {OWNER}, {WRITER}, {AUDITOR} TO "stranger"' in str(caught.value)
    assert "hunter2" not in str(caught.value)
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE "{fresh.database}"')  # type: ignore[arg-type]


def test_an_ordinary_user_with_what_the_message_asks_for_migrates_and_works(
    postgres_url: str, new_database: Callable[..., str], stranger: str
) -> None:
    fresh = make_url(new_database())
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(f"GRANT {OWNER}, {WRITER}, {AUDITOR} TO stranger")  # type: ignore[arg-type]
        conn.execute(f'GRANT CREATE ON DATABASE "{fresh.database}" TO stranger')  # type: ignore[arg-type]
    address = make_url(stranger).set(database=fresh.database).render_as_string(hide_password=False)
    engine, writer = connect_engine(address), connect_engine(address, WRITER)
    migrate(engine)
    finalise(writer, opened_seq(writer))
    assert query(engine, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'reconciliation'") == [(OWNER,)]
    engine.dispose()
    writer.dispose()
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE "{fresh.database}"')  # type: ignore[arg-type]
        conn.execute(f"REVOKE {OWNER}, {WRITER}, {AUDITOR} FROM stranger")  # type: ignore[arg-type]


_EARLIER_RUN = """
    INSERT INTO reconciliation.run (run_id, attempt, target, mode, trigger, run_day, as_of, scope, status, started_at,
           finished_at, settings_sha256, code_version)
    VALUES ('r', 1, 'target-a', 'publish', 'manual', '2026-01-01', '2026-01-01', '{}', 'succeeded', now(), now(), 'x', 'y')"""
_EARLIER_CLAIM = """
    INSERT INTO reconciliation.claim (target, certificate_id, tenant_id, person_name, linked, disposition, findings,
           first_run_seq, row_sha256)
    VALUES ('target-a', 'c9', 't1', 'Kari', true, 'held', '{}', 1, sha256('x'))"""


@pytest.fixture
def first_release(empty_database_url: str) -> Iterator[Engine]:
    """A warehouse as the first release left it, with a run and a claim, owned by the connection's user."""
    engine = connect_engine(empty_database_url)
    config = Config()
    config.set_main_option("script_location", "certrecon.warehouse:migrations")
    with transaction(engine) as conn:
        conn.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
        conn.execute(text(_EARLIER_RUN))
        conn.execute(text(_EARLIER_CLAIM))
        conn.execute(text(f"CREATE VIEW {SCHEMA}.claim_current AS SELECT * FROM {SCHEMA}.claim"))
    yield engine
    engine.dispose()


def test_a_warehouse_of_the_first_release_comes_along(first_release: Engine) -> None:
    migrate(first_release)
    require_head(first_release)
    assert query(first_release, "SELECT since_run_seq FROM reconciliation.claim") == [(1,)]
    assert query(first_release, "SELECT person_name FROM reconciliation.claim_person") == [("Kari",)]
    owners = "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'reconciliation'::regnamespace"
    assert query(first_release, owners) == [(OWNER,)]
    finalise(first_release, opened_seq(first_release))
    chain = "SELECT chain_no FROM reconciliation.run ORDER BY run_seq"
    assert query(first_release, chain) == [(None,), (1,)]


def test_databases_that_migrate_at_once_share_the_roles(postgres_url: str, new_database: Callable[..., str]) -> None:
    # The step alone: Alembic cannot run twice at once in one process.
    engines = [connect_engine(new_database()) for _ in range(3)]

    def become(engine: Engine) -> None:
        with transaction(engine) as conn:
            become_owner(conn)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(become, engines))
    for engine in engines:
        schema = "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'reconciliation'"
        assert query(engine, schema) == [(OWNER,)]
        engine.dispose()
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        for engine in engines:
            conn.execute(f'DROP DATABASE "{engine.url.database}"')  # type: ignore[arg-type]
