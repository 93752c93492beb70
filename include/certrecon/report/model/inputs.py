"""What a report is made from. All of it is sealed evidence, so that it can be made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from certrecon.findings import CATALOGUE
from certrecon.publishing.guards import TrippedGuard
from certrecon.report.model.head import PreviousRun, RunHead
from certrecon.report.model.totals import DatasetTotal
from certrecon.words import Severity

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

RUNS = pa.schema(
    [
        ("run_seq", pa.int64()),
        ("run_day", pa.date32()),
        ("mode", pa.string()),
        ("status", pa.string()),
        ("limited", pa.bool_()),
        ("claims", pa.int64()),
        ("dispositions", pa.string()),
        ("settings_sha256", pa.string()),
        ("chain_no", pa.int64()),
        ("chain_sha256", pa.string()),
    ]
)
"""The finalised publishing runs of the target before this one, by `run_seq`; `dispositions` is a JSON object
of counts by name, or null."""

DANGLING = pa.schema(
    [
        ("tenant_id", pa.string()),
        ("certificate_action_id", pa.string()),
        ("certificate_id", pa.string()),
        ("action_name", pa.string()),
        ("action_type", pa.string()),
        ("since_run_seq", pa.int64()),
    ]
)
"""Links whose certificate is not there; `since_run_seq` is the run with which they began to be so, null = this one."""

WITHDRAWN_SINCE = pa.schema(
    [
        ("employee_number", pa.string()),
        ("certificate_type", pa.string()),
        ("certificate_id", pa.string()),
        ("reason", pa.string()),
        ("first_run_seq", pa.int64()),
    ]
)
"""The withdrawals that were open before this run."""

LEDGER_AFTER = pa.schema(
    [
        ("employee_number", pa.string()),
        ("certificate_type", pa.string()),
        ("state", pa.string()),
        ("acknowledged_payload_sha256", pa.string()),
        ("acknowledged_certificate_id", pa.string()),
        ("acknowledged_tenant_id", pa.string()),
        ("run_seq", pa.int64()),
    ]
)
"""The whole ledger of the target after publishing; in a dry run as it is."""


DOUBTFUL = pa.schema(
    [
        ("employee_number", pa.string()),
        ("certificate_type", pa.string()),
        ("certificate_id", pa.string()),
        ("run_seq", pa.int64()),
    ]
)
"""Entries of the ledger that Ditio may hold though it never acknowledged them, and that the plan does not send."""


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """What a report is made from; what is None or empty by default is not known.

    Attributes:
        head: Which run.
        datasets: What was read, a row a dataset and tenant.
        claims: Schema `DECIDED`, settled; None where the run did not come to deciding.
        plan: Schema `PLAN`.
        withdrawn: Schema `WITHDRAWN`.
        tripped: The guards that tripped.
        dangling: Links whose certificate is not there, where `dangling_links` is not known.
        answers: Schema `ANSWERS`.
        earlier_payloads: Schema `EARLIER_PAYLOADS`.
        severities: Severities in force; codes that are not named have the catalogue's.
        failure: Why the run failed, as far as is known.
        requests: Requests made, by vendor.
        previous: The run that this one is compared with.
        runs: Schema `RUNS`.
        previous_claims: Schema `certrecon.dispositions.inputs.PREVIOUS_CLAIMS`.
        dangling_links: Schema `DANGLING`.
        withdrawn_since: Schema `WITHDRAWN_SINCE`.
        employees: Schema `certrecon.claims.inputs.EMPLOYEES`; only names and numbers are used.
        persons: Schema `certrecon.claims.inputs.PERSONS`; only ids, names and numbers are used.
        links: Schema `certrecon.claims.inputs.LINKS`.
        ledger: Schema `LEDGER_AFTER`.
        doubtful: Schema `DOUBTFUL`; a limited run cannot know them.
        types: The certificate types of the settings' rules.
        hints: Schema `certrecon.warehouse.hints.HINT`: what came since the full run before this one began; None
            where nobody listens.
        moved_away: Certificates that a run limited to tenants knew in them and that lie elsewhere now.
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
    previous: PreviousRun | None = None
    runs: pa.Table | None = None
    previous_claims: pa.Table | None = None
    dangling_links: pa.Table | None = None
    withdrawn_since: pa.Table | None = None
    employees: pa.Table | None = None
    persons: pa.Table | None = None
    links: pa.Table | None = None
    ledger: pa.Table | None = None
    doubtful: pa.Table | None = None
    types: tuple[str, ...] = ()
    hints: pa.Table | None = None
    moved_away: tuple[str, ...] = ()

    def severity_of(self, code: str) -> Severity:
        """Return the severity of a finding in this run."""
        return Severity(self.severities.get(code, CATALOGUE[code].severity))
