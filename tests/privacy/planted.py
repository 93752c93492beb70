"""A small world in which every place of every row that a vendor can fill holds a canary."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.oracle.base import CERTIFICATE, EMPLOYEE, LINK, PERSON, SETTINGS
from tests.oracle.world import Row, World
from tests.privacy.canaries import Aviary, Kind

DAY = dt.date(2026, 6, 15)
ELSEWHERE = "t2"
"""The tenant of rows that the index gives although they are another's."""
PHONE, MOBILE = "+4790714253688", "90714253699"
TAX_CODE, NATIONAL_ID = "ZQXKVW11A11J111Q", "11111190714"
BIRTH = ("1911-11-13", "13.11.1911", "19111113", "13/11/1911", "1911, 11, 13")
REFUSED = "1043"
"""The number of the employee whose rows Ditio refuses."""


def nested(birds: Aviary, kind: Kind, where: str) -> list[Any]:
    """Return a canary in each type of JSON: text, object, list, deep, as a key, and beside numbers."""
    plant = birds.plant
    deep: Any = plant(kind, f"{where}, deep")
    for _ in range(6):
        deep = {"inner": [deep, 1.5, True, None]}
    return [
        plant(kind, f"{where}, text"),
        {"result": plant(kind, f"{where}, object"), "value": 7},
        [plant(kind, f"{where}, list"), 1],
        deep,
        {plant(kind, f"{where}, key"): "yes"},
        None,
        "",
    ]


def _undocumented(birds: Aviary, where: str) -> Row:
    """Return undocumented fields: what is in them, and how they are called."""
    values = nested(birds, Kind.MEDICAL, f"undocumented field of {where}")
    fields = {f"medical_{number}": value for number, value in enumerate(values)}
    return fields | {
        birds.plant(Kind.FIELD, where): birds.plant(Kind.MEDICAL, f"undocumented field of {where}"),
        "access_token": birds.token(f"undocumented field of {where}"),
        "medical info": 'a name that no struct can have: "',
        'odd "name"\\': birds.plant(Kind.MEDICAL, f"oddly named field of {where}"),
    }


def _certificate(birds: Aviary, number: str, **fields: Any) -> Row:
    where = f"certificate {number}"
    return {
        **CERTIFICATE,
        "certificate_id": number,
        "resource_name": birds.plant(Kind.PERSON, f"resource_name of {where}"),
        "project_name": birds.plant(Kind.PERSON, f"project_name of {where}"),
        "subtenant_id": birds.plant(Kind.MEDICAL, f"subtenant_id of {where}"),
        "note": birds.plant(Kind.MEDICAL, f"note of {where}"),
        "data": birds.plant(Kind.MEDICAL, f"data of {where}"),
        **fields,
    }


def _link(birds: Aviary, number: str, certificate: str, **fields: Any) -> Row:
    where = f"link {number}"
    return {
        **LINK,
        "certificate_action_id": number,
        "certificate_id": certificate,
        "certificate_name": birds.plant(Kind.HEALTH_NAME, f"certificate_name of {where}"),
        "office_name": birds.plant(Kind.PERSON, f"office_name of {where}"),
        "note": birds.plant(Kind.MEDICAL, f"note of {where}"),
        "data": {"exam": birds.plant(Kind.MEDICAL, f"data of {where}")},
        **fields,
    }


def _named(birds: Aviary, where: str) -> Row:
    return {
        "action_name": birds.plant(Kind.HEALTH_NAME, f"action_name of {where}"),
        "action_code": birds.plant(Kind.HEALTH_NAME, f"action_code of {where}"),
    }


def _health(birds: Aviary, number: str, spelling: Any, person: str) -> Row:
    name = birds.plant(Kind.HEALTH_NAME, f"name of certificate {number}")
    return _certificate(birds, number, name=name, action_type=spelling, resource_id=person)


def _certificates(birds: Aviary) -> list[Row]:
    medical = nested(birds, Kind.MEDICAL, "data")
    notes = nested(birds, Kind.MEDICAL, "note")
    rows = [
        _certificate(birds, f"plain-{number}", data=data, note=note)
        for number, (data, note) in enumerate(zip(medical, notes, strict=True))
    ]
    rows += [_certificate(birds, "c1"), _certificate(birds, "refused", resource_id="p2")]
    rows[0] |= _undocumented(birds, "certificates")
    rows += [
        _health(birds, f"health-{number}", spelling, "p1")
        for number, spelling in enumerate(["HEALTH", " health\t", "Health", ["HEALTH"], {"type": "HEALTH"}])
    ]
    by_link = birds.plant(Kind.HEALTH_NAME, "name of a certificate with a HEALTH link")
    rows.append(_certificate(birds, "health-by-link", name=by_link))
    foreign = birds.plant(Kind.MEDICAL, "name of another tenant's certificate")
    rows.append(_certificate(birds, "foreign", name=foreign, tenant_id=ELSEWHERE))
    return rows


def _links(birds: Aviary) -> list[Row]:
    rows = [_link(birds, "l1", "c1"), _link(birds, "l2", "refused")]
    rows[0] |= _undocumented(birds, "links")
    rows += [_link(birds, f"lp{number}", f"plain-{number}") for number in range(3)]
    rows += [
        _link(birds, f"lh{number}", f"health-{number}", **_named(birds, f"a link of certificate health-{number}"))
        for number in range(5)
    ]
    rows += [
        _link(birds, "lh", "health-by-link", action_type="HEALTH", **_named(birds, "a HEALTH link")),
        _link(birds, "lh-list", "health-by-link", action_type=["HEALTH"], **_named(birds, "an odd HEALTH link")),
        _link(birds, "ld1", "gone", action_type="Health", **_named(birds, "a dangling HEALTH link")),
        _link(birds, "ld2", "moved", **_named(birds, "a link whose HEALTH certificate has moved")),
        _link(birds, "lf", "c1", tenant_id=ELSEWHERE, **_named(birds, "another tenant's link")),
    ]
    return rows


def _person(birds: Aviary, number: str, **fields: Any) -> Row:
    unused = (
        "birth_place", "sex", "street", "locality", "postal_code", "region", "country", "note", "contract_type",
        "entity_id", "related_user", "project_name",
    )  # fmt: skip
    return {
        **PERSON,
        **{name: birds.plant(Kind.PERSON, f"{name} of person {number}") for name in unused},
        "entity_id": birds.plant(Kind.PERSON, f"login e-mail of person {number}", "{core}@clinic.example"),
        "tax_code": birds.literal(Kind.PERSON, "tax_code", TAX_CODE),
        "person_id": number,
        **fields,
    }


def _persons(birds: Aviary) -> list[Row]:
    birth = birds.literal(Kind.BIRTH_DATE, "birth date", *BIRTH)
    family = birds.plant(Kind.CONTROL, "family name")
    first = _person(birds, "p1", last_name=family, birth_date=birth) | _undocumented(birds, "persons")
    return [first, _person(birds, "p2", code=REFUSED, last_name=family, birth_date=birth)]


def _employee(birds: Aviary, number: str, **fields: Any) -> Row:
    unused = (
        "identityId", "workTitle", "carRegNumber", "department", "cardId", "defaultResourceNumber",
        "worktimeArrangementName", "organizationNumber", "mainProjectNumber", "address",
    )  # fmt: skip
    where = f"employee {number}"
    return {
        **EMPLOYEE,
        **{name: birds.plant(Kind.PERSON, f"{name} of {where}") for name in unused},
        "email": birds.plant(Kind.PERSON, f"email of {where}", "{core}@work.example"),
        "phone": birds.literal(Kind.PERSON, "phone", PHONE),
        "mobileWork": birds.literal(Kind.PERSON, "mobile", MOBILE),
        "tags": [{"name": birds.plant(Kind.MEDICAL, f"tag of {where}")}],
        "employment": {
            "startDate": "2019-01-01",
            "endDate": None,
            "note": birds.plant(Kind.MEDICAL, f"employment of {where}"),
            "nationalId": birds.literal(Kind.PERSON, "national id", NATIONAL_ID),
        },
        "employmentHistory": [{"reason": birds.plant(Kind.MEDICAL, f"history of {where}")}],
        "employeeId": f"e{number}",
        "employeeNumber": number,
        "lastName": birds.plant(Kind.CONTROL, "family name"),
        "birthDate": birds.literal(Kind.BIRTH_DATE, "birth date", *BIRTH),
        **fields,
    }


def _projects(birds: Aviary) -> list[Row]:
    row = {"project_id": "t1", "name": "Acme", "status": "active", "project_type": "safety"}
    unused = ("description", "country", "customer_id", "partner_name", "icon")
    return [row | {name: birds.plant(Kind.MEDICAL, f"{name} of project") for name in unused}]


def planted_world(birds: Aviary, **settings: Any) -> World:
    """Return the world: persons 1042 and 1043, of whom Ditio refuses the second."""
    first = _employee(birds, "1042") | _undocumented(birds, "employees")
    return World(
        certificates={"t1": _certificates(birds)},
        links={"t1": _links(birds)},
        persons={"t1": _persons(birds)},
        employees=[first, _employee(birds, REFUSED)],
        ledger=[],
        settings={**SETTINGS, **settings},
        as_of=DAY,
        projects=_projects(birds),
        lookups={"moved": ELSEWHERE},
    )


def moved_certificate(birds: Aviary) -> Row:
    """Return what `view/{id}` says of the certificate that has moved."""
    return _health(birds, "moved", "HEALTH", "p9") | {"tenant_id": ELSEWHERE} | _undocumented(birds, "a view")
