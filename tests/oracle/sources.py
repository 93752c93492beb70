"""What a run keeps of the vendors' rows (Extraction; Fine print: person, employee)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from tests.oracle.dates import loose_day
from tests.oracle.text import Name, is_false, is_true, number_of, text, trimmed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oracle.world import Row, World

HEALTH = "HEALTH"


@dataclass(frozen=True)
class Employee:
    """A Ditio employee as far as the rules use it."""

    as_given: str
    number: str
    name: Name
    birth_day: date | None
    disabled: bool
    ends: tuple[date, ...]
    open_employment: bool

    def inactive(self, as_of: date) -> bool:
        """Whether the employee is disabled, or the latest employment ended before `as_of`."""
        ended = bool(self.ends) and not self.open_employment and max(self.ends) < as_of
        return self.disabled or ended


@dataclass(frozen=True)
class Sources:
    """The rows of a run, keyed by tenant and then by id."""

    certificates: dict[str, dict[str, Row]]
    links: dict[str, dict[str, Row]]
    persons: dict[str, dict[str, Row]]
    employees: list[Employee]
    by_certificate: dict[tuple[str, str | None], list[Row]]

    def links_of(self, tenant: str, certificate_id: str) -> list[Row]:
        """The links of one certificate, joined within its tenant."""
        return self.by_certificate.get((tenant, certificate_id), [])

    def dangling(self) -> list[str]:
        """Ids of links whose certificate is not there."""
        return sorted(
            link_id
            for tenant, links in self.links.items()
            for link_id, row in links.items()
            if text(row.get("certificate_id")) not in self.certificates[tenant]
        )


def read(world: World, tenants: list[str], settings: Row) -> Sources:
    """Read the tenants of the run and the employees.

    Raises:
        ValueError: when a certificate comes from two tenants.

    """
    certificates = {t: _rows(world.certificates.get(t, []), t, "certificate_id", "tenant_id") for t in tenants}
    every_id = [certificate_id for rows in certificates.values() for certificate_id in rows]
    if len(every_id) != len(set(every_id)):
        raise ValueError("a certificate in two tenants")
    links = {t: _rows(world.links.get(t, []), t, "certificate_action_id", "tenant_id") for t in tenants}
    persons = {t: _rows(world.persons.get(t, []), t, "person_id", "project_id") for t in tenants}
    if HEALTH not in settings["publish_action_types"]:
        for tenant in tenants:
            _drop_health(certificates[tenant], links[tenant])
    by_certificate: dict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for tenant in tenants:
        for row in links[tenant].values():
            by_certificate[tenant, text(row.get("certificate_id"))].append(row)
    return Sources(certificates, links, persons, _employees(world, settings), by_certificate)


def _rows(rows: list[Row], tenant: str, key: str, tenant_field: str) -> dict[str, Row]:
    kept: dict[str, Row] = {}
    for row in rows:
        row_id = text(row.get(key))
        if row_id is None:
            raise ValueError(f"a row without {key}")
        if text(row.get(tenant_field)) in {None, tenant}:
            kept.setdefault(row_id, dict(row))
    return kept


def _drop_health(certificates: dict[str, Row], links: dict[str, Row]) -> None:
    for row in certificates.values():
        if _is_health(row):
            row["name"] = None
    medical = {certificate_id for certificate_id, row in certificates.items() if _is_health(row)}
    for row in links.values():
        certificate_id = text(row.get("certificate_id")) or ""
        if _is_health(row) or certificate_id in medical:
            row["action_name"] = row["action_code"] = None
            certificates.get(certificate_id, {})["name"] = None


def _is_health(row: Row) -> bool:
    return (trimmed(row.get("action_type")) or "").upper() == HEALTH


def _employees(world: World, settings: Row) -> list[Employee]:
    company = trimmed(settings["ditio"]["company_id"])
    rows = [_lowered(row) for row in world.employees]
    return [_employee(row) for row in rows if company is None or trimmed(row.get("companyid")) == company]


def _lowered(row: Row) -> Row:
    return {key.lower(): value for key, value in row.items()}


def _employee(row: Row) -> Employee:
    employment = row.get("employment")
    history = [
        _lowered(item)
        for value in (employment, row.get("employmenthistory"))
        if isinstance(value, list)
        for item in value
    ]
    single = _lowered(employment) if isinstance(employment, dict) else {}
    return Employee(
        as_given=text(row.get("employeenumber")) or "",
        number=number_of(row.get("employeenumber")) or "",
        name=(text(row.get("firstname")), text(row.get("lastname"))),
        birth_day=loose_day(row.get("birthdate")),
        disabled=_disabled(row),
        ends=tuple(_ends([row, single, *history])),
        open_employment=any(not list(_ends([item])) for item in history),
    )


def _disabled(row: Row) -> bool:
    on = any(is_true(row.get(name)) for name in ("isdisabled", "disabled"))
    return on or any(is_false(row.get(name)) for name in ("isactive", "isactiveemployment"))


def _ends(rows: list[Row]) -> Iterator[date]:
    for row in rows:
        for name in ("enddate", "employmentenddate"):
            if trimmed(row.get(name)) is not None:
                yield loose_day(row[name]) or date.min
