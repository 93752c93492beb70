"""The list "to be removed in Ditio", and what people noted on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Final, Literal

from sqlalchemy import Connection, RowMapping, text

from certrecon.browse.paging import Page, checked_limit, cursor_of, key_of, page_of
from certrecon.errors import ParameterError
from certrecon.report.wording import withdrawal

RemovalState = Literal["open", "done", "all"]

WITHDRAWN: Final = """
           reconciliation.withdrawn_upsert AS w
      LEFT JOIN reconciliation.ditio_upsert AS u
        ON u.target = w.target AND u.employee_number = w.employee_number AND u.certificate_type = w.certificate_type
      LEFT JOIN LATERAL (
           SELECT n.* FROM reconciliation.removal AS n
            WHERE n.target = w.target AND n.employee_number = w.employee_number
              AND n.certificate_type = w.certificate_type
              AND (w.ended_run_seq IS NOT NULL OR n.noted_at >= coalesce(u.acknowledged_at, '-infinity'))
            ORDER BY n.removal_id DESC LIMIT 1) AS noted ON true"""
"""Withdrawn deliveries `w`, their entry `u` and the last note that counts, `noted`, for queries.

Where something was delivered for the same key since, an earlier note says nothing about what Ditio has now.
"""

OPEN: Final = "w.ended_run_seq IS NULL AND noted.done IS NOT TRUE"
"""The condition on `WITHDRAWN` that a delivery is still to be removed."""

_STATES: dict[str, str] = {
    "open": OPEN,
    "done": "noted.done",
    "all": "(w.ended_run_seq IS NULL OR noted.removal_id IS NOT NULL)",
}
_LINES = f"""
    SELECT w.withdrawn_id, w.target, w.employee_number, w.certificate_type, w.certificate_id, w.reason,
           w.first_run_seq, r.run_day, w.ended_run_seq,
           nullif(concat_ws(' ', u.acknowledged_given_name, u.acknowledged_family_name), '') AS person_name,
           noted.removal_id, noted.noted_at, noted.noted_by, noted.done, noted.note,
           noted.certificate_id AS noted_certificate_id, u.acknowledged_at,
           (SELECT count(*) FROM reconciliation.removal AS n
             WHERE n.target = w.target AND n.employee_number = w.employee_number
               AND n.certificate_type = w.certificate_type) AS notes
      FROM {WITHDRAWN}
      JOIN reconciliation.run AS r ON r.run_seq = w.first_run_seq
     WHERE w.target = :target AND {{wanted}}
     ORDER BY w.first_run_seq DESC, w.withdrawn_id DESC
     LIMIT :rows"""  # noqa: S608 - ours
_BEFORE = "(w.first_run_seq, w.withdrawn_id) < (:key_run, :key_id)"
_NOTES = text("""
    SELECT removal_id, noted_at, noted_by, done, note, certificate_id
      FROM reconciliation.removal
     WHERE target = :target AND employee_number = :employee_number AND certificate_type = :certificate_type
     ORDER BY removal_id""")


@dataclass(frozen=True, slots=True)
class RemovalKey:
    """What a note is on."""

    target: str
    employee_number: str
    certificate_type: str


@dataclass(frozen=True, slots=True)
class NoteLine:
    """What a person noted: that it is removed in Ditio (`done`), or a remark."""

    removal_id: int
    noted_at: dt.datetime
    noted_by: str
    done: bool
    note: str | None
    certificate_id: str | None


@dataclass(frozen=True, slots=True)
class RemovalLine:
    """A delivery that no claim supports any more.

    Attributes:
        key: Employee number and type that Ditio has.
        certificate_id: The certificate that Ditio acknowledged.
        person_name: The name it was delivered under, where the ledger has it.
        reason: Why, in the warehouse's word.
        in_words: Why, in words.
        what_to_do: What to do about it.
        first_run_seq: The run that withdrew it, and its day.
        ended_run_seq: The run that found it supported again, or gone on for another reason; null = still so.
        acknowledged_at: When Ditio acknowledged something for the key last.
        done: Whether the last note on it says that it is removed; of one that is still withdrawn only notes since
            `acknowledged_at` count.
        notes: How many notes there are on its key.
        last_note: The last of them that counts.
    """

    withdrawn_id: int
    key: RemovalKey
    certificate_id: str | None
    person_name: str | None
    reason: str
    in_words: str
    what_to_do: str
    first_run_seq: int
    first_run_day: dt.date
    ended_run_seq: int | None
    acknowledged_at: dt.datetime | None
    done: bool
    notes: int
    last_note: NoteLine | None

    def counts(self, note: NoteLine) -> bool:
        """Return whether a note on the key says something about this delivery."""
        return self.ended_run_seq is not None or self.acknowledged_at is None or note.noted_at >= self.acknowledged_at


def list_removals(
    conn: Connection, target: str, state: RemovalState = "open", after: str | None = None, limit: int = 50
) -> Page[RemovalLine]:
    """Return withdrawn deliveries, newest first.

    Args:
        conn: A connection.
        target: The target's digest.
        state: `open` = still withdrawn and not noted as removed; `done` = noted as removed, also where
            it has ended since; `all` = both, and ended ones that somebody noted something on.
        after: The cursor of the page before.
        limit: Rows of a page.

    Raises:
        ParameterError: `after` is no cursor of this list, or there is no such `state`.
    """
    if state not in _STATES:
        raise ParameterError(f"The list of removals has no part {state!r}: choose open, done or all.")
    key = key_of(after, [int, int], "removals", target, state)
    limit = checked_limit(limit)
    params: dict[str, object] = {"target": target, "rows": limit + 1}
    wanted = [_STATES[state]]
    if key is not None:
        wanted.append(_BEFORE)
        params |= {"key_run": key[0], "key_id": key[1]}
    rows = conn.execute(text(_LINES.format(wanted=" AND ".join(wanted))), params).mappings().all()
    return page_of(
        rows,
        limit,
        _line,
        lambda row: cursor_of([row["first_run_seq"], row["withdrawn_id"]], "removals", target, state),
    )


def withdrawn_of(conn: Connection, target: str, employee_number: str) -> tuple[RemovalLine, ...]:
    """Return every delivery of a number that was ever withdrawn, newest first; at most 200."""
    query = text(_LINES.format(wanted="w.employee_number = :employee_number"))
    params = {"target": target, "employee_number": employee_number, "rows": 200}
    return tuple(_line(row) for row in conn.execute(query, params).mappings())


def notes_of(conn: Connection, key: RemovalKey) -> tuple[NoteLine, ...]:
    """Return every note on a delivery, oldest first."""
    return tuple(NoteLine(**row) for row in conn.execute(_NOTES, asdict(key)).mappings())


def _line(row: RowMapping) -> RemovalLine:
    in_words, what_to_do = withdrawal(row["reason"])
    return RemovalLine(
        withdrawn_id=row["withdrawn_id"],
        key=RemovalKey(row["target"], row["employee_number"], row["certificate_type"]),
        certificate_id=row["certificate_id"],
        person_name=row["person_name"],
        reason=row["reason"],
        in_words=in_words,
        what_to_do=what_to_do,
        first_run_seq=row["first_run_seq"],
        first_run_day=row["run_day"],
        ended_run_seq=row["ended_run_seq"],
        acknowledged_at=row["acknowledged_at"],
        done=bool(row["done"]),
        notes=row["notes"],
        last_note=_last_note(row),
    )


def _last_note(row: RowMapping) -> NoteLine | None:
    if row["removal_id"] is None:
        return None
    return NoteLine(
        row["removal_id"], row["noted_at"], row["noted_by"], row["done"], row["note"], row["noted_certificate_id"]
    )
