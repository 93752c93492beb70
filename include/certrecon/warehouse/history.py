"""The history of claims: a row a claim and stretch of publishing runs in which it stayed the same.

A night reads the digests of the open rows back, finds the difference here, and writes that alone
(measured at a million claims: a fifth of sending all rows). A digest covers the claim's key too,
so a digest that is on both sides is a claim that stayed the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from sqlalchemy import Connection, text

from certrecon.errors import IntegrityError
from certrecon.warehouse.binary import copy_binary_blocks_in
from certrecon.warehouse.bulk import copy_batches, copy_out, stage
from certrecon.warehouse.claimrows import CLAIM, Details, claim_digests, digested_blocks
from certrecon.warehouse.digests import SHA256
from certrecon.warehouse.engine import driver
from certrecon.warehouse.persons import add_persons, persons_of
from certrecon.warehouse.runs import require_running

__all__ = [
    "CLAIM", "OPEN_CLAIM", "HistoryChange", "claims_around", "known_certificates", "known_numbers",
    "read_open_claims", "write_claims",
]  # fmt: skip

OPEN_CLAIM = pa.schema(
    [CLAIM.field(name) for name in (
        "certificate_id", "certificate_type", "tenant_id", "employee_number", "issued_on", "valid_until",
        "disposition", "findings", "linked", "resource_id", "person_name",
    )]
    + [pa.field("since_run_seq", pa.int64(), nullable=False)]
)  # fmt: skip
"""What `read_open_claims` returns."""

Since: TypeAlias = Callable[[pa.Table], pa.Array]
"""Says since which run each of some claims has had its disposition (int64)."""

_Ids: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
_Mask: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]
_STORED = np.dtype([("claim_id", ">i8"), ("row_sha256", "V32")])
_IDS_A_STATEMENT = 50_000
_INDEXED = 160
"""So much of a resource's id is in the index `claim_of_person`."""
_INSERTED = pa.schema([*CLAIM, ("row_sha256", SHA256), ("since_run_seq", pa.int64())])
_ANYTHING_OPEN = text("""
    SELECT EXISTS (SELECT FROM reconciliation.claim WHERE target = :target AND ended_run_seq IS NULL)""")
# Some thousand digests a message instead of one a row: a row a message costs more than all else.
_READ_DIGESTS = """
    COPY (SELECT string_agg(int8send(claim_id) || row_sha256, ''::bytea)
            FROM ({rows}) AS r GROUP BY claim_id / 4096)
      TO STDOUT (FORMAT binary)"""
_ALL_ROWS = """
    SELECT claim_id, row_sha256 FROM reconciliation.claim WHERE target = {target} AND ended_run_seq IS NULL"""
# Two queries, since PostgreSQL has no good plan for "in the tenants, or among the certificates".
_ROWS_IN_SCOPE = f"""{_ALL_ROWS} AND tenant_id = ANY ({{tenants}}::text[])
       AND certificate_id <> ALL ({{elsewhere}}::text[])
    UNION ALL
    SELECT c.claim_id, c.row_sha256
      FROM incoming_certificate AS i JOIN reconciliation.claim AS c ON c.certificate_id = i.certificate_id
     WHERE c.target = {{target}} AND c.ended_run_seq IS NULL
       AND c.tenant_id <> ALL ({{tenants}}::text[])"""  # noqa: S608
_ROWS_OF_CERTIFICATES = f"{_ALL_ROWS} AND certificate_id = ANY ({{certificates}}::text[])"
_END = text("""
    UPDATE reconciliation.claim SET ended_run_seq = :run_seq
     WHERE claim_id = ANY (CAST(:ids AS bigint[])) AND ended_run_seq IS NULL""")
_OPEN_CLAIMS = f"""
    SELECT {", ".join(OPEN_CLAIM.names)}
      FROM reconciliation.claim WHERE target = %(target)s AND ended_run_seq IS NULL"""  # noqa: S608
_CLAIMS_AROUND = f"""{_OPEN_CLAIMS} AND certificate_id = ANY (%(certificates)s)
    UNION
    {_OPEN_CLAIMS} AND employee_number = ANY (%(numbers)s)
    UNION
    {_OPEN_CLAIMS} AND left(resource_id, {_INDEXED}) = ANY (%(starts)s) AND resource_id = ANY (%(persons)s)"""
_EMPLOYEES = """
    SELECT DISTINCT employee_number FROM reconciliation.claim
     WHERE target = %(target)s AND ended_run_seq IS NULL AND employee_number IS NOT NULL
       AND disposition <> 'not_applicable' AND NOT 'EMPLOYEE_UNKNOWN' = ANY (findings)"""
_KNOWN = """
    SELECT DISTINCT certificate_id FROM reconciliation.claim
     WHERE target = %(target)s AND tenant_id = %(tenant_id)s AND ended_run_seq IS NULL"""


@dataclass(frozen=True, slots=True)
class HistoryChange:
    """What a write changed.

    Attributes:
        opened: Rows inserted.
        ended: Rows that this run ended.
        unchanged: Rows that stayed as they were.
    """

    opened: int
    ended: int
    unchanged: int


def write_claims(
    conn: Connection,
    run_seq: int,
    target: str,
    claims: pa.Table,
    scope_tenants: list[str] | None,
    elsewhere: Sequence[str] = (),
    certificates: Sequence[str] | None = None,
    *,
    details: Details | None = None,
    since: Since | None = None,
) -> HistoryChange:
    """Make `claims` (schema `CLAIM`) the open rows of the target, or of the tenants in scope.

    Rows that changed or are gone end with this run, new ones begin with it; what stayed the same is
    not touched, and an unchanged night writes nothing.

    Args:
        conn: A connection in a transaction.
        run_seq: The run that writes; it must be running.
        target: The target's digest.
        claims: Every claim of the run, in columns of schema `CLAIM`; others are not looked at. A column
            `since_run_seq` (int64) says since which run a claim has had its disposition, null or no
            column = this run. It is written with new rows and not compared.
        scope_tenants: The tenants that a limited run speaks of; null = all. A certificate of
            `claims` that another tenant had before moved, so its rows there end as well.
        elsewhere: Certificates that moved out of a limited run's tenants; their rows stay.
        certificates: The certificates that a run by ids speaks of; null = tenants are its limit, if anything is.
        details: Makes the column `detail` for claims that come without it.
        since: Makes the column `since_run_seq` for the claims that are new, where they come without it.
    """
    require_running(conn, run_seq)
    if _nothing_open(conn, target):
        return HistoryChange(_insert(conn, run_seq, target, claims, details, since), 0, 0)
    wanted = _rows_of_scope(conn, target, claims, scope_tenants, elsewhere, certificates)
    with ThreadPoolExecutor(1) as reader:
        # PostgreSQL reads its digests while this process makes its own.
        reading = reader.submit(_stored_digests, conn, wanted)
        digests = claim_digests(claims, details)
        ids, stored = reading.result()
    gone, new = _difference(stored, digests)
    _end(conn, run_seq, ids[gone])
    opened = _insert(conn, run_seq, target, claims.filter(pa.array(new)), details, since) if new.any() else 0
    return HistoryChange(opened, int(gone.sum()), int((~gone).sum()))


def read_open_claims(conn: Connection, target: str) -> pa.Table:
    """Return the claims of the target as the last publishing run left them (schema `OPEN_CLAIM`)."""
    return copy_out(conn, _OPEN_CLAIMS, {"target": target}, OPEN_CLAIM)


def open_claim_batches(conn: Connection, target: str) -> Generator[pa.Table, None, None]:
    """Yield what `read_open_claims` returns, some megabytes at a time; see `copy_batches`."""
    return copy_batches(conn, _OPEN_CLAIMS, {"target": target}, OPEN_CLAIM)


def claims_around(
    conn: Connection,
    target: str,
    *,
    certificates: Sequence[str] = (),
    numbers: Sequence[str] = (),
    persons: Sequence[str] = (),
) -> pa.Table:
    """Return the open claims of some certificates, employee numbers or 4HSE resources (schema `OPEN_CLAIM`)."""
    values = {
        "certificates": list(certificates),
        "numbers": list(numbers),
        "persons": list(persons),
        "starts": [person[:_INDEXED] for person in persons],
    }
    return copy_out(conn, _CLAIMS_AROUND, {"target": target, **values}, OPEN_CLAIM)


def known_certificates(conn: Connection, target: str, tenant_id: str) -> pa.Array:
    """Return the ids of the tenant's certificates that the last publishing run saw."""
    schema = pa.schema([("certificate_id", pa.string())])
    known = copy_out(conn, _KNOWN, {"target": target, "tenant_id": tenant_id}, schema)
    return known.column("certificate_id").combine_chunks()


def known_numbers(conn: Connection, target: str) -> list[str]:
    """Return the employee numbers, trimmed, that the last publishing run found among Ditio's employees."""
    found = copy_out(conn, _EMPLOYEES, {"target": target}, pa.schema([("employee_number", pa.string())]))
    numbers: list[str] = found.column("employee_number").to_pylist()
    return numbers


def _nothing_open(conn: Connection, target: str) -> bool:
    return not conn.execute(_ANYTHING_OPEN, {"target": target}).scalar_one()


def _rows_of_scope(
    conn: Connection,
    target: str,
    claims: pa.Table,
    scope_tenants: list[str] | None,
    elsewhere: Sequence[str],
    certificates: Sequence[str] | None,
) -> sql.Composed:
    """Return the query of the open rows that this run speaks of."""
    if certificates is not None:
        wanted = sql.SQL(_ROWS_OF_CERTIFICATES)
        return wanted.format(target=sql.Literal(target), certificates=sql.Literal(list(certificates)))
    if scope_tenants is None:
        return sql.SQL(_ALL_ROWS).format(target=sql.Literal(target))
    read = pa.table({"certificate_id": pc.unique(claims.column("certificate_id"))})
    stage(conn, "incoming_certificate", "claim", read)
    return sql.SQL(_ROWS_IN_SCOPE).format(
        target=sql.Literal(target), tenants=sql.Literal(scope_tenants), elsewhere=sql.Literal(list(elsewhere))
    )


def _stored_digests(conn: Connection, wanted: sql.Composed) -> tuple[_Ids, pa.FixedSizeBinaryArray]:
    """Return the ids and the digests of the rows of a query."""
    query = sql.SQL(_READ_DIGESTS).format(rows=wanted)
    with driver(conn).cursor() as cursor, cursor.copy(query) as copy:
        copy.set_types(["bytea"])
        found = np.frombuffer(b"".join(row[0] for row in copy.rows()), _STORED)
    digests = pa.py_buffer(np.ascontiguousarray(found["row_sha256"]))
    return found["claim_id"].astype(np.int64), pa.FixedSizeBinaryArray.from_buffers(SHA256, len(found), [None, digests])


def _difference(stored: pa.Array, digests: pa.Array) -> tuple[_Mask, _Mask]:
    """Return which of `stored` are not among `digests`, and which of `digests` are not in `stored`."""
    places = pc.fill_null(pc.index_in(stored, value_set=digests), -1).to_numpy()
    gone, new = places < 0, np.ones(len(digests), dtype=bool)
    new[places[~gone]] = False
    return gone, new


def _end(conn: Connection, run_seq: int, ids: _Ids) -> None:
    for part in _parts(ids):
        ended = conn.execute(_END, {"run_seq": run_seq, "ids": part}).rowcount
        if ended != len(part):
            raise IntegrityError(f"{len(part)} claims should end with run {run_seq}, but {ended} did.")


def _parts(ids: _Ids) -> Iterator[list[int]]:
    for start in range(0, len(ids), _IDS_A_STATEMENT):
        yield ids[start : start + _IDS_A_STATEMENT].tolist()


def _insert(
    conn: Connection, run_seq: int, target: str, claims: pa.Table, details: Details | None, since: Since | None
) -> int:
    """Write claims as rows that begin with this run, and their persons' names; return how many rows."""
    if "since_run_seq" not in claims.column_names and since is not None:
        claims = claims.append_column("since_run_seq", since(claims))
    with ThreadPoolExecutor(1) as beside:
        persons = beside.submit(persons_of, claims)
        shared: dict[str, str | int] = {"target": target, "first_run_seq": run_seq}
        copy_binary_blocks_in(conn, "claim", _INSERTED, _opened(run_seq, claims, details), shared)
        add_persons(conn, target, persons.result())
    return int(claims.num_rows)


def _opened(run_seq: int, claims: pa.Table, details: Details | None) -> Iterator[pa.Table]:
    """Yield blocks of rows with all columns in which they differ."""
    this_run, start = pa.scalar(run_seq, pa.int64()), 0
    for rows in digested_blocks(claims, details):
        if "since_run_seq" in claims.column_names:
            given = claims.column("since_run_seq").slice(start, rows.num_rows)
            since = pc.fill_null(given.cast(pa.int64()), this_run)
        else:
            since = pa.repeat(this_run, rows.num_rows)
        yield rows.append_column("since_run_seq", since)
        start += rows.num_rows
