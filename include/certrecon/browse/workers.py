"""One worker over the runs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, text

from certrecon.browse.claims import COLUMNS, ClaimLine, claim_line
from certrecon.browse.paging import Page, checked_limit, cursor_of, key_of, page_of
from certrecon.browse.removals import RemovalLine, withdrawn_of
from certrecon.browse.tuning import tune
from certrecon.errors import ParameterError

_BY_NUMBER = "employee_number = :value"
_BY_PERSON = "left(resource_id, 160) = left(:value, 160) AND resource_id = :value"
_SEEN_BY_PERSON = "resource_id = left(:value, 160)"
_PERSONS = """
    SELECT resource_id, person_name, employee_number FROM reconciliation.claim_person
     WHERE target = :target AND {of} ORDER BY person_name, resource_id, employee_number LIMIT 100"""
_OPEN = f"""
    SELECT {COLUMNS} FROM reconciliation.claim
     WHERE target = :target AND {{of}} AND ended_run_seq IS NULL
     ORDER BY certificate_type, valid_until DESC, certificate_id LIMIT 200"""  # noqa: S608 - ours
_HISTORY = f"""
    WITH found AS MATERIALIZED (
        SELECT {COLUMNS} FROM reconciliation.claim WHERE target = :target AND {{of}})
    SELECT found.*, started.run_day AS from_day, stopped.run_day AS until_day
      FROM found
      JOIN reconciliation.run AS started ON started.run_seq = found.first_run_seq
      LEFT JOIN reconciliation.run AS stopped ON stopped.run_seq = found.ended_run_seq
     WHERE {{before}}
     ORDER BY found.first_run_seq DESC, found.claim_id DESC LIMIT :rows"""  # noqa: S608 - ours
_BEFORE = "(found.first_run_seq, found.claim_id) < (:key_run, :key_claim)"
_LEDGER = text("""
    SELECT certificate_type, certificate_id, state, left(payload ->> 'issuedDateTime', 10) AS issued,
           left(payload ->> 'validUntilDateTime', 10) AS valid_until, acknowledged_at, acknowledged_certificate_id,
           attempts, http_status, message, run_seq
      FROM reconciliation.ditio_upsert
     WHERE target = :target AND employee_number = :value ORDER BY certificate_type LIMIT 200""")
_ATTEMPTS = text("""
    SELECT attempt_id, run_seq, certificate_type, sent_at, answered_at, http_status, message, state
      FROM reconciliation.ditio_attempt
     WHERE target = :target AND employee_number = :value ORDER BY attempt_id DESC LIMIT 50""")


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A claim over the runs in which it stayed the same.

    Attributes:
        claim: The claim as it was.
        from_day: Day of the run that left it so first.
        until_day: Day of the run that ended it, null while it is so.
    """

    claim: ClaimLine
    from_day: dt.date
    until_day: dt.date | None


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What Ditio has, or was sent, for one certificate type of the number."""

    certificate_type: str
    certificate_id: str
    state: str
    issued: str | None
    valid_until: str | None
    acknowledged_at: dt.datetime | None
    acknowledged_certificate_id: str | None
    attempts: int
    http_status: int | None
    message: str | None
    run_seq: int


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One row of one request to Ditio."""

    attempt_id: int
    run_seq: int
    certificate_type: str
    sent_at: dt.datetime
    answered_at: dt.datetime | None
    http_status: int | None
    message: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class PersonSeen:
    """A 4HSE person and a name under which it was seen."""

    resource_id: str | None
    person_name: str
    employee_number: str | None


@dataclass(frozen=True, slots=True)
class Worker:
    """What is known of an employee number, or of a person without one.

    Attributes:
        persons: The persons and names that carried the number, by name; at most 100.
        claims: The open claims, by type; at most 200.
        ledger: What Ditio has for the number, by type.
        attempts: The last 50 rows sent for the number, newest first.
        withdrawn: Deliveries of the number that were withdrawn, newest first.
    """

    target: str
    employee_number: str | None
    resource_id: str | None
    persons: tuple[PersonSeen, ...]
    claims: tuple[ClaimLine, ...]
    ledger: tuple[LedgerLine, ...]
    attempts: tuple[AttemptLine, ...]
    withdrawn: tuple[RemovalLine, ...]


def worker(conn: Connection, target: str, employee_number: str) -> Worker | None:
    """Return what is known of an employee number, null where nothing is."""
    values = {"target": target, "value": _plain(employee_number)}
    tune(conn)
    found = Worker(
        target,
        values["value"],
        None,
        _persons(conn, values, _BY_NUMBER),
        _open(conn, values, _BY_NUMBER),
        tuple(LedgerLine(**row) for row in conn.execute(_LEDGER, values).mappings()),
        tuple(AttemptLine(**row) for row in conn.execute(_ATTEMPTS, values).mappings()),
        withdrawn_of(conn, target, values["value"]),
    )
    known = any((found.persons, found.claims, found.ledger, found.attempts, found.withdrawn))
    return found if known or _has_history(conn, values, _BY_NUMBER) else None


def person(conn: Connection, target: str, resource_id: str) -> Worker | None:
    """Return what is known of a 4HSE person by its claims, null where nothing is."""
    values = {"target": target, "value": _plain(resource_id)}
    tune(conn)
    persons, claims = _persons(conn, values, _SEEN_BY_PERSON), _open(conn, values, _BY_PERSON)
    if not persons and not claims and not _has_history(conn, values, _BY_PERSON):
        return None
    return Worker(target, None, values["value"], persons, claims, (), (), ())


def history(
    conn: Connection,
    target: str,
    *,
    employee_number: str | None = None,
    resource_id: str | None = None,
    after: str | None = None,
    limit: int = 200,
) -> Page[HistoryLine]:
    """Return every claim row of a number, or of a person, newest first.

    Raises:
        ParameterError: `after` is no cursor of this list, or neither number nor person is given.
    """
    value = employee_number or resource_id
    if not value:
        raise ParameterError("A history is of an employee number or of a person: give one of them.")
    belongs_to = ("history", target, employee_number, resource_id)
    key = key_of(after, [int, int], *belongs_to)
    limit = checked_limit(limit)
    params: dict[str, object] = {"target": target, "value": _plain(value), "rows": limit + 1}
    if key is not None:
        params |= {"key_run": key[0], "key_claim": key[1]}
    tune(conn)
    of = _BY_NUMBER if employee_number else _BY_PERSON
    query = text(_HISTORY.format(of=of, before=_BEFORE if key else "true"))
    rows = conn.execute(query, params).mappings().all()
    return page_of(rows, limit, _line, lambda row: cursor_of([row["first_run_seq"], row["claim_id"]], *belongs_to))


def _persons(conn: Connection, values: dict[str, str], of: str) -> tuple[PersonSeen, ...]:
    return tuple(PersonSeen(**row) for row in conn.execute(text(_PERSONS.format(of=of)), values).mappings())


def _open(conn: Connection, values: dict[str, str], of: str) -> tuple[ClaimLine, ...]:
    return tuple(claim_line(row) for row in conn.execute(text(_OPEN.format(of=of)), values).mappings())


def _has_history(conn: Connection, values: dict[str, str], of: str) -> bool:
    query = f"SELECT EXISTS (SELECT FROM reconciliation.claim WHERE target = :target AND {of})"  # noqa: S608 - ours
    return bool(conn.execute(text(query), values).scalar_one())


def _line(row: RowMapping) -> HistoryLine:
    return HistoryLine(claim_line(row), row["from_day"], row["until_day"])


def _plain(value: str) -> str:
    return value.strip().replace("\0", "\ufffd")
