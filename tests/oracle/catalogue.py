"""Severities of the findings (Findings; `!` = cannot be lowered)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oracle.world import Row

CRITICAL, WARNING, INFO = "critical", "warning", "info"
FIXED = {
    "ISSUED_MISSING", "ISSUED_INVALID", "ISSUED_IN_FUTURE", "EXPIRY_MISSING", "EXPIRY_INVALID",
    "EXPIRY_NOT_AFTER_ISSUE", "PERSON_UNKNOWN", "EMPLOYEE_NUMBER_MISSING", "EMPLOYEE_NUMBER_SHARED",
    "EMPLOYEE_UNKNOWN", "EMPLOYEE_AMBIGUOUS", "TYPE_UNMAPPED",
}  # fmt: skip
SEVERITIES = {
    **dict.fromkeys(FIXED, CRITICAL),
    "DATE_IMPLAUSIBLE": CRITICAL,
    "EXPIRY_DISAGREES": WARNING,
    "EXPIRED": INFO,
    "EXPIRES_SOON": INFO,
    "EXPIRY_DERIVED": INFO,
    "PERSON_HISTORICISED": WARNING,
    "EMPLOYEE_INACTIVE": CRITICAL,
    "NAME_MISMATCH": CRITICAL,
    "NAME_CHANGED": WARNING,
    "BIRTH_DATE_MISMATCH": CRITICAL,
    "EMPLOYEE_NUMBER_REUSED": CRITICAL,
    "ACTION_LINK_MISSING": WARNING,
    "ACTION_TYPE_DISAGREES": WARNING,
    "TYPE_SPELLING_DRIFT": CRITICAL,
    "RESOURCE_NOT_PERSON": INFO,
    "ACTION_TYPE_NOT_PUBLISHED": INFO,
    "SOURCE_WARNING": INFO,
}


def severity(code: str, settings: Row) -> str:
    """Severity of a finding under these settings; the sentinel rule beats `severities`."""
    if code == "EXPIRY_MISSING" and settings["no_expiry"] == "sentinel":
        return INFO
    if code in FIXED:
        return CRITICAL
    return str(settings["severities"].get(code, SEVERITIES[code]))


def criticals(codes: set[str], settings: Row) -> list[str]:
    """The critical ones among codes, sorted."""
    return sorted(code for code in codes if severity(code, settings) == CRITICAL)
