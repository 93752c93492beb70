"""What each entity's `index` accepts: filters, sort fields, allowed values (vendor documents)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from certrecon_sandbox.table import Table
from certrecon_sandbox.world import World

ACTION_TYPES = ("TRAINING", "MAINTENANCE", "HEALTH", "CHECK", "PER")
VALIDITY_UNITS = ("YEAR", "MONTH", "DAY")
RESOURCE_TYPES = (
    "PERSON",
    "MATERIAL_ITEM",
    "ROLE",
    "WORK_GROUP",
    "WORK_ENVIRONMENT",
    "SUBSTANCE",
    "EQUIPMENT",
    "OFFICE",
    "UNIT",
)


@dataclass(frozen=True)
class Entity:
    """One 4HSE entity.

    Attributes:
        name: Its name in the address.
        table: Where its rows are.
        filters: Fields that may be filtered on; equality unless in `partial`.
        partial: Text fields that match when they contain the value.
        allowed: Values that a filter may have.
        sorts: Fields that may be sorted by.
        history: Whether historicised rows are left out unless asked for.
    """

    name: str
    table: Callable[[World], Table]
    filters: frozenset[str]
    sorts: frozenset[str]
    partial: frozenset[str] = frozenset()
    allowed: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    history: bool = False

    @property
    def title(self) -> str:
        """The name in words, for the API description."""
        return self.name.replace("-", " ")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CERTIFICATE = Entity(
    name="certificate",
    table=lambda world: world.certificates,
    filters=_names(
        "certificate_id date_release date_expire name note action_type resource_id resource_type "
        "resource_name data warning tenant_id subtenant_id subtenant_type validity_unit validity "
        "project_name"
    ),
    partial=_names("name note resource_name project_name"),
    allowed={
        "action_type": ACTION_TYPES,
        "resource_type": RESOURCE_TYPES,
        "warning": (0, 1),
        "validity_unit": VALIDITY_UNITS,
    },
    sorts=_names("date_release date_expire name action_type"),
)

CERTIFICATE_ACTION = Entity(
    name="certificate-action",
    table=lambda world: world.links,
    filters=_names(
        "certificate_action_id certificate_id action_id date_expire is_date_inherited tenant_id "
        "action_name action_code action_type resource_id certificate_name date_release office_name"
    ),
    partial=_names("action_name certificate_name office_name"),
    allowed={"action_type": ACTION_TYPES, "is_date_inherited": (0, 1)},
    sorts=_names("date_expire date_release action_name certificate_name action_type"),
    history=True,
)

PERSON = Entity(
    name="person",
    table=lambda world: world.persons,
    filters=_names(
        "person_id code first_name last_name birth_date birth_place tax_code sex street locality "
        "postal_code region country note contract_type is_employee is_prevention_people entity_id "
        "related_user project_id project_name"
    ),
    partial=_names("first_name last_name birth_place street locality region note project_name"),
    allowed={"is_employee": (0, 1), "is_prevention_people": (0, 1)},
    sorts=_names("first_name last_name code tax_code birth_date"),
    history=True,
)

PROJECT = Entity(
    name="project",
    table=lambda world: world.projects,
    filters=_names("name status project_type"),
    partial=_names("name"),
    allowed={
        "status": ("active", "suspended", "pending_delete", "deleted"),
        "project_type": ("safety", "template"),
    },
    sorts=_names("name status project_type"),
    history=True,
)

ACTION = Entity(
    name="action",
    table=lambda world: world.actions,
    filters=_names("action_id action_type code name subtenant_id tenant_id office_name project_name project_type"),
    partial=_names("name office_name project_name"),
    allowed={"action_type": ACTION_TYPES},
    sorts=_names("code name action_type office_name"),
    history=True,
)

ACTION_SUBSCRIPTION = Entity(
    name="action-subscription",
    table=lambda world: world.subscriptions,
    filters=_names(
        "action_subscription_id action_id action_code action_name action_type subscriber_id "
        "subscriber_type subscriber_name status subtenant_id tenant_id"
    ),
    partial=_names("action_name subscriber_name"),
    allowed={"action_type": ACTION_TYPES, "status": ("NEW", "VALID", "EXPIRING", "EXPIRED")},
    sorts=_names("action_name action_code subscriber_name status"),
    history=True,
)

OFFICE = Entity(
    name="office",
    table=lambda world: world.offices,
    filters=_names("office_id project_id name"),
    partial=_names("name"),
    sorts=_names("name"),
    history=True,
)

VIEWED = (CERTIFICATE, CERTIFICATE_ACTION, PERSON, PROJECT, ACTION, OFFICE)
LISTED = (*VIEWED, ACTION_SUBSCRIPTION)
