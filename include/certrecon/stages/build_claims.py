"""Task: turn the sealed inputs into claims with every fact that rules ask about."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.build import build_claims
from certrecon.dispositions.inputs import LOOKUPS
from certrecon.errors import IncompleteReadError
from certrecon.stages.handle import FileRef
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.workplace import Workplace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BuiltClaims:
    """Where the claims are.

    Attributes:
        facts: Schema `CLAIM_FACTS`.
        dangling: Schema `LINKS`: links without a certificate.
    """

    facts: FileRef
    dangling: FileRef

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> BuiltClaims:
        """Rebuild what `to_json` gave."""
        return cls(FileRef(**values["facts"]), FileRef(**values["dangling"]))


def _refuse_missed(inputs: RunInputs, certificates: pa.Table) -> None:
    """Refuse what moved between two tenants of the run while they were read, and was read in neither."""
    found = inputs.table("lookups", LOOKUPS)
    moved = found.filter(pc.is_in(found["found_tenant_id"], value_set=pa.array(inputs.context.tenants, pa.string())))
    looked, ids = moved["certificate_id"].combine_chunks(), certificates["certificate_id"]
    read = ids.filter(pc.is_in(ids, value_set=looked)).combine_chunks()
    missed = moved.filter(pc.invert(pc.is_in(looked, value_set=read)))
    if missed.num_rows:
        message = (
            f"Certificate {missed['certificate_id'][0]} and {missed.num_rows - 1} more moved to another tenant while "
            "the tenants were read, and were read in neither. Run again."
        )
        raise IncompleteReadError(message)


def run_build_claims(place: Workplace) -> BuiltClaims:
    """Build the claims and write them beside the run's outcome.

    Raises:
        IncompleteReadError: A certificate was read in two tenants, or in neither of two.
    """
    inputs = RunInputs(place.evidence)
    claim_inputs = inputs.claim_inputs()
    _refuse_missed(inputs, claim_inputs.certificates)
    claims = build_claims(claim_inputs)
    log.info("Made %s claims; %s links are dangling", claims.facts.num_rows, claims.dangling.num_rows)
    return BuiltClaims(place.write("facts", claims.facts), place.write("dangling", claims.dangling))
