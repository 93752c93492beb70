"""A PostgreSQL of the test's own that can be killed as a whole and started again, durable as the real one."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import create_engine, text

from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.migrate import migrate
from certrecon_quickstart.migrations import warehouse_url
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.project import Project

GONE_SECONDS = 20
LIVE = "live"
WRITER = "certrecon_writer"
# What a killed process had written the system still has: these guard against a machine that dies. A commit
# waits for the log to be written (`synchronous_commit`), as everywhere else.
_FOR_POWER_CUTS = ("fsync", "full_page_writes")
# By files, which ends with a checkpoint: after a kill a copy made through the log would have its sequences
# where they were when it was made, and give numbers a second time.
_COPY = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"


class Cluster:
    """One PostgreSQL server; the run works on the database `live`, copies of it are where trials start."""

    def __init__(self, folder: Path) -> None:
        """Keep everything below a folder; nothing is started."""
        checkout = Project.of_checkout()
        self._project = Project(root=checkout.root, var=folder, dags=checkout.dags)
        self._server = EmbeddedPostgres(self._project)

    def start(self) -> None:
        """Start the server, which recovers by itself after a kill."""
        self._server.start()

    def kill(self) -> None:
        """SIGKILL the postmaster and every process of it."""
        postmaster = psutil.Process(self._pid())
        everything = [postmaster, *postmaster.children(recursive=True)]
        for process in everything:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        end = time.monotonic() + GONE_SECONDS
        # Also until somebody has taken note of its end: what is named in the lock file would count as running.
        while any(process.is_running() for process in everything):
            assert time.monotonic() < end, "PostgreSQL outlived SIGKILL"
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop the server for good."""
        self._server.stop()

    def url(self, database: str = LIVE) -> str:
        """Return a database's address."""
        address = warehouse_url(self._server.connection()).set(drivername="postgresql", database=database)
        return address.render_as_string(hide_password=False)

    def create_warehouse(self) -> None:
        """Create the database `live` with the warehouse's schema, and nothing in it."""
        for name in _FOR_POWER_CUTS:
            self._statement("ALTER SYSTEM SET {} TO off", name)
        self._statement("SELECT pg_reload_conf()")
        self._statement("CREATE DATABASE {} TEMPLATE template0", LIVE)
        engine = connect_engine(self.url())
        migrate(engine)
        engine.dispose()

    def save(self, name: str) -> None:
        """Keep a copy of `live`."""
        self._statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self._statement(_COPY, name, LIVE)

    def put_back(self, name: str) -> None:
        """Make `live` what a copy is."""
        self._statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", LIVE)
        self._statement(_COPY, LIVE, name)

    def wait_for_lock(self, seconds: float) -> bool:
        """Return whether a session of `live` came to wait for a lock within that time."""
        engine = create_engine(self.url().replace("postgresql:", "postgresql+psycopg:"))
        query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND wait_event_type = 'Lock'")
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                with engine.connect() as conn:
                    if conn.execute(query, {"name": LIVE}).scalar_one():
                        return True
                time.sleep(0.005)
        finally:
            engine.dispose()
        return False

    def _statement(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
            conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _pid(self) -> int:
        return int((self._project.postgres_data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
