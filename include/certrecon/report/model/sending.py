"""What is to be sent, and what stood in its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from certrecon.report.model.work import Excerpt


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A row to send; `differs` names each field that changes, with what it was and what it becomes."""

    employee_number: str
    certificate_type: str
    certificate_id: str
    tenant_id: str | None
    reason: str
    issued_on: str | None
    valid_until: str | None
    differs: str


@dataclass(frozen=True, slots=True)
class DoubtfulRow:
    """A row that Ditio may hold though it never said so, and that nothing sends again.

    `run_seq` is the run that wrote its entry of the ledger last.
    """

    employee_number: str
    certificate_type: str
    certificate_id: str | None
    run_seq: int


@dataclass(frozen=True, slots=True)
class GuardNote:
    """A guard that tripped: what it found, and what that meant."""

    guard: str
    words: str
    effect: str


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What is to be sent.

    Attributes:
        rows: How many rows.
        reasons: How many of them for which reason.
        fields: In how many changed rows each field of the payload differs.
        excerpt: The first rows, in a dry run.
        table: All rows, in a dry run; its columns are the attributes of `PlanRow`.
    """

    rows: int
    reasons: Mapping[str, int]
    fields: Mapping[str, int]
    excerpt: Excerpt[PlanRow]
    table: pa.Table
