"""What the operators work with: the warehouse and the evidence store, as Airflow knows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, ObjectStoragePath
from airflow.sdk.exceptions import AirflowNotFoundException

from certrecon.errors import ConnectionSettingsError
from certrecon_plugin.masking import mask_quietly

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from certrecon.stages.handle import RunHandle
    from certrecon.stages.workplace import Workplace

WAREHOUSE_CONNECTION = "warehouse_default"
WRITER = "certrecon_writer"


def warehouse_url() -> str:
    """Return the address of the warehouse; texts in extra, such as `sslmode`, become options of libpq.

    Raises:
        ConnectionSettingsError: The connection is missing or not PostgreSQL's.
    """
    from sqlalchemy.engine import URL

    mask_quietly()
    try:
        connection = BaseHook.get_connection(WAREHOUSE_CONNECTION)
    except AirflowNotFoundException as error:
        message = (
            f"The connection '{WAREHOUSE_CONNECTION}' is missing. It needs a PostgreSQL host, port, database (schema), "
            "login and password."
        )
        raise ConnectionSettingsError(message) from error
    except ValueError:
        connection = None
    if connection is None:  # what could not be read is not repeated: it holds the password
        message = (
            f"The connection '{WAREHOUSE_CONNECTION}' cannot be read: it is neither a PostgreSQL address nor JSON."
        )
        raise ConnectionSettingsError(message)
    if connection.conn_type not in {"postgres", "postgresql"}:
        message = f"The connection '{WAREHOUSE_CONNECTION}' must be of type postgres, not '{connection.conn_type}'."
        raise ConnectionSettingsError(message)
    address = URL.create(
        "postgresql",
        username=connection.login or None,
        password=connection.password or None,
        host=connection.host or None,
        port=connection.port,
        database=connection.schema or None,
        query={name: value for name, value in connection.extra_dejson.items() if isinstance(value, str)},
    )
    return address.render_as_string(hide_password=False)


@contextmanager
def warehouse(role: str = WRITER) -> Iterator[Engine]:
    """Open the warehouse for one task, in the role of the pipeline unless another one is given."""
    from certrecon.warehouse.engine import connect_engine

    engine = connect_engine(warehouse_url(), role)
    try:
        yield engine
    finally:
        engine.dispose()


def evidence_root(address: str) -> Any:
    """Return the evidence store's root, a local folder or any store that Airflow knows."""
    return ObjectStoragePath(address if "://" in address else f"file://{address}")


@contextmanager
def workplace(run: RunHandle) -> Iterator[Workplace]:
    """Open what a run's tasks work with.

    Raises:
        RunTakenOverError: The run is finalised or another took its target over: nothing of it may change.
    """
    from certrecon.evidence import RunEvidence
    from certrecon.stages.workplace import Workplace
    from certrecon.warehouse.engine import transaction
    from certrecon.warehouse.runs import require_running

    with warehouse() as engine:
        with transaction(engine) as conn:
            require_running(conn, run.run_seq)
        yield Workplace(run, engine, RunEvidence(evidence_root(run.evidence_root), run.run_seq))
