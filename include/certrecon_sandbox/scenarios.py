"""Changes that mean something only to whoever remembers what was before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from certrecon_sandbox.ditio.employees import OWN, PROJECT
from certrecon_sandbox.generate.names import STRANGERS
from certrecon_sandbox.options import OptionError
from certrecon_sandbox.table import Row
from certrecon_sandbox.world import World


def employee_number_reused(world: World, asked: dict[str, Any]) -> Row:
    """Give an employee number that Ditio has certificates for to another person.

    The person who had it leaves without a number; a newcomer in 4HSE gets it, with a copy of one of
    the certificates, and the employee in Ditio takes the newcomer's name. `{"employee_number": ...}`
    chooses the number; else it is the first one that certificates were upserted for.
    """
    number = asked.get("employee_number") or next((key[0] for key in world.upserts), None)
    persons = [row for row in world.persons if (row.get("code") or "").strip() == str(number).strip()]
    employees = [row for row in world.employees if row["employeeNumber"] == number and row["kind"] == OWN]
    certificates = [row for person in persons for row in world.certificates.where("resource_id", person["person_id"])]
    if not persons or not employees or not certificates:
        raise OptionError(f"no person with certificates has the employee number {number!r}")
    for person in persons:
        world.persons.change(person["person_id"], {"code": None, "owned_active": False})
    newcomer = _newcomer(world, persons[0], str(number))
    for row in employees:
        name = {"firstName": newcomer["first_name"], "lastName": newcomer["last_name"]}
        world.employees.change(row["companyProfileId"], name | {"birthDate": newcomer["birth_date"]})
    copied = _copy_linked(world, certificates, newcomer)
    return {
        "employee_number": number,
        "person_id": newcomer["person_id"],
        "certificate_ids": copied,
        "left_person_ids": [person["person_id"] for person in persons],
    }


def employee_moved_to_project_company(world: World, asked: dict[str, Any]) -> Row:
    """Move an employee into a project company: Ditio still lists them, but refuses their certificates.

    `{"employee_number": ...}` chooses the employee; else it is the first one that certificates were
    upserted for, or the first of all.
    """
    wanted = asked.get("employee_number") or next((key[0] for key in world.upserts), None)
    own = [row for row in world.employees if row["kind"] == OWN and wanted in {None, row["employeeNumber"]}]
    if not own:
        raise OptionError(f"no employee of the own company has the number {wanted!r}")
    profile, number = own[0]["companyProfileId"], own[0]["employeeNumber"]
    world.employees.change(profile, {"kind": PROJECT, "companyId": f"company-{PROJECT}"})
    return {"employee_number": number, "company_profile_id": profile}


def _newcomer(world: World, before: Row, number: str) -> Row:
    name = STRANGERS[0]
    values = {
        "person_id": _mark(before["person_id"], "a"),
        "code": number,
        "first_name": name.given,
        "last_name": name.family,
        "birth_date": "1991-07-14",
        "owned_active": True,
        "parent_active": True,
    }
    return world.persons.add(before | values)


def _copy_linked(world: World, certificates: list[Row], newcomer: Row) -> list[str]:
    copied = []
    for row in certificates:
        identity = _mark(row["certificate_id"], "b")
        links = world.links.where("certificate_id", row["certificate_id"])
        person = {
            "resource_id": newcomer["person_id"],
            "resource_name": f"{newcomer['last_name']} {newcomer['first_name']}",
        }
        world.certificates.add(row | person | {"certificate_id": identity})
        for link in links:
            tied = _mark(link["certificate_action_id"], "c")
            values = {"certificate_action_id": tied, "certificate_id": identity}
            world.links.add(link | values | {"resource_id": newcomer["person_id"]})
        copied.append(identity)
    return copied


def _mark(identity: str, digit: str) -> str:
    """Return another id that is the same every time."""
    return digit * 8 + identity[8:]


SCENARIOS: dict[str, Callable[[World, dict[str, Any]], Row]] = {
    "employee_number_reused": employee_number_reused,
    "employee_moved_to_project_company": employee_moved_to_project_company,
}
