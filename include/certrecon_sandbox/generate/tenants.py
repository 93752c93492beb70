"""Projects, their offices and actions, and the resources that are not persons."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from certrecon_sandbox.fourhse.relations import link_row
from certrecon_sandbox.generate.calendar import Calendar
from certrecon_sandbox.generate.courses import COURSES, HEALTH, PROTECTIVE, UNMAPPED, UPKEEP
from certrecon_sandbox.generate.draw import draw_for, new_id
from certrecon_sandbox.table import Row
from certrecon_sandbox.world import World

# Ids of the vendor's documents and public samples, so that their examples run unchanged.
DOCUMENT_TENANT_ID = "b5a7d602-3fc9-4e2a-9d1a-6e5b4c8f7a01"
SAMPLE_TENANT_ID = "8b03b6ab-ff1d-42a7-83a7-03eeada8401f"
SAMPLE_ACTION_ID = "de5e9431-caf2-4e5b-a4b2-9318021558c2"

_NAMES = (
    ("Acme Construction Ltd", "NO", ("Bergen", "Tromsø")),
    ("Cantieri Alpini S.r.l.", "IT", ("Bolzano", "Forlì")),
    ("Bałtyk Montaż Sp. z o.o.", "PL", ("Gdańsk", "Świnoujście")),
)
_RESOURCES = (
    ("EQUIPMENT", "Mobilkran Liebherr LTM 1060"),
    ("EQUIPMENT", "Wózek widłowy nr 7"),
    ("ROLE", "Rigger"),
    ("OFFICE", "Brakkerigg øst"),
    ("WORK_GROUP", "Squadra ponteggi"),
    ("WORK_ENVIRONMENT", "Tunnel nord"),
    ("SUBSTANCE", "Epoxy resin A"),
    ("MATERIAL_ITEM", "Falldempertau 14"),
    ("UNIT", "Underleverandør Grus AS"),
)


@dataclass
class Tenant:
    """One project and what certificates can refer to.

    Attributes:
        actions: An office's actions by code, an office an element.
        checks: An office's CHECK action with the code of the first course.
    """

    project: Row
    actions: list[dict[str, Row]] = field(default_factory=list)
    checks: list[Row] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)

    @property
    def identity(self) -> str:
        """The project's id."""
        return str(self.project["project_id"])


def add_tenants(world: World) -> list[Tenant]:
    """Add the active projects."""
    draw = draw_for(world.spec, "tenants")
    return [_tenant(world, draw, number) for number in range(world.spec.tenants)]


def add_bystanders(world: World, calendar: Calendar) -> None:
    """Add a template and a suspended project with rows that no run may read."""
    draw = draw_for(world.spec, "bystanders")
    for name, status, kind in (
        ("Template: building site", "active", "template"),
        ("Gamle Anlegg AS", "suspended", "safety"),
    ):
        project = _project(world, draw, new_id(draw), name, "NO", status, kind)
        action = _action(world, draw, project, _office(world, draw, project, "Hovedkontor"), "BYGG")
        person = new_id(draw)
        world.persons.add(_bystander(person, project))
        for _ in range(2):
            certificate = _certificate(new_id(draw), person, project, calendar)
            world.certificates.add(certificate)
            world.links.add(link_row(new_id(draw), certificate, action, None))


def _tenant(world: World, draw: random.Random, number: int) -> Tenant:
    name, country, offices = _NAMES[number % len(_NAMES)]
    again = number // len(_NAMES)
    identity = (DOCUMENT_TENANT_ID, SAMPLE_TENANT_ID)[number] if number < 2 else new_id(draw)
    title = name if again == 0 else f"{name} {again + 1}"
    tenant = Tenant(_project(world, draw, identity, title, country, "active", "safety"))
    for place in offices:
        office = _office(world, draw, tenant.project, place)
        _fill_office(world, draw, tenant, office)
    if identity == SAMPLE_TENANT_ID:
        fire = tenant.actions[0]["FORM-01"]
        world.actions.remove(fire["action_id"])
        fire["action_id"] = SAMPLE_ACTION_ID
        world.actions.add(fire)
    for kind, label in _RESOURCES:
        resource = new_id(draw)
        world.resources[resource] = (kind, label)
        tenant.resources.append(resource)
    return tenant


def _fill_office(world: World, draw: random.Random, tenant: Tenant, office: Row) -> None:
    actions: dict[str, Row] = {}
    for course in COURSES:
        actions[course.code] = _action(
            world, draw, tenant.project, office, course.code, course.action, years=course.years
        )
    others = [(code, name, "TRAINING") for code, name, _ in UNMAPPED]
    others += [(code, name, "HEALTH") for code, name, _ in HEALTH]
    others += [(code, name, "PER") for code, name, _ in PROTECTIVE]
    others += [(code, name, kind) for code, name, kind, _ in UPKEEP]
    for code, name, kind in others:
        actions[code] = _action(world, draw, tenant.project, office, code, name, kind, 1)
    tenant.actions.append(actions)
    check = _action(world, draw, tenant.project, office, "BYGG", "Kontroll av byggekort", "CHECK", 1)
    tenant.checks.append(check)


def _project(
    world: World,
    draw: random.Random,
    identity: str,
    name: str,
    country: str,
    status: str,
    kind: str,
) -> Row:
    return world.projects.add(
        {
            "project_id": identity,
            "name": name,
            "description": None,
            "country": country,
            "status": status,
            "project_type": kind,
            "customer_id": new_id(draw),
            "created_at": "2021-03-01 08:00:00",
            "updated_at": "2024-06-01 08:00:00",
            "permission": "read",
        }
    )


def _office(world: World, draw: random.Random, project: Row, name: str) -> Row:
    return world.offices.add({"office_id": new_id(draw), "project_id": project["project_id"], "name": name})


def _action(
    world: World,
    draw: random.Random,
    project: Row,
    office: Row,
    code: str,
    name: str = "Byggekort",
    kind: str = "TRAINING",
    years: int = 2,
) -> Row:
    return world.actions.add(
        {
            "action_id": new_id(draw),
            "action_type": kind,
            "code": code,
            "name": name,
            "description": None,
            "validity_unit": "YEAR",
            "validity": years,
            "expire_interval": 60,
            "subtenant_id": office["office_id"],
            "tenant_id": project["project_id"],
            "office_name": office["name"],
            "project_name": project["name"],
            "project_type": project["project_type"],
            "permission": "read",
        }
    )


def _bystander(identity: str, project: Row) -> Row:
    return {
        "person_id": identity,
        "code": "1",
        "first_name": "Ola",
        "last_name": "Nordmann",
        "birth_date": None,
        "project_id": project["project_id"],
        "project_name": project["name"],
        "owned_active": True,
        "parent_active": True,
    }


def _certificate(identity: str, person: str, project: Row, calendar: Calendar) -> Row:
    return {
        "certificate_id": identity,
        "date_release": calendar.day(-100),
        "date_expire": calendar.day(600),
        "name": "HMS-kort for bygg og anlegg",
        "action_type": "TRAINING",
        "resource_id": person,
        "resource_type": "PERSON",
        "resource_name": "Nordmann Ola",
        "warning": 0,
        "tenant_id": project["project_id"],
        "project_name": project["name"],
        "permission": "read",
    }
