"""The crosswalk: a CSV file `person_id,employee_number` that overrides 4HSE's own numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from certrecon.errors import SettingsError
from certrecon.text import trimmed, visible

COLUMNS = ("person_id", "employee_number")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """Employee numbers by person id, in the order of the file."""

    numbers: dict[str, str]


def parse_crosswalk(text: str, *, source: str) -> Crosswalk:
    """Read a crosswalk.

    Args:
        text: The CSV text, with a header line `person_id,employee_number`.
        source: How messages call the file.

    Raises:
        SettingsError: A column is missing, a field is blank, or a person is there twice.
    """
    where = f"employee_match.crosswalk: {visible(source, _SHOWN)}"
    try:
        return Crosswalk(_numbers(text, where))
    except csv.Error as error:
        message = f"{where} is not readable as CSV: {error}"
    raise SettingsError(message)


def _numbers(text: str, where: str) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if tuple(name.strip() for name in rows.fieldnames or ()) != COLUMNS:
        message = f"{where}: the header line must be '{','.join(COLUMNS)}'"
        raise SettingsError(message)
    numbers: dict[str, str] = {}
    for row in rows:
        person, number = (trimmed(value or "") for value in list(row.values())[:2])
        wrong = _mistake(person, number, numbers)
        if wrong is not None:
            message = f"{where}, line {rows.reader.line_num}: {wrong}"
            raise SettingsError(message)
        numbers[person] = number
    return numbers


def _mistake(person: str, number: str, numbers: Mapping[str, str]) -> str | None:
    """Return what is wrong with a line, never what it says: the message is logged and mailed."""
    if not person:
        return "the person_id is missing"
    if not number:
        return "the employee_number is missing"
    if person in numbers:
        return "the person_id of this line is there twice; each needs exactly one employee_number"
    return None
