"""What needs somebody this morning."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, text

from certrecon.browse.ages import Ages, read_ages
from certrecon.browse.claims import COLUMNS, ClaimLine, claim_line
from certrecon.browse.outcomes import (
    PASSED,
    SAME,
    Outcome,
    as_parameter,
    known_outcomes,
    needs_somebody,
    said_of,
    severities_of,
)
from certrecon.browse.paging import Page, checked_limit, cursor_of, key_of, page_of
from certrecon.browse.removals import OPEN, WITHDRAWN
from certrecon.browse.tuning import LOOKED_AT, tune
from certrecon.browse.work import DanglingLine, OwnerTotals, UnmappedGroup, UnmappedGroups, WorkFilter, WorkLine
from certrecon.words import Disposition, Severity

__all__ = [
    "DanglingLine", "OwnerTotals", "UnmappedGroup", "UnmappedGroups", "WorkFilter", "WorkLine", "list_dangling",
    "list_work", "owner_totals", "unmapped_types",
]  # fmt: skip

# The same condition as the index's, so that PostgreSQL sees that the index has all of them.
_WORK: Final = """ended_run_seq IS NULL AND (findings <> '{{}}'::text[]
       OR disposition IN ('blocked', 'held', 'rejected', 'undelivered', 'refused'))"""
_IN_ORDER: Final = "ORDER BY since_run_seq DESC, certificate_id DESC, claim_id DESC"
_BEFORE: Final = """since_run_seq <= :key_run
       AND (since_run_seq, certificate_id, claim_id) < (:key_run, :key_certificate, :key_claim)"""
_FIRST: Final = f"""
    WITH {PASSED}, looked_at AS MATERIALIZED (
        SELECT {COLUMNS} FROM reconciliation.claim
         WHERE {_WORK} AND {{before}} {_IN_ORDER} LIMIT :most)
    SELECT {COLUMNS} FROM looked_at
     WHERE {{wanted}} AND (disposition, findings) IN (SELECT disposition, findings FROM passed)
     {_IN_ORDER} LIMIT :rows"""  # noqa: S608 - ours
_RARE: Final = f"""
    WITH {PASSED}, found AS MATERIALIZED (
        SELECT c.* FROM passed CROSS JOIN LATERAL (
            SELECT {COLUMNS} FROM reconciliation.claim
             WHERE {{wanted}} AND {{before}} AND ended_run_seq IS NULL
               AND {SAME} OFFSET 0) AS c)
    SELECT {COLUMNS} FROM found {_IN_ORDER} LIMIT :rows"""  # noqa: S608 - ours
_COUNTS: Final = text(f"""
    WITH {PASSED}
    SELECT passed.disposition, passed.findings, c.claims
      FROM passed CROSS JOIN LATERAL (
           SELECT count(*) AS claims FROM reconciliation.claim
            WHERE target = :target AND ended_run_seq IS NULL AND {SAME}) AS c""")  # noqa: S608 - ours
_ENTRIES: Final = text("""
    SELECT u.employee_number, u.certificate_type, u.state, u.run_seq, u.http_status, u.message
      FROM unnest(CAST(:numbers AS text[]), CAST(:types AS text[])) AS k (employee_number, certificate_type)
      JOIN reconciliation.ditio_upsert AS u USING (employee_number, certificate_type)
     WHERE u.target = :target""")
_SMALL: Final = text(f"""
    SELECT (SELECT count(*) FROM reconciliation.dangling_link
             WHERE target = :target AND ended_run_seq IS NULL),
           (SELECT count(*) FROM {WITHDRAWN} WHERE w.target = :target AND {OPEN})""")  # noqa: S608 - ours
_DANGLING: Final = """
    SELECT dangling_id, tenant_id, certificate_action_id, certificate_id, action_name, action_type, first_run_seq
      FROM reconciliation.dangling_link
     WHERE target = :target AND ended_run_seq IS NULL AND {before}
     ORDER BY first_run_seq DESC, dangling_id DESC LIMIT :rows"""
_UNMAPPED: Final = text(f"""
    WITH {PASSED}
    SELECT c.certificate_name, c.action_type, c.tenant_id, count(*) AS claims, min(c.certificate_id) AS example
      FROM passed CROSS JOIN LATERAL (
           SELECT certificate_name, action_type, tenant_id, certificate_id FROM reconciliation.claim
            WHERE target = :target AND ended_run_seq IS NULL AND {SAME} OFFSET 0) AS c
     GROUP BY 1, 2, 3 ORDER BY claims DESC, 1, 2, 3 LIMIT :rows""")  # noqa: S608 - ours
_ANSWERED: Final = frozenset({Disposition.REJECTED.value, Disposition.UNDELIVERED.value})


def list_work(conn: Connection, wanted: WorkFilter, after: str | None = None, limit: int = 50) -> Page[WorkLine]:
    """Return the claims that need somebody, the newest first.

    Raises:
        ParameterError: `after` is no cursor of this list.
    """
    key = key_of(after, [int, str, int], wanted)
    limit = checked_limit(limit)
    tune(conn)
    severities = severities_of(conn, wanted.target)
    outcomes = _outcomes(conn, wanted, severities)
    params: dict[str, Any] = {"target": wanted.target, "tenant": wanted.tenant, "most": LOOKED_AT, "rows": limit + 1}
    params["outcomes"] = as_parameter(outcomes)
    if key is not None:
        params |= dict(zip(("key_run", "key_certificate", "key_claim"), key, strict=True))
    rows = _rows(conn, params, wanted) if outcomes else []
    lines = _lines(conn, wanted.target, rows, severities)
    return page_of(lines, limit, lambda line: line, lambda line: _cursor(line.claim, wanted))


def owner_totals(conn: Connection, target: str) -> OwnerTotals:
    """Return how much work each owner has."""
    tune(conn)
    severities = severities_of(conn, target)
    outcomes = _outcomes(conn, WorkFilter(target), severities)
    counted = conn.execute(_COUNTS, {"target": target, "outcomes": as_parameter(outcomes)}).all()
    owners: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in counted:
        for owner in said_of((row.disposition, tuple(row.findings)), severities).owners:
            owners[owner][row.disposition] += row.claims
    dangling, withdrawn = conn.execute(_SMALL, {"target": target}).one()
    per_owner = {owner: dict(counts) for owner, counts in owners.items()}
    return OwnerTotals(sum(row.claims for row in counted), per_owner, dangling, withdrawn)


def list_dangling(conn: Connection, target: str, after: str | None = None, limit: int = 50) -> Page[DanglingLine]:
    """Return the dangling links of now, newest first.

    Raises:
        ParameterError: `after` is no cursor of this list.
    """
    key = key_of(after, [int, int], "dangling", target)
    limit = checked_limit(limit)
    params: dict[str, Any] = {"target": target, "rows": limit + 1}
    if key is not None:
        params |= {"key_run": key[0], "key_id": key[1]}
    before = "(first_run_seq, dangling_id) < (:key_run, :key_id)" if key else "true"
    rows = conn.execute(text(_DANGLING.format(before=before)), params).mappings().all()
    ages = read_ages(conn, target)
    return page_of(
        rows,
        limit,
        lambda row: _dangling(row, ages),
        lambda row: cursor_of([row["first_run_seq"], row["dangling_id"]], "dangling", target),
    )


def unmapped_types(conn: Connection, target: str, limit: int = 100) -> UnmappedGroups:
    """Return the claims with finding `TYPE_UNMAPPED` in groups, the `limit` largest, the largest first."""
    tune(conn)
    outcomes = [each for each in known_outcomes(conn, target) if "TYPE_UNMAPPED" in each[1]]
    limit = checked_limit(limit)
    params = {"target": target, "outcomes": as_parameter(outcomes), "rows": limit + 1}
    groups = tuple(UnmappedGroup(**row) for row in conn.execute(_UNMAPPED, params).mappings())
    return UnmappedGroups(groups[:limit], more=len(groups) > limit)


def _outcomes(conn: Connection, wanted: WorkFilter, severities: Mapping[str, Severity]) -> list[Outcome]:
    """Return the outcomes that need somebody and are wanted."""
    return [
        outcome
        for outcome in known_outcomes(conn, wanted.target)
        if needs_somebody(outcome, severities)
        and wanted.disposition in {None, outcome[0]}
        and (wanted.finding is None or wanted.finding in outcome[1])
        and (wanted.owner is None or wanted.owner in said_of(outcome, severities).owners)
    ]


def _rows(conn: Connection, params: dict[str, Any], wanted: WorkFilter) -> Sequence[RowMapping]:
    """Return the first rows: among the newest, or where those are too few, all of the outcomes sorted."""
    before = _BEFORE if "key_run" in params else "true"
    conditions = "target = :target" + (" AND tenant_id = :tenant" if wanted.tenant else "")
    looked_at = conditions.replace("target = :target AND", "") if wanted.tenant else "true"
    first = _FIRST.format(before=f"target = :target AND {before}", wanted=looked_at)
    rows = conn.execute(text(first), params).mappings().all()
    if len(rows) >= params["rows"]:
        return rows
    return conn.execute(text(_RARE.format(before=before, wanted=conditions)), params).mappings().all()


def _lines(
    conn: Connection, target: str, rows: Sequence[RowMapping], severities: Mapping[str, Severity]
) -> list[WorkLine]:
    claims = [claim_line(row) for row in rows]
    ages, answers = read_ages(conn, target), _answers(conn, target, claims)
    lines = []
    for claim in claims:
        said = said_of((claim.disposition, claim.findings), severities)
        message = _message(claim, answers.get((claim.employee_number, claim.certificate_type)))
        age = ages.since(claim.since_run_seq)
        lines.append(WorkLine(claim, said.owners, said.in_words, said.what_to_do, message, *age))
    return lines


def _answers(
    conn: Connection, target: str, claims: Sequence[ClaimLine]
) -> dict[tuple[str | None, str | None], RowMapping]:
    """Return the entries of claims that Ditio may have answered, by employee number and type."""
    failed = [claim for claim in claims if claim.disposition in _ANSWERED]
    if not failed:
        return {}
    keys = {"numbers": [each.employee_number for each in failed], "types": [each.certificate_type for each in failed]}
    found = conn.execute(_ENTRIES, {"target": target, **keys}).mappings()
    return {(row["employee_number"], row["certificate_type"]): row for row in found}


def _message(claim: ClaimLine, entry: RowMapping | None) -> str | None:
    """Return what Ditio said of a claim: an entry in another state, or from before, answers for something else."""
    if entry is None or entry["state"] != claim.disposition or entry["run_seq"] < claim.first_run_seq:
        return None
    status = f"HTTP {entry['http_status']}" if entry["http_status"] else None
    return ": ".join(part for part in (status, entry["message"]) if part) or None


def _cursor(claim: ClaimLine, wanted: WorkFilter) -> str:
    return cursor_of([claim.since_run_seq, claim.certificate_id, claim.claim_id], wanted)


def _dangling(row: RowMapping, ages: Ages) -> DanglingLine:
    values = {name: value for name, value in row.items() if name != "dangling_id"}
    age_runs, age_days = ages.since(row["first_run_seq"])
    return DanglingLine(**values, age_runs=age_runs, age_days=age_days)
