"""Cases on winners, dispositions before publishing, payloads and limited runs."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.oracle.base import PAYLOAD, Case, claim, entry
from tests.oracle.edits import (
    add_cert,
    add_employee,
    add_link,
    add_linked,
    add_person,
    cert,
    employee,
    empty,
    ledger,
    link,
    run,
    setting,
)

if TYPE_CHECKING:
    from tests.oracle.world import Row

# fmt: off
T2 = add_person("p1", "t2")


def _outside(cid: str, **fields: Any) -> Row:
    return {
        "certificate_id": cid, "tenant_id": "t2", "certificate_type": "Byggekort", "employee_number": "1042",
        "issued_on": date(2025, 1, 15), "valid_until": date(2028, 1, 15), "disposition": "delivered",
        **fields,
    }


def _limited(*outside: Row, **fields: Any) -> Any:
    return run(tenant_ids=["t1"], outside=list(outside), **fields)


WINNERS = (
    Case("winner-latest-expiry", "superseded: latest expiry wins",
         (add_linked("c0", date_expire="2027-12-31", date_release="2025-06-01"),),
         (claim("superseded", cid="c0", payload=None), claim("planned", payload=PAYLOAD))),
    Case("winner-latest-issue", "then latest issue date", (add_linked("c0", date_release="2025-01-14"),),
         (claim("superseded", cid="c0"), claim("planned"))),
    Case("winner-smaller-id", "then the smaller certificate id", (add_linked("c0"),),
         (claim("planned", cid="c0"), claim("superseded"))),
    Case("winner-smaller-id-as-text", "ids are opaque strings: c10 is smaller than c9",
         (add_linked("c10"), add_linked("c9")),
         (claim("planned"), claim("superseded", cid="c10"), claim("superseded", cid="c9"))),
    Case("no-winner-across-types", "the same (employee number, type)",
         (add_cert("c2"), add_link("l2", "c2", action_code="K", action_name="Crane")),
         (claim("planned"), claim("planned", cid="c2", type_="Kranførerbevis"))),
    Case("no-winner-across-numbers", "the same (employee number, type)",
         (add_person("p2", code="7"), add_employee(employeeNumber="7"), add_linked("c2", resource_id="p2")),
         (claim("planned"), claim("planned", cid="c2", employee_number="7"))),
    Case("winner-across-tenants", "claims of one number compete, whatever the tenant",
         (T2, add_linked("c2", "t2", date_expire="2029-01-15")),
         (claim("superseded"), claim("planned", cid="c2", tenant_id="t2"))),
    Case("blocked-does-not-compete", "another eligible claim wins",
         (add_linked("c2", date_expire="2029-01-15", date_release=None),),
         (claim("planned"), claim("blocked", "ISSUED_MISSING", cid="c2"))),
    Case("held-does-not-compete", "another eligible claim wins",
         (link(action_name="Fire safety", action_code="X"), cert(name="Fire safety"),
          add_cert("c2", name="Fire safety", date_expire="2029-01-15")),
         (claim("planned", type_="Brannvern"),
          claim("held", "ACTION_LINK_MISSING", cid="c2", type_="Brannvern"))),
    Case("not-applicable-does-not-compete", "another eligible claim wins",
         (add_linked("c2", date_expire="2029-01-15", resource_type="EQUIPMENT"),),
         (claim("planned"), claim("not_applicable", "RESOURCE_NOT_PERSON", cid="c2"))),
    Case("expired-competes", "an expired claim is eligible",
         (cert(date_expire="2026-01-15"), add_linked("c2", date_expire="2026-02-15")),
         (claim("superseded", "EXPIRED"), claim("planned", "EXPIRED", cid="c2"))),
    Case("sentinel-competes", "the sentinel date is used",
         (setting(no_expiry="sentinel"), add_linked("c2", date_expire=None)),
         (claim("superseded"), claim("planned", "EXPIRY_MISSING", cid="c2"))),
)
PAYLOADS = (
    Case("payload", "payload: the dates at T00:00:00Z, certificate_id as certificateNumber", (),
         (claim("planned", payload=PAYLOAD),)),
    Case("payload-of-superseded", "only winners have a payload",
         (add_linked("c0", date_expire="2029-01-15"),),
         (claim("planned", cid="c0", payload={**PAYLOAD, "certificateNumber": "c0",
                                              "validUntilDateTime": "2029-01-15T00:00:00Z"}),
          claim("superseded", payload=None))),
    Case("payload-dates-of-the-claim", "payload: the claim's own expiry", (link(date_expire="2027-03-31"),),
         (claim("planned", payload={**PAYLOAD, "validUntilDateTime": "2027-03-31T00:00:00Z"}),)),
    Case("payload-of-blocked", "only winners have a payload", (employee(isDisabled=True),),
         (claim("blocked", "EMPLOYEE_INACTIVE", payload=None),)),
    Case("payload-dry-run", "a dry run says what a publishing run would do", (run(mode="dry_run"),),
         (claim("planned", payload=PAYLOAD),)),
)
DELIVERED = (
    Case("delivered", "wins; the ledger holds its payload as acknowledged", (ledger(),),
         (claim("delivered", payload=PAYLOAD),)),
    Case("delivered-dry-run", "delivered in a dry run too", (ledger(), run(mode="dry_run")),
         (claim("delivered"),)),
    Case("delivered-resend", "and the run does not resend", (ledger(), run(resend=True)),
         (claim("planned"),)),
    Case("delivered-in-doubt", "no later attempt for the key is without an answer",
         (ledger(entry(in_doubt=True)),), (claim("planned"),)),
    Case("delivered-changed", "the ledger holds another payload", (ledger(), cert(date_expire="2028-01-16")),
         (claim("planned"),)),
    Case("delivered-spelling-of-number", "the payload has Ditio's own spelling",
         (ledger(), employee(employeeNumber="1042 ")), (claim("planned"),)),
    Case("delivered-other-key", "the ledger is by (employee number, type)",
         (ledger(entry(number="7")), add_linked("c2")),
         (claim("planned"), claim("superseded", cid="c2")),
         withdrawn=(("7", "Byggekort", "number_changed"),)),
    Case("pending-never-acknowledged", "holds its payload as acknowledged",
         (ledger(entry(state="pending", acknowledged_payload=None, acknowledged_at=None,
                       first_acknowledged_at=None)),), (claim("planned"),)),
    Case("rejected-before", "rejected is tried again next run",
         (ledger(entry(state="rejected", acknowledged_payload=None, acknowledged_at=None,
                       first_acknowledged_at=None)),), (claim("planned"),)),
    Case("rejected-winner", "the runner-up is not sent in its place",
         (add_linked("c2", date_expire="2027-01-15"),
          ledger(entry(state="rejected", acknowledged_payload=None,
                                                                   acknowledged_at=None,
                                                                   first_acknowledged_at=None))),
         (claim("planned"), claim("superseded", cid="c2"))),
    Case("undelivered-before", "undelivered is tried again next run",
         (ledger(entry(state="undelivered", acknowledged_payload=None, acknowledged_at=None,
                       first_acknowledged_at=None)),), (claim("planned"),)),
    Case("rejected-later-other-payload",
         "Ditio still holds what it acknowledged; the later attempt was answered",
         (ledger(entry(state="rejected",
                       payload={**PAYLOAD, "validUntilDateTime": "2029-01-15T00:00:00Z"})),),
                       (claim("delivered"),), choice=25),
    Case("superseded-though-acknowledged", "superseded comes before delivered",
         (ledger(), add_linked("c2", date_expire="2029-01-15")),
         (claim("superseded"), claim("planned", cid="c2"))),
    Case("blocked-though-acknowledged", "blocked comes before delivered",
         (ledger(), employee(isDisabled=True)),
         (claim("blocked", "EMPLOYEE_INACTIVE"),),
         withdrawn=(("1042", "Byggekort", "blocked:EMPLOYEE_INACTIVE"),)),
)
LIMITED = (
    Case("limited-outside-wins", "claims outside a limited run's scope compete as the warehouse knows them",
         (_limited(_outside("c8", valid_until=date(2029, 1, 15))),), (claim("superseded"),)),
    Case("limited-inside-wins", "a claim of the scope that beats an outside one is sent",
         (_limited(_outside("c8", valid_until=date(2027, 1, 15))),), (claim("planned"),)),
    Case("limited-outside-blocked", "another eligible claim",
         (_limited(_outside("c8", valid_until=date(2029, 1, 15), disposition="blocked")),),
         (claim("planned"),)),
    Case("limited-outside-superseded", "a superseded claim is eligible",
         (_limited(_outside("c8", valid_until=date(2029, 1, 15), disposition="superseded")),),
         (claim("superseded"),)),
    Case("limited-outside-other-type", "the same (employee number, type)",
         (_limited(_outside("c8", valid_until=date(2029, 1, 15), certificate_type="Brannvern")),),
         (claim("planned"),)),
    Case("limited-totals", "totals speak of the scope",
         (T2, add_linked("c2", "t2", date_expire="2029-01-15"), run(tenant_ids=["t1"])),
         (claim("planned"),),
         totals={"certificates": 1, "links": 1, "persons": 1, "employees": 1, "claims": 1}),
    Case("limited-withdrawal-outside", "withdrawals only for entries whose certificate lies in the scope",
         (ledger(entry(), entry(type_="Brannvern", cid="c8")), _limited(known={"c1": "t1", "c8": "t2"})),
         (claim("delivered"),)),
    Case("limited-withdrawal-inside", "withdrawals for entries whose certificate lies in the scope",
         (ledger(entry(), entry(type_="Brannvern", cid="c8")), _limited(known={"c1": "t1", "c8": "t1"})),
         (claim("delivered"),),
         withdrawn=(("1042", "Brannvern", "deleted"),)),
    Case("limited-supported-outside", "an outside claim supports an entry",
         (ledger(entry(cid="c1")), employee(isDisabled=True), _limited(_outside("c8"), known={"c1": "t1"})),
         (claim("blocked", "EMPLOYEE_INACTIVE"),)),
    Case("limited-empty", "a scope without rows is still a scope",
         (empty("certificates", "links", "persons"), run(tenant_ids=["t1"])),
         (), totals={"certificates": 0, "links": 0, "persons": 0, "claims": 0}),
)
# fmt: on

CASES = WINNERS + PAYLOADS + DELIVERED + LIMITED
