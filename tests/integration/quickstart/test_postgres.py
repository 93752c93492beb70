from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from certrecon_quickstart.memory import is_listening
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.project import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("closed folder")
    folder.chmod(0o700)
    return Project(root=folder, var=folder / "var", dags=folder / "dags")


@pytest.fixture
def postgres(project: Project) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(project)
    server.start()
    yield server
    server.stop()


def connect(server: EmbeddedPostgres, **changes: object) -> psycopg.Connection[tuple[object, ...]]:
    names = server.client_variables()
    options = {
        "host": names["PGHOST"],
        "port": names["PGPORT"],
        "user": names["PGUSER"],
        "password": names["PGPASSWORD"],
        "dbname": names["PGDATABASE"],
    }
    return psycopg.connect(**{**options, **changes})


def test_data_and_port_outlive_a_stop(postgres: EmbeddedPostgres) -> None:
    with connect(postgres) as conn:
        conn.execute("CREATE TABLE kept AS SELECT upper('ørjan') AS name")
    port = postgres.port
    postgres.stop()
    assert not postgres.is_running()
    assert not is_listening(port)
    postgres.start()
    assert postgres.port == port
    with connect(postgres) as conn:
        assert conn.execute("SELECT name FROM kept").fetchone() == ("ØRJAN",)
        assert conn.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_starting_twice_is_starting_once(postgres: EmbeddedPostgres) -> None:
    with connect(postgres) as conn:
        postgres.start()
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_nobody_gets_in_without_the_password(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(postgres, password="wrong")


def test_it_moves_when_its_port_is_taken(project: Project) -> None:
    server = EmbeddedPostgres(project)
    before = server.port
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", before))
        listener.listen()
        server.settle_port()
        assert server.port != before
    server.start()
    server.settle_port()
    with connect(server) as conn:
        assert conn.execute("SELECT name FROM kept").fetchone() == ("ØRJAN",)
    server.stop()


def test_it_changes_no_rights_outside_its_own_folder(project: Project, postgres: EmbeddedPostgres) -> None:
    assert Path(project.root).stat().st_mode & 0o777 == 0o700
    assert project.var.stat().st_mode & 0o777 == 0o755
