"""The same night on one machine, undisturbed: what `make run` does, on a sandbox with the same data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import requests
from sqlalchemy import Engine

from certrecon.warehouse.engine import connect_engine
from certrecon_quickstart.memory import LOOPBACK, remembered_port
from certrecon_quickstart.project import Project
from certrecon_quickstart.services import stop_services, using_services
from tests.browser.nights import SandboxControl
from tests.browser.station import started_services, warehouse_of
from tests.e2e.quickstart import Checkout
from tests.kill.state import State, needless, read_state
from tests.kill.vendor import CERTIFICATES, Vendor


@dataclass(frozen=True, slots=True)
class ServedDitio:
    """What a sandbox that runs elsewhere holds and was sent, in the form in which kill tests read it."""

    control: SandboxControl

    def ditio(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return what Ditio holds."""
        return {(row["employeeNumber"], row["certificateType"]): row for row in self.control.rows("upserts")}

    def requests(self) -> list[dict[str, Any]]:
        """Return the POSTs of certificates."""
        answer = requests.get(f"{self.control.url}/control/writes", params={"endpoint": CERTIFICATES}, timeout=30)
        # A request whose sender lost power before it was read has no rows.
        return [
            {"rows": write["body"], "at": datetime.fromisoformat(write["at"]).timestamp()}
            for write in answer.json()
            if write["body"]
        ]


def state_of(warehouse: str, control: SandboxControl) -> State:
    """Return the state of a warehouse and of what its Ditio holds."""
    with open_warehouse(warehouse) as engine:
        return read_state(engine, cast("Vendor", ServedDitio(control)))


def sent_needlessly(warehouse: str, control: SandboxControl) -> list[tuple[str, str]]:
    """Return the rows that were sent again although Ditio's answer to them had been committed."""
    with open_warehouse(warehouse) as engine:
        return needless(engine, cast("Vendor", ServedDitio(control)))


def spend_the_night_alone(folder: Path, settings: str, certificates: int, seed: int) -> State:
    """Run the night on one machine and return what it left."""
    variables = {"CERTIFICATES": str(certificates), "SEED": str(seed)}
    folder.mkdir()
    checkout = Checkout(folder, variables)
    checkout.write_settings(settings)
    project = Project(root=checkout.project.root, var=checkout.var, dags=checkout.project.dags)
    try:
        with using_services(project):
            services = started_services(checkout, project, variables)
            ended = checkout.run({})
            assert ended.code == 0, ended.printed
            control = SandboxControl(f"http://{LOOPBACK}:{remembered_port(project, f'sandbox-{certificates}-{seed}')}")
            return state_of(warehouse_of(services), control)
    finally:
        stop_services(project)


@contextmanager
def open_warehouse(warehouse: str) -> Iterator[Engine]:
    """Open a warehouse for the length of a block."""
    engine = connect_engine(warehouse)
    try:
        yield engine
    finally:
        engine.dispose()
