"""The catalogue is the design's, and every code of it has a rule, a case and an expectation."""

from __future__ import annotations

import pytest

from certrecon.findings import CATALOGUE
from certrecon.settings import Settings
from certrecon.validation.rules import RULES
from certrecon.validation.run import suite_of
from certrecon.words import Subject
from tests.oracle.base import AS_OF
from tests.oracle.cases import CASES

# The table of the design, *Findings*: code, severity with ! where it cannot be lowered, owner.
DESIGN = """
    ISSUED_MISSING critical! 4hse
    ISSUED_INVALID critical! 4hse
    ISSUED_IN_FUTURE critical! 4hse
    EXPIRY_MISSING critical! 4hse
    EXPIRY_INVALID critical! 4hse
    EXPIRY_NOT_AFTER_ISSUE critical! 4hse
    DATE_IMPLAUSIBLE critical 4hse
    EXPIRY_DISAGREES warning 4hse
    EXPIRED info hr
    EXPIRES_SOON info hr
    EXPIRY_DERIVED info 4hse
    PERSON_UNKNOWN critical! 4hse
    PERSON_HISTORICISED warning 4hse
    EMPLOYEE_NUMBER_MISSING critical! 4hse
    EMPLOYEE_NUMBER_SHARED critical! 4hse
    EMPLOYEE_UNKNOWN critical! hr
    EMPLOYEE_AMBIGUOUS critical! hr
    EMPLOYEE_INACTIVE critical hr
    NAME_MISMATCH critical hr
    NAME_CHANGED warning hr
    BIRTH_DATE_MISMATCH critical hr
    EMPLOYEE_NUMBER_REUSED critical hr
    ACTION_LINK_MISSING warning 4hse
    ACTION_TYPE_DISAGREES warning 4hse
    TYPE_UNMAPPED critical! settings
    TYPE_SPELLING_DRIFT critical settings
    RESOURCE_NOT_PERSON info 4hse
    ACTION_TYPE_NOT_PUBLISHED info settings
    SOURCE_WARNING info 4hse
"""
CODES = [line.split()[0] for line in DESIGN.strip().splitlines()]


def test_the_catalogue_is_the_design_s() -> None:
    ours = [
        f"{finding.code} {finding.severity}{'!' if finding.fixed else ''} {finding.owner}"
        for finding in CATALOGUE.values()
    ]
    assert ours == [line.strip() for line in DESIGN.strip().splitlines()]


def test_every_code_has_a_case() -> None:
    """A code of the design that no case raises fails here."""
    raised = {code for case in CASES for claim in case.claims for code in claim.findings}
    assert sorted(set(CODES) - raised) == []
    assert sorted(raised - set(CODES)) == []


def test_every_code_has_an_expectation_on_its_subject() -> None:
    """A code of the design that no expectation carries fails here; each is on one subject only."""
    assert sorted(RULES) == sorted(CODES)
    carried = [
        (expectation.meta["code"], subject)
        for subject in Subject
        for expectation in suite_of(subject, Settings(), AS_OF).expectations
    ]
    assert sorted(code for code, _ in carried) == sorted(CODES)
    assert all(CATALOGUE[code].subject is subject for code, subject in carried)


@pytest.mark.parametrize("code", CODES)
def test_an_expectation_says_what_it_is_about(code: str) -> None:
    """Its metadata and its documentation carry code, severity, owner and words for people."""
    finding = CATALOGUE[code]
    (expectation,) = [
        one for one in suite_of(finding.subject, Settings(), AS_OF).expectations if one.meta["code"] == code
    ]
    assert expectation.meta["severity"] == str(finding.severity)
    assert expectation.meta["owner"] == str(finding.owner)
    assert finding.title
    assert finding.title in (type(expectation).__doc__ or "")
    assert finding.advice.endswith(".")


def test_overrides_reach_the_expectations() -> None:
    settings = Settings.model_validate({"severities": {"EXPIRED": "critical"}, "no_expiry": "sentinel"})
    severities = {
        one.meta["code"]: one.meta["severity"] for one in suite_of(Subject.DATES, settings, AS_OF).expectations
    }
    assert (severities["EXPIRED"], severities["EXPIRY_MISSING"]) == ("critical", "info")
