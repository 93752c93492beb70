"""Task: turn the sealed inputs into claims with every fact that rules ask about."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from certrecon.claims.build import build_claims
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


def run_build_claims(place: Workplace) -> BuiltClaims:
    """Build the claims and write them beside the run's outcome."""
    claims = build_claims(RunInputs(place.evidence).claim_inputs())
    log.info("Made %s claims; %s links are dangling", claims.facts.num_rows, claims.dangling.num_rows)
    return BuiltClaims(place.write("facts", claims.facts), place.write("dangling", claims.dangling))
