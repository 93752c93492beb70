"""The crosswalk: a CSV file `person_id,employee_number` that overrides 4HSE's own numbers."""

from __future__ import annotations

import csv
import io
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
        found = visible(str(rows.fieldnames), _SHOWN)
        message = f"{where}: the header line must be '{','.join(COLUMNS)}', found {found}"
        raise SettingsError(message)
    numbers: dict[str, str] = {}
    for row in rows:
        person, number = (trimmed(value or "") for value in list(row.values())[:2])
        if not person or not number or person in numbers:
            message = (
                f"{where}, line {rows.reader.line_num}: person_id '{visible(person, _SHOWN)}' needs exactly one "
                f"employee_number, found '{visible(number, _SHOWN)}'"
            )
            raise SettingsError(message)
        numbers[person] = number
    return numbers
