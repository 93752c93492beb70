"""A plain reading of the findings, row by row, to see whether a world holds them all.

It shares nothing with the project's own rules, and it is simpler: where the contract has fine print that
no generated row needs, it is left out.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz.fuzz import ratio

from certrecon_sandbox.ditio.employees import OWN, PROJECT
from certrecon_sandbox.world import World

Row = dict[str, Any]
CRITICAL = {
    "ISSUED_MISSING",
    "ISSUED_INVALID",
    "ISSUED_IN_FUTURE",
    "EXPIRY_MISSING",
    "EXPIRY_INVALID",
    "EXPIRY_NOT_AFTER_ISSUE",
    "DATE_IMPLAUSIBLE",
    "PERSON_UNKNOWN",
    "EMPLOYEE_NUMBER_MISSING",
    "EMPLOYEE_NUMBER_SHARED",
    "EMPLOYEE_UNKNOWN",
    "EMPLOYEE_AMBIGUOUS",
    "EMPLOYEE_INACTIVE",
    "NAME_MISMATCH",
    "BIRTH_DATE_MISMATCH",
    "TYPE_UNMAPPED",
}
FROM_DATA = CRITICAL | {
    "EXPIRY_DISAGREES",
    "EXPIRED",
    "EXPIRES_SOON",
    "EXPIRY_DERIVED",
    "PERSON_HISTORICISED",
    "NAME_CHANGED",
    "ACTION_LINK_MISSING",
    "ACTION_TYPE_DISAGREES",
    "RESOURCE_NOT_PERSON",
    "ACTION_TYPE_NOT_PUBLISHED",
    "SOURCE_WARNING",
}
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "å": "a", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "œ": "oe"})


@dataclass
class Claim:
    """A certificate seen as one type."""

    certificate: Row
    kind: str | None
    number: str | None = None
    issued: str | None = None
    expiry: str | None = None
    findings: set[str] = field(default_factory=set)
    disposition: str = ""


class PlainReader:
    """Reads one world; see the module."""

    def __init__(self, world: World, rules: list[Row]) -> None:
        self.world = world
        self.rules = rules
        self.today = world.spec.today
        self.tenants = {
            row["project_id"]
            for row in world.projects
            if row["status"] == "active" and row["project_type"] != "template"
        }
        self.persons = {row["person_id"]: row for row in world.persons if row["project_id"] in self.tenants}
        self.employees: dict[str, list[Row]] = defaultdict(list)
        for row in world.employees:
            if row["kind"] in (OWN, PROJECT):
                self.employees[row["employeeNumber"].strip()].append(row)
        self.holders: dict[str, list[Row]] = defaultdict(list)
        for row in self.persons.values():
            self.holders[(row["code"] or "").strip()].append(row)
        self.links: dict[str, list[Row]] = defaultdict(list)
        for row in world.links:
            self.links[row["certificate_id"]].append(row)

    def claims(self) -> list[Claim]:
        """Return every claim with findings and disposition."""
        certificates = [row for row in self.world.certificates if row["tenant_id"] in self.tenants]
        claims = [claim for row in certificates for claim in self._of(row)]
        winners: dict[tuple[str, str], Claim] = {}
        for claim in sorted(claims, key=_rank, reverse=True):
            claim.disposition = self._disposition(claim)
            if claim.disposition == "eligible":
                key = (claim.number or "", claim.kind or "")
                claim.disposition = "wins" if key not in winners else "superseded"
                winners.setdefault(key, claim)
        return claims

    def _of(self, row: Row) -> list[Claim]:
        links = self.links[row["certificate_id"]]
        types = {self._type(row, link): None for link in links} or {self._type(row, None): None}
        return [self._claim(row, kind, [x for x in links if self._type(row, x) == kind]) for kind in types]

    def _type(self, row: Row, link: Row | None) -> str | None:
        for rule in self.rules:
            if link is None and ("action_code" in rule or "action_name" in rule):
                continue
            code = "action_code" not in rule or (link or {})["action_code"] in rule["action_code"]
            action = "action_name" not in rule or re.search(rule["action_name"], (link or {})["action_name"])
            name = "certificate_name" not in rule or re.search(rule["certificate_name"], row["name"])
            if code and action and name:
                return str(rule["certificate_type"])
        return None

    def _claim(self, row: Row, kind: str | None, links: list[Row]) -> Claim:
        claim = Claim(row, kind)
        self._dates(claim, links)
        found = claim.findings
        if not links:
            found.add("ACTION_LINK_MISSING")
        if any(link["action_type"] != row["action_type"] for link in links):
            found.add("ACTION_TYPE_DISAGREES")
        if row["warning"] == 1:
            found.add("SOURCE_WARNING")
        kinds = {row["action_type"]} if row["action_type"] != "TRAINING" else set()
        kinds |= {"OTHER"} if links and all(x["action_type"] != "TRAINING" for x in links) else set()
        if kinds:
            found.add("ACTION_TYPE_NOT_PUBLISHED")
        if (row["resource_type"] or "PERSON") != "PERSON":
            found.add("RESOURCE_NOT_PERSON")
        if not found & {"RESOURCE_NOT_PERSON", "ACTION_TYPE_NOT_PUBLISHED"}:
            if kind is None and links:
                found.add("TYPE_UNMAPPED")
            self._person(claim)
        return claim

    def _dates(self, claim: Claim, links: list[Row]) -> None:
        row, found = claim.certificate, claim.findings
        expiries = [self._expiry(row, link, found) for link in links or [{}]]
        known = [day for day in expiries if day]
        if len(set(known)) > 1:
            found.add("EXPIRY_DISAGREES")
        wrong = [day for day in known if _day(day) is None]
        claim.expiry = expiry = (wrong or sorted(known) or [None])[0]
        claim.issued = issued = row["date_release"]
        start, end = _day(issued), _day(expiry)
        if start is None:
            found.add("ISSUED_INVALID" if issued else "ISSUED_MISSING")
        elif start > self.today:
            found.add("ISSUED_IN_FUTURE")
        if end is None:
            found.add("EXPIRY_INVALID" if expiry else "EXPIRY_MISSING")
        elif end < self.today:
            found.add("EXPIRED")
        elif (end - self.today).days <= 60:
            found.add("EXPIRES_SOON")
        if start and end:
            self._span(claim, start, end)

    def _span(self, claim: Claim, start: dt.date, end: dt.date) -> None:
        limits = [rule for rule in self.rules if rule["certificate_type"] == claim.kind]
        years = limits[0].get("max_validity_years", 50) if limits else 50
        if end <= start:
            claim.findings.add("EXPIRY_NOT_AFTER_ISSUE")
        if start.year < 1950 or (end - start).days > years * 365.25 + 1:
            claim.findings.add("DATE_IMPLAUSIBLE")

    def _expiry(self, row: Row, link: Row, found: set[str]) -> str | None:
        day = link.get("date_expire") or row.get("date_expire")
        if day or not row["validity"] or not row["date_release"]:
            return day
        found.add("EXPIRY_DERIVED")
        return f"{int(row['date_release'][:4]) + row['validity']}{row['date_release'][4:]}"

    def _person(self, claim: Claim) -> None:
        found = claim.findings
        person = self.persons.get(claim.certificate["resource_id"])
        if person is None or person["project_id"] != claim.certificate["tenant_id"]:
            found.add("PERSON_UNKNOWN")
            return
        if not (person["owned_active"] and person["parent_active"]):
            found.add("PERSON_HISTORICISED")
        claim.number = (person["code"] or "").strip() or None
        if claim.number is None:
            found.add("EMPLOYEE_NUMBER_MISSING")
            return
        if not all(agree(_names(person), _names(other)) for other in self.holders[claim.number]):
            found.add("EMPLOYEE_NUMBER_SHARED")
        employees = self.employees[claim.number]
        if len(employees) != 1:
            found.add("EMPLOYEE_AMBIGUOUS" if employees else "EMPLOYEE_UNKNOWN")
            return
        self._employee(person, employees[0], found)

    def _employee(self, person: Row, employee: Row, found: set[str]) -> None:
        ended = _day(employee["employmentEndDate"])
        if employee["isDisabled"] or (ended and ended < self.today):
            found.add("EMPLOYEE_INACTIVE")
        both = person["birth_date"] and employee["birthDate"]
        same = both and person["birth_date"] == employee["birthDate"]
        if both and not same:
            found.add("BIRTH_DATE_MISMATCH")
        if not agree(_names(person), (employee["firstName"], employee["lastName"])):
            found.add("NAME_CHANGED" if same else "NAME_MISMATCH")

    def _disposition(self, claim: Claim) -> str:
        if claim.findings & {"RESOURCE_NOT_PERSON", "ACTION_TYPE_NOT_PUBLISHED"}:
            return "not_applicable"
        if claim.findings & CRITICAL:
            return "blocked"
        return "held" if "ACTION_LINK_MISSING" in claim.findings else "eligible"


def tokens(name: str) -> set[str]:
    """Fold a name and split it."""
    text = unicodedata.normalize("NFC", name).casefold().translate(_LETTERS)
    bare = "".join(x for x in unicodedata.normalize("NFKD", text) if not unicodedata.combining(x))
    return set(re.split(r"[^a-z0-9]+", bare)) - {""}


def agree(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Tell whether two (given, family) names agree, swapped on one side or not."""
    first, second = ([tokens(part) for part in name] for name in (one, other))
    return any(
        first[1] & pair[1] and any(a == b or ratio(a, b) >= 85 for a in first[0] for b in pair[0])
        for pair in (second, second[::-1])
    )


def _names(person: Row) -> tuple[str, str]:
    return person["first_name"], person["last_name"]


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        return None


def _rank(claim: Claim) -> tuple[str, str, str]:
    smaller = "".join(chr(255 - ord(x)) for x in claim.certificate["certificate_id"])
    return claim.expiry or "", claim.issued or "", smaller
