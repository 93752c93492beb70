"""Ditio's employees as one dataset, whatever the call that lists them names its fields."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pyarrow as pa

from certrecon.api.ditio import DitioClient
from certrecon.api.paging import Reads, UnstableReadError
from certrecon.api.rows import raw_row, text_of_raw
from certrecon.extract.datasets import DatasetFacts, DatasetWriter
from certrecon.extract.fields import EMPLOYEES
from certrecon.text import trimmed, visible
from certrecon.words import EmployeeSource

Row = Mapping[str, msgspec.Raw]
"""A row by lower-cased field names, values undecoded: the two APIs differ in case."""

WHAT = "Ditio's list of employees"

_ID = ("companyprofileid", "employeeid", "id")
_PLAIN = {
    "employee_number": "employeenumber",
    "first_name": "firstname",
    "last_name": "lastname",
    "birth_date": "birthdate",
    "company_id": "companyid",
}
_DISABLED = ("isdisabled", "disabled")
_ACTIVE = ("isactive", "isactiveemployment")
_ENDS = ("enddate", "employmentenddate")
_EMPLOYMENTS = ("employment", "employmenthistory")
_USED = frozenset({*_ID, *_PLAIN.values(), *_DISABLED, *_ACTIVE, *_ENDS, *_EMPLOYMENTS})
_DOCUMENTED = frozenset(
    {
        "identityid", "phone", "mobilework", "mobileprivate", "email", "worktitle", "carregnumber",
        "employmentstartdate", "startdate", "department", "cardid", "cardexpirationdate", "payroll",
        "defaultresourcenumber", "worktimearrangementname", "worktimearrangements", "organizationnumber",
        "mainprojectnumber", "address", "tags",
    }
)  # fmt: skip
"""Fields of employees v5 and users v4 that the vendor names and no rule uses (reference, 3.3 and 3.4)."""
_KNOWN = _USED | _DOCUMENTED
_YES = frozenset({"true", "1", "yes", "y"})
_NO = frozenset({"false", "0", "no", "n"})
_MAX_UNUSED = 200
_CHUNK_ROWS = 20_000


def _text(row: Row, name: str) -> str | None:
    return text_of_raw(row.get(name))


def _lowered(row: Row) -> dict[str, msgspec.Raw]:
    """Return a row by lower-cased names; of two spellings of one name the first with a value counts."""
    lowered: dict[str, msgspec.Raw] = {}
    for name, raw in row.items():
        if text_of_raw(lowered.get(name.lower())) is None:
            lowered[name.lower()] = raw
    return lowered


def _flag(text: str | None, *, unknown: bool) -> bool | None:
    """Return what a flag says; what cannot be understood counts as `unknown`."""
    word = (text or "").strip().lower()
    if not word:
        return None
    return True if word in _YES else False if word in _NO else unknown


def _disabled(row: Row) -> str | None:
    """Return "true" where any flag says that the employee is disabled or not active.

    A flag that says neither yes nor no counts against the employee.
    """
    said = [_flag(_text(row, name), unknown=True) for name in _DISABLED]
    active = (_flag(_text(row, name), unknown=False) for name in _ACTIVE)
    said += [None if one is None else not one for one in active]
    known = [one for one in said if one is not None]
    return None if not known else "true" if any(known) else "false"


def _day(text: str) -> date | None:
    for form, length in (("%Y-%m-%d", 10), ("%d.%m.%Y", 10)):
        try:
            return datetime.strptime(text.strip()[:length], form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def _entries(raw: msgspec.Raw | None) -> tuple[list[dict[str, Any]], bool]:
    """Return the employments in a field, and whether it is a list of them."""
    try:
        value = json.loads(bytes(raw)) if raw is not None else None
    except (ValueError, RecursionError):
        return [], False
    many = isinstance(value, list)
    entries = value if isinstance(value, list) else [value]
    return [{str(key).lower(): one for key, one in entry.items()} for entry in entries if isinstance(entry, dict)], many


def _written(value: Any) -> str:
    """Return a decoded value as text, as `text_of_raw` does."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _end_of(entry: Mapping[str, Any]) -> str | None:
    """Return when an employment ends, None where it says nothing; what is no text is an end that is no date."""
    ends = (_written(entry[name]) for name in _ENDS if entry.get(name) is not None)
    return next((end for end in ends if end.strip()), None)


def _ends(row: Row) -> tuple[str | None, str | None]:
    """Return the latest end of employment as received, and "true" if a history has an open employment.

    Ends that are no dates count only where there is no other.
    """
    ends = [end for end in (_text(row, name) for name in _ENDS) if end and end.strip()]
    ended_open = None
    for name in _EMPLOYMENTS:
        entries, is_list = _entries(row.get(name))
        ends += [end for end in map(_end_of, entries) if end]
        if is_list and any(_end_of(entry) is None for entry in entries):
            ended_open = "true"
    return max(ends, key=lambda end: (_day(end) or date.min, end), default=None), ended_open


def _employee(row: Row) -> dict[str, str | None]:
    end_date, ended_open = _ends(row)
    return {
        "employee_id": next(filter(None, (_text(row, name) for name in _ID)), None),
        **{column: _text(row, name) for column, name in _PLAIN.items()},
        "disabled": _disabled(row),
        "end_date": end_date,
        "ended_open": ended_open,
    }


def _counts(row: Row, company_id: str | None) -> bool:
    """Return whether a row is of the company whose employees count; without one all do."""
    return company_id is None or (_text(row, "companyid") or "").strip() == company_id.strip()


@dataclass(slots=True)
class _Employees:
    """Rows taken so far, and what was dropped."""

    company_id: str | None
    rows: int = 0
    foreign_rows: int = 0
    unused: set[str] = field(default_factory=set)

    def tables(self, elements: list[msgspec.Raw]) -> Iterator[pa.Table]:
        """Yield the kept rows in chunks."""
        for start in range(0, len(elements), _CHUNK_ROWS):
            kept = filter(None, map(self._take, elements[start : start + _CHUNK_ROWS]))
            yield pa.Table.from_pylist(list(kept), schema=EMPLOYEES)

    def _take(self, element: msgspec.Raw) -> dict[str, str | None] | None:
        received = raw_row(bytes(element), WHAT)
        self._note_unused(received)
        row = _lowered(received)
        if not _counts(row, self.company_id):
            self.foreign_rows += 1
            return None
        self.rows += 1
        return _employee(row)

    def _note_unused(self, received: Row) -> None:
        for name in received:
            if name.lower() not in _KNOWN and len(self.unused) < _MAX_UNUSED:
                self.unused.add(visible(name, 100))


@dataclass(frozen=True, slots=True)
class KnownEmployees:
    """What the last run knew of Ditio's employees.

    Attributes:
        numbers: Employee numbers, trimmed, that it found.
        rows: How many rows counted.
    """

    numbers: Collection[str] = ()
    rows: int = 0


NOBODY = KnownEmployees()


def _doubt(elements: list[msgspec.Raw], company_id: str | None, known: KnownEmployees) -> str | None:
    """Return why a list may not be whole, or None: Ditio counts nothing, so only what was known can tell."""
    if len(set(map(bytes, elements))) < len(elements):
        return "the same row came twice"
    if not (known.rows or known.numbers):
        return None
    rows = [row for row in (_lowered(raw_row(bytes(one), WHAT)) for one in elements) if _counts(row, company_id)]
    missing = len(set(known.numbers) - {trimmed(_text(row, "employeenumber") or "") for row in rows})
    if missing:
        return f"{missing:,} employees who were known are not in it"
    return f"it has {len(rows):,} rows, the last run read {known.rows:,}" if len(rows) < known.rows else None


async def _read_whole(
    client: DitioClient, source: EmployeeSource, company_id: str | None, known: KnownEmployees
) -> tuple[list[msgspec.Raw], int]:
    """Return a list without doubt, or one that came the same twice in a row, and how many reads it took."""
    reads = Reads(WHAT)
    before: list[bytes] = []

    async def once() -> list[msgspec.Raw]:
        nonlocal before
        elements = await client.employees(source)
        doubt = _doubt(elements, company_id, known)
        now = sorted(map(bytes, elements)) if doubt else []
        if doubt and now != before:
            before = now
            raise UnstableReadError(doubt)
        return elements

    return await reads.until_whole(once), reads.used


async def extract_employees(
    client: DitioClient,
    source: EmployeeSource,
    company_id: str | None,
    write: DatasetWriter,
    known: KnownEmployees = NOBODY,
) -> DatasetFacts:
    """Read Ditio's employees and write them as the dataset `employees`.

    Args:
        client: Ditio.
        source: Which call lists them.
        company_id: The company whose rows count; None counts all.
        write: Where the dataset goes.
        known: Whom the last run knew; where the list has less it is read again, until it comes the same twice.

    Returns:
        The facts; a field that no vendor document names is among `undocumented_fields`.

    Raises:
        IncompleteReadError: A list that may not be whole came differently each time.
    """
    read_from = datetime.now(UTC)
    elements, reads = await _read_whole(client, source, company_id, known)
    taken = _Employees(company_id)
    with write.open_dataset("employees", EMPLOYEES) as out:
        for table in taken.tables(elements):
            out.write(table)
    return DatasetFacts(
        "employees", out.address, taken.rows, taken.foreign_rows, 0, None,
        tuple(sorted(taken.unused)), read_from, datetime.now(UTC), reads, 1, sandbox=client.is_sandbox,
    )  # fmt: skip
