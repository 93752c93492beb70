"""The words in which the pages speak of what runs did; no code stands without words beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from certrecon.words import Guard, LedgerState, Mode, RunStatus


@dataclass(frozen=True, slots=True)
class Label:
    """A word with the look of its badge.

    Attributes:
        words: What it says.
        look: The badge's class: `good`, `warn`, `bad` or `plain`.
    """

    words: str
    look: str


STATUSES: Final[dict[str, Label]] = {
    RunStatus.RUNNING.value: Label("running", "plain"),
    RunStatus.SUCCEEDED.value: Label("succeeded", "good"),
    RunStatus.SUCCEEDED_WITH_REJECTS.value: Label("succeeded, Ditio refused rows", "warn"),
    RunStatus.FAILED.value: Label("failed", "bad"),
}

MODES: Final[dict[str, str]] = {
    Mode.PUBLISH.value: "publishing",
    Mode.DRY_RUN.value: "dry run, nothing was sent",
}

TRIGGERS: Final[dict[str, str]] = {
    "scheduled": "by the schedule",
    "manual": "by hand",
    "asset_triggered": "by an asset",
    "backfill": "by a backfill",
}

GUARDS: Final[dict[str, str]] = {
    Guard.FIRST_PUBLISH.value: "first sending to this Ditio company",
    Guard.TENANT_MISSING.value: "a 4HSE project is no longer listed",
    Guard.DROP.value: "a 4HSE project or Ditio lists far fewer rows than before",
    Guard.MATCH_RATE.value: "far fewer certificates match an employee than before",
    Guard.UPSERTS.value: "the plan changes much of what Ditio holds",
    Guard.WITHDRAWN.value: "many certificates lost their support at once",
}

LEDGER_STATES: Final[dict[str, str]] = {
    LedgerState.PENDING.value: "about to be sent",
    LedgerState.ACKNOWLEDGED.value: "Ditio has it",
    LedgerState.REJECTED.value: "Ditio refused it",
    LedgerState.UNDELIVERED.value: "not delivered",
}

FILES: Final[dict[str, tuple[str, str]]] = {
    "workbook": ("Excel workbook", "xlsx"),
    "summary": ("Summary as text", "txt"),
    "worklist_csv": ("What needs somebody, CSV", "csv"),
    "withdrawn_csv": ("To be removed in Ditio, CSV", "csv"),
    "changes_csv": ("What changed, CSV", "csv"),
    "unmatched_persons_csv": ("Persons without an employee, CSV", "csv"),
    "unmapped_types_csv": ("Certificates without a type, CSV", "csv"),
    "dangling_csv": ("Links without a certificate, CSV", "csv"),
    "plan_csv": ("What would be sent, CSV", "csv"),
    "data_docs": ("Great Expectations Data Docs, zip", "zip"),
}
"""The files of a run's outcome that people may download, in words, with their ending."""
