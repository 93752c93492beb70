"""Witnesses: what a run's place in the chain was, kept beside its evidence and so outside the warehouse.

Whoever cuts the last runs off the warehouse, or writes its whole chain anew, has these to change too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from certrecon.errors import EvidenceError
from certrecon.evidence.store import RunEvidence

WITNESS = "chain.json"
"""The file's address below the run's folder."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A finalised run's place in the chain.

    Attributes:
        installation_id: Which warehouse the run is of.
        chain_no: Its place, from 1.
        run_seq: The run.
        status: How it ended.
        previous_sha256: The chain's digest before it.
        chain_sha256: The chain's digest with it.
        inputs_sha256: The digest of its sealed inputs; None where it did not come to that.
        outcome_sha256: The digest of its sealed outcome; None where it did not come to that.
    """

    installation_id: str
    chain_no: int
    run_seq: int
    status: str
    previous_sha256: str
    chain_sha256: str
    inputs_sha256: str | None
    outcome_sha256: str | None


def write_witness(evidence: RunEvidence, witness: Witness) -> None:
    """Write a run's witness, replacing the one of a finalising that was rolled back.

    Raises:
        EvidenceError: The store cannot be written.
    """
    evidence.write_at(WITNESS, json.dumps(asdict(witness), indent=1, sort_keys=True).encode())


def read_witness(evidence: RunEvidence) -> Witness | None:
    """Return a run's witness, None where there is none.

    Raises:
        EvidenceError: It is there and cannot be read.
    """
    if not evidence.path(WITNESS).exists():
        return None
    try:
        return Witness(**json.loads(evidence.read_bytes(WITNESS)))
    except (ValueError, TypeError) as error:
        message = f"The witness {evidence.path(WITNESS)} is not one: {error}"
        raise EvidenceError(message) from error


def witnessed_runs(root: Any) -> list[int]:
    """Return the numbers of the runs that have a witness in a store, in their order.

    Raises:
        EvidenceError: The store cannot be read.
    """
    try:
        folders = [path for path in root.iterdir() if _is_run(path.name)] if root.exists() else []
        return sorted(int(path.name) for path in folders if (path / WITNESS).exists())
    except OSError as error:
        message = f"Cannot read the evidence store {root}: {error.strerror or error}."
        raise EvidenceError(message) from error


def _is_run(name: str) -> bool:
    return name.isascii() and name.isdigit()
