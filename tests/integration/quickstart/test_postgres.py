from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from certrecon_quickstart.memory import is_listening, secret
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


def test_the_password_lies_nowhere_for_others_while_the_server_is_made(tmp_path: Path) -> None:
    server_of = Project(root=tmp_path, var=tmp_path / "var", dags=tmp_path / "dags")
    password, before = secret(server_of, "postgres"), os.umask(0o022)
    try:
        with ThreadPoolExecutor(1) as pool:
            made = pool.submit(EmbeddedPostgres(server_of).start)
            rights: set[int] = set()
            while not made.done():
                rights |= rights_of_files_with(password, server_of.var)
            made.result()
    finally:
        os.umask(before)
        EmbeddedPostgres(server_of).stop()
    assert rights == {0o600}


def rights_of_files_with(content: str, folder: Path) -> set[int]:
    """The rights of the files of a folder that hold a text."""
    found = set()
    for path in folder.iterdir():
        try:
            if path.is_file() and path.read_text(encoding="utf-8") == content:
                found.add(stat.S_IMODE(path.stat().st_mode))
        except FileNotFoundError:
            continue  # gone since it was listed
    return found
