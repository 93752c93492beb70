"""Connections and transactions, and what their errors mean to an operator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from certrecon.errors import (
    CertreconError,
    ConnectionSettingsError,
    IntegrityError,
    WarehouseUnavailableError,
)

CONNECT_TIMEOUT_SECONDS = 10
# A machine that loses its power does not say goodbye. Without these PostgreSQL would keep its session, and with it the
# lock of the only sender, for more than two hours; and a task would wait as long for a PostgreSQL that is gone.
_IDLE, _INTERVAL, _COUNT = 30, 10, 3
GONE_SECONDS = _IDLE + _INTERVAL * _COUNT
"""After so long without a sign of life each side takes the other one for gone."""
_SESSION = (
    "SET datestyle TO 'ISO, YMD'; SET timezone TO 'UTC'; SET client_encoding TO 'UTF8'; "
    f"SET tcp_keepalives_idle TO {_IDLE}; SET tcp_keepalives_interval TO {_INTERVAL}; "
    f"SET tcp_keepalives_count TO {_COUNT}; SET tcp_user_timeout TO {GONE_SECONDS * 1000}"
)
_CLIENT = {
    "keepalives_idle": _IDLE,
    "keepalives_interval": _INTERVAL,
    "keepalives_count": _COUNT,
    "tcp_user_timeout": GONE_SECONDS * 1000,
}
_UNAVAILABLE_CLASSES = frozenset({"08", "25", "40", "53", "55", "57", "58"})
_OUTDATED_STATES = frozenset({"3F000", "42P01", "42703", "42883"})


def connect_engine(url: str, role: str | None = None) -> Engine:
    """Return an engine for a `postgresql://` address; nothing is connected yet.

    Statement parameters are hidden from error messages: they hold names and numbers of people.

    Args:
        url: The address.
        role: The role that every session takes on, such as `certrecon_writer`; null = none. A session
            whose user may not raises a ConnectionSettingsError.
    """
    engine = create_engine(
        _psycopg_url(url),
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "certrecon", **_CLIENT},
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=2,
        max_overflow=4,
    )
    event.listen(engine, "connect", partial(_prepare_session, role=role, user=engine.url.username or ""))
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in one transaction: committed at the end, rolled back on any exception.

    Raises:
        WarehouseUnavailableError: PostgreSQL cannot be reached, or stopped answering.
        ConnectionSettingsError: The user may not do this, or the schema is not migrated.
        IntegrityError: PostgreSQL refused the change itself.
    """
    try:
        with engine.begin() as conn:
            yield conn
    except DBAPIError as error:
        raise _translated(error.orig, engine.url) from None
    except psycopg.Error as error:
        raise _translated(error, engine.url) from None


@contextmanager
def session(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that commits each statement; it is closed at the end, and its locks with it.

    Raises:
        WarehouseUnavailableError: PostgreSQL cannot be reached, or stopped answering.
    """
    try:
        with engine.connect() as conn:
            try:
                yield conn.execution_options(isolation_level="AUTOCOMMIT")
            finally:
                conn.invalidate()
    except DBAPIError as error:
        raise _translated(error.orig, engine.url) from None


def driver(conn: Connection) -> psycopg.Connection[Any]:
    """Return psycopg's own connection under `conn`, in the same transaction, for COPY."""
    return cast("psycopg.Connection[Any]", conn.connection.driver_connection)


def _psycopg_url(url: str) -> URL:
    parsed: URL | None = None
    with suppress(ArgumentError, ValueError):
        parsed = make_url(url)
    if parsed is None:  # raised out here, so that no exception that repeats the address hangs behind it
        message = "The warehouse connection is not an address like postgresql://user@host:5432/database."
        raise ConnectionSettingsError(message)
    if parsed.get_backend_name() not in {"postgres", "postgresql"}:
        raise ConnectionSettingsError(
            f"The warehouse connection must be a PostgreSQL one, not {parsed.get_backend_name()!r}."
        )
    return parsed.set(drivername="postgresql+psycopg")


def _prepare_session(connection: Any, _record: Any, *, role: str | None, user: str) -> None:
    # COPY writes dates and instants by these settings, and a server may have others by default.
    connection.execute(_SESSION)
    if role:
        _take_on(connection, role, user)
    connection.commit()


def _take_on(connection: Any, role: str, user: str) -> None:
    try:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    except psycopg.errors.InsufficientPrivilege:
        connection.close()
        raise ConnectionSettingsError(
            f"The warehouse connection's user {user!r} may not take on the role {role}. "
            f'An administrator of the warehouse runs: GRANT {role} TO "{user}"'
        ) from None
    except psycopg.errors.InvalidParameterValue:
        connection.close()
        raise ConnectionSettingsError(f"The warehouse has no role {role}: run `make migrate`.") from None


def _translated(error: BaseException | None, url: URL) -> CertreconError:
    state = getattr(error, "sqlstate", None) or ""
    if state == "42501":
        return ConnectionSettingsError(
            f"The warehouse connection's user {url.username or ''!r} may not do this: {_where(error)}."
        )
    if state in _OUTDATED_STATES:
        return ConnectionSettingsError(f"The warehouse schema lacks something ({_where(error)}): run `make migrate`.")
    if state[:2] in _UNAVAILABLE_CLASSES or isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return WarehouseUnavailableError(f"PostgreSQL at {_place(url)} is not available: {_first_line(error, url)}")
    return IntegrityError(f"PostgreSQL refused a change: {_where(error)}.")


def _place(url: URL) -> str:
    host = url.host or url.query.get("host") or "the local socket"
    return f"{host}:{url.port}" if url.port else str(host)


def _first_line(error: BaseException | None, url: URL) -> str:
    lines = str(error).strip().splitlines()
    line = lines[0][:300] if lines else type(error).__name__
    return line.replace(str(url.password), "***") if url.password else line


def _where(error: BaseException | None) -> str:
    # PostgreSQL's message may quote the row; its class, table and constraint cannot. Our own
    # triggers (class P0) write their own words.
    if not isinstance(error, psycopg.Error):
        return type(error).__name__
    diagnosis = error.diag
    named = [diagnosis.table_name, diagnosis.column_name, diagnosis.constraint_name]
    own = diagnosis.message_primary if (error.sqlstate or "").startswith(("P0", "42")) else None
    parts = [type(error).__name__, *(part for part in [*named, own] if part)]
    return ", ".join(parts)
