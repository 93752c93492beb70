"""The rule of every finding, on columns of `certrecon.claims.facts` (design, *Findings* and *Fine print*)."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from certrecon.claims.dates import DateState
from certrecon.claims.expiry import ExpirySource
from certrecon.claims.persons import Births
from certrecon.validation.expectation import FindingExpectation, Limits, Rule, finding_expectation

RULES: dict[str, type[FindingExpectation]] = {}
"""The expectation of every finding, by code."""


def _rule(code: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        RULES[code] = finding_expectation(code, rule)
        return rule

    return register


def _both_dates(facts: pd.DataFrame) -> pd.Series[bool]:
    return (facts["issued_state"] == DateState.VALID) & (facts["expiry_state"] == DateState.VALID)


def _single(facts: pd.DataFrame) -> pd.Series[bool]:
    """Return claims of known persons with exactly one Ditio employee."""
    return facts["applicable"] & facts["person_known"] & (facts["employees"] == 1)


@_rule("ISSUED_MISSING")
def _issued_missing(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["issued_state"] == DateState.MISSING


@_rule("ISSUED_INVALID")
def _issued_invalid(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["issued_state"] == DateState.INVALID


@_rule("ISSUED_IN_FUTURE")
def _issued_in_future(facts: pd.DataFrame, limits: Limits) -> pd.Series[bool]:
    return (facts["issued_state"] == DateState.VALID) & (facts["issued_day"] > limits.as_of)


@_rule("EXPIRY_MISSING")
def _expiry_missing(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["expiry_missing"]


@_rule("EXPIRY_INVALID")
def _expiry_invalid(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["expiry_state"] == DateState.INVALID


@_rule("EXPIRY_NOT_AFTER_ISSUE")
def _expiry_not_after_issue(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return _both_dates(facts) & (facts["expiry_day"] <= facts["issued_day"])


@_rule("DATE_IMPLAUSIBLE")
def _date_implausible(facts: pd.DataFrame, limits: Limits) -> pd.Series[bool]:
    issued_long_ago = (facts["issued_state"] == DateState.VALID) & (facts["issued_day"] < limits.earliest_issue)
    return issued_long_ago | (_both_dates(facts) & (facts["expiry_day"] > facts["latest_plausible_day"]))


@_rule("EXPIRY_DISAGREES")
def _expiry_disagrees(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["expiry_disagrees"]


@_rule("EXPIRED")
def _expired(facts: pd.DataFrame, limits: Limits) -> pd.Series[bool]:
    return (facts["expiry_state"] == DateState.VALID) & (facts["expiry_day"] < limits.as_of)


@_rule("EXPIRES_SOON")
def _expires_soon(facts: pd.DataFrame, limits: Limits) -> pd.Series[bool]:
    return (facts["expiry_state"] == DateState.VALID) & facts["expiry_day"].between(limits.as_of, limits.soon)


@_rule("EXPIRY_DERIVED")
def _expiry_derived(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return (facts["expiry_source"] == ExpirySource.VALIDITY) & (facts["expiry_state"] == DateState.VALID)


@_rule("PERSON_UNKNOWN")
def _person_unknown(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["applicable"] & ~facts["person_known"]


@_rule("PERSON_HISTORICISED")
def _person_historicised(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["applicable"] & facts["historicised"]


@_rule("EMPLOYEE_NUMBER_MISSING")
def _employee_number_missing(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["applicable"] & facts["person_known"] & ~facts["number_known"]


@_rule("EMPLOYEE_NUMBER_SHARED")
def _employee_number_shared(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["applicable"] & facts["number_shared"]


@_rule("EMPLOYEE_UNKNOWN")
def _employee_unknown(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["applicable"] & facts["number_known"] & (facts["employees"] == 0)


@_rule("EMPLOYEE_AMBIGUOUS")
def _employee_ambiguous(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["applicable"] & (facts["employees"] > 1)


@_rule("EMPLOYEE_INACTIVE")
def _employee_inactive(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return _single(facts) & facts["inactive"]


@_rule("NAME_MISMATCH")
def _name_mismatch(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return _single(facts) & ~facts["names_agree"] & (facts["births"] != Births.EQUAL)


@_rule("NAME_CHANGED")
def _name_changed(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return _single(facts) & ~facts["names_agree"] & (facts["births"] == Births.EQUAL)


@_rule("BIRTH_DATE_MISMATCH")
def _birth_date_mismatch(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return _single(facts) & (facts["births"] == Births.DIFFERENT)


@_rule("EMPLOYEE_NUMBER_REUSED")
def _employee_number_reused(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return _single(facts) & facts["number_reused"]


@_rule("ACTION_LINK_MISSING")
def _action_link_missing(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return ~facts["linked"]


@_rule("ACTION_TYPE_DISAGREES")
def _action_type_disagrees(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["action_type_disagrees"]


@_rule("TYPE_UNMAPPED")
def _type_unmapped(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["applicable"] & facts["linked"] & ~facts["typed"]


@_rule("TYPE_SPELLING_DRIFT")
def _type_spelling_drift(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["applicable"] & facts["spelling_drift"]


@_rule("RESOURCE_NOT_PERSON")
def _resource_not_person(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return ~facts["is_person"]


@_rule("ACTION_TYPE_NOT_PUBLISHED")
def _action_type_not_published(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return ~facts["published"]


@_rule("SOURCE_WARNING")
def _source_warning(facts: pd.DataFrame, _limits: Limits) -> pd.Series[bool]:
    return facts["source_warning"]
