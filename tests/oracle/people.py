"""Who a claim is about, and the findings on that (From certificates to claims, 4 and 5)."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

from tests.oracle.dates import loose_day
from tests.oracle.text import Name, is_false, names_agree, number_of, text

if TYPE_CHECKING:
    from tests.oracle.drafts import Draft
    from tests.oracle.ledger import Ledger
    from tests.oracle.sources import Employee, Sources
    from tests.oracle.world import Row, World


class People:
    """The persons and employees of a run, by number."""

    def __init__(self, world: World, sources: Sources, ledger: Ledger, settings: Row) -> None:
        """Note who carries which number, and which numbers are shared by different names."""
        self.world, self.sources, self.ledger = world, sources, ledger
        self.person_field = settings["employee_match"]["person_field"]
        self.employees: dict[str, list[Employee]] = defaultdict(list)
        for employee in sources.employees:
            self.employees[employee.number].append(employee)
        carriers: dict[str, list[Name]] = defaultdict(list)
        for persons in sources.persons.values():
            for person_id, person in persons.items():
                carriers[self.number(person_id, person) or ""].append(name_of(person))
        self.shared = {
            number
            for number, names in carriers.items()
            if not all(names_agree(one, other) for one, other in combinations(names, 2))
        }

    def number(self, person_id: str, person: Row) -> str | None:
        """The employee number of a person: the crosswalk's, else the person field's."""
        crosswalk = {person_id.strip(): number for person_id, number in self.world.crosswalk.items()}
        return number_of(crosswalk.get(person_id, person.get(self.person_field)))

    def find(self, draft: Draft) -> None:
        """Note the person, the number and the one employee of a claim."""
        person_id = text(draft.certificate.get("resource_id")) or ""
        draft.person = self.sources.persons[draft.tenant].get(person_id)
        if draft.person is not None:
            draft.number = self.number(person_id, draft.person)
        matches = self.employees[draft.number] if draft.number else []
        draft.employee = matches[0] if len(matches) == 1 else None

    def judge(self, draft: Draft) -> set[str]:
        """Findings on person, employee and names of an applicable claim."""
        if draft.person is None:
            return {"PERSON_UNKNOWN"}
        found = set()
        if any(is_false(draft.person.get(flag)) for flag in ("owned_active", "parent_active")):
            found.add("PERSON_HISTORICISED")
        if draft.number is None:
            return found | {"EMPLOYEE_NUMBER_MISSING"}
        if draft.number in self.shared:
            found.add("EMPLOYEE_NUMBER_SHARED")
        if draft.employee is None:
            many = bool(self.employees[draft.number])
            return found | {"EMPLOYEE_AMBIGUOUS" if many else "EMPLOYEE_UNKNOWN"}
        if draft.employee.inactive(self.world.as_of):
            found.add("EMPLOYEE_INACTIVE")
        if self._reused(draft, draft.number, draft.employee):
            found.add("EMPLOYEE_NUMBER_REUSED")
        return found | _names(draft.person, draft.employee)

    def _reused(self, draft: Draft, number: str, employee: Employee) -> bool:
        person_id = text(draft.certificate.get("resource_id"))
        return any(
            text(entry["person_id"]) != person_id
            and not names_agree((entry["given_name"], entry["family_name"]), employee.name)
            for entry in self.ledger.last_deliveries(number)
        )


def name_of(person: Row) -> Name:
    """Given name and surname of a 4HSE person."""
    return text(person.get("first_name")), text(person.get("last_name"))


def _names(person: Row, employee: Employee) -> set[str]:
    born = loose_day(person.get("birth_date"))
    both_known = born is not None and employee.birth_day is not None
    same_birth = both_known and born == employee.birth_day
    found = {"BIRTH_DATE_MISMATCH"} if both_known and not same_birth else set()
    if not names_agree(name_of(person), employee.name):
        found.add("NAME_CHANGED" if same_birth else "NAME_MISMATCH")
    return found
