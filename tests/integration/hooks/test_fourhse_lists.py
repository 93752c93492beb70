"""Every filter and every order of every list that 4HSE documents, over HTTP against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import pytest

from certrecon.api.fourhse_api import entities
from certrecon.api.fourhse_api.entities import AnyListed
from certrecon.api.fourhse_api.listing import RowsPage
from certrecon.api.vendor_rows import VendorRow
from certrecon_plugin.hooks.fourhse import FourHseHook
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.table import Row, Table

OFFICE = "00000000-0000-4000-8000-00000000000f"
PER_PAGE = 60


@dataclass(frozen=True)
class Documented:
    """What the documents say of one list, written down here a second time.

    Attributes:
        entity: What the project knows of it.
        read: How the hook reads it.
        table: Where the sandbox has its rows.
        equal: Filters that must be equal.
        contains: Filters of which a part is enough.
        sorts: Fields that it can be sorted by.
        marks: Values that one row is given, so that few others have them.
    """

    entity: AnyListed
    read: Callable[[FourHseHook], Any]
    table: str
    equal: str
    contains: str
    sorts: str
    marks: Row = field(default_factory=dict)


CERTIFICATES = Documented(
    entities.CERTIFICATES,
    lambda hook: hook.certificates,
    "certificates",
    equal="certificate_id date_release date_expire action_type resource_id resource_type data warning tenant_id "
    "subtenant_id subtenant_type validity_unit validity",
    contains="name note resource_name project_name",
    sorts="date_release date_expire name action_type",
    marks={
        "note": "seen by the doctor", "data": {"result": 1}, "warning": 1, "validity": 7, "validity_unit": "MONTH",
        "subtenant_id": OFFICE, "subtenant_type": "UNIT", "date_expire": "2031-02-03", "resource_type": "SUBSTANCE",
    },
)  # fmt: skip
LINKS = Documented(
    entities.CERTIFICATE_ACTIONS,
    lambda hook: hook.certificate_actions,
    "links",
    equal="certificate_action_id certificate_id action_id date_expire is_date_inherited tenant_id action_code "
    "action_type resource_id date_release",
    contains="action_name certificate_name office_name",
    sorts="date_expire action_name certificate_name",
    marks={"is_date_inherited": 0, "date_expire": "2031-02-03", "action_name": "Blasting", "office_name": "Røros"},
)
PERSONS = Documented(
    entities.PERSONS,
    lambda hook: hook.persons,
    "persons",
    equal="person_id code birth_date tax_code sex postal_code country contract_type is_employee is_prevention_people "
    "entity_id related_user project_id",
    contains="first_name last_name birth_place street locality region note project_name",
    sorts="first_name last_name code tax_code birth_date",
    marks={
        "code": "0042 ", "birth_date": "1971-02-03", "birth_place": "Røros", "tax_code": "T-1", "sex": "X",
        "street": "Kjerkgata 1", "locality": "Røros", "postal_code": "7374", "region": "Trøndelag", "country": "SE",
        "note": "works at night", "contract_type": "seasonal", "is_employee": 0, "is_prevention_people": 1,
        "entity_id": "anna@example.com", "related_user": "relatedUser_manager", "last_name": "Bjørnstad-Å",
    },
)  # fmt: skip
PROJECTS = Documented(
    entities.PROJECTS,
    lambda hook: hook.projects,
    "projects",
    equal="status project_type",
    contains="name",
    sorts="",
    marks={"status": "pending_delete", "project_type": "template", "name": "Røros tunnel"},
)
ACTIONS = Documented(
    entities.ACTIONS,
    lambda hook: hook.actions,
    "actions",
    equal="action_id action_type code subtenant_id tenant_id project_type",
    contains="name office_name project_name",
    sorts="code name action_type office_name",
    marks={
        "code": "SPR-9",
        "name": "Blasting",
        "subtenant_id": OFFICE,
        "office_name": "Røros",
        "project_type": "template",
    },
)
LISTS = [CERTIFICATES, LINKS, PERSONS, PROJECTS, ACTIONS]


def per_list(names: Callable[[Documented], list[str]]) -> list[Any]:
    """Return a case for every name of every list."""
    return [pytest.param(one, name, id=f"{one.entity.path}.{name}") for one in LISTS for name in names(one)]


def marked(vendors: SandboxServer, listed: Documented) -> tuple[Table, Row]:
    """Give the marks to the last row that all projects' users see, and return it with its table."""
    table = vendors.world.tables()[listed.table]
    key = listed.entity.row.key
    identity = [row[key] for row in table if row.get("owned_active") is not False][-1]
    return table, table.change(identity, listed.marks)


def matches(row: Row, listed: Documented, name: str, wanted: Any) -> bool:
    value = row.get(name)
    if name in listed.contains.split():
        return value is not None and wanted.casefold() in value.casefold()
    return bool(value == wanted)


def value_of(row: VendorRow, name: str) -> Any:
    return getattr(row, name) if name in row.columns() else row.other.get(name)


@pytest.mark.parametrize("listed", LISTS, ids=[one.entity.path for one in LISTS])
def test_this_page_has_every_filter_and_order_of_the_hook(listed: Documented) -> None:
    asked = {one.metadata["wire"] or one.name for one in fields(listed.entity.filter)}
    assert asked == {*listed.equal.split(), *listed.contains.split()}
    assert set(listed.entity.sorts) == set(listed.sorts.split())


@pytest.mark.parametrize(("listed", "name"), per_list(lambda listed: [*listed.equal.split(), *listed.contains.split()]))
def test_a_filter_is_sent_and_leaves_the_others_out(
    fourhse: FourHseHook, vendors: SandboxServer, listed: Documented, name: str
) -> None:
    table, row = marked(vendors, listed)
    wanted = row[name] if name in listed.equal.split() else row[name][1:].upper()
    expected = {one[table.key] for one in table if matches(one, listed, name, wanted)}
    assert row[table.key] in expected
    assert len(expected) < len(table), "there are others to leave out"

    found = listed.read(fourhse).rows({name: wanted}, history=listed.entity.history)
    assert {one.row_id for one in found} == expected
    for asked in vendors.sandbox.journal.lists:
        assert asked.entity == listed.entity.path
        assert asked.body["filter"] == {name: wanted}
        assert asked.body.get("history") == (True if listed.entity.history else None)
    by_object = listed.read(fourhse).rows(listed.entity.filter(**{name: wanted}), history=listed.entity.history)
    assert [one.row_id for one in by_object] == [one.row_id for one in found]


def test_filters_that_are_given_together_are_sent_together(fourhse: FourHseHook, vendors: SandboxServer) -> None:
    for listed in LISTS:
        table, row = marked(vendors, listed)
        where = {name: row[name] for name in (*listed.equal.split(), *listed.contains.split())}
        found = listed.read(fourhse).rows(where, history=listed.entity.history)
        assert [one.row_id for one in found] == [row[table.key]]
        assert vendors.sandbox.journal.lists[-1].body["filter"] == where


@pytest.mark.parametrize(
    ("listed", "sort"), per_list(lambda listed: [sign + name for name in listed.sorts.split() for sign in ("", "-")])
)
def test_every_page_in_the_order_asked_for(
    fourhse: FourHseHook, vendors: SandboxServer, listed: Documented, sort: str
) -> None:
    history = listed.entity.history
    ours = vendors.world.tables()[listed.table]
    pages: list[RowsPage[Any]] = list(listed.read(fourhse).pages(sort=sort, per_page=PER_PAGE, history=history))
    count = -(-len(ours) // PER_PAGE)
    assert [page.number for page in pages] == list(range(1, count + 1))
    assert {(page.per_page, page.total_count, page.page_count) for page in pages} == {(PER_PAGE, len(ours), count)}
    assert [(asked.body["sort"], asked.body["page"]) for asked in vendors.sandbox.journal.lists] == [
        (sort, page.number) for page in pages
    ]
    rows = [row for page in pages for row in page.rows]
    assert {row.row_id for row in rows} == set(ours.rows)
    known = [value.casefold() for row in rows if (value := value_of(row, sort.removeprefix("-"))) is not None]
    assert len(set(known)) > 1, "there is an order to see"
    assert known == sorted(known, reverse=sort.startswith("-"))
