"""The warehouse as the pages use it: read in the auditor's role, written in the pipeline's, never for long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from certrecon.errors import ConnectionSettingsError, WarehouseUnavailableError
from certrecon.warehouse.engine import connect_engine, transaction
from certrecon.warehouse.roles import AUDITOR, WRITER

if TYPE_CHECKING:
    from fastapi import Request
    from sqlalchemy import Connection, Engine

TIMEOUT: Final = "5s"
"""How long one statement may take."""

_READ_ONLY = text("SET TRANSACTION READ ONLY")
_LIMITS = text(
    f"SELECT set_config('statement_timeout', '{TIMEOUT}', true), "
    "set_config('idle_in_transaction_session_timeout', '60s', true)"
)


class Warehouse:
    """Connections of one process, made when they are first asked for."""

    def __init__(self) -> None:
        """Connect nothing yet."""
        self._lock = threading.Lock()
        self._engines: dict[str, Engine] = {}

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection in the auditor's role, in a transaction that can write nothing.

        Raises:
            WarehouseUnavailableError: PostgreSQL does not answer, or not in time.
            ConnectionSettingsError: The connection is missing or wrong.
        """
        with self._transaction(AUDITOR) as conn:
            conn.execute(_READ_ONLY)
            conn.execute(_LIMITS)
            yield conn

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in the writer's role, in a transaction that is committed at the end.

        Raises:
            WarehouseUnavailableError: PostgreSQL does not answer, or not in time.
            ConnectionSettingsError: The connection is missing or wrong.
        """
        with self._transaction(WRITER) as conn:
            conn.execute(_LIMITS)
            yield conn

    @contextmanager
    def _transaction(self, role: str) -> Iterator[Connection]:
        engine = self._engine(role)
        try:
            with transaction(engine) as conn:
                yield conn
        except (WarehouseUnavailableError, ConnectionSettingsError):
            # Somebody may have changed the connection in Airflow: the next request looks again.
            self._forget(role, engine)
            raise

    def _engine(self, role: str) -> Engine:
        with self._lock:
            if role not in self._engines:
                from certrecon_plugin.resources import warehouse_url

                self._engines[role] = connect_engine(warehouse_url(), role)
            return self._engines[role]

    def _forget(self, role: str, engine: Engine) -> None:
        with self._lock:
            if self._engines.get(role) is engine:
                del self._engines[role]
        engine.dispose()


def warehouse_of(request: Request) -> Warehouse:
    """Return the warehouse of the application that answers a request."""
    found: Warehouse = request.app.state.warehouse
    return found
