"""Everything that the report of a run says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from certrecon.report.model.changes import Changes, Told
from certrecon.report.model.head import PreviousRun, RunHead, SettingsChanges
from certrecon.report.model.outlook import Outlook, TrendRun
from certrecon.report.model.sending import DoubtfulRow, GuardNote, PlanReport
from certrecon.report.model.totals import Control, DatasetTotal, FindingCount, Flow
from certrecon.report.model.work import (
    ClaimRow,
    DanglingRow,
    Excerpt,
    Refusal,
    UnmappedRow,
    UnmatchedRow,
    WithdrawnRow,
    WorkGroup,
)
from certrecon.words import Disposition


def _empty() -> pa.Table:
    return pa.table({})


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything that the report of a run says.

    Attributes:
        head: Which run.
        failure: Why the run failed; None where it did not.
        decided: Whether the run came to deciding claims; if not, only `head` to `datasets` say anything.
        datasets: What was read, a row a dataset and tenant.
        reading: The same, a row a dataset.
        controls: Totals that add up, from certificates to claims to what Ditio holds, and back.
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
        dangling: How many links have no certificate.
        guards: The guards that tripped.
        plan: What is to be sent.
        doubtful: What Ditio may hold though it never said so, and nothing sends again.
        undocumented: Undocumented fields seen, by dataset.
        requests: Requests made, by vendor.
        previous: The run that this one is compared with; None where there is none.
        missed_days: Days between the previous run's day and this one's without a run.
        settings_changes: What differs from the previous run's settings; None where one of the two is not known.
        flow: The control totals as a flow.
        work: What needs somebody, by who can fix it; owners with nothing to do are left out.
        dangling_links: The links without a certificate; the columns are the attributes of `DanglingRow`.
        dangling_excerpt: The first of them.
        unmapped: Types that no rule gives, at most 50; the columns are the attributes of `UnmappedRow`.
        unmapped_excerpt: The same as rows; `total` counts all of them.
        unmatched: Persons without a certain employee; the columns are the attributes of `UnmatchedRow`.
        unmatched_excerpt: The first of them.
        changes: What changed since the previous run.
        outlook: What expires in the next 90 days.
        trend: The last runs, this one last.
        told: What events had told of the changes; None where nobody listens, or there is nothing to compare with.
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
    previous: PreviousRun | None = None
    missed_days: int = 0
    settings_changes: SettingsChanges | None = None
    flow: Flow = field(default_factory=Flow)
    work: tuple[WorkGroup, ...] = ()
    dangling_links: pa.Table = field(default_factory=_empty)
    dangling_excerpt: Excerpt[DanglingRow] = field(default_factory=lambda: Excerpt(0, ()))
    unmapped: pa.Table = field(default_factory=_empty)
    unmapped_excerpt: Excerpt[UnmappedRow] = field(default_factory=lambda: Excerpt(0, ()))
    unmatched: pa.Table = field(default_factory=_empty)
    unmatched_excerpt: Excerpt[UnmatchedRow] = field(default_factory=lambda: Excerpt(0, ()))
    changes: Changes = field(default_factory=Changes)
    outlook: Outlook = field(default_factory=Outlook)
    trend: tuple[TrendRun, ...] = ()
    told: Told | None = None
    doubtful: Excerpt[DoubtfulRow] = field(default_factory=lambda: Excerpt(0, ()))

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
