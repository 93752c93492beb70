"""4HSE's Person, Project and Action, which are only read (reference, 2.5, 2.7 and 2.8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from certrecon.api.fourhse_api.words import ActionType, ProjectStatus, ProjectType
from certrecon.api.requirements import Search, may
from certrecon.api.value_kinds import Day, OneOf, Text, Whole
from certrecon.api.vendor_rows import VendorRow

_FLAG = Whole(0, 1)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class PersonRow(VendorRow):
    """A person as 4HSE answers it.

    Attributes:
        code: The company's employee number, as text.
        owned_active: Whether the person is current; False = historicised.
        parent_active: Whether what the person belongs to is current.
    """

    what: ClassVar[str] = "4HSE person"
    key: ClassVar[str] = "person_id"
    private: ClassVar[frozenset[str]] = frozenset({"note"})

    person_id: str | None = None
    code: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    birth_date: str | None = None
    birth_place: str | None = None
    tax_code: str | None = None
    sex: str | None = None
    street: str | None = None
    locality: str | None = None
    postal_code: str | None = None
    region: str | None = None
    country: str | None = None
    note: str | None = None
    contract_type: str | None = None
    is_employee: int | None = None
    is_prevention_people: int | None = None
    entity_id: str | None = None
    related_user: str | None = None
    project_id: str | None = None
    project_name: str | None = None
    owned_active: bool | None = None
    parent_active: bool | None = None


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class PersonFilter(Search):
    """Which persons to list: every field that is given must be equal (names: contain the text)."""

    what: ClassVar[str] = "A search for 4HSE persons"

    person_id: str | None = field(default=None, metadata=may(Text()))
    code: str | None = field(default=None, metadata=may(Text(50)))
    first_name: str | None = field(default=None, metadata=may(Text(70)))
    last_name: str | None = field(default=None, metadata=may(Text(70)))
    birth_date: date | str | None = field(default=None, metadata=may(Day()))
    birth_place: str | None = field(default=None, metadata=may(Text(150)))
    tax_code: str | None = field(default=None, metadata=may(Text(30)))
    sex: str | None = field(default=None, metadata=may(Text(10)))
    street: str | None = field(default=None, metadata=may(Text(255)))
    locality: str | None = field(default=None, metadata=may(Text(50)))
    postal_code: str | None = field(default=None, metadata=may(Text(50)))
    region: str | None = field(default=None, metadata=may(Text(150)))
    country: str | None = field(default=None, metadata=may(Text(50)))
    note: str | None = field(default=None, metadata=may(Text()))
    contract_type: str | None = field(default=None, metadata=may(Text()))
    is_employee: int | None = field(default=None, metadata=may(_FLAG))
    is_prevention_people: int | None = field(default=None, metadata=may(_FLAG))
    entity_id: str | None = field(default=None, metadata=may(Text()))
    related_user: str | None = field(default=None, metadata=may(Text()))
    project_id: str | None = field(default=None, metadata=may(Text()))
    project_name: str | None = field(default=None, metadata=may(Text()))


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class ProjectRow(VendorRow):
    """A project as 4HSE answers it; its id is `tenant_id` elsewhere."""

    what: ClassVar[str] = "4HSE project"
    key: ClassVar[str] = "project_id"

    project_id: str | None = None
    name: str | None = None
    description: str | None = None
    country: str | None = None
    status: str | None = None
    project_type: str | None = None


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class ProjectFilter(Search):
    """Which projects to list."""

    what: ClassVar[str] = "A search for 4HSE projects"

    name: str | None = field(default=None, metadata=may(Text(50)))
    status: ProjectStatus | str | None = field(default=None, metadata=may(OneOf(ProjectStatus)))
    project_type: ProjectType | str | None = field(default=None, metadata=may(OneOf(ProjectType)))


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class ActionRow(VendorRow):
    """A requirement (a course, an examination, a check) of one office.

    Attributes:
        subtenant_id: The office.
        expire_interval: How many days before its end a certificate counts as expiring.
    """

    what: ClassVar[str] = "4HSE action"
    key: ClassVar[str] = "action_id"

    action_id: str | None = None
    action_type: str | None = None
    code: str | None = None
    name: str | None = None
    description: str | None = None
    validity_unit: str | None = None
    validity: int | None = None
    expire_interval: int | None = None
    subtenant_id: str | None = None
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class ActionFilter(Search):
    """Which actions to list: every field that is given must be equal (names: contain the text)."""

    what: ClassVar[str] = "A search for 4HSE actions"

    action_id: str | None = field(default=None, metadata=may(Text()))
    action_type: ActionType | str | None = field(default=None, metadata=may(OneOf(ActionType)))
    code: str | None = field(default=None, metadata=may(Text()))
    name: str | None = field(default=None, metadata=may(Text()))
    subtenant_id: str | None = field(default=None, metadata=may(Text()))
    tenant_id: str | None = field(default=None, metadata=may(Text()))
    office_name: str | None = field(default=None, metadata=may(Text()))
    project_name: str | None = field(default=None, metadata=may(Text()))
    project_type: ProjectType | str | None = field(default=None, metadata=may(OneOf(ProjectType)))
