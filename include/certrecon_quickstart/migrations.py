"""Brings both databases to the newest schema: Airflow's own and the warehouse."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from certrecon_quickstart.connections import WAREHOUSE
from certrecon_quickstart.errors import QuickstartError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import URL

    from certrecon_quickstart.project import Project


def migrate_airflow(project: Project, environment: Mapping[str, str]) -> None:
    """Create or upgrade Airflow's metadata, unless this version of Airflow already did."""
    stamp = project.airflow_home / "migrated"
    wanted = f"{version('apache-airflow-core')}\n"
    database = project.airflow_home / "airflow.db"
    if database.is_file() and stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
        return
    project.airflow_home.mkdir(parents=True, exist_ok=True)
    project.logs.mkdir(parents=True, exist_ok=True)
    log = project.logs / "airflow-migration.log"
    airflow = Path(sys.executable).with_name("airflow")
    with log.open("wb") as handle:
        command = [str(airflow), "db", "migrate"]
        code = subprocess.run(command, env=dict(environment), stdout=handle, stderr=handle, check=False).returncode
    if code != 0:
        message = f"Airflow's metadata could not be migrated; read {project.shown(log)}, or start with `make clean`"
        raise ServiceError(message)
    stamp.write_text(wanted, encoding="ascii")


def migrate_warehouse(connection: str) -> None:
    """Create or upgrade the warehouse's schema."""
    # SQLAlchemy and Alembic take a third of a second to import: not at the start of every command.
    from certrecon.warehouse.engine import connect_engine  # noqa: PLC0415
    from certrecon.warehouse.migrate import migrate  # noqa: PLC0415

    engine = connect_engine(warehouse_url(connection).render_as_string(hide_password=False))
    try:
        migrate(engine)
    finally:
        engine.dispose()


def warehouse_url(connection: str) -> URL:
    """Return SQLAlchemy's address of an Airflow connection, given as JSON or as a URI."""
    parts, port, names = None, None, None
    with suppress(ValueError, AttributeError):
        parts = json.loads(connection) if connection.lstrip().startswith("{") else _uri_parts(connection)
        extra = parts.get("extra") or {}
        options = json.loads(extra) if isinstance(extra, str) else extra
        port = int(parts["port"]) if parts.get("port") else None
        names = {key: str(value) for key, value in options.items()}
    if parts is None or names is None:  # what could not be read is not repeated: it holds the password
        message = (
            f"{WAREHOUSE} is neither a connection as JSON nor a URI like postgresql://user:password@host:5432/database"
        )
        raise QuickstartError(message)
    if parts.get("conn_type") not in {"postgres", "postgresql"}:
        message = f"{WAREHOUSE} must be a PostgreSQL connection, its type is '{parts.get('conn_type')}'"
        raise QuickstartError(message)
    from sqlalchemy.engine import URL  # noqa: PLC0415 - as above

    return URL.create(
        "postgresql+psycopg",
        username=parts.get("login") or None,
        password=parts.get("password") or None,
        host=parts.get("host") or None,
        port=port,
        database=parts.get("schema") or None,
        query=names,
    )


def _uri_parts(uri: str) -> dict[str, Any]:
    split = urlsplit(uri)
    return {
        "conn_type": split.scheme.partition("+")[0],
        "host": unquote(split.hostname or ""),
        "port": split.port,
        "login": unquote(split.username or ""),
        "password": unquote(split.password or ""),
        "schema": unquote(split.path.lstrip("/")),
        "extra": dict(parse_qsl(split.query)),
    }
