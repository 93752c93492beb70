"""Ditio's certificates, employees and users as an open client reads and writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec

from certrecon.api.ditio import DitioClient
from certrecon.api.ditio_api.certificates import DitioCertificate, batches, stated
from certrecon.api.ditio_api.employees import EmployeeRow, Include, UserRow
from certrecon.api.requirements import check_value
from certrecon.api.rows import raw_row
from certrecon.api.value_kinds import Moment, OneOf, Text, Whole
from certrecon.api.vendor_rows import VendorRow
from certrecon.errors import RequestRefusedError

BATCH_SIZE = 100
_EMPLOYEES = "/api/v5/integration/employees"
_USERS = "/api/v4/integration/users"
Row = TypeVar("Row", bound=VendorRow)
Includes = Iterable[Include | str]


class DitioRecords:
    """Everything that the documents let one do with Ditio's certificates and employees.

    ```python
    async with DitioClient(endpoint) as client:
        anna = await DitioRecords(client).employee("1042")
    ```
    """

    def __init__(self, client: DitioClient) -> None:
        """Use an open client."""
        self._client = client

    async def upsert_certificates(
        self, certificates: Iterable[DitioCertificate | Mapping[str, Any]], *, batch_size: int = BATCH_SIZE
    ) -> int:
        """Create or update certificates, and return how many Ditio acknowledged: all of them.

        All are checked before the first request. Sent again where there was no answer: doing it twice is
        the same as doing it once.

        Args:
            certificates: What to send; mappings have Ditio's names.
            batch_size: How many in one request; Ditio documents no limit.

        Raises:
            RequirementError: A documented requirement is not met; nothing was sent.
            RequestRefusedError: Ditio refused a batch. What came before in it may have been saved.
        """
        check_value("A certificates upsert", "batch_size", batch_size, Whole(1))
        checked, done = stated(certificates), 0
        for rows in batches(checked, batch_size):
            try:
                await self._client.upsert(msgspec.json.encode(rows))
            except RequestRefusedError as error:
                told, status = str(error), error.status
            else:
                done += len(rows)
                continue
            raise RequestRefusedError(
                f"{told}. Rows 1 to {done} of {len(checked)} were saved, of rows {done + 1} to {done + len(rows)} "
                "those before the one at fault may have been; sending them again does no harm",
                status,
            )
        return done

    async def employees(self, include: Includes = (), *, subsidiaries: bool = False) -> list[EmployeeRow]:
        """Return every employee (v5).

        Args:
            include: What to give beside each employee; found in `other`.
            subsidiaries: Whether employees of subsidiaries come too.
        """
        query = _include(include) | ({"includeEmployeesFromSubsidiaries": "true"} if subsidiaries else {})
        return [_row(EmployeeRow, bytes(raw)) for raw in await self._client.listed(_EMPLOYEES, query)]

    async def employee(self, employee_number: str, include: Includes = ()) -> EmployeeRow | None:
        """Return the employee (v5) with a number, or None."""
        check_value("A look at a Ditio employee", "employeeNumber", employee_number, Text())
        body = await self._client.one(_EMPLOYEES, employee_number, _include(include))
        return None if body is None else _row(EmployeeRow, body)

    async def search_employees(self, text: str, include: Includes = ()) -> list[EmployeeRow]:
        """Return the employees (v5) whose name, phone, e-mail or number has a text in it."""
        check_value("A search for Ditio employees", "query", text, Text())
        query = {"query": text} | _include(include)
        return [_row(EmployeeRow, bytes(raw)) for raw in await self._client.listed(f"{_EMPLOYEES}/search", query)]

    async def users(self, changed_since: datetime | date | str | None = None) -> list[UserRow]:
        """Return every user (v4), or those changed since a moment (with its zone)."""
        query = {}
        if changed_since is not None:
            check_value("A list of Ditio users", "changedSince", changed_since, Moment())
            query["changedSince"] = str(Moment().plain(changed_since))
        return [_row(UserRow, bytes(raw)) for raw in await self._client.listed(_USERS, query)]

    async def user_by_employee_number(self, employee_number: str) -> UserRow | None:
        """Return the user (v4) with an employee number, or None."""
        return await self._user("by-employee-number", "employeeNumber", employee_number)

    async def user_by_profile_id(self, company_profile_id: str) -> UserRow | None:
        """Return the user (v4) with a profile id, or None."""
        return await self._user("by-profile-id", "companyProfileId", company_profile_id)

    async def _user(self, way: str, field: str, value: str) -> UserRow | None:
        check_value("A look at a Ditio user", field, value, Text())
        body = await self._client.one(f"{_USERS}/{way}", value)
        return None if body is None else _row(UserRow, body)


def _include(include: Includes) -> dict[str, str]:
    wanted = [include] if isinstance(include, str) else list(include)
    for one in wanted:
        check_value("A list of Ditio employees", "include", one, OneOf(Include))
    return {"include": ",".join(map(str, wanted))} if wanted else {}


def _row(kind: type[Row], body: bytes) -> Row:
    return kind.read(raw_row(body, f"A {kind.what}"))
