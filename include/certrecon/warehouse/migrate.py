"""Bringing the schema up to date: Alembic for the tables, `sql/` for views, functions, triggers and grants.

What `sql/` makes holds no data, so it has no versions: whenever something of it or a table's
version changed, all is dropped before the tables change and made anew afterwards.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from sqlalchemy import Connection, Engine, text

from certrecon.errors import ConnectionSettingsError
from certrecon.warehouse.engine import driver, transaction
from certrecon.warehouse.roles import become_owner
from certrecon.warehouse.tables import SCHEMA

HEAD = "0008"
"""The tables' version that this code needs; known without importing Alembic."""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('certrecon migrate'))")
_VERSION = text(f"SELECT version_num FROM {SCHEMA}.alembic_version")  # noqa: S608 - a constant
_VIEWS = text("SELECT obj_description(to_regnamespace(:schema), 'pg_namespace')")
_TABLE = text("SELECT to_regclass(:name) IS NOT NULL")


def migrate(engine: Engine) -> None:
    """Bring the schema to this code's version in one transaction; a second call changes nothing.

    Raises:
        ConnectionSettingsError: The user may not make the warehouse's roles; the message says what to do.
    """
    with transaction(engine) as conn:
        conn.execute(_LOCK)
        if _installed(conn) == (HEAD, _views_digest()):
            return
        become_owner(conn)
        _run_sql(conn, "drop.sql")
        _upgrade_tables(conn)
        for name in _view_files():
            _run_sql(conn, name)
        conn.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS '{_views_digest()}'"))


def require_head(engine: Engine) -> None:
    """Return if the schema is what this code needs.

    Raises:
        ConnectionSettingsError: It is not; the message says to run the migration.
    """
    with transaction(engine) as conn:
        version, views = _installed(conn)
    if version != HEAD:
        found = f"is at version {version}" if version else "is empty"
        raise ConnectionSettingsError(f"The warehouse {found}, this code needs {HEAD}: run `make migrate`.")
    if views != _views_digest():
        raise ConnectionSettingsError("The warehouse's views are of another code version: run `make migrate`.")


def _installed(conn: Connection) -> tuple[str | None, str | None]:
    """Return the version of the tables and the digest of the views, null where there is none."""
    if not conn.execute(_TABLE, {"name": f"{SCHEMA}.alembic_version"}).scalar_one():
        return None, None
    version = conn.execute(_VERSION).scalar_one_or_none()
    return version, conn.execute(_VIEWS, {"schema": SCHEMA}).scalar_one()


def _upgrade_tables(conn: Connection) -> None:
    # Alembic takes a third of a second to import, and most runs have nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "certrecon.warehouse:migrations")
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def _view_files() -> list[str]:
    names = [entry.name for entry in files("certrecon.warehouse").joinpath("sql").iterdir()]
    return sorted(name for name in names if name.endswith(".sql") and name != "drop.sql")


def _sql(name: str) -> str:
    return files("certrecon.warehouse").joinpath("sql", name).read_text(encoding="utf-8")


def _run_sql(conn: Connection, name: str) -> None:
    # Through psycopg itself: several statements at once, and a colon is only a colon.
    driver(conn).execute(_sql(name).encode())


@cache
def _views_digest() -> str:
    joined = "\0".join(f"{name}\0{_sql(name)}" for name in ["drop.sql", *_view_files()])
    return hashlib.sha256(joined.encode()).hexdigest()
