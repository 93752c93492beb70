"""Starts what a command needs and is not running; the last command to leave stops it all.

Several commands may run at once (`make up` in one terminal, `make run` in another). Each holds a shared
lock while it uses the services; whoever can take that lock for itself is the last one.
"""

from __future__ import annotations

import fcntl
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from certrecon_quickstart.connections import ALL, WAREHOUSE
from certrecon_quickstart.environment import project_environment
from certrecon_quickstart.memory import locked
from certrecon_quickstart.migrations import migrate_airflow, migrate_warehouse
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.sandbox import Sandbox, World, running_worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from certrecon_quickstart.connections import RunRequest
    from certrecon_quickstart.project import Project


class Services:
    """What one command needs, as it was asked for."""

    def __init__(self, project: Project, request: RunRequest, inherited: Mapping[str, str]) -> None:
        """Decide ports and environment; nothing is started."""
        self._project = project
        self._request = request
        self._postgres = EmbeddedPostgres(project)
        self._sandbox = Sandbox(project, World(request.certificates, request.seed))
        self.notes: list[str] = []
        if request.sandbox:
            self._settle_ports()
        self.environment = project_environment(project, inherited) | self._connections(inherited)

    def describe(self) -> str:
        """Return what the command works on, for people."""
        if not self._request.sandbox:
            return "the systems of AIRFLOW_CONN_*"
        world = f"{self._request.certificates:,} certificates, seed {self._request.seed}"
        return f"the sandbox ({world}) and an embedded PostgreSQL"

    def start(self) -> None:
        """Start and migrate everything, side by side; raise what went wrong first."""
        steps: list[Callable[[], None]] = [self._prepare_airflow, self._prepare_warehouse]
        if self._request.sandbox:
            steps.append(self._prepare_sandbox)
        with locked(self._project.var / "starting.lock"), ThreadPoolExecutor(len(steps)) as pool:
            for started in [pool.submit(step) for step in steps]:
                started.result()

    def client_variables(self) -> dict[str, str]:
        """Return the variables by which psql finds the embedded PostgreSQL."""
        return self._postgres.client_variables() if self._request.sandbox else {}

    def _settle_ports(self) -> None:
        self._postgres.settle_port()
        if self._sandbox.settle_port():
            self.notes.append(
                "the sandbox's port was taken by another program: it moved, and counts as a new Ditio company"
            )

    def _connections(self, inherited: Mapping[str, str]) -> dict[str, str]:
        if not self._request.sandbox:
            return {name: inherited[name] for name in ALL}
        return {**self._sandbox.connections(), WAREHOUSE: self._postgres.connection()}

    def _prepare_airflow(self) -> None:
        migrate_airflow(self._project, self.environment)

    def _prepare_warehouse(self) -> None:
        if self._request.sandbox:
            self._postgres.start()
        migrate_warehouse(self.environment[WAREHOUSE])

    def _prepare_sandbox(self) -> None:
        self._sandbox.start(self.environment)


@contextmanager
def using_services(project: Project) -> Iterator[None]:
    """Hold the services for the length of a block; stop them when nobody else holds them."""
    project.var.mkdir(parents=True, exist_ok=True)
    with (project.var / "using.lock").open("a", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        try:
            yield
        finally:
            if _alone(handle):
                stop_services(project)


def stop_services(project: Project) -> list[str]:
    """Stop every service of the checkout; return the names of those that ran."""
    stopped = []
    for world in running_worlds(project):
        Sandbox(project, world).stop()
        stopped.append(world.name)
    postgres = EmbeddedPostgres(project)
    if postgres.is_running():
        postgres.stop()
        stopped.append("PostgreSQL")
    return stopped


def _alone(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
