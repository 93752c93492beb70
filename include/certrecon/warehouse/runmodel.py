"""What is written and read of a run row; the attributes are the columns of the design."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from certrecon.words import Mode, RunStatus

UNLIMITED: Mapping[str, Any] = {"tenant_ids": []}
BY_HINTS: Mapping[str, Any] = {"tenant_ids": [], "by": "hints"}
"""The scope of a run that looks at what hints point at; the certificates are in its evidence."""
GENESIS = "0" * 64
"""What stands for the digest before the first link of the chain."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is known of a run when it opens.

    Attributes:
        run_id: Airflow's run id.
        target: The target's digest.
        mode: `publish` or `dry_run`.
        trigger: What started it, in Airflow's word (`manual`, `scheduled`).
        triggered_by: Who started it, where known.
        run_day: The day of the run in the settings' zone.
        as_of: The day on which validity is judged.
        settings_sha256: Digest of the settings file.
        code_version: Version of this code.
        scope: `{"tenant_ids": [...]}`, an empty list being unlimited, or `BY_HINTS`.
    """

    run_id: str
    target: str
    mode: Mode
    trigger: str
    triggered_by: str | None
    run_day: dt.date
    as_of: dt.date
    settings_sha256: str
    code_version: str
    scope: Mapping[str, Any] = field(default_factory=lambda: UNLIMITED)


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A link of the chain: a finalised run.

    Attributes:
        chain_no: Its place, from 1 without a gap, in the order of finalising.
        run_seq: The run.
        previous_sha256: The digest of the link before, `GENESIS` for the first.
        chain_sha256: Its digest.
        status: How the run ended.
    """

    chain_no: int
    run_seq: int
    previous_sha256: str
    chain_sha256: str
    status: str


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run just opened.

    Attributes:
        run_seq: Its number.
        attempt: How many runs this Airflow run id has opened, this one included.
        abandoned: The runs that it took over, now failed.
        abandoned_links: Their links of the chain, in the order of the chain.
    """

    run_seq: int
    attempt: int
    abandoned: list[int]
    abandoned_links: list[ChainLink] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended. A total that a failed run never reached stays null.

    Attributes:
        status: Any but `running`.
        failure: One sentence for an operator, null on success.
        tenants: Counts by tenant and dataset.
        dispositions: Claims by disposition.
        findings: Claims by finding code.
        guards: Guards by name.
        inputs_sha256: Digest of the sealed inputs.
        outcome_sha256: Digest of the sealed outcome.
    """

    status: RunStatus
    failure: str | None = None
    certificates: int | None = None
    links: int | None = None
    persons: int | None = None
    employees: int | None = None
    claims: int | None = None
    sent: int | None = None
    withdrawn: int | None = None
    tenants: Mapping[str, Any] | None = None
    dispositions: Mapping[str, int] | None = None
    findings: Mapping[str, int] | None = None
    guards: Mapping[str, Any] | None = None
    inputs_sha256: str | None = None
    outcome_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run row as it is; attributes are the columns of the design."""

    run_seq: int
    run_id: str
    attempt: int
    target: str
    mode: str
    trigger: str
    triggered_by: str | None
    run_day: dt.date
    as_of: dt.date
    scope: dict[str, Any]
    status: str
    failure: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    certificates: int | None
    links: int | None
    persons: int | None
    employees: int | None
    claims: int | None
    sent: int | None
    withdrawn: int | None
    tenants: dict[str, Any] | None
    dispositions: dict[str, int] | None
    findings: dict[str, int] | None
    guards: dict[str, Any] | None
    evidence_uri: str | None
    inputs_sha256: str | None
    outcome_sha256: str | None
    settings_sha256: str
    code_version: str
    records: dict[str, dict[str, Any]] | None
    chain_no: int | None
    previous_sha256: str | None
    chain_sha256: str | None


Baseline = RunRecord
"""The run that guards compare with."""
