"""A sandbox on which several nights pass, and what a test does to it by day."""

from __future__ import annotations

import copy
import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine

from certrecon.api.endpoint import DitioEndpoint, FourHseEndpoint, PasswordGrant
from certrecon_sandbox import credentials
from certrecon_sandbox.ditio.employees import OWN, PROJECT, employee_v5
from certrecon_sandbox.options import SandboxOptions
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.world import World, WorldSpec
from tests.contract import warehouse as sql
from tests.contract.pipeline import Night, Pipeline
from tests.oracle.world import Row
from tests.oracle.world import World as OracleWorld

FIRST_DAY = dt.date(2026, 3, 2)
SPEC = WorldSpec(certificates=180, seed=5, today=FIRST_DAY, tenants=3)
SETTINGS_FILE = Path(__file__).parents[2] / "include" / "config" / "reconciliation.yaml"


def project_settings(**changes: Any) -> dict[str, Any]:
    """Return the project's own settings with some of them changed."""
    settings: dict[str, Any] = yaml.safe_load(SETTINGS_FILE.read_text(encoding="utf-8"))
    return settings | {"evidence": None} | changes


def endpoints(server: SandboxServer) -> tuple[FourHseEndpoint, DitioEndpoint]:
    """Return where a sandbox's vendors are."""
    urls = server.urls
    grant = PasswordGrant(
        urls["fourhse_token_url"],
        credentials.CLIENT_ID,
        credentials.USERNAME,
        credentials.PASSWORD,
        credentials.CLIENT_SECRET,
    )
    fourhse = FourHseEndpoint(urls["fourhse_url"], grant)
    client = (credentials.DITIO_CLIENT_ID, credentials.DITIO_CLIENT_SECRET)
    return fourhse, DitioEndpoint(urls["ditio_url"], urls["ditio_token_url"], *client)


def pipeline_on(server: SandboxServer, engine: Engine, folder: Path) -> Pipeline:
    """Return the pipeline between a sandbox and a warehouse, with the project's own settings."""
    settings = project_settings()
    del settings["evidence"]
    return Pipeline(engine, *endpoints(server), folder, settings)


@dataclass
class Remembered:
    """A world to which a sandbox is put back for every test."""

    world: World

    def put_back(self, server: SandboxServer) -> None:
        """Make the sandbox as it was, with nothing in its journal."""
        server.sandbox.world = copy.deepcopy(self.world)
        server.sandbox.journal.clear()
        server.sandbox.options.change(SandboxOptions().as_dict())


@dataclass
class Nights:
    """A sandbox, a warehouse, and the nights between them.

    Attributes:
        day: The day of the nights; it passes only when a test lets it.
    """

    server: SandboxServer
    pipeline: Pipeline
    day: dt.date = FIRST_DAY

    @property
    def engine(self) -> Engine:
        """The warehouse."""
        return self.pipeline.engine

    @property
    def world(self) -> World:
        """The vendors' state."""
        return self.server.world

    def night(self, **conf: Any) -> Night:
        """Run a night of `day`, with nothing in the sandbox's journal before it."""
        self.server.sandbox.journal.clear()
        return self.pipeline.run(self.day, **conf)

    @property
    def posts(self) -> list[tuple[int | None, list[Row]]]:
        """The POSTs of certificates since the night began: status and rows."""
        writes = [one for one in self.server.sandbox.journal.writes if one.endpoint == "ditio.certificates"]
        return [(write.status, json.loads(bytes(write.body))) for write in writes]

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The keys of all rows that Ditio was sent since the night began."""
        return sorted((row["employeeNumber"], row["certificateType"]) for _, rows in self.posts for row in rows)

    def claims(self, **wanted: Any) -> list[Row]:
        """Return the open claims that have these values."""
        found = sql.claims(self.engine)
        return [row for row in found if all(row[name] == value for name, value in wanted.items())]

    def delivered_alone(self, number: int = 1) -> list[Row]:
        """Return delivered claims of certificates with one link and one claim, each the only one of its key."""
        everything = self.claims()
        keys = [(row["employee_number"], row["certificate_type"]) for row in everything]
        certificates = [row["certificate_id"] for row in everything]
        fine = [
            row
            for row in everything
            if row["disposition"] == "delivered"
            and not row["findings"]
            and keys.count((row["employee_number"], row["certificate_type"])) == 1
            and certificates.count(row["certificate_id"]) == 1
            and len(self.world.links.where("certificate_id", row["certificate_id"])) == 1
        ]
        assert len(fine) >= number, "the world has too few of them"
        return fine[:number]

    def oracle_world(self, as_of: dt.date, settings: dict[str, Any]) -> OracleWorld:
        """Return the sandbox's world and the ledger in the oracle's form."""
        world = self.world
        tenants = [row["project_id"] for row in world.projects]
        return OracleWorld(
            certificates={tenant: world.certificates.where("tenant_id", tenant) for tenant in tenants},
            links={tenant: world.links.where("tenant_id", tenant) for tenant in tenants},
            persons={tenant: world.persons.where("project_id", tenant) for tenant in tenants},
            employees=[employee_v5(row) for row in world.employees if row["kind"] in {OWN, PROJECT}],
            ledger=[_oracle_entry(row) for row in sql.ledger(self.engine).values()],
            settings={name: value for name, value in settings.items() if name != "evidence"},
            as_of=as_of,
            projects=list(world.projects),
        )


def _oracle_entry(row: Row) -> Row:
    names = ("certificate_id", "person_id", "given_name", "family_name")
    return row | {name: row[f"acknowledged_{name}"] for name in names}
