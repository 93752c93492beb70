"""Notes on pseudonymisations, kept in the evidence store and so outside the warehouse.

Whoever hides a change of old claims behind a pseudonymisation that never was has this store to write too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from certrecon.errors import EvidenceError
from certrecon.evidence.store import write_private

FOLDER = "pseudonymisations"
"""The folder of the notes below a store's root; in it a folder a warehouse."""


@dataclass(frozen=True, slots=True)
class PseudonymNote:
    """What the store says of a pseudonymisation; it names nobody.

    Attributes:
        installation_id: Which warehouse it was done in.
        pseudonymisation_id: Its number there.
        ended_before: The day (`YYYY-MM-DD`) before which all of the persons' claims had ended.
        persons: How many persons.
        claims: How many of their claims.
        sha256: The digest over those claims, as the warehouse has it.
    """

    installation_id: str
    pseudonymisation_id: int
    ended_before: str
    persons: int
    claims: int
    sha256: str


def write_note(root: Any, note: PseudonymNote) -> None:
    """Write a note; do so before the warehouse commits.

    Raises:
        EvidenceError: The store cannot be written.
    """
    path = _path(root, note.installation_id, note.pseudonymisation_id)
    write_private(path, json.dumps(asdict(note), indent=1, sort_keys=True).encode())


def read_note(root: Any, installation_id: str, pseudonymisation_id: int) -> PseudonymNote | None:
    """Return a note, None where the store has none.

    Raises:
        EvidenceError: It is there and cannot be read.
    """
    path = _path(root, installation_id, pseudonymisation_id)
    try:
        return PseudonymNote(**json.loads(path.read_bytes())) if path.exists() else None
    except (OSError, ValueError, TypeError) as error:
        message = f"The note {path} is not one: {error}"
        raise EvidenceError(message) from error


def _path(root: Any, installation_id: str, pseudonymisation_id: int) -> Any:
    return root / FOLDER / installation_id / f"{pseudonymisation_id}.json"
