"""The lines of the worklist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from certrecon.browse.claims import ClaimLine


@dataclass(frozen=True, slots=True)
class WorkFilter:
    """Which work is wanted; what is null does not narrow the list.

    Attributes:
        target: The target's digest.
        owner: `4hse`, `hr`, `ditio`, `settings` or `operator`.
        finding: A finding's code.
        disposition: A disposition.
        tenant: A tenant's id.
    """

    target: str
    owner: str | None = None
    finding: str | None = None
    disposition: str | None = None
    tenant: str | None = None


UNLINKED: Final = "ACTION_LINK_MISSING"


@dataclass(frozen=True, slots=True)
class WorkLine:
    """A claim that needs somebody.

    Attributes:
        claim: The claim.
        owners: Who can do something about it.
        in_words: What is the matter.
        what_to_do: What to do about it.
        ditio_message: What Ditio said of the row, where it was refused or not delivered.
        age_runs: Publishing runs that left it so, the last one included; of runs by hints only the one that began it.
        age_days: Days from the first run that left it so to the last.
    """

    claim: ClaimLine
    owners: tuple[str, ...]
    in_words: str
    what_to_do: str
    ditio_message: str | None
    age_runs: int
    age_days: int

    @property
    def linkable(self) -> bool:
        """Whether a link to an action in 4HSE is what the certificate lacks."""
        return UNLINKED in self.claim.findings


@dataclass(frozen=True, slots=True)
class OwnerTotals:
    """How much work there is.

    Attributes:
        claims: Claims that need somebody.
        owners: Claims by owner and disposition; a claim counts with each of its owners.
        dangling: Links whose certificate is not there.
        withdrawn: Deliveries that are to be removed in Ditio and are not noted as removed.
    """

    claims: int
    owners: Mapping[str, Mapping[str, int]]
    dangling: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class DanglingLine:
    """A link whose certificate is not there."""

    tenant_id: str
    certificate_action_id: str
    certificate_id: str | None
    action_name: str | None
    action_type: str | None
    first_run_seq: int
    age_runs: int
    age_days: int


@dataclass(frozen=True, slots=True)
class UnmappedGroup:
    """Claims without a type that share certificate name and tenant.

    Attributes:
        example: The id of one of the certificates.
    """

    certificate_name: str | None
    action_type: str | None
    tenant_id: str
    claims: int
    example: str


@dataclass(frozen=True, slots=True)
class UnmappedGroups:
    """The largest groups of claims without a type, the largest first, and whether there are more groups."""

    groups: tuple[UnmappedGroup, ...]
    more: bool
