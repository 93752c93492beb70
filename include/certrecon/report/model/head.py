"""Which run a report is of, who let it go on, and what differs from the run before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from certrecon.words import Mode


@dataclass(frozen=True, slots=True)
class ApprovalNote:
    """A request to a person, and what came of it.

    Attributes:
        asked_at: When somebody was asked.
        decided_at: When it was decided; None where it was not.
        decided_by: Who decided.
        decision: What was decided, in the warehouse's word.
        reason: Why, in the words of whoever decided.
        guards: The guards because of which somebody was asked.
        plan_sha256: The digest of the plan that the decision is about.
    """

    asked_at: dt.datetime | None
    decided_at: dt.datetime | None
    decided_by: str | None
    decision: str | None
    reason: str | None
    guards: tuple[str, ...]
    plan_sha256: str | None


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last run of the chain of finalised runs.

    Attributes:
        chain_no: Its place in the chain.
        run_seq: Its number in the warehouse.
        chain_sha256: Its digest, which covers all runs before it.
    """

    chain_no: int
    run_seq: int
    chain_sha256: str


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
        started_at: When it began; None where that is not known.
        accepted: The guards that whoever started it accepted beforehand.
        resend: Whether it sends what Ditio has acknowledged as well.
        approvals: The requests to a person, the oldest first.
        settings_text: Its settings and crosswalk as canonical JSON; empty where they are not known.
        chain_before: The head of the chain when the report was made.
        certificates: The only certificates that a run by hints speaks of; None for every other run.
        hints: How many hints it followed.
        left_out: How many of the ids that they name 4HSE refused.
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
    started_at: dt.datetime | None = None
    accepted: tuple[str, ...] = ()
    resend: bool = False
    approvals: tuple[ApprovalNote, ...] = ()
    settings_text: str = ""
    chain_before: ChainHead | None = None
    certificates: tuple[str, ...] | None = None
    hints: int = 0
    left_out: int = 0

    @property
    def limited(self) -> bool:
        """Whether the run speaks of some tenants or certificates only."""
        return bool(self.tenants) or self.certificates is not None

    @property
    def publishes(self) -> bool:
        """Whether the run may send anything."""
        return self.mode is Mode.PUBLISH


@dataclass(frozen=True, slots=True)
class PreviousRun:
    """The last finished publishing run of the target that loaded claims: what this run is compared with.

    Attributes:
        run_seq: Its number.
        run_day: Its day.
        status: How it ended.
        settings_text: Its settings and crosswalk as canonical JSON; None where they are not known.
    """

    run_seq: int
    run_day: dt.date
    status: str
    settings_text: str | None = None


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting that differs from the previous run's.

    Attributes:
        key: Its path, such as `guards.max_drop`.
        before: Its value then, as JSON; None where there was none.
        after: Its value now, as JSON; None where there is none.
    """

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class SettingsChanges:
    """What differs from the previous run's settings.

    Attributes:
        rows: Each setting that differs, by its key.
        crosswalk: How many entries of the crosswalk were `added`, `removed` or `changed`; all three or none.
    """

    rows: tuple[SettingChange, ...]
    crosswalk: Mapping[str, int]

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return bool(self.rows) or any(self.crosswalk.values())
