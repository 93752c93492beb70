"""The search over claims, now or as a run left them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, RowMapping, text

from certrecon.browse.outcomes import PASSED, SAME, as_parameter, known_outcomes
from certrecon.browse.paging import Page, checked_limit, cursor_of, key_of, page_of
from certrecon.browse.persons import person_condition
from certrecon.browse.tuning import FEW_ENDED, LOOKED_AT, LOOKED_AT_IN_THE_PAST, tune
from certrecon.errors import ParameterError


@dataclass(frozen=True, slots=True)
class ClaimFilter:
    """Which claims are wanted; what is null or blank does not narrow the search.

    Attributes:
        target: The target's digest.
        as_of: Number of a publishing run: the claims as it left them. Null = now.
        person: Parts of a person's name; each word must occur in one of the names the person ever had.
        employee_number: The whole number.
        certificate: A certificate's whole id.
        certificate_type: The whole type; `UNMAPPED` for claims without one.
        finding: A finding's code.
        disposition: A disposition.
        tenant: A tenant's id.
    """

    target: str
    as_of: int | None = None
    person: str | None = None
    employee_number: str | None = None
    certificate: str | None = None
    certificate_type: str | None = None
    finding: str | None = None
    disposition: str | None = None
    tenant: str | None = None


UNMAPPED = "(none)"
"""What `ClaimFilter.certificate_type` says for claims that no rule gives a type."""


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim in a list; names and numbers are null where the claim is not about a person."""

    claim_id: int
    certificate_id: str
    certificate_type: str | None
    certificate_name: str | None
    tenant_id: str
    person_name: str | None
    employee_number: str | None
    issued_on: dt.date | None
    valid_until: dt.date | None
    linked: bool
    disposition: str
    findings: tuple[str, ...]
    first_run_seq: int
    ended_run_seq: int | None
    since_run_seq: int
    resource_id: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the search form offers, each sorted."""

    certificate_types: tuple[str, ...]
    tenants: tuple[str, ...]


CLAIM_TABLE = pa.schema(
    [
        ("certificate_id", pa.string()),
        ("certificate_type", pa.string()),
        ("certificate_name", pa.string()),
        ("tenant_id", pa.string()),
        ("person_name", pa.string()),
        ("employee_number", pa.string()),
        ("issued_on", pa.date32()),
        ("valid_until", pa.date32()),
        ("linked", pa.bool_()),
        ("disposition", pa.string()),
        ("findings", pa.list_(pa.string())),
        ("first_run_seq", pa.int64()),
        ("ended_run_seq", pa.int64()),
        ("since_run_seq", pa.int64()),
        ("resource_id", pa.string()),
    ]
)
"""What `stream` yields."""


COLUMNS = ", ".join(each.name for each in fields(ClaimLine))
"""The columns of a `ClaimLine`, for queries."""

_ROWS_A_TABLE = 5_000
_IN_ORDER = "ORDER BY certificate_id, claim_id"
_FROM_KEY = "certificate_id >= :key_certificate AND (certificate_id, claim_id) > (:key_certificate, :key_claim)"
_RUN = text("SELECT target, mode FROM reconciliation.run WHERE run_seq = :run_seq")
_ENDED_SINCE = text("SELECT 1 FROM reconciliation.claim WHERE ended_run_seq > :at OFFSET :few LIMIT 1")
# From one index entry to the next different one; a tenant's claims without a type come last.
_TENANTS_AND_TYPES = text("""
    WITH RECURSIVE known AS (
        (SELECT tenant_id, certificate_type FROM reconciliation.claim
          WHERE target = :target AND ended_run_seq IS NULL ORDER BY tenant_id, certificate_type LIMIT 1)
        UNION ALL
        SELECT n.tenant_id, n.certificate_type
          FROM known
         CROSS JOIN LATERAL (
               SELECT c.tenant_id, c.certificate_type FROM reconciliation.claim AS c
                WHERE c.target = :target AND c.ended_run_seq IS NULL
                  AND (c.tenant_id, c.certificate_type) > (known.tenant_id, known.certificate_type)
                ORDER BY c.tenant_id, c.certificate_type LIMIT 1) AS n)
    SELECT tenant_id, certificate_type FROM known""")


def search(conn: Connection, wanted: ClaimFilter, after: str | None = None, limit: int = 50) -> Page[ClaimLine]:
    """Return the claims that are wanted, by certificate.

    The first claims in order are looked at; where they do not fill the page, claims as wanted are
    rare, and all of them are found through the indexes of what is wanted.

    Raises:
        ParameterError: `after` is no cursor of this search, or `as_of` no publishing run of the target.
    """
    key = key_of(after, [str, int], wanted)
    _check_run(conn, wanted)
    limit = checked_limit(limit)
    conditions, params = _conditions(conn, wanted)
    most = LOOKED_AT if wanted.as_of is None else min(LOOKED_AT, LOOKED_AT_IN_THE_PAST)
    params |= {"rows": limit + 1, "most": most}
    if key is not None:
        params |= {"key_certificate": key[0], "key_claim": key[1]}
    tune(conn)
    rows = _first_rows(conn, wanted, conditions, params)
    if conditions and len(rows) <= limit:
        rows = _rare_rows(conn, wanted, conditions, params)
    return page_of(rows, limit, claim_line, lambda row: cursor_of([row["certificate_id"], row["claim_id"]], wanted))


def stream(conn: Connection, wanted: ClaimFilter) -> Iterator[pa.Table]:
    """Yield all claims that are wanted in tables of schema `CLAIM_TABLE`, some thousand rows each.

    Raises:
        ParameterError: `as_of` is no publishing run of the target.
    """
    _check_run(conn, wanted)
    conditions, params = _conditions(conn, wanted)
    tune(conn)
    chosen = ", ".join(CLAIM_TABLE.names)
    branches = _branches(wanted, conditions, after=False)
    query = text(f"SELECT {chosen} FROM ({branches}) AS c {_IN_ORDER}")  # noqa: S608 - names of this module
    streamed = conn.execution_options(stream_results=True, yield_per=_ROWS_A_TABLE)
    for part in streamed.execute(query, params).partitions():
        columns = zip(*part, strict=True)
        arrays = [pa.array(values, field.type) for values, field in zip(columns, CLAIM_TABLE, strict=True)]
        yield pa.table(arrays, schema=CLAIM_TABLE)


def choices(conn: Connection, target: str) -> Choices:
    """Return the types and tenants of the target's claims."""
    tune(conn)
    found = conn.execute(_TENANTS_AND_TYPES, {"target": target}).all()
    types, tenants = {row.certificate_type for row in found} - {None}, {row.tenant_id for row in found}
    return Choices(tuple(sorted(types)), tuple(sorted(tenants)))


def claim_line(row: RowMapping) -> ClaimLine:
    """Return a row with at least `COLUMNS` as a line."""
    values = {each.name: row[each.name] for each in fields(ClaimLine)}
    return ClaimLine(**values | {"findings": tuple(row["findings"])})


def _check_run(conn: Connection, wanted: ClaimFilter) -> None:
    if wanted.as_of is None:
        return
    found = conn.execute(_RUN, {"run_seq": wanted.as_of}).one_or_none() if abs(wanted.as_of) < 2**63 else None
    if found is None or (found.target, found.mode) != (wanted.target, "publish"):
        raise ParameterError(f"Run {wanted.as_of} is no publishing run of this target: choose one of the list of runs.")


def _conditions(conn: Connection, wanted: ClaimFilter) -> tuple[list[str], dict[str, Any]]:
    """Return what a claim must fulfil beyond target and run, and the values that it names."""
    params: dict[str, Any] = {"target": wanted.target, "at": wanted.as_of}
    conditions = []
    for column, value in _exact(wanted):
        conditions.append(f"{column} = :{column}")
        params[column] = value
    if wanted.certificate_type == UNMAPPED:
        conditions.append("certificate_type IS NULL")
    if finding := _given(wanted.finding):
        conditions.append("findings @> ARRAY[:finding]")
        params["finding"] = finding
    if person := _given(wanted.person):
        condition, values = person_condition(conn, wanted.target, person)
        conditions.append(condition)
        params |= values
    return conditions, params


def _exact(wanted: ClaimFilter) -> Iterator[tuple[str, str]]:
    pairs = [
        ("certificate_id", wanted.certificate),
        ("employee_number", wanted.employee_number),
        ("disposition", wanted.disposition),
        ("tenant_id", wanted.tenant),
        ("certificate_type", None if wanted.certificate_type == UNMAPPED else wanted.certificate_type),
    ]
    for column, value in pairs:
        if given := _given(value):
            yield column, given


def _given(value: str | None) -> str | None:
    # PostgreSQL has no text with a NUL; nothing can be found by one.
    return (value or "").strip().replace("\0", "\ufffd") or None


def _branches(
    wanted: ClaimFilter, conditions: Sequence[str], ending: str = "", *, after: bool, few: bool = False
) -> str:
    """Return the claims of now, or as the run left them: open ones and, for a run, ended ones.

    `ending` orders and cuts each part by itself, so that each comes from its own index; `few` ended
    ones are all found by the run that ended them, and sorted.
    """
    base = ["target = :target", *([_FROM_KEY] if after else [])]
    both = [*base, *conditions]
    if wanted.as_of is None:
        return _select([*both, "ended_run_seq IS NULL"], ending)
    still = _select([*both, "ended_run_seq IS NULL", "first_run_seq <= :at"], ending)
    since = ["ended_run_seq IS NOT NULL", "first_run_seq <= :at", "ended_run_seq > :at"]
    if not few:
        return f"{still} UNION ALL {_select([*both, *since], ending)}"
    fits = " AND ".join(conditions) or "true"
    ended = f"(SELECT * FROM {_select([*base, *since], 'OFFSET 0')} AS ended WHERE {fits} {ending})"  # noqa: S608 - ours
    return f"{still} UNION ALL {ended}"


def _select(conditions: Sequence[str], ending: str) -> str:
    return f"(SELECT {COLUMNS} FROM reconciliation.claim WHERE {' AND '.join(conditions)} {ending})"  # noqa: S608 - ours


def _few_ended(conn: Connection, wanted: ClaimFilter) -> bool:
    if wanted.as_of is None:
        return False
    return conn.execute(_ENDED_SINCE, {"at": wanted.as_of, "few": FEW_ENDED}).one_or_none() is None


def _first_rows(
    conn: Connection, wanted: ClaimFilter, conditions: Sequence[str], params: dict[str, Any]
) -> Sequence[RowMapping]:
    most = ":most" if conditions else ":rows"
    cut = f"{_IN_ORDER} LIMIT {most}"
    branches = _branches(wanted, [], cut, few=_few_ended(conn, wanted), after="key_claim" in params)
    fits = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"""
        SELECT {COLUMNS}
          FROM (SELECT {COLUMNS} FROM ({branches}) AS c {_IN_ORDER} LIMIT {most}) AS looked_at
         {fits} {_IN_ORDER} LIMIT :rows"""  # noqa: S608 - made of this module's own words
    return conn.execute(text(query), params).mappings().all()


def _rare_rows(
    conn: Connection, wanted: ClaimFilter, conditions: Sequence[str], params: dict[str, Any]
) -> Sequence[RowMapping]:
    after = "key_claim" in params
    found = _branches(wanted, conditions, few=_few_ended(conn, wanted), after=after)
    passed = ""
    if "finding" in params and "employee_number" not in params and "certificate_id" not in params:
        known = set(known_outcomes(conn, wanted.target))
        if wanted.as_of is not None:
            known.update(known_outcomes(conn, wanted.target, ended=True))
        outcomes = [each for each in known if params["finding"] in each[1]]
        params = params | {"outcomes": as_parameter(outcomes)}
        passed = f"{PASSED},"
        others = [each for each in conditions if not each.startswith("findings")]
        inner = _branches(wanted, [*others, SAME], after=after)
        found = f"SELECT c.* FROM passed CROSS JOIN LATERAL ({inner} OFFSET 0) AS c"  # noqa: S608 - ours
    query = f"""
        WITH {passed} found AS MATERIALIZED ({found})
        SELECT {COLUMNS} FROM found {_IN_ORDER} LIMIT :rows"""  # noqa: S608 - made of this module's own words
    return conn.execute(text(query), params).mappings().all()
