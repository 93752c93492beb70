"""A PostgreSQL with stock settings for the benchmarks, and copies of its databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from certrecon_quickstart.migrations import warehouse_url
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.project import Project


@dataclass(frozen=True, slots=True)
class Databases:
    """The databases of one server.

    Attributes:
        address: `postgresql://` address of the server's first database.
        data: The server's data folder.
    """

    address: str
    data: Path

    @property
    def pid(self) -> int:
        """The server's first process."""
        return int((self.data / "postmaster.pid").read_text(encoding="ascii").split()[0])

    def url(self, name: str) -> str:
        """Return the address of a database."""
        return f"{self.address.rpartition('/')[0]}/{name}"

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database as a copy of another one, in place of one of that name; return its address.

        What was copied is on disk before this returns, so that nothing of it is written while a variant runs.
        """
        self.drop(name)
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        with psycopg.connect(self.address, autocommit=True) as conn:
            conn.execute(made.format(sql.Identifier(name), sql.Identifier(template)))
            conn.execute("CHECKPOINT")
        return self.url(name)

    def drop(self, name: str) -> None:
        """Delete a database if it is there."""
        with psycopg.connect(self.address, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def empty(self) -> str:
        """Return the address of a fresh database without any table."""
        return self.create("scratch")


@contextmanager
def postgres(folder: Path) -> Iterator[Databases]:
    """Run the server of a folder; what is in it stays when it stops."""
    checkout = Project.of_checkout()
    project = Project(root=checkout.root, var=folder, dags=checkout.dags)
    server = EmbeddedPostgres(project)
    server.settle_port()
    server.start()
    try:
        address = warehouse_url(server.connection()).set(drivername="postgresql").render_as_string(hide_password=False)
        yield Databases(address, project.postgres_data)
    finally:
        server.stop()
