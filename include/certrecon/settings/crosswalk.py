"""The crosswalk: a CSV file `person_id,employee_number` that overrides 4HSE's own numbers."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from certrecon.errors import SettingsError
from certrecon.text import trimmed

COLUMNS = ("person_id", "employee_number")


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
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if tuple(name.strip() for name in rows.fieldnames or ()) != COLUMNS:
        message = (
            f"employee_match.crosswalk: {source}: the header line must be '{','.join(COLUMNS)}', "
            f"found {rows.fieldnames}"
        )
        raise SettingsError(message)
    numbers: dict[str, str] = {}
    for line, row in enumerate(rows, start=2):
        person, number = (trimmed(value or "") for value in list(row.values())[:2])
        if not person or not number or person in numbers:
            message = (
                f"employee_match.crosswalk: {source}, line {line}: person_id '{person}' needs exactly one "
                f"employee_number, found '{number}'"
            )
            raise SettingsError(message)
        numbers[person] = number
    return Crosswalk(numbers)
