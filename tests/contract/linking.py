"""A run of `link_certificates` without Airflow: each method is one of its tasks, what is handed on passes through JSON."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Engine, text

from certrecon.api.delays import RetryPolicy
from certrecon.api.fourhse import FourHseClient
from certrecon.api.loop import run as run_async
from certrecon.api.wire import Timeouts
from certrecon.linking.creating import Creating, One, require_linked
from certrecon.linking.deciding import approval_about, needs_answer, question_about, record_answer
from certrecon.linking.looking import Looked, look, require_some, sight_of
from certrecon.linking.parameters import LinkingRun, parse_link_parameters, require_enabled
from certrecon.linking.plan import LinkPlan
from certrecon.linking.reading_back import hint_at, links_of, read_back
from certrecon.linking.seeing import Sight
from certrecon.settings import Settings
from certrecon.stages.approval import Answer, Waiting
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.linkings import CreatedLink
from certrecon.warehouse.sending import only_linker
from certrecon.words import Answered
from certrecon_sandbox.faults.fault import Fault
from certrecon_sandbox.faults.switchboard import Switched
from certrecon_sandbox.world import World
from tests.contract.sandbox_nights import Nights, project_settings

SHORT = Timeouts(connect=5.0, read=0.6)
QUICK = RetryPolicy(attempts=2, rate_limited_attempts=2, base=0.001, cap=0.004, total=10.0)
CREATE = "4hse.certificate-action.create"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
Result = TypeVar("Result")
_numbers = itertools.count(1)


def settings_with(**linking: Any) -> Settings:
    """Return the project's settings with linking allowed."""
    changes = {name: linking.pop(name) for name in ("approval", "publish_action_types", "tenants") if name in linking}
    values = project_settings(linking={"enabled": True} | linking, **changes)
    del values["evidence"]
    return Settings.model_validate(values)


@dataclass
class Linkage:
    """One run.

    Attributes:
        nights: The sandbox and the warehouse.
        conf: What it is started with.
        settings: The settings.
        triggered_by: Who starts it.
        run_id: Airflow's id of the run.
        waiting: What was asked.
        outcomes: What came of each certificate in the last try.
    """

    nights: Nights
    conf: dict[str, Any]
    settings: Settings = field(default_factory=settings_with)
    triggered_by: str | None = "olga"
    run_id: str = field(default_factory=lambda: f"link__{next(_numbers)}")
    waiting: Waiting | None = None
    outcomes: list[One] = field(default_factory=list)
    _handed: dict[str, Any] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        return self.nights.engine

    @property
    def plan(self) -> LinkPlan:
        return LinkPlan.from_json(json.loads(json.dumps(self._handed["plan"])))

    @property
    def run(self) -> LinkingRun:
        return LinkingRun.from_json(json.loads(json.dumps(self._handed["run"])))

    def check(self) -> Linkage:
        require_enabled(self.settings.linking)
        parameters = parse_link_parameters(self.conf, {}, self.settings.linking)
        self._handed["run"] = LinkingRun(self.run_id, self.triggered_by, parameters).to_json()
        return self

    def look(self) -> Linkage:
        plan = self._look().plan
        require_some(plan)
        self._handed["plan"] = plan.to_json()
        return self

    def ask(self) -> Waiting | None:
        self.waiting = None
        if needs_answer(self.engine, self.run, self.plan):
            self.waiting = question_about(self._look(), self.plan, self.run, self.settings)
        return self.waiting

    def answer(self, who: str | None = "anna", *, approves: bool = True, reason: str = "") -> Answered:
        now = dt.datetime.now(dt.UTC)
        given = Answer(approves, now, now, who, who, reason)
        return record_answer(self.engine, self.run, self.plan, given, self.settings)

    def link(self) -> list[One]:
        linking_id = self.linking_id
        if linking_id is None:
            return []

        async def create(sight: Sight) -> list[One]:
            made = Creating(sight, self.engine, self.run_id, self.plan, linking_id, pause=0.01)
            return await made.create_all()

        with only_linker(self.engine, wait=1.0):
            self.outcomes = self.in_fourhse(create)
        require_linked(self.outcomes)
        return self.outcomes

    def read_back(self) -> int:
        return self.in_fourhse(lambda sight: read_back(sight, self.plan, self.created))

    def hint(self) -> int:
        with transaction(self.engine) as conn:
            return hint_at(conn, self.created)

    def approved(self) -> Linkage:
        """Go to the point at which somebody has approved."""
        self.check().look()
        assert self.ask() is not None
        assert self.answer() is Answered.APPROVED
        return self

    @property
    def linking_id(self) -> int | None:
        return approval_about(self.engine, self.run, self.plan)

    @property
    def created(self) -> list[CreatedLink]:
        linking_id = self.linking_id
        return [] if linking_id is None else list(links_of(self.engine, linking_id))

    def _look(self) -> Looked:
        return self.in_fourhse(lambda sight: look(sight, self.run.parameters, self.settings))

    def in_fourhse(self, work: Callable[[Sight], Coroutine[Any, Any, Result]]) -> Result:
        async def open_and_work() -> Result:
            async with FourHseClient(self.nights.pipeline.fourhse, retry=QUICK, timeouts=SHORT) as client:
                return await work(sight_of(client, self.settings))

        return run_async(open_and_work())


@dataclass(frozen=True)
class Scene:
    """What a test links in the sandbox: unlinked certificates of one project, and an action of it.

    Attributes:
        nights: The sandbox and the warehouse.
        action: An action that the settings map.
        certificates: Unlinked certificates of persons of its project and type, oldest id first.
    """

    nights: Nights
    action: dict[str, Any]
    certificates: list[dict[str, Any]]

    @property
    def world(self) -> World:
        return self.nights.world

    @property
    def ids(self) -> list[str]:
        return [row["certificate_id"] for row in self.certificates]

    def start(self, ids: list[str] | None = None, settings: Settings | None = None, **conf: Any) -> Linkage:
        """Prepare a run for these certificates."""
        given = {"certificate_ids": self.ids if ids is None else ids, "action_id": self.action["action_id"]} | conf
        return Linkage(self.nights, given, settings or settings_with())

    def fault(self, fault: Fault, endpoint: str = CREATE, **how: Any) -> None:
        """Switch a fault on."""
        self.nights.server.sandbox.faults.add(Switched(endpoint, fault, **how))

    def links_of(self, certificate_id: str) -> list[dict[str, Any]]:
        return list(self.world.links.where("certificate_id", certificate_id))

    @property
    def linked(self) -> dict[str, int]:
        """How many links to the action each certificate has in 4HSE."""
        return {
            one: sum(link["action_id"] == self.action["action_id"] for link in self.links_of(one)) for one in self.ids
        }

    @property
    def creates(self) -> int:
        """How many links 4HSE was asked to create."""
        return sum(one.endpoint == CREATE for one in self.nights.server.sandbox.journal.writes)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table of the warehouse."""
        query = f"SELECT * FROM reconciliation.{table} ORDER BY 1"  # noqa: S608 - a name of a test
        with transaction(self.nights.engine) as conn:
            return [dict(row) for row in conn.execute(text(query)).mappings()]


def scene_in(nights: Nights, certificates: int = 3) -> Scene:
    """Find an action and make certificates of its project unlinked, so that there are enough."""
    world = nights.world
    operational = [row for row in world.projects if row["status"] == "active" and row["project_type"] == "safety"]
    tenant = max(operational, key=lambda row: len(world.certificates.where("tenant_id", row["project_id"])))
    action = next(
        row for row in world.actions.where("tenant_id", tenant["project_id"])
        if row["code"] == "BYGG" and row["action_type"] == "TRAINING"
    )  # fmt: skip
    found = sorted(
        (
            row
            for row in world.certificates.where("tenant_id", tenant["project_id"])
            if row["action_type"] == "TRAINING" and row.get("resource_type") == "PERSON" and row.get("date_expire")
        ),
        key=lambda row: str(row["certificate_id"]),
    )[:certificates]
    assert len(found) == certificates, "the world has too few certificates"
    for row in found:
        for link in list(world.links.where("certificate_id", row["certificate_id"])):
            world.links.remove(link["certificate_action_id"])
    return Scene(nights, action, found)


def everything_linked_once(scene: Scene) -> bool:
    """Return whether 4HSE has one link of each certificate to the action."""
    return set(scene.linked.values()) == {1}
