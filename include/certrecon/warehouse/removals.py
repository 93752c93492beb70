"""Notes on deliveries that are to be removed in Ditio by hand."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from certrecon.errors import ParameterError
from certrecon.warehouse.storable import storable_text

MAX_NOTE = 2000
"""The longest note, in characters."""

_WITHDRAWN = text("""
    SELECT EXISTS (
        SELECT FROM reconciliation.withdrawn_upsert
         WHERE target = :target AND employee_number = :employee_number AND certificate_type = :certificate_type
           AND (CAST(:certificate_id AS text) IS NULL OR certificate_id IS NOT DISTINCT FROM :certificate_id))""")
_ADD = text("""
    INSERT INTO reconciliation.removal
           (target, employee_number, certificate_type, certificate_id, noted_at, noted_by, done, note)
    VALUES (:target, :employee_number, :certificate_type, :certificate_id, clock_timestamp(), :noted_by, :done, :note)
    RETURNING removal_id""")


@dataclass(frozen=True, slots=True)
class Removal:
    """A note on a delivery that is to be removed in Ditio.

    Attributes:
        target: The target's digest.
        employee_number: Of the delivery.
        certificate_type: Of the delivery.
        certificate_id: The certificate that was delivered, where known.
        noted_by: Who notes it.
        done: It was removed in Ditio.
        note: What else is to be said, at most `MAX_NOTE` characters.
    """

    target: str
    employee_number: str
    certificate_type: str
    certificate_id: str | None
    noted_by: str
    done: bool
    note: str | None = None


def add_removal(conn: Connection, removal: Removal) -> int:
    """Append a note and return its number. Control characters of the note but line ends and tabs are left out.

    Raises:
        ParameterError: The delivery was never withdrawn, nobody notes it, or the note is too long.
    """
    note = _plain(removal.note)
    if note is not None and len(note) > MAX_NOTE:
        raise ParameterError(f"The note has {len(note)} characters, {MAX_NOTE} are allowed: shorten it.")
    noted_by = _plain(removal.noted_by)
    if not noted_by:
        raise ParameterError("A note on a removal needs the name of who writes it.")
    values = asdict(removal) | {"note": note, "noted_by": noted_by}
    if not conn.execute(_WITHDRAWN, values).scalar_one():
        raise ParameterError(
            "This delivery was never on the list of what is to be removed in Ditio. Choose one from the list."
        )
    added: int = conn.execute(_ADD, values).scalar_one()
    return added


def _plain(words: str | None) -> str | None:
    """Return the words without control characters and white space around them, null where nothing is left."""
    if words is None:
        return None
    kept = (char for char in words if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"})
    return storable_text("".join(kept).strip()) or None
