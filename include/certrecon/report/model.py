"""The report of a run as one frozen, typed model; summary, page and CSV only render it.

Nothing in it depends on when or where it is made: the same evidence gives the same report.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import pyarrow as pa

from certrecon.findings import CATALOGUE, Finding
from certrecon.publishing.guards import TrippedGuard
from certrecon.words import Disposition, Mode, Severity

Row = TypeVar("Row")

ANSWERS = pa.schema(
    [
        ("employee_number", pa.string()),
        ("certificate_type", pa.string()),
        ("state", pa.string()),
        ("http_status", pa.int32()),
        ("message", pa.string()),
    ]
)
"""The ledger's entries of this run, after publishing."""

EARLIER_PAYLOADS = pa.schema(
    [("employee_number", pa.string()), ("certificate_type", pa.string()), ("payload", pa.string())]
)
"""What Ditio acknowledged before, as JSON text, for the plan's rows that change it."""


@dataclass(frozen=True, slots=True)
class RunHead:
    """Which run the report is of.

    Attributes:
        run_seq: Its number in the warehouse.
        run_id: Airflow's run id.
        mode: Whether it could send anything.
        target: The digest of the Ditio company.
        run_day: The day of the run.
        as_of: The day on which validity is judged.
        tenants: The tenants that a limited run speaks of; empty when it is not limited.
        trigger: What started it, in Airflow's word.
        triggered_by: Who started it, where known.
        code_version: The version of this code.
        settings_sha256: The digest of its settings.
        inputs_sha256: The digest that seals its inputs; None where it did not come to that.
        baseline: The run that the guards compare it with.
    """

    run_seq: int
    run_id: str
    mode: Mode
    target: str
    run_day: dt.date
    as_of: dt.date
    tenants: tuple[str, ...]
    trigger: str
    triggered_by: str | None
    code_version: str
    settings_sha256: str
    inputs_sha256: str | None
    baseline: int | None

    @property
    def publishes(self) -> bool:
        """Whether the run may send anything."""
        return self.mode is Mode.PUBLISH


@dataclass(frozen=True, slots=True)
class DatasetTotal:
    """What came of reading one dataset, in one tenant where it has tenants.

    Attributes:
        dataset: Its name, such as `certificates`.
        tenant: The 4HSE project; None for Ditio's employees.
        vendor_total: How many rows the vendor counts; None where it gives no count.
        rows: Rows extracted.
        foreign_rows: Rows of another tenant, dropped.
        duplicate_rows: Rows that came twice, dropped.
        without_id: Rows without an id, dropped.
        undocumented_fields: Names of fields that no vendor document has, dropped.
    """

    dataset: str
    tenant: str | None
    vendor_total: int | None
    rows: int
    foreign_rows: int = 0
    duplicate_rows: int = 0
    undocumented_fields: tuple[str, ...] = ()
    without_id: int = 0

    @property
    def difference(self) -> int:
        """Rows that the vendor counts and nobody accounts for; 0 where it gives no count."""
        if self.vendor_total is None:
            return 0
        return self.vendor_total - self.rows - self.foreign_rows - self.duplicate_rows - self.without_id


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """What a report is made from.

    Attributes:
        head: Which run.
        datasets: What was read, a row a dataset and tenant.
        claims: Schema `DECIDED`, settled; None where the run did not come to deciding.
        plan: Schema `PLAN`.
        withdrawn: Schema `WITHDRAWN`.
        tripped: The guards that tripped.
        dangling: Links whose certificate is not there.
        answers: Schema `ANSWERS`.
        earlier_payloads: Schema `EARLIER_PAYLOADS`.
        severities: Severities in force; codes that are not named have the catalogue's.
        failure: Why the run failed, as far as is known.
        requests: Requests made, by vendor.
    """

    head: RunHead
    datasets: tuple[DatasetTotal, ...] = ()
    claims: pa.Table | None = None
    plan: pa.Table | None = None
    withdrawn: pa.Table | None = None
    tripped: tuple[TrippedGuard, ...] = ()
    dangling: int = 0
    answers: pa.Table | None = None
    earlier_payloads: pa.Table | None = None
    severities: Mapping[str, Severity] = field(default_factory=dict)
    failure: str | None = None
    requests: Mapping[str, int] = field(default_factory=dict)

    def severity_of(self, code: str) -> Severity:
        """Return the severity of a finding in this run."""
        return Severity(self.severities.get(code, CATALOGUE[code].severity))


@dataclass(frozen=True, slots=True)
class Control:
    """A total and what it is made of.

    Attributes:
        name: What is accounted for.
        total_name: What the total counts.
        total: The total.
        parts: What should add up to it, by name.
    """

    name: str
    total_name: str
    total: int
    parts: Mapping[str, int]

    @property
    def difference(self) -> int:
        """How much of the total its parts do not account for."""
        return self.total - sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class FindingCount:
    """How often a finding was raised.

    Attributes:
        finding: The finding.
        severity: Its severity in this run.
        claims: Claims that have it.
        blocked: Those of them that are blocked.
    """

    finding: Finding
    severity: Severity
    claims: int
    blocked: int

    @property
    def overridden(self) -> bool:
        """Whether the settings give it another severity than the catalogue."""
        return self.severity is not self.finding.severity


@dataclass(frozen=True, slots=True)
class Excerpt(Generic[Row]):
    """The first rows of a list.

    Attributes:
        total: How many rows the list has.
        rows: The first ones.
        rest: Where the others are, in words.
    """

    total: int
    rows: tuple[Row, ...]
    rest: str = "see the CSV"

    @property
    def more(self) -> str:
        """A sentence about the rows that are left out; empty when there are none."""
        left = self.total - len(self.rows)
        return f"... and {left:,} more, {self.rest}" if left > 0 else ""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim as somebody who must act sees it; the attributes are the columns of the CSV."""

    certificate_id: str | None
    certificate_name: str | None
    certificate_type: str | None
    tenant_id: str | None
    person_name: str | None
    employee_number: str | None
    issued_on: str | None
    valid_until: str | None
    linked: str
    disposition: str
    findings: str
    in_words: str
    what_to_do: str
    owner: str
    ditio_message: str | None


@dataclass(frozen=True, slots=True)
class WithdrawnRow:
    """What Ditio holds although no eligible claim supports it any more."""

    employee_number: str
    certificate_type: str
    certificate_id: str | None
    reason: str
    in_words: str
    what_to_do: str


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
class Refusal:
    """Rows that Ditio refused with the same words."""

    rows: int
    message: str


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


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything that the report of a run says.

    Attributes:
        head: Which run.
        failure: Why the run failed; None where it did not.
        decided: Whether the run came to deciding claims; if not, only `head` to `datasets` say anything.
        datasets: What was read, a row a dataset and tenant.
        reading: The same, a row a dataset.
        controls: Totals of certificates, claims and rows to send.
        dispositions: Claims by disposition, all nine.
        findings: The whole catalogue with how many each.
        owners: Claims in the worklist by who can fix them; a claim may need several.
        worklist: All claims that need somebody; its columns are the attributes of `ClaimRow`.
        excerpts: The first claims of the worklist by `rejected`, `undelivered`, `refused`, `blocked`.
        unlinked: Certificates without a CertificateAction, by their claims.
        refusals: What Ditio said of the rows that it rejected.
        withdrawn: All withdrawn deliveries; its columns are the attributes of `WithdrawnRow`.
        withdrawn_reasons: How many of them for which reason.
        withdrawn_excerpt: The first of them.
        dangling: Links whose certificate is not there.
        guards: The guards that tripped.
        plan: What is to be sent.
        undocumented: Undocumented fields seen, by dataset.
        requests: Requests made, by vendor.
    """

    head: RunHead
    failure: str | None
    decided: bool
    datasets: tuple[DatasetTotal, ...]
    reading: tuple[DatasetTotal, ...]
    controls: tuple[Control, ...]
    dispositions: Mapping[Disposition, int]
    findings: tuple[FindingCount, ...]
    owners: Mapping[str, int]
    worklist: pa.Table
    excerpts: Mapping[Disposition, Excerpt[ClaimRow]]
    unlinked: Excerpt[ClaimRow]
    refusals: Excerpt[Refusal]
    withdrawn: pa.Table
    withdrawn_reasons: Mapping[str, int]
    withdrawn_excerpt: Excerpt[WithdrawnRow]
    dangling: int
    guards: tuple[GuardNote, ...]
    plan: PlanReport
    undocumented: Mapping[str, tuple[str, ...]]
    requests: Mapping[str, int]

    @property
    def claims(self) -> int:
        """How many claims there are."""
        return sum(self.dispositions.values())

    @property
    def adds_up(self) -> bool:
        """Whether every total is accounted for."""
        differences = [one.difference for one in self.datasets] + [one.difference for one in self.controls]
        return not any(differences)

    @property
    def overridden(self) -> tuple[FindingCount, ...]:
        """The findings to which the settings give another severity."""
        return tuple(found for found in self.findings if found.overridden)
