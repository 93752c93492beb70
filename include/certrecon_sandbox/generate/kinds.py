"""One method a kind of certificate; each adds one certificate and its links."""

from __future__ import annotations

import random
from typing import Any

from certrecon_sandbox.fourhse.relations import link_row
from certrecon_sandbox.generate.calendar import Calendar, plus_years
from certrecon_sandbox.generate.courses import (
    COURSES,
    CRANE,
    CRANE_LONGEST_YEARS,
    FIRE,
    HEALTH,
    PROTECTIVE,
    UNMAPPED,
    UPKEEP,
    Course,
)
from certrecon_sandbox.generate.draw import new_id
from certrecon_sandbox.generate.persons import Person
from certrecon_sandbox.generate.tenants import Tenant
from certrecon_sandbox.table import Row, Table
from certrecon_sandbox.world import World

_MALFORMED = ("15.01.2024", "2024-02-30", "0000-00-00", "2024-1-5", "n/a")
_STEPS = (5, 7, 11, 13, 17, 19, 23)  # coprime to the number of courses
_NOTES = (None, None, None, None, "Scansione illeggibile", "Avtalt med HR på telefon", "Kopia w teczce")
_FITNESS = ("fit", "fit with limitations", "temporarily unfit")


class Maker:
    """Adds certificates; see the module."""

    def __init__(self, world: World, tenants: list[Tenant], calendar: Calendar, draw: random.Random) -> None:
        """Start with an empty world of certificates."""
        self._world = world
        self._tenants = tenants
        self._day = calendar.day
        self._draw = draw
        self._by_id = {tenant.identity: tenant for tenant in tenants}
        self._courses: dict[str, int] = {}
        self._links: list[Row] = []
        self._certificates: list[Row] = []

    def flush(self) -> None:
        """Put the rows into the world's tables, all at once."""
        for table in (self._world.certificates, self._world.links):
            if len(table):
                raise ValueError("certificates are made once")
        self._world.certificates = Table("certificate_id", self._certificates)
        self._world.links = Table("certificate_action_id", self._links)

    # Fine ones.

    def valid(self, person: Person) -> None:
        """Make one that is valid for a while yet."""
        course = self._course(person)
        self._link(self._dated(person, course, self._draw.randint(75, course.years * 365 - 20)), course)

    def expires_soon(self, person: Person) -> None:
        """Make one that expires within 60 days, both ends included."""
        course = self._course(person)
        self._link(self._dated(person, course, self._draw.choice((0, 60, *range(1, 60, 7)))), course)

    def expired(self, person: Person) -> None:
        """Make one that has expired."""
        course = self._course(person)
        self._link(self._dated(person, course, -self._draw.randint(1, 900)), course)

    def derived(self, person: Person) -> None:
        """Make one whose expiry follows from its validity."""
        course = self._course(person)
        row = self._dated(person, course, self._draw.randint(75, 300))
        row["date_expire"] = None
        if self._draw.random() < 0.5:
            del row["date_expire"]
        self._link(row, course)

    def expiry_on_link(self, person: Person) -> None:
        """Make one whose expiry only its link has."""
        course = self._course(person)
        row = self._dated(person, course, 200)
        expiry, row["date_expire"] = row["date_expire"], None
        row["validity"] = row["validity_unit"] = None
        self._link(row, course, expiry)

    def own_link_expiry(self, person: Person) -> None:
        """Make one whose link ends on another day than the certificate itself."""
        course = self._course(person)
        self._link(self._dated(person, course, 300), course, self._day(240))

    def renewed(self, person: Person) -> None:
        """Make an older one of a course that the person has taken since."""
        course = COURSES[self._courses.get(person.row["person_id"], self._start(person))]
        self._link(self._dated(person, course, self._draw.randint(-300, 70)), course)

    def two_courses(self, person: Person) -> None:
        """Make one that counts for two courses: two claims."""
        first, second = self._course(person), self._course(person)
        row = self._dated(person, first, min(first.years, second.years) * 365 - 30)
        self._link(row, first)
        self._link(row, second, add=False)

    def two_offices(self, person: Person) -> None:
        """Make one linked to the same course in two offices: one claim."""
        course = self._course(person)
        row = self._dated(person, course, 150)
        self._link(row, course, office=0)
        self._link(row, course, office=1, add=False)

    def warned(self, person: Person) -> None:
        """Make one that 4HSE warns of."""
        course = self._course(person)
        row = self._dated(person, course, 180)
        row["warning"] = 1
        self._link(row, course)

    def resource_type_missing(self, person: Person) -> None:
        """Make one of a person without saying that it is a person's."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        row["resource_type"] = None
        self._link(row, course)

    # Wrong dates.

    def expiry_disagrees(self, person: Person) -> None:
        """Make one whose links of one course end on different days."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        self._link(row, course, office=0)
        self._link(row, course, self._day(200), office=1, add=False)

    def issued_missing(self, person: Person) -> None:
        """Make one without an issue date."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        row["date_release"] = None
        self._link(row, course)

    def issued_invalid(self, person: Person) -> None:
        """Make one with an issue date that is none."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        row["date_release"] = self._draw.choice(_MALFORMED)
        self._link(row, course)

    def issued_in_future(self, person: Person) -> None:
        """Make one issued tomorrow or later."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        row["date_release"] = self._day(self._draw.randint(1, 90))
        row["date_expire"] = self._day(600)
        self._link(row, course)

    def expiry_missing(self, person: Person) -> None:
        """Make one without any expiry."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        row["date_expire"] = row["validity"] = row["validity_unit"] = None
        if self._draw.random() < 0.3:
            row["validity_unit"], row["validity"] = "YEAR", 0
        self._link(row, course)

    def expiry_invalid(self, person: Person) -> None:
        """Make one with an expiry that is none."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        row["date_expire"] = self._draw.choice(_MALFORMED)
        self._link(row, course)

    def link_expiry_invalid(self, person: Person) -> None:
        """Make one of whose two links one has an expiry that is none."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        self._link(row, course, office=0)
        self._link(row, course, self._draw.choice(_MALFORMED), office=1, add=False)

    def expiry_not_after_issue(self, person: Person) -> None:
        """Make one with swapped dates, or with the same date twice."""
        course = self._course(person)
        row = self._dated(person, course, -30)
        row["date_release"], row["date_expire"] = row["date_expire"], row["date_release"]
        if self._draw.random() < 0.4:
            row["date_expire"] = row["date_release"]
        self._link(row, course)

    def implausible_old(self, person: Person) -> None:
        """Make one with a century mistyped."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        row["date_release"] = f"19{20 + self._draw.randint(0, 9)}-05-02"
        self._link(row, course)

    def implausible_long(self, person: Person) -> None:
        """Make one that is valid for longer than anybody works."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        row["date_expire"] = plus_years(row["date_release"], 80)
        self._link(row, course)

    def implausible_crane(self, person: Person) -> None:
        """Make one for cranes that is valid for longer than the rule accepts."""
        row = self._dated(person, CRANE, 250)
        row["date_expire"] = plus_years(row["date_release"], CRANE_LONGEST_YEARS + 5)
        self._link(row, CRANE)

    # Wrong or unusual references.

    def person_unknown(self, person: Person) -> None:
        """Make one of somebody whom the tenant does not know."""
        course = self._course(person)
        row = self._dated(person, course, 250)
        row["resource_id"] = new_id(self._draw)
        self._link(row, course)

    def type_disagrees(self, person: Person) -> None:
        """Make one with a second link whose action is no training."""
        course = COURSES[0]
        row = self._dated(person, course, 300)
        self._link(row, course, office=0)
        self._add_link(row, self._tenants[person.tenant].checks[0], None)

    def check_only(self, person: Person) -> None:
        """Make one whose only link's action is no training."""
        row = self._dated(person, COURSES[0], 300)
        self._certificates.append(row)
        self._add_link(row, self._tenants[person.tenant].checks[1], None)

    def unmapped(self, person: Person) -> None:
        """Make one of a course that no rule maps."""
        code, _, name = self._draw.choice(UNMAPPED)
        self._other(person, code, name, "TRAINING")

    def unlinked(self, person: Person) -> None:
        """Make one without a link, whose name no rule maps."""
        course = self._course(person, skip=FIRE)
        self._certificates.append(self._dated(person, course, 250))

    def unlinked_typed(self, person: Person) -> None:
        """Make one without a link, whose name a rule maps."""
        self._certificates.append(self._dated(person, FIRE, 250))

    def equipment(self, person: Person) -> None:
        """Make one of something that is no person."""
        code, _, kind, name = self._draw.choice(UPKEEP)
        tenant = self._tenants[person.tenant]
        resource = self._draw.choice(tenant.resources)
        resource_type, label = self._world.resources[resource]
        row = self._other(person, code, name, kind)
        changed = {"resource_id": resource, "resource_type": resource_type, "resource_name": label}
        row.update(changed)
        self._links[-1]["resource_id"] = resource

    def health(self, person: Person) -> None:
        """Make one with medical results, a telling name and a telling note."""
        code, _, name = self._draw.choice(HEALTH)
        row = self._other(person, code, name, "HEALTH")
        row["note"] = "Periodic follow-up agreed with the company physician"
        row["data"] = {
            "fitness": self._draw.choice(_FITNESS),
            "blood_pressure": f"{self._draw.randint(110, 170)}/{self._draw.randint(70, 105)}",
            "limitations": ["no night work"],
        }

    def protective(self, person: Person) -> None:
        """Make one of protective equipment that was handed out."""
        code, _, name = self._draw.choice(PROTECTIVE)
        self._other(person, code, name, "PER")

    def dangling(self, count: int) -> None:
        """Add links whose certificate does not exist, medical ones among them."""
        for index in range(count):
            tenant = self._tenants[index % len(self._tenants)]
            code, name = (HEALTH[0][0], HEALTH[0][2]) if index % 4 == 1 else ("BYGG", "HMS-kort")
            gone = {
                "certificate_id": new_id(self._draw),
                "tenant_id": tenant.identity,
                "resource_id": new_id(self._draw),
                "name": name,
                "date_release": self._day(-400),
                "date_expire": self._day(200),
            }
            row = link_row(new_id(self._draw), gone, tenant.actions[0][code], None)
            self._world.links.add(row)

    def subscriptions(self, persons: list[Person]) -> None:
        """Add what the persons are required to do, three actions each."""
        for person in persons:
            actions = self._draw.choice(self._tenants[person.tenant].actions)
            for course in self._draw.sample(COURSES, 3):
                self._world.subscriptions.add(self._subscription(person, actions[course.code]))

    # Parts.

    def _start(self, person: Person) -> int:
        return int(person.row["person_id"][:4], 16) % len(COURSES)

    def _course(self, person: Person, skip: Course | None = None) -> Course:
        """Return the person's next course; a person takes every course before one comes again."""
        identity = person.row["person_id"]
        step = _STEPS[int(identity[4:8], 16) % len(_STEPS)]
        before = self._courses.get(identity)
        index = self._start(person) if before is None else (before + step) % len(COURSES)
        self._courses[identity] = index
        return self._course(person) if COURSES[index] is skip else COURSES[index]

    def _dated(self, person: Person, course: Course, expires_in: int) -> Row:
        expiry = self._day(expires_in)
        return self._row(
            person,
            course.certificate,
            plus_years(expiry, -course.years),
            expiry,
            course.years,
            "TRAINING",
        )

    def _other(self, person: Person, code: str, name: str, kind: str) -> Row:
        expiry = self._day(self._draw.randint(75, 300))
        row = self._row(person, name, plus_years(expiry, -1), expiry, 1, kind)
        self._certificates.append(row)
        self._add_link(row, self._draw.choice(self._tenants[person.tenant].actions)[code], None)
        return row

    def _row(self, person: Person, name: str, issued: str, expiry: str, years: int, kind: str) -> Row:
        project = self._tenants[person.tenant].project
        return {
            "certificate_id": new_id(self._draw),
            "date_release": issued,
            "date_expire": expiry,
            "name": name,
            "note": self._draw.choice(_NOTES),
            "action_type": kind,
            "resource_id": person.row["person_id"],
            "resource_type": "PERSON",
            "resource_name": f"{person.row['last_name']} {person.row['first_name']}",
            "data": None,
            "warning": 0,
            "tenant_id": project["project_id"],
            "subtenant_id": None,
            "subtenant_type": None,
            "validity_unit": "YEAR",
            "validity": years,
            "project_name": project["name"],
            "permission": "read",
        }

    def _link(
        self,
        row: Row,
        course: Course,
        expiry: str | None = None,
        office: int | None = None,
        *,
        add: bool = True,
    ) -> None:
        if add:
            self._certificates.append(row)
        tenant = self._by_id[row["tenant_id"]]
        actions = self._draw.choice(tenant.actions) if office is None else tenant.actions[office]
        self._add_link(row, actions[course.code], expiry)

    def _add_link(self, row: Row, action: Row, expiry: str | None) -> None:
        row["subtenant_id"], row["subtenant_type"] = action["subtenant_id"], "OFFICE"
        link = link_row(new_id(self._draw), row, action, expiry)
        link["permission"] = "read"
        self._links.append(link)

    def _subscription(self, person: Person, action: Row) -> dict[str, Any]:
        return {
            "action_subscription_id": new_id(self._draw),
            "action_id": action["action_id"],
            "action_code": action["code"],
            "action_name": action["name"],
            "action_type": action["action_type"],
            "subscriber_id": person.row["person_id"],
            "subscriber_type": "PERSON",
            "subscriber_name": f"{person.row['last_name']} {person.row['first_name']}",
            "status": self._draw.choice(("NEW", "VALID", "EXPIRING", "EXPIRED")),
            "subtenant_id": action["subtenant_id"],
            "tenant_id": action["tenant_id"],
        }
