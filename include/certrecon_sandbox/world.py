"""Everything the two vendors know: the state behind the servers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import partial

from certrecon_sandbox.table import Row, Table

UpsertKey = tuple[str, str]


@dataclass(frozen=True)
class WorldSpec:
    """What a generated world is made from; the same spec gives the same world.

    Attributes:
        certificates: How many certificates the active tenants hold.
        seed: Chooses everything that is random.
        today: The day that all dates are relative to.
        tenants: How many active projects there are.
    """

    certificates: int = 1000
    seed: int = 1
    today: dt.date = field(default_factory=dt.date.today)
    tenants: int = 3


@dataclass
class World:
    """4HSE's entities, and Ditio's employees and certificates.

    Attributes:
        resources: What a non-personal `resource_id` is: its `resource_type` and name.
        upserts: Ditio's certificates by (employee number, certificate type).
    """

    spec: WorldSpec = field(default_factory=lambda: WorldSpec(certificates=0))
    projects: Table = field(default_factory=partial(Table, "project_id"))
    offices: Table = field(default_factory=partial(Table, "office_id"))
    actions: Table = field(default_factory=partial(Table, "action_id"))
    persons: Table = field(default_factory=partial(Table, "person_id"))
    certificates: Table = field(default_factory=partial(Table, "certificate_id"))
    links: Table = field(default_factory=partial(Table, "certificate_action_id"))
    subscriptions: Table = field(default_factory=partial(Table, "action_subscription_id"))
    employees: Table = field(default_factory=partial(Table, "companyProfileId"))
    resources: dict[str, tuple[str, str]] = field(default_factory=dict)
    upserts: dict[UpsertKey, Row] = field(default_factory=dict)

    def tables(self) -> dict[str, Table]:
        """Return the tables by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Table)}
