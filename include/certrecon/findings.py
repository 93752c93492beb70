"""The catalogue of findings: the one place that says what each code means, weighs and asks for.

Settings, expectations, report, warehouse and docs all read it (design, *Findings*). The condition
of each code is the expectation of the same code in `certrecon.validation`.
"""

from __future__ import annotations

from dataclasses import dataclass

from certrecon.words import Owner, Severity, Subject


@dataclass(frozen=True, slots=True)
class Finding:
    """One coded observation about a claim.

    Attributes:
        code: The code that warehouse, report and settings use.
        subject: The frame of facts that its expectation looks at.
        severity: The severity unless the settings override it.
        owner: Who can fix it.
        fixed: Whether `severities` may not lower it (`!` in the design).
        title: What is the matter, in words, for people.
        advice: What to do about it, in words.
    """

    code: str
    subject: Subject
    severity: Severity
    owner: Owner
    fixed: bool
    title: str
    advice: str


_C, _W, _I = Severity.CRITICAL, Severity.WARNING, Severity.INFO
_D, _M, _L = Subject.DATES, Subject.EMPLOYEE_MATCH, Subject.LINKS_AND_TYPES
_4, _HR, _SET = Owner.FOURHSE, Owner.HR, Owner.SETTINGS

_ALL = (
    Finding("ISSUED_MISSING", _D, _C, _4, True, "has no issue date", "Enter the issue date in 4HSE."),
    Finding("ISSUED_INVALID", _D, _C, _4, True, "has an issue date that is no calendar date",
            "Correct the issue date in 4HSE (YYYY-MM-DD)."),
    Finding("ISSUED_IN_FUTURE", _D, _C, _4, True, "was issued after the day of the run",
            "Correct the issue date in 4HSE, or wait for the day."),
    Finding("EXPIRY_MISSING", _D, _C, _4, True, "has no expiry from any source",
            "Enter an expiry on the certificate or its link in 4HSE, or decide on `no_expiry` in the settings."),
    Finding("EXPIRY_INVALID", _D, _C, _4, True, "has an expiry that is no calendar date",
            "Correct the expiry in 4HSE (YYYY-MM-DD)."),
    Finding("EXPIRY_NOT_AFTER_ISSUE", _D, _C, _4, True, "expires on or before the day it was issued",
            "Check for swapped dates in 4HSE."),
    Finding("DATE_IMPLAUSIBLE", _D, _C, _4, False, "was issued before 1950 or is valid for implausibly long",
            "Check both dates in 4HSE, or `max_validity_years` of the type rule."),
    Finding("EXPIRY_DISAGREES", _D, _W, _4, False, "has links of one type with different expiries",
            "Give the links the same expiry in 4HSE; the earliest counts."),
    Finding("EXPIRED", _D, _I, _HR, False, "has expired", "Plan a renewal if the worker still needs it."),
    Finding("EXPIRES_SOON", _D, _I, _HR, False, "expires soon", "Plan the renewal."),
    Finding("EXPIRY_DERIVED", _D, _I, _4, False, "has an expiry computed from its validity",
            "Nothing, unless the computed day is wrong."),
    Finding("PERSON_UNKNOWN", _M, _C, _4, True, "belongs to a person whom 4HSE does not list",
            "Give the certificate an existing person in 4HSE."),
    Finding("PERSON_HISTORICISED", _M, _W, _4, False, "belongs to a person who has left in 4HSE",
            "Check whether the person should be active in 4HSE."),
    Finding("EMPLOYEE_NUMBER_MISSING", _M, _C, _4, True, "belongs to a person without an employee number",
            "Enter the employee number (code) in 4HSE, or add the person to the crosswalk."),
    Finding("EMPLOYEE_NUMBER_SHARED", _M, _C, _4, True, "has a number of several persons whose names do not agree",
            "Correct the employee numbers in 4HSE, or fill in both names."),
    Finding("EMPLOYEE_UNKNOWN", _M, _C, _HR, True, "has an employee number that Ditio does not know",
            "Create the employee in Ditio, or correct the number in 4HSE."),
    Finding("EMPLOYEE_AMBIGUOUS", _M, _C, _HR, True, "has an employee number that several Ditio employees carry",
            "Make the number unique in Ditio, or set `ditio.company_id`."),
    Finding("EMPLOYEE_INACTIVE", _M, _C, _HR, False, "belongs to an employee who is disabled or has left in Ditio",
            "Check the employment in Ditio."),
    Finding("NAME_MISMATCH", _M, _C, _HR, False, "has another name in Ditio than in 4HSE under the same number",
            "Find out whose number it is; correct the number or the name."),
    Finding("NAME_CHANGED", _M, _W, _HR, False, "has another name in Ditio, but the same birth date",
            "Bring the name up to date in the system that has the old one."),
    Finding("BIRTH_DATE_MISMATCH", _M, _C, _HR, False, "has another birth date in Ditio than in 4HSE",
            "Find out whose number it is; correct the number or the birth date."),
    Finding("EMPLOYEE_NUMBER_REUSED", _M, _C, _HR, False, "has a number under which somebody else was delivered before",
            "Confirm whose number it is; remove the earlier person's certificates in Ditio."),
    Finding("ACTION_LINK_MISSING", _L, _W, _4, False, "has no CertificateAction, so it has no effect on compliance",
            "Link the certificate to its action in 4HSE."),
    Finding("ACTION_TYPE_DISAGREES", _L, _W, _4, False, "has another action type than its link",
            "Correct the certificate's action type or its link in 4HSE."),
    Finding("TYPE_UNMAPPED", _L, _C, _SET, True, "is mapped to no certificate type",
            "Add a rule to `certificate_types` in the settings."),
    Finding("TYPE_SPELLING_DRIFT", _L, _C, _SET, False, "has a type that Ditio already knows in another spelling",
            "Use the spelling that was delivered before; Ditio would keep both."),
    Finding("RESOURCE_NOT_PERSON", _L, _I, _4, False, "is not a person's", "Nothing."),
    Finding("ACTION_TYPE_NOT_PUBLISHED", _L, _I, _SET, False, "is of an action type that is not published",
            "Nothing, unless it should be in `publish_action_types`."),
    Finding("SOURCE_WARNING", _L, _I, _4, False, "carries a warning of 4HSE's own", "Look at the warning in 4HSE."),
)  # fmt: skip

CATALOGUE: dict[str, Finding] = {finding.code: finding for finding in _ALL}
"""Every finding by its code, in the order of the design."""
