"""A small run, made by hand: every disposition of a publishing run, and whatever a report has to say."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pyarrow as pa

from certrecon.dispositions.decide import DECIDED, PLAN
from certrecon.dispositions.payloads import payload_texts
from certrecon.dispositions.withdrawals import WITHDRAWN
from certrecon.publishing.guards import TrippedGuard
from certrecon.report import ANSWERS, EARLIER_PAYLOADS, DatasetTotal, ReportInputs, RunHead
from certrecon.words import Guard, Mode, Severity

DAY = dt.date(2026, 11, 23)

HEAD = RunHead(
    run_seq=42,
    run_id="manual__2026-11-23T10:00:00+00:00",
    mode=Mode.PUBLISH,
    target="5f2c" * 16,
    run_day=DAY,
    as_of=DAY,
    tenants=(),
    trigger="manual",
    triggered_by="kari",
    code_version="0.1.0",
    settings_sha256="ab" * 32,
    inputs_sha256="cd" * 32,
    baseline=41,
)

_CLAIM: dict[str, Any] = {
    "certificate_type": "Byggekort",
    "tenant_id": "north",
    "certificate_name": "Site card",
    "action_type": "TRAINING",
    "resource_type": "PERSON",
    "issued_on": dt.date(2025, 3, 1),
    "valid_until": dt.date(2028, 3, 1),
    "issued_received": "2025-03-01",
    "expiry_received": "2028-03-01",
    "expiry_source": 1,
    "employees": 1,
    "applicable": True,
    "linked": True,
    "findings": [],
    "payload_sha256": None,
}


def claim(
    certificate_id: str, name: str | None, number: str | None, disposition: str, *findings: str, **other: Any
) -> dict[str, Any]:
    """Return a claim with what the report does not look at filled in."""
    given, _, family = (name or "").partition(" ")
    person = {
        "person_id": f"p-{number}",
        "resource_id": f"p-{number}",
        "person_name": name,
        "given_name": given or None,
        "family_name": family or None,
        "employee_number": number,
        "ditio_employee_number": number,
    }
    own = {"certificate_id": certificate_id, "disposition": disposition, "findings": sorted(findings)}
    return {**_CLAIM, **person, **own, **other}


def claims(*rows: dict[str, Any]) -> pa.Table:
    """Return schema `DECIDED`."""
    return pa.Table.from_pylist([{name: row.get(name) for name in DECIDED.names} for row in rows], schema=DECIDED)


def planned(row: dict[str, Any], reason: str) -> dict[str, Any]:
    """Return the plan's row of a claim."""
    texts = payload_texts(
        *(
            pa.array([row[name]], pa.string())
            for name in ("ditio_employee_number", "certificate_type", "certificate_id")
        ),
        *(pa.array([row[name]], pa.date32()) for name in ("issued_on", "valid_until")),
    )
    return {name: row.get(name) for name in PLAN.names} | {"payload": texts[0].as_py(), "reason": reason}


def plan(*rows: dict[str, Any]) -> pa.Table:
    """Return schema `PLAN`."""
    return pa.Table.from_pylist(list(rows), schema=PLAN)


def answer(row: dict[str, Any], state: str, status: int | None = None, message: str | None = None) -> dict[str, Any]:
    """Return the ledger's entry of a claim after publishing."""
    key = {name: row[name] for name in ("employee_number", "certificate_type")}
    return key | {"state": state, "http_status": status, "message": message}


BEFORE = claim("c01", "Kari Nordmann", "0007", "delivered")
NEW = claim("c02", "Łukasz Wiśniewski", "1002", "delivered", "EXPIRES_SOON", valid_until=dt.date(2026, 12, 24))
CHANGED = claim("c03", "Giulia D'Angelo", "1003", "delivered", "NAME_CHANGED", certificate_type="Kranførerbevis")
REJECTED = claim("c04", "Bjørn Ås", "1004", "rejected")
REJECTED_TOO = claim("c05", "Zofia Żak", "1005", "rejected", certificate_type="Brannvern")
UNDELIVERED = claim("c06", "Ola Hansen", "1006", "undelivered")

CLAIMS = (
    BEFORE,
    NEW,
    CHANGED,
    REJECTED,
    REJECTED_TOO,
    UNDELIVERED,
    claim("c03", "Giulia D'Angelo", "1003", "superseded", "NAME_CHANGED", certificate_type="Brannvern"),
    claim(
        "c07",
        '=HYPERLINK("http://x.invalid")',
        "1007",
        "blocked",
        "ISSUED_INVALID",
        "EXPIRED",
        "EMPLOYEE_UNKNOWN",
        certificate_name='Safety, "level 2"',
        issued_on=None,
        issued_received="2025-02-31",
        tenant_id="south",
    ),
    claim(
        "c08",
        "<script>alert(1)</script> Moe",
        "+47 1008",
        "blocked",
        "TYPE_UNMAPPED",
        "SOURCE_WARNING",
        certificate_type=None,
        certificate_name="-1+1|cmd",
    ),
    claim(
        "c09",
        "Nils\tBerg\r\nEriksen",
        "1009",
        "held",
        "ACTION_LINK_MISSING",
        linked=False,
        certificate_name="\tFire\u202e drill",
        valid_until=None,
        expiry_received=None,
    ),
    claim(
        "c10",
        "Anna Medical",
        "1010",
        "not_applicable",
        "ACTION_TYPE_NOT_PUBLISHED",
        "ACTION_LINK_MISSING",
        certificate_type=None,
        certificate_name=None,
        action_type="HEALTH",
        linked=False,
        applicable=False,
    ),
    claim(
        "c11",
        None,
        None,
        "not_applicable",
        "RESOURCE_NOT_PERSON",
        certificate_type=None,
        certificate_name="Crane 4",
        resource_type="EQUIPMENT",
        applicable=False,
    ),
)

DATASETS = (
    DatasetTotal("employees", None, 9, 9),
    DatasetTotal("certificates", "north", 12, 10, 1, 1, ("weight",)),
    DatasetTotal("certificates", "south", 1, 1, undocumented_fields=("<b>bold</b>", "weight")),
    DatasetTotal("links", "north", 9, 9),
    DatasetTotal("links", "south", 1, 1),
    DatasetTotal("persons", "north", 10, 10),
    DatasetTotal("persons", "south", 1, 1),
)

WITHDRAWALS = pa.table(
    [
        ["0900", "1007", "1009"],
        ["Byggekort", "Byggekort", "Byggekort"],
        ["w1", "c07", "c09"],
        ["deleted", "blocked:EMPLOYEE_UNKNOWN,ISSUED_INVALID", "unlinked"],
    ],
    schema=WITHDRAWN,
)

# As PostgreSQL gives jsonb back: other white space and other order than was sent.
_EARLIER_CRANE = (
    '{"employeeNumber": "1003", "certificateType": "Kranførerbevis", '
    '"issuedDateTime": "2025-03-01T00:00:00Z", "certificateNumber": "c00", '
    '"validUntilDateTime": "2026-03-01T00:00:00Z"}'
)

EARLIER = pa.table([["1003"], ["Kranførerbevis"], [_EARLIER_CRANE]], schema=EARLIER_PAYLOADS)

PUBLISHED = ReportInputs(
    head=HEAD,
    datasets=DATASETS,
    claims=claims(*CLAIMS),
    plan=plan(
        planned(NEW, "new"),
        planned(CHANGED, "changed"),
        planned(REJECTED, "unacknowledged"),
        planned(REJECTED_TOO, "new"),
        planned(UNDELIVERED, "new"),
    ),
    withdrawn=WITHDRAWALS,
    tripped=(TrippedGuard(Guard.WITHDRAWN, "26 deliveries lost their support since run 41.", accepted=True),),
    dangling=2,
    answers=pa.Table.from_pylist(
        [
            answer(NEW, "acknowledged", 200),
            answer(CHANGED, "acknowledged", 200),
            answer(REJECTED, "rejected", 400, "Certificate type is closed"),
            answer(REJECTED_TOO, "rejected", 400, "Certificate type is closed"),
            answer(UNDELIVERED, "undelivered", 503),
            answer(BEFORE, "acknowledged"),  # went back to what Ditio has: of this run, but not of its plan
        ],
        schema=ANSWERS,
    ),
    earlier_payloads=EARLIER,
    severities={"EXPIRED": Severity.WARNING},
    failure="1 of 5 rows got no answer from Ditio within all retries. They go out with the next run.",
    requests={"4HSE": 31, "Ditio": 4},
)
"""A run that sent its plan, not all of it with success."""


def _as_planned(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"disposition": "planned"} if row in (NEW, CHANGED, REJECTED, REJECTED_TOO, UNDELIVERED) else row


DRY = replace(
    PUBLISHED,
    head=replace(HEAD, run_seq=43, mode=Mode.DRY_RUN, as_of=dt.date(2026, 12, 1), tenants=("north", "south")),
    claims=claims(*map(_as_planned, CLAIMS)),
    tripped=(TrippedGuard(Guard.UPSERTS, "The plan changes 4 rows, 1 is acknowledged."),),
    answers=None,
    failure=None,
)
"""The same as a dry run."""
