"""A small run, made by hand: every disposition of a publishing run, and whatever a report has to say."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pyarrow as pa

from certrecon.claims.inputs import EMPLOYEES, LINKS, PERSONS
from certrecon.dispositions.decide import DECIDED, PLAN
from certrecon.dispositions.inputs import PREVIOUS_CLAIMS
from certrecon.dispositions.payloads import payload_texts
from certrecon.dispositions.withdrawals import WITHDRAWN
from certrecon.publishing.guards import TrippedGuard
from certrecon.report import ANSWERS, EARLIER_PAYLOADS, DatasetTotal, ReportInputs, RunHead
from certrecon.report.model import (
    DANGLING,
    LEDGER_AFTER,
    RUNS,
    WITHDRAWN_SINCE,
    ApprovalNote,
    ChainHead,
    PreviousRun,
)
from certrecon.settings import parse_settings
from certrecon.words import Guard, Mode, Severity

DAY = dt.date(2026, 11, 23)

SETTINGS = """
certificate_types:
  - {certificate_type: Byggekort, action_code: [BYGG]}
  - {certificate_type: Kranførerbevis, action_name: "(?i)crane"}
guards: {max_drop: 0.3}
severities: {EXPIRED: warning}
"""
SETTINGS_BEFORE = """
certificate_types:
  - {certificate_type: Byggekort, action_code: [BYGG]}
guards: {max_drop: 0.2}
"""

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
    started_at=dt.datetime(2026, 11, 23, 10, 0, 5, tzinfo=dt.UTC),
    accepted=("withdrawn",),
    approvals=(
        ApprovalNote(
            asked_at=dt.datetime(2026, 11, 23, 10, 4, tzinfo=dt.UTC),
            decided_at=dt.datetime(2026, 11, 23, 10, 9, tzinfo=dt.UTC),
            decided_by="ola <b>",
            decision="approved",
            reason="Moved offices,\nsee ticket 12",
            guards=("upserts",),
            plan_sha256="ef" * 32,
        ),
    ),
    settings_text=parse_settings(SETTINGS).text,
    chain_before=ChainHead(7, 41, "c4" * 32),
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


BEFORE = claim("c01", "Kari Nordmann", "0007", "delivered", payload_sha256="d1")
NEW = claim(
    "c02",
    "Łukasz Wiśniewski",
    "1002",
    "delivered",
    "EXPIRES_SOON",
    valid_until=dt.date(2026, 12, 24),
    payload_sha256="d2",
)
CHANGED = claim(
    "c03",
    "Giulia D'Angelo",
    "1003",
    "delivered",
    "NAME_CHANGED",
    certificate_type="Kranførerbevis",
    payload_sha256="d3",
)
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
    DatasetTotal("links", "south", 2, 2),
    DatasetTotal("persons", "north", 9, 9),
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


def table(schema: pa.Schema, *rows: tuple[Any, ...]) -> pa.Table:
    """Return a table whose rows are given as tuples."""
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


def partly(schema: pa.Schema, *rows: dict[str, Any]) -> pa.Table:
    """Return a table of rows in which what is not named is null."""
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


BEFORE_CLAIMS = (
    PREVIOUS_CLAIMS
    if "since_run_seq" in PREVIOUS_CLAIMS.names
    else PREVIOUS_CLAIMS.append(pa.field("since_run_seq", pa.int64()))
)


def before(row: dict[str, Any], since: int, disposition: str, *findings: str, **other: Any) -> dict[str, Any]:
    """Return a claim as the previous run left it."""
    return row | {"disposition": disposition, "findings": sorted(findings), "since_run_seq": since} | other


PREVIOUS = partly(
    BEFORE_CLAIMS,
    before(CLAIMS[0], 3, "delivered"),
    before(CLAIMS[1], 41, "blocked", "ISSUED_MISSING", issued_on=None),
    before(CLAIMS[2], 40, "delivered", valid_until=dt.date(2026, 3, 1)),
    before(CLAIMS[3], 40, "rejected"),
    before(CLAIMS[6], 39, "superseded", "NAME_CHANGED"),
    before(CLAIMS[7], 40, "delivered"),
    before(CLAIMS[8], 39, "blocked", "TYPE_UNMAPPED", "SOURCE_WARNING"),
    before(CLAIMS[9], 40, "held", "ACTION_LINK_MISSING"),
    before(CLAIMS[10], 3, "not_applicable", "ACTION_TYPE_NOT_PUBLISHED", "ACTION_LINK_MISSING"),
    before(CLAIMS[11], 3, "not_applicable", "RESOURCE_NOT_PERSON"),
    before(claim("w1", "Gone Away", "0900", "delivered"), 3, "delivered"),
    before(claim("w2", "Gone Blocked", "0901", "blocked"), 3, "blocked", "EXPIRY_MISSING"),
)

PAST = table(
    RUNS,
    (39, dt.date(2026, 11, 17), "publish", "succeeded", False, 9, '{"delivered": 6, "blocked": 3}', "s0", 5, "c2" * 32),
    (40, dt.date(2026, 11, 18), "publish", "failed", False, 9, None, "s0", 6, "c3" * 32),
    (41, dt.date(2026, 11, 20), "publish", "succeeded", True, 12, '{"delivered": 8, "held": 4}', "s1", 7, "c4" * 32),
)

DANGLES = table(
    DANGLING,
    ("north", "l-1", "c98", "=Crane", "TRAINING", 40),
    ("south", "l-2", "c99", None, "TRAINING", None),
)

WITHDRAWN_BEFORE = table(WITHDRAWN_SINCE, ("1009", "Byggekort", "c09", "unlinked", 39))

LINKED = tuple(row for row in CLAIMS if row["linked"])
LINKS_READ = partly(
    LINKS,
    *(
        {
            "certificate_action_id": f"a-{row['certificate_id']}",
            "certificate_id": row["certificate_id"],
            "tenant_id": row["tenant_id"],
            "action_code": "KRAN" if row["certificate_id"] == "c08" else None,
            "action_name": "Kranførerbeviset" if row["certificate_id"] == "c08" else None,
            "action_type": "TRAINING",
        }
        for row in {row["certificate_id"]: row for row in LINKED}.values()
    ),
    {"certificate_action_id": "l-1", "certificate_id": "c98", "tenant_id": "north"},
    {"certificate_action_id": "l-2", "certificate_id": "c99", "tenant_id": "south"},
)

PERSONS_READ = partly(
    PERSONS,
    *(
        {"person_id": row["person_id"], "project_id": row["tenant_id"], "number": row["employee_number"]}
        for row in {row["person_id"]: row for row in CLAIMS if row["person_id"] != "p-None"}.values()
    ),
)

EMPLOYEES_READ = partly(
    EMPLOYEES,
    *(
        {"employee_number": row["employee_number"], "first_name": row["given_name"], "last_name": row["family_name"]}
        for row in (*CLAIMS[:6], *CLAIMS[8:10])
    ),
    {"employee_number": "2001", "first_name": "Nobody", "last_name": "Certified"},
)


def holds(row: dict[str, Any], state: str, digest: str | None, run_seq: int) -> dict[str, Any]:
    """Return the ledger's entry of a claim after publishing, as the control totals use it."""
    return {
        "employee_number": row["employee_number"],
        "certificate_type": row["certificate_type"],
        "state": state,
        "acknowledged_payload_sha256": digest,
        "acknowledged_certificate_id": row["certificate_id"],
        "acknowledged_tenant_id": row["tenant_id"],
        "run_seq": run_seq,
    }


LEDGER = partly(
    LEDGER_AFTER,
    holds(BEFORE, "acknowledged", "d1", 42),
    holds(NEW, "acknowledged", "d2", 42),
    holds(CHANGED, "acknowledged", "d3", 42),
    holds(REJECTED, "rejected", "old", 42),
    holds(REJECTED_TOO, "rejected", None, 42),
    holds(UNDELIVERED, "undelivered", None, 42),
    holds(claim("w1", "Gone Away", "0900", ""), "acknowledged", "d4", 3),
    holds(claim("c07", None, "1007", "", tenant_id="south"), "acknowledged", "d5", 3),
    holds(claim("c09", None, "1009", ""), "acknowledged", "d6", 3),
)

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
    dangling_links=DANGLES,
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
    previous=PreviousRun(41, dt.date(2026, 11, 20), "succeeded", parse_settings(SETTINGS_BEFORE).text),
    runs=PAST,
    previous_claims=PREVIOUS,
    withdrawn_since=WITHDRAWN_BEFORE,
    employees=EMPLOYEES_READ,
    persons=PERSONS_READ,
    links=LINKS_READ,
    ledger=LEDGER,
    types=("Byggekort", "Kranførerbevis"),
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
