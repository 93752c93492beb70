"""Employees v5 and Users v4: two views of the same employees.

A row of `World.employees` carries the fields of both; `kind` tells whether it belongs to the
client's own company, to one of its project companies (always listed), or to a subsidiary (listed
by v4, and by v5 with `includeEmployeesFromSubsidiaries`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from certrecon_sandbox.ditio.errors import DitioError, not_found
from certrecon_sandbox.ditio.tokens import authenticate
from certrecon_sandbox.state import sandbox_of
from certrecon_sandbox.table import Row, Table
from certrecon_sandbox.world import World

router = APIRouter(dependencies=[Depends(authenticate)])

OWN, PROJECT, SUBSIDIARY = "own", "project", "subsidiary"
INCLUDES = {
    "tags": "tags",
    "employment-history": "employmentHistory",
    "work-time-arrangements": "workTimeArrangements",
}
_V5 = "companyProfileId companyId employeeNumber firstName lastName phone birthDate email workTitle"
_V4 = (
    "identityId companyProfileId companyId employeeNumber firstName lastName mobileWork "
    "mobilePrivate email workTitle birthDate carRegNumber employmentStartDate employmentEndDate "
    "department cardId cardExpirationDate payroll isDisabled defaultResourceNumber "
    "worktimeArrangementName organizationNumber mainProjectNumber address"
)
_EMPLOYEES = "/core/api/v5/integration/employees"
_USERS = "/core/api/v4/integration/users"
_own_numbers: WeakKeyDictionary[Table, tuple[int, frozenset[str]]] = WeakKeyDictionary()


def own_numbers(world: World) -> frozenset[str]:
    """Return the employee numbers that certificates may be sent for, exactly as stored."""
    known = _own_numbers.get(world.employees)
    if known is None or known[0] != world.employees.revision:
        numbers = frozenset(row["employeeNumber"] for row in world.employees if row["kind"] == OWN)
        known = _own_numbers[world.employees] = (world.employees.revision, numbers)
    return known[1]


def employee_v5(row: Row, includes: Iterable[str] = ()) -> Row:
    """Return an employee as v5 shows it."""
    shown = {name: row.get(name) for name in _V5.split()}
    shown["isDisabled"] = row["isDisabled"]
    shown["employment"] = {
        "startDate": row["employmentStartDate"],
        "endDate": row["employmentEndDate"],
        "department": row["department"],
        "payroll": int(bool(row["payroll"])),
    }
    return shown | {INCLUDES[name]: row.get(INCLUDES[name], []) for name in includes}


def user_v4(row: Row) -> Row:
    """Return an employee as v4 shows it."""
    return {name: row.get(name) for name in _V4.split()}


@router.get(_EMPLOYEES)
async def list_employees(
    request: Request,
    *,
    include: str | None = None,
    includeEmployeesFromSubsidiaries: bool = False,  # noqa: N803 (the vendor's name)
    continuationToken: str | None = None,  # noqa: N803
) -> Response:
    """List all employees."""
    includes = _includes(include)
    kinds = {OWN, PROJECT} | ({SUBSIDIARY} if includeEmployeesFromSubsidiaries else set())
    rows = [row for row in sandbox_of(request).world.employees if row["kind"] in kinds]
    return _answer_list(request, rows, lambda row: employee_v5(row, includes), continuationToken)


@router.get(_EMPLOYEES + "/search")
async def search_employees(request: Request, query: str = "", include: str | None = None) -> Response:
    """Search by name, phone, e-mail and employee number."""
    part = query.strip().casefold()
    if not part:
        raise DitioError(400, "ArgumentIsNull", "The query parameter is required.", "query")
    includes = _includes(include)
    world = sandbox_of(request).world
    found = [row for row in world.employees if row["kind"] == OWN and part in _searched(row)]
    return _answer(request, [employee_v5(row, includes) for row in found])


@router.get(_EMPLOYEES + "/{number}")
async def one_employee(request: Request, number: str, include: str | None = None) -> Response:
    """Show the employee with a number."""
    row = _by_number(request, number)
    return _answer(request, employee_v5(row, _includes(include)))


@router.get(_USERS)
async def list_users(request: Request, changedSince: str | None = None) -> Response:  # noqa: N803
    """List all users, or those changed since a moment."""
    rows: Iterable[Row] = sandbox_of(request).world.employees
    if changedSince is not None:
        since = _moment(changedSince)
        if since is None:
            raise DitioError(400, "ArgumentIsInvalid", "changedSince is not a date.", "changedSince")
        rows = [row for row in rows if (_moment(row["modified"]) or since) >= since]
    return _answer(request, [user_v4(row) for row in rows])


@router.get(_USERS + "/by-employee-number/{number}")
async def user_by_number(request: Request, number: str) -> Response:
    """Show the user with an employee number."""
    return _answer(request, user_v4(_by_number(request, number)))


@router.get(_USERS + "/by-profile-id/{profile}")
async def user_by_profile(request: Request, profile: str) -> Response:
    """Show the user with a profile id."""
    row = sandbox_of(request).world.employees.get(profile)
    if row is None:
        raise not_found("The user")
    return _answer(request, user_v4(row))


def _by_number(request: Request, number: str) -> Row:
    found = sandbox_of(request).world.employees.where("employeeNumber", number)
    if not found:
        raise not_found("The employee")
    return min(found, key=lambda row: (OWN, PROJECT, SUBSIDIARY).index(row["kind"]))


def _includes(asked: str | None) -> list[str]:
    names = [name.strip() for name in (asked or "").split(",") if name.strip()]
    wrong = [name for name in names if name not in INCLUDES]
    if wrong:
        raise DitioError(400, "ArgumentIsInvalid", f"Unknown include '{wrong[0][:40]}'.", "include")
    return names


def _answer_list(request: Request, rows: list[Row], show: Callable[[Row], Row], token: str | None) -> Response:
    options = sandbox_of(request).options
    if options.ditio_employees_shape == "array":
        return _answer(request, [show(row) for row in rows])
    start = int(token) if token and token.isdecimal() else 0
    end = start + max(options.ditio_employees_page_size, 1)
    following = str(end) if end < len(rows) else None
    page = {"data": [show(row) for row in rows[start:end]], "continuationToken": following}
    return _answer(request, page)


def _answer(request: Request, value: Any) -> Response:
    if sandbox_of(request).options.ditio_casing == "pascal":
        value = _pascal(value)
    return Response(msgspec.json.encode(value), media_type="application/json; charset=utf-8")


def _pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: _pascal(inner) for name, inner in value.items()}
    return [_pascal(inner) for inner in value] if isinstance(value, list) else value


def _searched(row: Row) -> str:
    names = ("firstName", "lastName", "phone", "email", "employeeNumber")
    return " ".join(str(row.get(name) or "") for name in names).casefold()


@lru_cache(maxsize=4096)
def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
