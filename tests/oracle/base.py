"""The tiny base world, small edits of it, and what a case is.

The base world: tenant `t1`; person `p1` Kari Nordmann, number 1042, who is the one Ditio employee;
certificate `c1`, issued 2025-01-15, valid until 2028-01-15, linked by `l1` (code BYGG) without an expiry of
its own. Judged on 2026-06-15 it makes one claim of type Byggekort without findings, `planned`.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.oracle.world import Row, World, payload_sha256

AS_OF = date(2026, 6, 15)
Edit = Callable[[World], None]

CERTIFICATE: Row = {
    "certificate_id": "c1",
    "date_release": "2025-01-15",
    "date_expire": "2028-01-15",
    "name": "Course certificate",
    "action_type": "TRAINING",
    "resource_id": "p1",
    "resource_type": "PERSON",
    "resource_name": "Nordmann Kari",
    "warning": 0,
    "tenant_id": "t1",
    "project_name": "Acme",
}
LINK: Row = {
    "certificate_action_id": "l1",
    "certificate_id": "c1",
    "action_id": "a1",
    "date_expire": None,
    "tenant_id": "t1",
    "action_name": "Site safety",
    "action_code": "BYGG",
    "action_type": "TRAINING",
    "resource_id": "p1",
}
PERSON: Row = {
    "person_id": "p1",
    "project_id": "t1",
    "code": "1042",
    "first_name": "Kari",
    "last_name": "Nordmann",
    "birth_date": "1990-05-17",
    "owned_active": True,
    "parent_active": True,
}
EMPLOYEE: Row = {
    "employeeId": "e1",
    "employeeNumber": "1042",
    "firstName": "Kari",
    "lastName": "Nordmann",
    "birthDate": "1990-05-17",
    "companyId": "k1",
    "isDisabled": False,
    "employment": {"startDate": "2019-01-01", "endDate": None},
}
SETTINGS: Row = {
    "tenants": [],
    "publish_action_types": ["TRAINING"],
    "certificate_types": [
        {"certificate_type": "Byggekort", "action_code": ["BYGG"]},
        {"certificate_type": "Kranførerbevis", "action_name": "(?i)crane|kran", "max_validity_years": 10},
        {"certificate_type": "Brannvern", "certificate_name": "(?i)fire safety"},
    ],
    "unlinked": "hold",
    "no_expiry": "block",
    "no_expiry_date": "2099-12-31",
    "expiring_within_days": 60,
}
PAYLOAD: dict[str, str] = {
    "employeeNumber": "1042",
    "certificateType": "Byggekort",
    "issuedDateTime": "2025-01-15T00:00:00Z",
    "validUntilDateTime": "2028-01-15T00:00:00Z",
    "certificateNumber": "c1",
}


@dataclass(frozen=True)
class Expect:
    """A claim as it must come out; `columns` names further columns of the claim that are compared."""

    disposition: str
    findings: tuple[str, ...]
    certificate_id: str
    certificate_type: str | None
    columns: Row


@dataclass(frozen=True)
class Case:
    """A world and what the contract says comes of it.

    Attributes:
        id: name of the case.
        rule: where the contract says so, in its words or nearly.
        edits: changes of the base world, in order.
        claims: all the claims of the run.
        withdrawn: all withdrawals, as (employee number, certificate type, reason).
        totals: totals that are compared, by name.
        dangling: number of dangling links.
        refused: the run's first task refuses the world; nothing else is compared.
        choice: number of the oracle's choice the expectation rests on; 0 = the contract says it.

    """

    id: str
    rule: str
    edits: tuple[Edit, ...]
    claims: tuple[Expect, ...] = ()
    withdrawn: tuple[tuple[str, str, str], ...] = ()
    totals: dict[str, int] = field(default_factory=dict)
    dangling: int = 0
    refused: bool = False
    choice: int = 0

    def world(self) -> World:
        """Make the case's world anew."""
        world = base_world()
        for edit in self.edits:
            edit(world)
        return world


def claim(disposition: str, *findings: str, cid: str = "c1", type_: str | None = "Byggekort", **columns: Any) -> Expect:
    """Write down an expected claim; codes come sorted."""
    return Expect(disposition, tuple(sorted(findings)), cid, type_, columns)


def base_world() -> World:
    """Make the base world anew."""
    return deepcopy(
        World(
            certificates={"t1": [CERTIFICATE]},
            links={"t1": [LINK]},
            persons={"t1": [PERSON]},
            employees=[EMPLOYEE],
            ledger=[],
            settings=SETTINGS,
            as_of=AS_OF,
        )
    )


def entry(number: str = "1042", type_: str = "Byggekort", cid: str = "c1", **fields: Any) -> Row:
    """Write down a ledger entry: the base claim's delivery, acknowledged on 2026-06-01, with other fields.

    `acknowledged_payload` (None = never acknowledged) and `payload` are given as payloads and hashed here.
    """
    payload = {**PAYLOAD, "employeeNumber": number, "certificateType": type_, "certificateNumber": cid}
    row: Row = {
        "employee_number": number,
        "certificate_type": type_,
        "certificate_id": cid,
        "person_id": "p1",
        "given_name": "Kari",
        "family_name": "Nordmann",
        "payload": payload,
        "acknowledged_payload": payload,
        "state": "acknowledged",
        "acknowledged_at": "2026-06-01T02:00:00+00:00",
        "first_acknowledged_at": "2026-06-01T02:00:00+00:00",
        "in_doubt": False,
        **fields,
    }
    acknowledged = row["acknowledged_payload"]
    row["payload_sha256"] = payload_sha256(row["payload"])
    row["acknowledged_payload_sha256"] = None if acknowledged is None else payload_sha256(acknowledged)
    return row
