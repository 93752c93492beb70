"""Cases on reused numbers, drifting spellings, overridden severities and withdrawals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle.base import Case, claim, entry
from tests.oracle.edits import (
    add_employee,
    add_link,
    add_linked,
    add_person,
    cert,
    employee,
    empty,
    ledger,
    link,
    person,
    rules,
    run,
    setting,
)

if TYPE_CHECKING:
    from tests.oracle.world import Row

# fmt: off
NEVER: Row = {"acknowledged_payload": None, "acknowledged_at": None, "first_acknowledged_at": None}
REUSED = "EMPLOYEE_NUMBER_REUSED"
DRIFT = "TYPE_SPELLING_DRIFT"
KARI_C9 = entry(type_="Brannvern", cid="c9")
GONE = ("1042", "Brannvern", "deleted")


def _of_ola(**fields: Any) -> Row:
    """An earlier delivery for the number, to another person; its certificate is gone since."""
    return entry(**{"type_": "Brannvern", "cid": "c9", "person_id": "p0", "given_name": "Ola",
                    "family_name": "Hansen", **fields})


def _since(day: str) -> Row:
    return {"acknowledged_at": f"{day}T02:00:00+00:00", "first_acknowledged_at": f"{day}T02:00:00+00:00"}


NUMBER_REUSED = (
    Case("reused",
         "EMPLOYEE_NUMBER_REUSED: the last acknowledged delivery was for another person of another name",
         (ledger(_of_ola()),),
         (claim("blocked", REUSED),), withdrawn=(GONE,)),
    Case("reused-name-agrees", "whose name there does not agree with the employee's",
         (ledger(_of_ola(given_name="Kari", family_name="Nordmann-Lie")),),
         (claim("planned"),), withdrawn=(GONE,)),
    Case("reused-same-person", "another 4HSE person", (ledger(_of_ola(person_id="p1")),), (claim("planned"),),
         withdrawn=(GONE,)),
    Case("reused-other-number", "the last delivery for this number", (ledger(_of_ola(number="7")),),
         (claim("planned"),),
         withdrawn=(("7", "Brannvern", "deleted"),)),
    Case("reused-not-the-last", "the target's last acknowledged delivery for this number",
         (ledger(_of_ola(**_since("2026-05-01")), entry(**_since("2026-06-01"))),), (claim("delivered"),),
         withdrawn=(GONE,)),
    Case("reused-the-last", "the target's last acknowledged delivery for this number",
         (ledger(_of_ola(**_since("2026-06-02")), entry(**_since("2026-06-01"))),),
         (claim("blocked", REUSED),),
         withdrawn=(GONE, ("1042", "Byggekort", f"blocked:{REUSED}"))),
    Case("reused-never-acknowledged", "acknowledged delivery", (ledger(_of_ola(state="rejected", **NEVER)),),
         (claim("planned"),)),
    Case("reused-of-unknown-employee", "an unknown employee raises no name finding",
         (ledger(_of_ola()), empty("employees")),
         (claim("blocked", "EMPLOYEE_UNKNOWN"),), withdrawn=(GONE,)),
    Case("reused-and-mismatch", "the others stand side by side",
         (ledger(_of_ola()), employee(lastName="Lie", birthDate=None)),
         (claim("blocked", "NAME_MISMATCH", REUSED),), withdrawn=(GONE,)),
    Case("reused-lowered", "EMPLOYEE_NUMBER_REUSED carries no !",
         (ledger(_of_ola()), setting(severities={REUSED: "warning"})),
         (claim("planned", REUSED),), withdrawn=(GONE,)),
)
DRIFTED = (
    Case("drift",
         "TYPE_SPELLING_DRIFT: equals, when folded, a type delivered with another spelling; for anybody",
         (ledger(entry(number="7", type_="BYGGEKORT", cid="c9", person_id="p9")),),
         (claim("blocked", DRIFT),),
         withdrawn=(("7", "BYGGEKORT", "deleted"),)),
    Case("drift-marks", "folded: ø→o",
         (rules({"certificate_type": "Kranførerbevis", "action_code": ["BYGG"]}),
          ledger(entry(number="7", type_="Kranforerbevis", cid="c9"))),
         (claim("blocked", DRIFT, type_="Kranførerbevis"),), withdrawn=(("7", "Kranforerbevis", "deleted"),)),
    Case("drift-same-spelling", "with another spelling", (ledger(entry(number="7", cid="c9")),),
         (claim("planned"),),
         withdrawn=(("7", "Byggekort", "deleted"),)),
    Case("drift-other-type", "equals, when folded",
         (ledger(entry(number="7", type_="Byggekort 2", cid="c9")),), (claim("planned"),),
         withdrawn=(("7", "Byggekort 2", "deleted"),)),
    Case("drift-never-acknowledged", "a type already delivered to the target",
         (ledger(entry(number="7", type_="BYGGEKORT", cid="c9", state="rejected", **NEVER)),),
         (claim("planned"),)),
    Case("drift-older-not-flagged", "the older spelling is not flagged in turn",
         (ledger(entry(**_since("2026-05-01")),
                 entry(number="7", type_="BYGGEKORT", cid="c9", **_since("2026-06-01"))),),
         (claim("delivered"),), withdrawn=(("7", "BYGGEKORT", "deleted"),)),
    Case("drift-newer-flagged", "the newer spelling stays flagged once delivered",
         (ledger(entry(**_since("2026-06-01")),
                 entry(number="7", type_="BYGGEKORT", cid="c9", **_since("2026-05-01"))),),
         (claim("blocked", DRIFT),),
         withdrawn=(("1042", "Byggekort", f"blocked:{DRIFT}"), ("7", "BYGGEKORT", "deleted"))),
    Case("drift-of-unlinked", "type findings for every applicable claim",
         (empty("links"), cert(name="Fire safety"), ledger(entry(number="7", type_="BRANNVERN", cid="c9"))),
         (claim("blocked", "ACTION_LINK_MISSING", DRIFT, type_="Brannvern"),),
         withdrawn=(("7", "BRANNVERN", "deleted"),)),
    Case("drift-not-applicable", "type findings only for applicable claims",
         (cert(resource_type="EQUIPMENT"), ledger(entry(number="7", type_="BYGGEKORT", cid="c9"))),
         (claim("not_applicable", "RESOURCE_NOT_PERSON"),), withdrawn=(("7", "BYGGEKORT", "deleted"),)),
)
SEVERITIES = (
    Case("raised-to-critical", "severities: an info raised to critical blocks",
         (cert(date_expire="2026-06-01"), setting(severities={"EXPIRED": "critical"})),
         (claim("blocked", "EXPIRED"),)),
    Case("raised-to-warning", "only critical findings block",
         (cert(date_expire="2026-06-01"), setting(severities={"EXPIRED": "warning"})),
         (claim("planned", "EXPIRED"),)),
    Case("name-mismatch-lowered", "NAME_MISMATCH carries no !",
         (employee(lastName="Lie", birthDate=None), setting(severities={"NAME_MISMATCH": "warning"})),
         (claim("planned", "NAME_MISMATCH"),)),
    *(Case(f"not-lowered-{code.lower().replace('_', '-')}",
           "! cannot be lowered by severities (refusing the settings would do as well)",
           (*edits, setting(severities={code: "info"})), (claim("blocked", code),), choice=24)
      for code, edits in (
          ("ISSUED_MISSING", (cert(date_release=None),)),
          ("EXPIRY_MISSING", (cert(date_expire=None),)),
          ("PERSON_UNKNOWN", (cert(resource_id="p9"),)),
          ("EMPLOYEE_UNKNOWN", (empty("employees"),)),
      )),
)
WITHDRAWN = (
    Case("withdrawn-deleted", "deleted", (ledger(KARI_C9),), (claim("planned"),), withdrawn=(GONE,)),
    Case("withdrawn-nothing", "an entry that an eligible claim supports", (ledger(),), (claim("delivered"),)),
    Case("withdrawn-supported-by-another", "no eligible claim supports it: another certificate does",
         (ledger(entry(cid="c9")),), (claim("planned"),)),
    Case("withdrawn-never-acknowledged", "the ledger means acknowledged entries",
         (ledger(entry(type_="Brannvern", cid="c9", state="undelivered", **NEVER)),), (claim("planned"),)),
    Case("withdrawn-moved", "moved_to_other_person",
         (add_person("p2", code="7", first_name="Ola", last_name="Hansen", birth_date=None),
          cert(resource_id="p2"),
          add_employee(employeeNumber="7", firstName="Ola", lastName="Hansen", birthDate=None), ledger()),
         (claim("planned", employee_number="7"),),
         withdrawn=(("1042", "Byggekort", "moved_to_other_person"),)),
    Case("withdrawn-number-changed", "number_changed",
         (person(code="7"), employee(employeeNumber="7"), ledger()),
         (claim("planned", employee_number="7"),), withdrawn=(("1042", "Byggekort", "number_changed"),)),
    Case("withdrawn-number-gone", "blocked, as the person has no number", (person(code=None), ledger()),
         (claim("blocked", "EMPLOYEE_NUMBER_MISSING"),),
         withdrawn=(("1042", "Byggekort", "blocked:EMPLOYEE_NUMBER_MISSING"),), choice=26),
    Case("withdrawn-retyped", "retyped", (link(action_code="K", action_name="Crane"), ledger()),
         (claim("planned", type_="Kranførerbevis"),),
         withdrawn=(("1042", "Byggekort", "retyped"),)),
    Case("withdrawn-unmapped", "retyped: no rule gives the type any more", (link(action_code="X"), ledger()),
         (claim("blocked", "TYPE_UNMAPPED", type_=None),), withdrawn=(("1042", "Byggekort", "retyped"),),
         choice=26),
    Case("withdrawn-unlinked", "unlinked: its type came from the link", (empty("links"), ledger()),
         (claim("held", "ACTION_LINK_MISSING", type_=None),), withdrawn=(("1042", "Byggekort", "unlinked"),)),
    Case("withdrawn-unlinked-typed", "unlinked: held",
         (empty("links"), cert(name="Fire safety"), ledger(entry(type_="Brannvern"))),
         (claim("held", "ACTION_LINK_MISSING", type_="Brannvern"),),
         withdrawn=(("1042", "Brannvern", "unlinked"),)),
    Case("withdrawn-unlinked-sent", "an unlinked claim that is sent supports its entry",
         (empty("links"), cert(name="Fire safety"), ledger(entry(type_="Brannvern")),
          setting(unlinked="send")),
         (claim("delivered", "ACTION_LINK_MISSING", type_="Brannvern"),)),
    Case("withdrawn-one-link-of-two", "the claim of the type that lost its link",
         (ledger(entry(), entry(type_="Kranførerbevis")),), (claim("delivered"),),
         withdrawn=(("1042", "Kranførerbevis", "retyped"),), choice=26),
    Case("withdrawn-blocked", "blocked:<codes>, only the critical ones",
         (cert(date_release=None, date_expire="2026-07-01"), ledger()),
         (claim("blocked", "EXPIRES_SOON", "ISSUED_MISSING"),),
         withdrawn=(("1042", "Byggekort", "blocked:ISSUED_MISSING"),)),
    Case("withdrawn-blocked-twice", "blocked:<codes>, sorted",
         (employee(lastName="Lie", birthDate=None, isDisabled=True), ledger()),
         (claim("blocked", "EMPLOYEE_INACTIVE", "NAME_MISMATCH"),),
         withdrawn=(("1042", "Byggekort", "blocked:EMPLOYEE_INACTIVE,NAME_MISMATCH"),), choice=26),
    Case("withdrawn-not-published", "no eligible claim supports it",
         (cert(action_type="CHECK"), link(action_type="CHECK"), ledger()),
         (claim("not_applicable", "ACTION_TYPE_NOT_PUBLISHED"),),
         withdrawn=(("1042", "Byggekort", "blocked:ACTION_TYPE_NOT_PUBLISHED"),), choice=27),
    Case("withdrawn-superseded-supports", "a superseded claim is eligible; another wins its key",
         (ledger(), add_linked("c2", date_expire="2029-01-15")),
         (claim("superseded"), claim("planned", cid="c2"))),
    Case("withdrawn-in-dry-run", "dry runs judge withdrawals and report them",
         (ledger(KARI_C9), run(mode="dry_run")), (claim("planned"),), withdrawn=(GONE,)),
    Case("withdrawn-second-type-stays", "each type for itself",
         (add_link("l2", action_code="K", action_name="Crane"),
          ledger(entry(), entry(type_="Kranførerbevis"))),
         (claim("delivered"), claim("delivered", type_="Kranførerbevis"))),
)
# fmt: on

CASES = NUMBER_REUSED + DRIFTED + SEVERITIES + WITHDRAWN
