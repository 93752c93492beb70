"""What changed since the previous run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

from certrecon.report.model.work import Excerpt


class Change(StrEnum):
    """What became of a claim since the previous run; a claim has one or several, in this order."""

    NEWLY_BLOCKED = "newly_blocked"
    SOLVED = "solved"
    NEWLY_EXPIRED = "newly_expired"
    NEWLY_DELIVERED = "newly_delivered"
    NEW = "new"
    GONE = "gone"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A claim that changed.

    Attributes:
        change: What became of it, values of `Change` with commas between.
        certificate_id: The certificate.
        certificate_type: The certificate type.
        tenant_id: The 4HSE project.
        person_name: Whose it is.
        employee_number: Their number.
        before: The disposition in the previous run; None for a new claim.
        after: The disposition now; None for a claim that is gone.
        differs: Each field that differs, such as `valid_until: 2026-01-01 -> 2027-01-01`.
    """

    change: str
    certificate_id: str | None
    certificate_type: str | None
    tenant_id: str | None
    person_name: str | None
    employee_number: str | None
    before: str | None
    after: str | None
    differs: str


CHANGES = pa.schema(
    [
        ("change", pa.string()), ("certificate_id", pa.string()), ("certificate_type", pa.string()),
        ("tenant_id", pa.string()), ("person_name", pa.string()), ("employee_number", pa.string()),
        ("before", pa.string()), ("after", pa.string()), ("differs", pa.string()),
    ]
)  # fmt: skip
"""Changed claims; the columns are the attributes of `ChangeRow`."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the previous run, within the run's scope.

    Attributes:
        known: Whether there is a previous run to compare with; if not, nothing below says anything.
        counts: Claims by what became of them, all of `Change`; a claim may count several times.
        table: Every changed claim, schema `CHANGES`.
        excerpts: The first of them by what became of them; only those that occur.
    """

    known: bool = False
    counts: Mapping[Change, int] = field(default_factory=dict)
    table: pa.Table = field(default_factory=CHANGES.empty_table)
    excerpts: Mapping[Change, Excerpt[ChangeRow]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What a full run found changed in 4HSE, held against what events had told.

    Attributes:
        since_run_seq: The full run before.
        hints: Hints that came since that run began.
        changed: Certificates whose claims differ in what comes from 4HSE from what the warehouse knew.
        told: Those of them that a hint pointed at.
        settings_differ: Whether settings or crosswalk changed since; claims differ because of them too, so that
            nothing is counted.
    """

    since_run_seq: int
    hints: int
    changed: int = 0
    told: int = 0
    settings_differ: bool = False

    @property
    def untold(self) -> int:
        """Changed certificates that no event had told of."""
        return self.changed - self.told
