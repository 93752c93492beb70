"""Ditio's employees (v5) and users (v4), which are only read (reference, 3.3 and 3.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from certrecon.api.vendor_rows import VendorRow, named


class Include(StrEnum):
    """What v5 gives beside an employee on request."""

    TAGS = "tags"
    EMPLOYMENT_HISTORY = "employment-history"
    WORK_TIME_ARRANGEMENTS = "work-time-arrangements"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class EmployeeRow(VendorRow):
    """An employee as v5 answers it; what is asked for by `include` is in `other` under Ditio's name.

    Attributes:
        employment: As received: an object, a list of them, or anything else; no document shows this answer.
    """

    what: ClassVar[str] = "Ditio employee"
    key: ClassVar[str] = "employee_number"

    employee_number: str | None = field(default=None, metadata=named("employeeNumber"))
    first_name: str | None = field(default=None, metadata=named("firstName"))
    last_name: str | None = field(default=None, metadata=named("lastName"))
    phone: str | None = None
    birth_date: str | None = field(default=None, metadata=named("birthDate"))
    email: str | None = None
    work_title: str | None = field(default=None, metadata=named("workTitle"))
    employment: Any = None
    company_profile_id: str | None = field(default=None, metadata=named("companyProfileId"))
    company_id: str | None = field(default=None, metadata=named("companyId"))
    is_disabled: bool | None = field(default=None, metadata=named("isDisabled"))


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class UserRow(VendorRow):
    """A user as v4 answers it; the list covers subsidiaries and project companies too."""

    what: ClassVar[str] = "Ditio user"
    key: ClassVar[str] = "company_profile_id"

    identity_id: str | None = field(default=None, metadata=named("identityId"))
    company_profile_id: str | None = field(default=None, metadata=named("companyProfileId"))
    company_id: str | None = field(default=None, metadata=named("companyId"))
    employee_number: str | None = field(default=None, metadata=named("employeeNumber"))
    first_name: str | None = field(default=None, metadata=named("firstName"))
    last_name: str | None = field(default=None, metadata=named("lastName"))
    mobile_work: str | None = field(default=None, metadata=named("mobileWork"))
    mobile_private: str | None = field(default=None, metadata=named("mobilePrivate"))
    email: str | None = None
    work_title: str | None = field(default=None, metadata=named("workTitle"))
    birth_date: str | None = field(default=None, metadata=named("birthDate"))
    car_reg_number: str | None = field(default=None, metadata=named("carRegNumber"))
    employment_start_date: str | None = field(default=None, metadata=named("employmentStartDate"))
    employment_end_date: str | None = field(default=None, metadata=named("employmentEndDate"))
    department: str | None = None
    card_id: str | None = field(default=None, metadata=named("cardId"))
    card_expiration_date: str | None = field(default=None, metadata=named("cardExpirationDate"))
    payroll: bool | None = None
    is_disabled: bool | None = field(default=None, metadata=named("isDisabled"))
    default_resource_number: str | None = field(default=None, metadata=named("defaultResourceNumber"))
    worktime_arrangement_name: str | None = field(default=None, metadata=named("worktimeArrangementName"))
    organization_number: str | None = field(default=None, metadata=named("organizationNumber"))
    main_project_number: str | None = field(default=None, metadata=named("mainProjectNumber"))
    address: str | None = None
