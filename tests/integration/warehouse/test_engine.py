"""What a connection says when something is wrong: what happened, and no secret, no row."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from certrecon.errors import (
    CertreconError,
    ConnectionSettingsError,
    IntegrityError,
    RunTakenOverError,
    WarehouseUnavailableError,
)
from certrecon.warehouse.bulk import copy_in
from certrecon.warehouse.engine import connect_engine, driver, transaction
from tests.integration.warehouse.samples import claims, opened_seq, query, write


def test_the_session_is_ours_whatever_the_server_says(warehouse: Engine, warehouse_url: str) -> None:
    name = make_url(warehouse_url).database
    with psycopg.connect(warehouse_url.replace("+psycopg", ""), autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE \"{name}\" SET datestyle TO 'SQL, DMY'")  # type: ignore[arg-type]
        conn.execute(f"ALTER DATABASE \"{name}\" SET timezone TO 'Asia/Tokyo'")  # type: ignore[arg-type]
    row = query(
        warehouse,
        "SELECT current_setting('datestyle'), current_setting('timezone'), "
        "current_setting('application_name'), current_setting('client_encoding')",
    )
    assert row == [("ISO, YMD", "UTC", "certrecon", "UTF8")]


def test_a_machine_without_power_is_noticed_within_a_minute(warehouse: Engine) -> None:
    """Its session holds the lock of the only sender, and the usual limits are more than two hours and 15 minutes."""
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    shown = ", ".join(f"current_setting('{name}')" for name in names)
    assert query(warehouse, f"SELECT {shown}") == [("30", "10", "3", "60000")]
    with warehouse.connect() as conn:
        client = driver(conn).info.get_parameters()
    assert {name: client[name.replace("tcp_keepalives", "keepalives")] for name in names} == {
        "tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3", "tcp_user_timeout": "60000",
    }  # fmt: skip


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_spelling_of_the_scheme_connects(warehouse_url: str, scheme: str) -> None:
    url = make_url(warehouse_url).set(drivername=scheme).render_as_string(hide_password=False)
    engine = connect_engine(url)
    assert query(engine, "SELECT 1") == [(1,)]
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("mysql://u:hunter2@localhost/x", id="another database"),
        pytest.param("hunter2 is no address", id="no address"),
        pytest.param("postgresql://u:hunter2@localhost:port/x", id="no port"),
    ],
)
def test_an_address_that_cannot_be(url: str) -> None:
    with pytest.raises(ConnectionSettingsError) as caught:
        connect_engine(url)
    assert "hunter2" not in str(caught.value)


def test_nobody_listens() -> None:
    engine = connect_engine("postgresql://u:hunter2@127.0.0.1:1/x")
    with pytest.raises(WarehouseUnavailableError, match=r"127\.0\.0\.1:1") as caught, transaction(engine):
        pass
    assert "hunter2" not in str(caught.value)


def test_a_server_that_goes_away(warehouse: Engine) -> None:
    with pytest.raises(WarehouseUnavailableError), transaction(warehouse) as conn:
        conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert query(warehouse, "SELECT 1") == [(1,)]


def test_a_server_that_goes_away_during_copy(warehouse: Engine) -> None:
    with pytest.raises(WarehouseUnavailableError), transaction(warehouse) as conn:  # noqa: PT012
        pid = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
        query(warehouse, "SELECT pg_terminate_backend(:pid)", pid=pid)
        copy_in(conn, "claim", claims({}))


def test_a_refused_row_is_not_quoted(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    twice = claims({"person_name": "Ola Nordmann"}, {"person_name": "Kari Nordmann"})
    with pytest.raises(IntegrityError, match="claim_open_once") as caught:
        write(warehouse, run_seq, twice)
    assert "Nordmann" not in str(caught.value)
    assert "c1" not in str(caught.value)


def test_a_missing_table_asks_for_the_migration(empty_database_url: str) -> None:
    engine = connect_engine(empty_database_url)
    with pytest.raises(ConnectionSettingsError, match="make migrate"):
        opened_seq(engine)
    engine.dispose()


def test_a_user_who_may_not(warehouse: Engine) -> None:
    with pytest.raises(ConnectionSettingsError, match="may not"), transaction(warehouse) as conn:  # noqa: PT012
        conn.execute(text("SET LOCAL ROLE pg_read_all_stats"))
        conn.execute(text("SELECT * FROM reconciliation.run"))


@pytest.mark.parametrize("error", [RunTakenOverError("taken"), ValueError("own")])
def test_what_the_code_raises_passes_and_rolls_back(warehouse: Engine, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)), transaction(warehouse) as conn:  # noqa: PT012
        conn.execute(text("INSERT INTO reconciliation.finding_catalogue VALUES ('A', 'b', 'c', 'd', 'e', true)"))
        raise error
    assert query(warehouse, "SELECT count(*) FROM reconciliation.finding_catalogue") == [(0,)]
    assert issubclass(WarehouseUnavailableError, CertreconError)
