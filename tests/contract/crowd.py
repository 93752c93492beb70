"""A world of many persons with one fine certificate each, for what happens while sending."""

from __future__ import annotations

from tests.oracle.base import CERTIFICATE, EMPLOYEE, LINK, PERSON, base_world
from tests.oracle.world import Row, World


def crowd(size: int) -> World:
    """Return a world with the numbers 100, 101, ... each delivering one Byggekort."""
    world = base_world()
    numbers = [str(100 + place) for place in range(size)]
    world.certificates["t1"] = [certificate(number) for number in numbers]
    world.links["t1"] = [
        LINK | {"certificate_action_id": f"l{number}", "certificate_id": f"c{number}"} for number in numbers
    ]
    world.persons["t1"] = [PERSON | {"person_id": f"p{number}", "code": number} for number in numbers]
    world.employees = [EMPLOYEE | {"employeeId": f"e{number}", "employeeNumber": number} for number in numbers]
    return world


def certificate(number: str, **fields: object) -> Row:
    """Return the certificate of one of them."""
    return CERTIFICATE | {"certificate_id": f"c{number}", "resource_id": f"p{number}"} | fields


def renew(world: World, *numbers: str, until: str) -> None:
    """Give certificates another expiry; none named = all."""
    for row in (row for rows in world.certificates.values() for row in rows):
        if not numbers or row["certificate_id"][1:] in numbers:
            row["date_expire"] = until
