"""The contract calculated row by row, from the vendors' rows to dispositions before publishing.

Where the contract is silent, these choices hold; most err towards not claiming that somebody is qualified:

 1. Links join their certificate within the tenant only; a link to another tenant's certificate is dangling.
 2. A row without tenant belongs to the tenant asked for; repeated ids keep the first row.
 3. One certificate id in two tenants, or a row without id, is an error, not a claim.
 4. Links that no rule maps make one more claim without type, beside the claims of the links that are mapped.
 5. Action types, units and `PERSON` compare exactly as received; only HEALTH, for dropping, is trimmed and
    upper-cased.
 6. A missing name or code matches no regular expression and no code, not even an empty one.
 7. A rule whose only conditions are empty has no condition and is refused.
 8. Several rules of one type within a claim: the smallest `max_validity_years` holds.
 9. Dates are not trimmed: only null is missing, a blank date is malformed.
10. A malformed issue date counts as none when the expiry would come from `validity`.
11. `validity` must be written as an integer, its unit exactly YEAR, MONTH or DAY; else there is none.
12. A malformed expiry differs from every other for `EXPIRY_DISAGREES`; a link without any is not compared.
13. Links without a type are one group for the expiry and `EXPIRY_DISAGREES` of the claim without type.
14. `EXPIRY_DERIVED` needs a computed date that governs; a result past year 9999 is `EXPIRY_INVALID` alone.
15. Without `resource_type` means null or blank.
16. A crosswalk row wins even when its number is blank: the number is then missing.
17. Ditio rows count one by one: a row listed twice is `EMPLOYEE_AMBIGUOUS`.
18. `isActive` or `isActiveEmployment` false counts as disabled.
19. An end date nobody can read counts as ended; an open employment in a history list outweighs ends.
20. Birth dates count as known only where they can be read (`yyyy-MM-dd`, a time behind it, `dd.MM.yyyy`).
21. A missing name agrees with nothing.
22. Last deliveries of one number acknowledged at the same moment: one other person's is enough for
    `EMPLOYEE_NUMBER_REUSED`.
23. Types fold like names with the separators left out; spellings acknowledged first at the same moment are
    both flagged.
24. A `!` code in `severities` stays critical.
25. The ledger's acknowledged entries are those with an acknowledged payload, whatever their state now.
26. The order of withdrawal reasons: `deleted`, `moved_to_other_person`, `number_changed` (only to
    another number), then by the certificate's claim of that type: none is `unlinked` where nothing is left
    to link and type it, else `retyped`; held is `unlinked`; else `blocked:` and its critical codes, sorted,
    with commas between them.
27. A claim that became not applicable withdraws as `blocked:` with the code that made it so.
28. A certificate that moved to a tenant outside a full run is `deleted`; outside a limited run's scope it is
    not judged, nor is one whose tenant nobody knows.
29. An outside claim of a certificate that the run itself has read does not compete.
30. `employee_number` and `person_name` are given where known, not applicable claims of persons included.
31. A number of more than 255 characters, or with a NUL, is nobody's: it is missing.
"""

from __future__ import annotations

from tests.oracle.dates import judge as judge_dates
from tests.oracle.drafts import Draft, drafts_of
from tests.oracle.ledger import Ledger, withdrawals
from tests.oracle.outcome import dispose
from tests.oracle.people import People, name_of
from tests.oracle.settings import complete, scope
from tests.oracle.sources import Sources, read
from tests.oracle.text import text
from tests.oracle.world import Claim, Result, Row, World


def calculate(world: World) -> Result:
    """What a run of this world decides before it publishes.

    Args:
        world: the vendors' rows, settings, ledger and parameters.

    Returns:
        Every claim with findings and disposition, the withdrawn entries and the run's totals.

    Raises:
        RefusedError: when the run's first task refuses settings or parameters.

    """
    settings = complete(world.settings)
    tenants = scope(world, settings)
    sources = read(world, tenants, settings)
    ledger = Ledger(world.ledger)
    people = People(world, sources, ledger, settings)
    drafts = list(drafts_of(sources, settings))
    for draft in drafts:
        _judge(draft, world, people, ledger, settings)
    supported = dispose(world, ledger, drafts, settings)
    return Result(
        claims=tuple(sorted(map(_claim, drafts), key=lambda c: (c.certificate_id, c.certificate_type or ""))),
        withdrawn=tuple(withdrawals(world, ledger, drafts, supported, settings)),
        dangling=tuple(sources.dangling()),
        totals=_totals(sources, drafts),
    )


def _judge(draft: Draft, world: World, people: People, ledger: Ledger, settings: Row) -> None:
    draft.dates = judge_dates(draft.certificate, draft.links, draft.longest_years, world.as_of, settings)
    draft.findings |= draft.dates.findings
    if "RESOURCE_NOT_PERSON" not in draft.findings:
        people.find(draft)
    if draft.applicable:
        draft.findings |= people.judge(draft)
        if draft.certificate_type is not None and ledger.drifted(draft.certificate_type):
            draft.findings.add("TYPE_SPELLING_DRIFT")


def _claim(draft: Draft) -> Claim:
    names = name_of(draft.person) if draft.person is not None else ()
    return Claim(
        certificate_id=draft.certificate_id,
        certificate_type=draft.certificate_type,
        tenant_id=draft.tenant,
        certificate_name=text(draft.certificate.get("name")),
        action_type=text(draft.certificate.get("action_type")),
        resource_type=text(draft.certificate.get("resource_type")),
        resource_id=text(draft.certificate.get("resource_id")),
        person_name=" ".join(name for name in names if name) or None,
        employee_number=draft.number,
        issued_on=draft.dates.issued_on,
        valid_until=draft.dates.valid_until,
        linked=draft.linked,
        findings=tuple(sorted(draft.findings)),
        disposition=draft.disposition,
        payload=draft.payload,
    )


def _totals(sources: Sources, drafts: list[Draft]) -> dict[str, int]:
    persons_claims = [draft for draft in drafts if draft.applicable]
    return {
        "certificates": sum(map(len, sources.certificates.values())),
        "links": sum(map(len, sources.links.values())),
        "persons": sum(map(len, sources.persons.values())),
        "employees": len(sources.employees),
        "claims": len(drafts),
        "person_claims": len(persons_claims),
        "matched": sum(draft.employee is not None for draft in persons_claims),
    }
