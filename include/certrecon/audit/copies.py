"""The copies of reports that carry a seal, against the sealed reports they were made of."""

from __future__ import annotations

from collections.abc import Iterable

from certrecon.audit.breach import Breach, changed
from certrecon.audit.stores import Stores
from certrecon.errors import EvidenceError
from certrecon.evidence import Part, RunEvidence
from certrecon.evidence.manifest import read_sealed
from certrecon.report.page import Seal, with_seal
from certrecon.stages.finalise import SEALED_REPORT
from certrecon.stages.outcome import PAGE_FILE
from certrecon.warehouse.runmodel import RunRecord


def check_copies(runs: Iterable[RunRecord], stores: Stores) -> tuple[int, list[Breach]]:
    """Compare `report.html` of finalised runs with the report that their outcome seals.

    A copy may be missing: the report itself is sealed, and any page of the pipeline makes the copy again.

    Returns:
        How many copies were compared, and those that say something else.
    """
    compared, breaches = 0, []
    for run in runs:
        found = _copy_and_report(run, stores.evidence_of(run))
        if found is None:
            continue
        compared += 1
        if found[0] != found[1]:
            words = (
                f"The report's copy of run {run.run_seq} was changed: it is not the sealed report with the run's seal."
            )
            breaches.append(changed(f"run {run.run_seq}, {SEALED_REPORT}", words))
    return compared, breaches


def _copy_and_report(run: RunRecord, evidence: RunEvidence | None) -> tuple[str, str] | None:
    """Return the copy and what it should be; None where one is gone or does not hold, which has its own check."""
    if evidence is None or run.outcome_sha256 is None or not evidence.path(SEALED_REPORT).exists():
        return None
    try:
        file = read_sealed(evidence, Part.OUTCOME, run.outcome_sha256).one(PAGE_FILE)
        report = evidence.read_bytes(file.address, file.sha256)
        seal = Seal(run.outcome_sha256, run.chain_no, run.chain_sha256, str(run.status))
        return evidence.read_bytes(SEALED_REPORT).decode(errors="replace"), with_seal(report.decode(), seal)
    except EvidenceError:
        return None
