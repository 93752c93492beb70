"""Counts that must account for one another, and how they flow from the vendors to Ditio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from certrecon.findings import Finding
from certrecon.words import Severity


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
class FlowNode:
    """A box of the flow chart.

    Attributes:
        key: By which edges name it.
        name: What it counts, in words.
        count: How many.
        column: Its place from the left, 0 being the vendor's count.
        kind: `vendor`, `read`, `dropped`, `claims`, `disposition`, `sent` or `ledger`.
        disposition: The disposition that it counts, where it counts one.
    """

    key: str
    name: str
    count: int
    column: int
    kind: str
    disposition: str | None = None


@dataclass(frozen=True, slots=True)
class FlowEdge:
    """How many go from one box to another; both are named by their keys."""

    source: str
    target: str
    count: int


@dataclass(frozen=True, slots=True)
class Flow:
    """The control totals as a flow from 4HSE's count to what Ditio holds.

    Attributes:
        nodes: The boxes, by column and from the top; only those that count something.
        edges: The arrows between them; what goes into a box equals its count, and so does what leaves it for
            a later box, unless it ends there.
    """

    nodes: tuple[FlowNode, ...] = ()
    edges: tuple[FlowEdge, ...] = ()


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
