"""Persons of 4HSE and employees of Ditio, most of them the same people."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from certrecon_sandbox.credentials import DITIO_COMPANY_ID
from certrecon_sandbox.ditio.employees import OWN, PROJECT, SUBSIDIARY
from certrecon_sandbox.generate.calendar import Calendar, plus_years
from certrecon_sandbox.generate.draw import allot, draw_for, new_id
from certrecon_sandbox.generate.names import NATIONS, STRANGERS, Name, draw_name, spelled_in_ditio
from certrecon_sandbox.generate.tenants import Tenant
from certrecon_sandbox.table import Row
from certrecon_sandbox.world import World

# Person and number of the vendors' documents and samples, so that their examples run unchanged.
DOCUMENT_PERSON_ID = "e3a1f5d2-8c4b-4e7a-9f6d-2b1c3d4e5f6a"
SAMPLE_PERSON_ID = "7fa46f5d-fabe-4979-b923-2bb88224cf80"
DOCUMENT_NUMBER = "1042"
FEWEST_PERSONS = 30

FINE = "fine"
# What is wrong (or only unusual) with a person, and with what share of them.
SHARES = {
    "historicised": 0.015,
    "number_missing": 0.010,
    "number_shared": 0.006,
    "unknown": 0.012,
    "subsidiary_only": 0.003,
    "ambiguous_company": 0.006,
    "ambiguous_spaces": 0.004,
    "disabled": 0.010,
    "ended": 0.012,
    "name_mismatch": 0.010,
    "name_changed": 0.010,
    "birth_mismatch": 0.008,
    "two_tenants": 0.010,
    "spaces_in_code": 0.010,
    "rehired": 0.008,
}
# These take their certificates like everybody else.
HARMLESS = frozenset({FINE, "spaces_in_code", "rehired", "two_tenants"})


@dataclass(frozen=True)
class Person:
    """A generated person.

    Attributes:
        row: The 4HSE row.
        tenant: The number of its tenant.
        kind: `fine`, or a key of `SHARES`.
    """

    row: Row
    tenant: int
    kind: str


@dataclass(frozen=True)
class _Draft:
    """Somebody about to be known to both vendors."""

    row: Row
    name: Name
    number: str
    birth: str
    nation: str
    tenant: int

    @property
    def identity(self) -> str:
        """The person's id."""
        return str(self.row["person_id"])


class _Maker:
    """Makes persons with their employees, one by one."""

    def __init__(self, world: World, tenants: list[Tenant], calendar: Calendar) -> None:
        self.world = world
        self.tenants = tenants
        self.calendar = calendar
        self.draw = draw_for(world.spec, "persons")
        self.persons: list[Person] = []
        self._weights = list(accumulate(1 / (number + 1) for number in range(len(tenants))))
        self._special: dict[str, Callable[[_Draft], None]] = {
            "historicised": self._historicised,
            "number_missing": self._number_missing,
            "number_shared": self._number_shared,
            "unknown": lambda _who: None,
            "ambiguous_company": self._ambiguous_company,
            "ambiguous_spaces": self._ambiguous_spaces,
            "name_mismatch": self._name_mismatch,
            "name_changed": self._name_changed,
            "birth_mismatch": self._birth_mismatch,
            "two_tenants": self._two_tenants,
            "spaces_in_code": self._spaces_in_code,
        }

    def make(self, index: int, kind: str) -> None:
        """Add one person of a kind, and what belongs to it in Ditio."""
        draw = self.draw
        tenant = self._tenant(index)
        nation = draw.choices(NATIONS, weights=(5, 3, 2))[0]
        name = Name("John", "Smith") if index == 0 else draw_name(draw, nation)
        number = DOCUMENT_NUMBER if index == 0 else _number(draw, index)
        birth = self._birth()
        row = self._person(index, tenant, name, number, birth)
        self.persons.append(Person(row, tenant, kind))
        who = _Draft(row, name, number, birth, nation, tenant)
        if kind in self._special:
            self._special[kind](who)
        else:
            self._employee(who, **_TRAITS.get(kind, {}))

    def strangers(self, count: int) -> None:
        """Add employees that 4HSE does not know."""
        for index in range(count):
            nation = self.draw.choice(NATIONS)
            name = draw_name(self.draw, nation)
            self._employee(_Draft({}, name, f"D{90000 + index}", self._birth(), nation, 0))

    def _birth(self) -> str:
        return self.calendar.day(-self.draw.randint(20 * 365, 63 * 365))

    def _tenant(self, index: int) -> int:
        if index < len(self.tenants):  # nobody's tenant is empty
            return index
        return self.draw.choices(range(len(self.tenants)), cum_weights=self._weights)[0]

    # What the kinds do.

    def _historicised(self, who: _Draft) -> None:
        flag = self.draw.choice(("owned_active", "parent_active"))
        self.world.persons.change(who.identity, {flag: False})
        gone = self.draw.random() < 0.5
        self._employee(who, end=-self.draw.randint(1, 400) if gone else None)

    def _number_missing(self, who: _Draft) -> None:
        self.world.persons.change(who.identity, {"code": self.draw.choice((None, "", "  "))})
        self._employee(who)

    def _number_shared(self, who: _Draft) -> None:
        other = (who.tenant + 1) % len(self.tenants)
        stranger = self.draw.choice(STRANGERS)
        twin = self._person(-1, other, stranger, who.number, self._birth())
        self.persons.append(Person(twin, other, "number_shared"))
        self._employee(who)

    def _ambiguous_company(self, who: _Draft) -> None:
        self._employee(who)
        self._employee(who, company=PROJECT)

    def _ambiguous_spaces(self, who: _Draft) -> None:
        self._employee(who)
        stranger = self.draw.choice(STRANGERS)
        self._employee(replace(who, name=stranger, number=f" {who.number} "))

    def _name_mismatch(self, who: _Draft) -> None:
        self._employee(replace(who, name=self.draw.choice(STRANGERS)), exact=True, birth=False)

    def _name_changed(self, who: _Draft) -> None:
        married = Name(who.name.given, self.draw.choice(STRANGERS).family)
        self._employee(replace(who, name=married), exact=True)

    def _birth_mismatch(self, who: _Draft) -> None:
        self._employee(replace(who, birth=plus_years(who.birth, 1)), exact=True)

    def _two_tenants(self, who: _Draft) -> None:
        other = (who.tenant + 1) % len(self.tenants)
        again = self._person(-1, other, who.name, who.number, who.birth)
        self.persons.append(Person(again, other, "two_tenants"))
        self._employee(who)

    def _spaces_in_code(self, who: _Draft) -> None:
        self.world.persons.change(who.identity, {"code": f" {who.number} "})
        self._employee(who)

    # The two kinds of row.

    def _person(self, index: int, tenant: int, name: Name, number: str, birth: str) -> Row:
        draw = self.draw
        project = self.tenants[tenant].project
        fixed = {0: DOCUMENT_PERSON_ID, 1: SAMPLE_PERSON_ID}
        row = {
            "person_id": fixed.get(index) or new_id(draw),
            "code": number,
            "first_name": name.given,
            "last_name": name.family,
            "birth_date": birth,
            "birth_place": draw.choice(("Bergen", "Gdańsk", "Forlì", "Tromsø", None)),
            "tax_code": f"{draw.getrandbits(52):013d}"[:16],
            "sex": draw.choice(("M", "F")),
            "street": None,
            "locality": None,
            "postal_code": None,
            "region": None,
            "country": project["country"],
            "note": None,
            "contract_type": None,
            "is_employee": 1,
            "is_prevention_people": 0,
            "entity_id": None,
            "related_user": None,
            "project_id": project["project_id"],
            "project_name": project["name"],
            "owned_active": True,
            "parent_active": True,
            "permission": "read",
        }
        return self.world.persons.add(row)

    def _employee(
        self,
        who: _Draft,
        *,
        company: str = OWN,
        disabled: bool = False,
        end: int | None = None,
        rehired: bool = False,
        exact: bool = False,
        birth: bool = True,
    ) -> None:
        """Add an employee; `exact` = name and birth date just as drafted."""
        draw, day = self.draw, self.calendar.day
        shown = who.name if exact else spelled_in_ditio(draw, who.name, who.nation)
        known = birth and (exact or draw.random() < 0.90)
        start = day(-draw.randint(450, 4000))
        ended = None if end is None else day(end)
        history: list[dict[str, Any]] = [{"startDate": start, "endDate": ended}]
        if rehired:
            history.insert(0, {"startDate": day(-5000), "endDate": day(-4100)})
        phone = f"+47{draw.randint(40000000, 49999999)}"
        self.world.employees.add(
            {
                "companyProfileId": new_id(draw),
                "identityId": f"auth0|{draw.getrandbits(96):024x}",
                "companyId": DITIO_COMPANY_ID if company == OWN else f"company-{company}",
                "kind": company,
                "employeeNumber": who.number,
                "firstName": shown.given,
                "lastName": shown.family,
                "phone": phone,
                "mobileWork": phone,
                "mobilePrivate": None,
                "email": f"user{len(self.world.employees) + 1}@example.com",
                "workTitle": draw.choice(("Fagarbeider", "Kranfører", "Formann", "Muratore", None)),
                "birthDate": who.birth if known else None,
                "employmentStartDate": start,
                "employmentEndDate": ended,
                "employmentHistory": history,
                "department": draw.choice(("Anlegg", "Bygg", "Tunnel")),
                "payroll": True,
                "isDisabled": disabled,
                "tags": [],
                "workTimeArrangements": [],
                "organizationNumber": "999999999",
                "modified": day(-draw.randint(0, 400)) + "T06:00:00Z",
            }
        )


_TRAITS: dict[str, dict[str, Any]] = {
    "subsidiary_only": {"company": SUBSIDIARY},
    "disabled": {"disabled": True},
    "ended": {"end": -45},
    "rehired": {"rehired": True},
}


def add_persons(world: World, tenants: list[Tenant], calendar: Calendar) -> list[Person]:
    """Add persons and employees."""
    if not tenants or not world.spec.certificates:
        return []
    count = max(FEWEST_PERSONS, world.spec.certificates // 20)
    maker = _Maker(world, tenants, calendar)
    # The first two are those of the vendors' examples; nothing is wrong with them.
    kinds = allot(count - 2, SHARES, FINE)
    maker.draw.shuffle(kinds)
    for index, kind in enumerate([FINE, FINE, *kinds]):
        maker.make(index, kind)
    maker.strangers(max(1, count // 30))
    return maker.persons


def _number(draw: random.Random, index: int) -> str:
    """Return an employee number; a fifth has leading zeros, none equals another as a number."""
    number = index + (2000 if index > 40 else 100)
    return f"{number:06d}" if draw.random() < 0.2 else str(number)
