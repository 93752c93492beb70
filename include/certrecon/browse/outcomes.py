"""The combinations of disposition and findings that open claims have: some hundred for a million claims.

They are read by jumping from one index entry to the next different one. Who a combination needs,
and what is said of it, is decided here once and not claim by claim.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, text

from certrecon.findings import CATALOGUE
from certrecon.report.saying import NEEDY, Said, say
from certrecon.words import NoExpiry, Severity

Outcome: TypeAlias = tuple[str, tuple[str, ...]]
"""A disposition and the findings, sorted."""

PASSED: Final = """
    passed AS MATERIALIZED (
        SELECT p ->> 0 AS disposition, f.findings, hash_array_extended(f.findings, 0) AS findings_key
          FROM jsonb_array_elements(CAST(:outcomes AS jsonb)) AS p
         CROSS JOIN LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(p -> 1)) AS findings) AS f)"""
"""A query's name for the outcomes in its parameter `outcomes` (`as_parameter`)."""

SAME: Final = "disposition = passed.disposition AND findings_key = passed.findings_key"
"""The condition that a claim has an outcome of `PASSED`, as the index knows it: no two lists have one number."""

_KNOWN = """
    WITH RECURSIVE known AS (
        (SELECT disposition, findings_key, findings FROM reconciliation.claim
          WHERE target = :target AND ended_run_seq {is_open} ORDER BY disposition, findings_key LIMIT 1)
        UNION ALL
        SELECT n.disposition, n.findings_key, n.findings
          FROM known
         CROSS JOIN LATERAL (
               SELECT c.disposition, c.findings_key, c.findings FROM reconciliation.claim AS c
                WHERE c.target = :target AND c.ended_run_seq {is_open}
                  AND (c.disposition, c.findings_key) > (known.disposition, known.findings_key)
                ORDER BY c.disposition, c.findings_key LIMIT 1) AS n)
    SELECT disposition, findings FROM known"""
_SETTINGS = text("""
    SELECT s.content
      FROM reconciliation.run AS r JOIN reconciliation.settings_version AS s USING (settings_sha256)
     WHERE r.target = :target AND r.mode = 'publish'
     ORDER BY r.run_seq DESC LIMIT 1""")


def known_outcomes(conn: Connection, target: str, *, ended: bool = False) -> list[Outcome]:
    """Return every outcome that an open claim of the target has, or one that has ended."""
    query = text(_KNOWN.format(is_open="IS NOT NULL" if ended else "IS NULL"))
    return [(row.disposition, tuple(row.findings)) for row in conn.execute(query, {"target": target})]


def as_parameter(outcomes: Iterable[Outcome]) -> str:
    """Return outcomes as the parameter of `PASSED`."""
    return json.dumps(list(outcomes))


def severities_of(conn: Connection, target: str) -> Mapping[str, Severity]:
    """Return the severity of each finding under the settings of the target's last publishing run."""
    content = conn.execute(_SETTINGS, {"target": target}).scalar_one_or_none()
    settings = _settings(content)
    given = {code: finding.severity for code, finding in CATALOGUE.items()}
    overridden = settings.get("severities") or {}
    given |= {code: Severity(value) for code, value in overridden.items() if code in given}
    if settings.get("no_expiry") == NoExpiry.SENTINEL:
        given["EXPIRY_MISSING"] = Severity.INFO
    return given


def needs_somebody(outcome: Outcome, severities: Mapping[str, Severity]) -> bool:
    """Return whether somebody must do something: by the disposition, or by a finding of some weight."""
    disposition, codes = outcome
    return disposition in NEEDY or any(_severity(code, severities) is not Severity.INFO for code in codes)


def said_of(outcome: Outcome, severities: Mapping[str, Severity]) -> Said:
    """Return what is said of an outcome, the heaviest finding first."""
    disposition, codes = outcome
    return say(disposition, codes, severities.__getitem__)


def _severity(code: str, severities: Mapping[str, Severity]) -> Severity:
    # A code that this version does not know is an old one; it says nothing today.
    return severities.get(code, Severity.INFO)


def _settings(content: str | None) -> dict[str, Any]:
    found = json.loads(content) if content else {}
    if not isinstance(found, dict):
        return {}
    inner = found.get("settings")
    return inner if isinstance(inner, dict) else found
