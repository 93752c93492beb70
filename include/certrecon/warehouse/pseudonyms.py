"""Pseudonyms in place of persons whose claims all ended long ago.

Only the digest of a row is in the records of runs, and it stays: `pseudonym_sha256` stands beside it
and says what the row is now. Nobody can tell from a pseudonym whose it is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, text

from certrecon.errors import IntegrityError
from certrecon.warehouse.bulk import copy_batches, stage
from certrecon.warehouse.chain import hold_chain
from certrecon.warehouse.digests import row_digests
from certrecon.warehouse.history import CLAIM
from certrecon.warehouse.storable import storable_text
from certrecon.warehouse.stored import STORED, detail_text, digested_columns
from certrecon.words import PERSON

PERSONS = pa.schema([("target", pa.string()), ("resource_id", pa.string()), ("claims", pa.int64())])
"""Persons of a target and how many of their claims have no pseudonym yet."""

# A certificate without a resource type may be a person's; equipment has neither name nor number.
_PAST = f"""
    SELECT c.target, c.resource_id, count(*)
      FROM reconciliation.claim AS c
      {{among}}
      LEFT JOIN reconciliation.run AS ending ON ending.run_seq = c.ended_run_seq
     WHERE c.resource_id IS NOT NULL AND c.pseudonymisation_id IS NULL
     GROUP BY c.target, c.resource_id
    HAVING bool_and(coalesce((ending.finished_at AT TIME ZONE 'UTC')::date < {{before}}, false))
       AND bool_or(coalesce(c.resource_type, '{PERSON}') = '{PERSON}' OR c.person_name IS NOT NULL
                   OR c.employee_number IS NOT NULL)"""  # noqa: S608 - constants
_AMONG = """
      JOIN candidate ON candidate.target = c.target AND candidate.resource_id = c.resource_id
                    AND left(candidate.resource_id, 160) = left(c.resource_id, 160)"""
_MAKE_LEAVING = text("CREATE TEMP TABLE leaving (of_target text, person text, pseudonym text) ON COMMIT DROP")
_LEAVE = text(f"""
    INSERT INTO leaving
    SELECT past.target, past.resource_id, 'pseudonym-' || gen_random_uuid()
      FROM ({_PAST.format(among=_AMONG, before="CAST(:before AS date)")}) AS past""")  # noqa: S608 - constants
_ANALYZE = text("ANALYZE pg_temp.leaving")
_THEIRS = """
    target = of_target AND left(resource_id, 160) = left(person, 160) AND resource_id = person
       AND pseudonymisation_id IS NULL"""
_NEW_DETAIL = "jsonb_set(detail, '{ditio_employee_number}', 'null', false)"
_READ = pa.schema([*STORED, ("pseudonym", pa.string()), ("new_detail", pa.string())])
_ROWS = f"""
    SELECT claim_id, {digested_columns()}, encode(row_sha256, 'hex') AS digest, pseudonym,
           {detail_text(_NEW_DETAIL)} AS new_detail
      FROM leaving JOIN reconciliation.claim ON {_THEIRS} ORDER BY claim_id"""  # noqa: S608 - constants
_RECORD = text("""
    INSERT INTO reconciliation.pseudonymisation (done_at, ended_before, reason, persons, claims, sha256)
    VALUES (clock_timestamp(), :ended_before, :reason, :persons, :claims, :sha256) RETURNING pseudonymisation_id""")
_REPLACE = text(f"""
    UPDATE reconciliation.claim AS c
       SET resource_id = leaving.pseudonym, person_name = NULL, employee_number = NULL, detail = {_NEW_DETAIL},
           pseudonymisation_id = :number, pseudonym_sha256 = changed.pseudonym_sha256
      FROM leaving, changed
     WHERE changed.claim_id = c.claim_id AND c.target = leaving.of_target AND c.resource_id = leaving.person
       AND c.pseudonymisation_id IS NULL""")  # noqa: S608 - constants
# Names are searched under the first 160 characters of a person's id, which another person may share.
_FORGET = text("""
    DELETE FROM reconciliation.claim_person AS p USING leaving
     WHERE p.target = leaving.of_target AND p.resource_id = left(leaving.person, 160)
       AND NOT EXISTS (
           SELECT FROM reconciliation.claim AS c
            WHERE c.target = p.target AND left(c.resource_id, 160) = p.resource_id)""")
_READ_ALL = text("""
    SELECT pseudonymisation_id, done_at, ended_before, reason, persons, claims, sha256
      FROM reconciliation.pseudonymisation ORDER BY pseudonymisation_id""")


@dataclass(frozen=True, slots=True)
class Pseudonymisation:
    """A set of claims that were pseudonymised at once.

    Attributes:
        pseudonymisation_id: Its number.
        ended_before: The day before which all of the persons' claims had ended.
        reason: Why, in words.
        persons: How many persons.
        claims: How many of their claims.
        sha256: The digest over number (eight bytes) and `pseudonym_sha256` of each claim, by number.
    """

    pseudonymisation_id: int
    ended_before: dt.date
    reason: str
    persons: int
    claims: int
    sha256: str


def persons_past(conn: Connection, ended_before: dt.date) -> Generator[pa.Table, None, None]:
    """Yield the persons (schema `PERSONS`) none of whose claims is open or ended on that day (UTC) or later.

    Nothing else may use `conn` until the last, or until it is closed. A claim ends on the day on which the
    run that ended it finished.
    """
    query = _PAST.format(among="", before="%(before)s::date")
    yield from copy_batches(conn, query, {"before": ended_before}, PERSONS)


def pseudonymise(conn: Connection, persons: pa.Table, ended_before: dt.date, reason: str) -> Pseudonymisation | None:
    """Put pseudonyms in place of some persons in all of their claims, with an entry on the record.

    Who is no longer past by now is left out. The chain's lock is held until the transaction ends, so no
    run loads claims meanwhile.

    Args:
        conn: A connection in a transaction.
        persons: The persons (schema `PERSONS`).
        ended_before: As for `persons_past`.
        reason: Why, in words.

    Returns:
        The entry; None where nobody was left.

    Raises:
        IntegrityError: A claim does not give its digest; a pseudonym would hide that for ever.
    """
    hold_chain(conn)
    stage(conn, "candidate", "claim", persons.select(["target", "resource_id"]))
    conn.execute(_MAKE_LEAVING)
    leaving = conn.execute(_LEAVE, {"before": ended_before}).rowcount
    if not leaving:
        return None
    conn.execute(_ANALYZE)
    changed = _changed(conn)
    entry = _record(conn, changed, ended_before, reason, leaving)
    stage(conn, "changed", "claim", changed)
    replaced = conn.execute(_REPLACE, {"number": entry.pseudonymisation_id}).rowcount
    if replaced != entry.claims:
        raise IntegrityError(f"{entry.claims} claims should be pseudonymised, but {replaced} were.")
    conn.execute(_FORGET)
    return entry


def read_pseudonymisations(conn: Connection) -> list[Pseudonymisation]:
    """Return every entry on the record, by number."""
    rows = conn.execute(_READ_ALL).mappings()
    return [Pseudonymisation(**{name: row[name] for name in Pseudonymisation.__slots__}) for row in rows]


def _changed(conn: Connection) -> pa.Table:
    """Return number and new digest of every claim of those who leave, by number."""
    # A COPY that nobody ends would hold up the rollback for ever.
    with closing(copy_batches(conn, _ROWS, None, _READ)) as found:
        parts = [_with_pseudonyms(rows) for rows in found]
    return pa.concat_tables(parts).combine_chunks()


def _with_pseudonyms(rows: pa.Table) -> pa.Table:
    claims = rows.select(CLAIM.names).cast(CLAIM).combine_chunks()
    stored = pa.array(map(bytes.fromhex, rows["digest"].to_pylist()), pa.binary())
    wrong = pc.sum(pc.not_equal(row_digests(claims).cast(pa.binary()), stored)).as_py()
    if wrong:
        raise IntegrityError(
            f"{wrong} claims that were to be pseudonymised do not give their digests: run `make verify`."
        )
    nobody = pa.nulls(rows.num_rows, pa.string())
    new = {
        "resource_id": rows["pseudonym"],
        "person_name": nobody,
        "employee_number": nobody,
        "detail": rows["new_detail"],
    }
    for name, values in new.items():
        claims = claims.set_column(CLAIM.get_field_index(name), CLAIM.field(name), values)
    return pa.table({"claim_id": rows["claim_id"], "pseudonym_sha256": row_digests(claims.combine_chunks())})


def _record(conn: Connection, changed: pa.Table, ended_before: dt.date, reason: str, persons: int) -> Pseudonymisation:
    digests = changed["pseudonym_sha256"].cast(pa.binary()).to_pylist()
    numbers = changed["claim_id"].to_pylist()
    spelled = b"".join(number.to_bytes(8, "big") + digest for number, digest in zip(numbers, digests, strict=True))
    entry = Pseudonymisation(
        0, ended_before, storable_text(reason) or "", persons, len(numbers), hashlib.sha256(spelled).hexdigest()
    )
    values = {name: value for name, value in asdict(entry).items() if name != "pseudonymisation_id"}
    number: int = conn.execute(_RECORD, values).scalar_one()
    return Pseudonymisation(**values, pseudonymisation_id=number)
