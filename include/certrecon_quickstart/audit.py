"""`make verify` and `make replay`: proof after the fact, on the warehouse and the evidence of the settings."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from certrecon_quickstart.connections import WAREHOUSE, uses_sandbox
from certrecon_quickstart.errors import QuickstartError
from certrecon_quickstart.memory import locked
from certrecon_quickstart.migrations import migrate_warehouse, warehouse_url
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.services import using_services

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Engine

    from certrecon_quickstart.project import Project

AUDITOR = "certrecon_auditor"


def verify(project: Project, inherited: Mapping[str, str]) -> int:
    """Verify everything; return 0 when it holds, 1 when something does not."""
    with warehouse(project, inherited) as engine:
        from certrecon.audit.verify import verify as verify_all  # noqa: PLC0415 - only once it is needed
        from certrecon.audit.wording import render_verification  # noqa: PLC0415

        found = verify_all(engine, open_root, evidence_root())
    print(render_verification(found))
    return 0 if found.holds else 1


def replay(project: Project, inherited: Mapping[str, str]) -> int:
    """Make one run again from its evidence; return 0 when it comes out the same, 1 when it does not."""
    wanted = run_number(inherited.get("RUN", ""))
    with warehouse(project, inherited) as engine:
        from certrecon.audit.replay import last_finalised, replay_run  # noqa: PLC0415 - only once it is needed
        from certrecon.audit.wording import render_replay  # noqa: PLC0415

        run_seq = last_finalised(engine) if wanted is None else wanted
        if run_seq is None:
            message = "No run is finalised yet: start one with `make run`."
            raise QuickstartError(message)
        again = replay_run(engine, open_root, run_seq)
    print(render_replay(again))
    return 0 if again.holds else 1


@contextmanager
def warehouse(project: Project, inherited: Mapping[str, str]) -> Iterator[Engine]:
    """Open the warehouse to read: that of the connections when they are set, else the embedded one."""
    with using_services(project):
        connection = embedded(project) if uses_sandbox(inherited) else inherited[WAREHOUSE]
        from certrecon.warehouse.engine import connect_engine  # noqa: PLC0415 - loads SQLAlchemy
        from certrecon.warehouse.migrate import require_head  # noqa: PLC0415

        engine = connect_engine(warehouse_url(connection).render_as_string(hide_password=False), AUDITOR)
        try:
            require_head(engine)
            yield engine
        finally:
            engine.dispose()


def embedded(project: Project) -> str:
    """Start and migrate the embedded PostgreSQL and return its connection."""
    postgres = EmbeddedPostgres(project)
    postgres.settle_port()
    with locked(project.var / "starting.lock"):
        postgres.start()
        migrate_warehouse(postgres.connection())
    return postgres.connection()


def evidence_root() -> str:
    """Return where the evidence of the settings lies."""
    from certrecon.settings import load_settings  # noqa: PLC0415 - loads pydantic
    from certrecon.stages.open_run import evidence_address  # noqa: PLC0415

    return evidence_address(load_settings().settings)


def open_root(address: str) -> Any:
    """Return a path-like of an evidence store, a folder or any store that fsspec knows."""
    from upath import UPath  # noqa: PLC0415 - fsspec is loaded only then and there

    return UPath(address)


def run_number(text: str) -> int | None:
    """Return the number that `RUN` names, None where it names none.

    Raises:
        QuickstartError: It is no number.
    """
    if not text.strip():
        return None
    if not (text.strip().isascii() and text.strip().isdigit()):
        message = f"RUN must be the number of a run, like `make replay RUN=17`, and is '{text}'"
        raise QuickstartError(message)
    return int(text)
