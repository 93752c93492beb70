"""Task: record whatever happened, seal the outcome, and say whether the run failed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Engine

from certrecon.errors import EvidenceError
from certrecon.evidence import Part, RunEvidence, SealedFile, SealedPart
from certrecon.evidence.manifest import read_sealed, seal
from certrecon.evidence.witness import write_witness
from certrecon.report.page import Seal, with_seal
from certrecon.stages.handle import FileRef
from certrecon.stages.hints import settle_hints_of
from certrecon.stages.load import Loaded
from certrecon.stages.outcome import CLAIMS_FILE, PAGE_FILE, planned_files, sealed_file
from certrecon.stages.plan import Planned, read_tenants, read_tripped
from certrecon.stages.seal_inputs import SealedInputs
from certrecon.stages.witnessing import witness_of
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.chain import installation_id
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.runs import RunRecord, RunResult, finalise_run, read_run
from certrecon.warehouse.storable import storable_text
from certrecon.words import Disposition, RunStatus

log = logging.getLogger(__name__)

SEALED_REPORT = "report.html"
"""The address of the report's copy that carries the run's seal."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a run got; what a task did not reach is None.

    Attributes:
        inputs: The sealed inputs.
        planned: The plan.
        loaded: The loaded claims.
        files: Every other file of the outcome that counts, by what it holds.
        failures: What failed, one sentence a task, in the order of the tasks.
    """

    inputs: SealedInputs | None = None
    planned: Planned | None = None
    loaded: Loaded | None = None
    files: Mapping[str, FileRef] = field(default_factory=dict)
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finalised:
    """How the run ended.

    Attributes:
        status: Its status.
        failure: Why it failed, in one sentence.
        inputs_sha256: The digest of the sealed inputs.
        outcome_sha256: The digest of the sealed outcome.
        chain_no: The run's place in the chain.
        chain_sha256: The chain's digest with it.
        report: The address of the report that carries them; None where there is no report.
    """

    status: RunStatus
    failure: str | None
    inputs_sha256: str | None
    outcome_sha256: str | None
    chain_no: int | None = None
    chain_sha256: str | None = None
    report: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return asdict(self) | {"status": str(self.status)}


def _outcome_files(reached: Reached) -> Iterable[SealedFile]:
    refs: dict[str, FileRef] = dict(reached.files)
    if reached.planned:
        refs |= planned_files(reached.planned)
    if reached.loaded:
        refs[CLAIMS_FILE] = reached.loaded.claims
    return (sealed_file(name, ref) for name, ref in sorted(refs.items()))


def _status(reached: Reached) -> RunStatus:
    if _failure(reached):
        return RunStatus.FAILED
    if reached.loaded is None:
        return RunStatus.FAILED
    if reached.loaded.dispositions.get(Disposition.REJECTED):
        return RunStatus.SUCCEEDED_WITH_REJECTS
    return RunStatus.SUCCEEDED


def _failure(reached: Reached) -> str | None:
    if reached.failures:
        return reached.failures[0]
    if reached.loaded is None:
        return "The run did not get as far as loading its claims."
    undelivered = reached.loaded.dispositions.get(Disposition.UNDELIVERED)
    return f"{undelivered} claims are undelivered. They go out with the next run." if undelivered else None


def _result(place: Workplace, reached: Reached, ended: Finalised) -> RunResult:
    rows = reached.inputs.rows if reached.inputs else {}
    planned, loaded = reached.planned, reached.loaded
    return RunResult(
        status=ended.status,
        failure=ended.failure,
        **{name: rows.get(name) for name in ("certificates", "links", "persons", "employees")},
        claims=planned.claims.rows if planned else None,
        sent=loaded.sent if loaded else None,
        withdrawn=planned.withdrawn.rows if planned else None,
        tenants={tenant: asdict(counts) for tenant, counts in read_tenants(place, planned).items()}
        if planned
        else None,
        dispositions=loaded.dispositions if loaded else None,
        findings=planned.findings if planned else None,
        guards={str(one.guard): one.to_json() for one in read_tripped(place, planned)} if planned else None,
        inputs_sha256=ended.inputs_sha256,
        outcome_sha256=ended.outcome_sha256,
    )


def _inputs_sealed(place: Workplace, reached: Reached) -> str | None:
    """Return the digest of the sealed inputs, having seen that they are still what was sealed.

    Raises:
        EvidenceError: They are not.
    """
    if reached.inputs is None:
        return None
    read_sealed(place.evidence, Part.INPUTS, reached.inputs.sha256)
    return reached.inputs.sha256


def run_finalise(place: Workplace, reached: Reached) -> Finalised:
    """Seal the outcome and finalise the run's row in one transaction.

    Raises:
        RunTakenOverError: The run is no longer the running one of its target.
    """
    status, failure = _status(reached), _failure(reached)
    try:
        inputs = _inputs_sealed(place, reached)
    except EvidenceError as error:
        status, failure, inputs = RunStatus.FAILED, failure or str(error), None
    facts = {"run_seq": place.run.run_seq, "status": str(status), "failures": list(reached.failures)}
    outcome = seal(place.evidence, Part.OUTCOME, SealedPart(tuple(_outcome_files(reached)), facts))
    ended = Finalised(status, failure, inputs, outcome)
    with transaction(place.engine) as conn:
        if status is not RunStatus.FAILED:
            settle_hints_of(conn, place)
        link = finalise_run(conn, place.run.run_seq, _result(place, reached, ended))
        # Before the commit: a run whose witness cannot be written is not finalised, and is tried again.
        write_witness(place.evidence, witness_of(link, installation_id(conn), ended.inputs_sha256, outcome))
    ended = replace(ended, chain_no=link.chain_no, chain_sha256=link.chain_sha256)
    ended = replace(ended, report=seal_report(place.evidence, ended))
    log.info("Run %s %s%s", place.run.run_seq, status, f": {failure}" if failure else "")
    return ended


def seal_report(evidence: RunEvidence, ended: Finalised) -> str | None:
    """Write the copy of the report that carries the run's seal; the report itself was sealed before there was one.

    Returns:
        The copy's address below the run's folder; None where the run has no report, or it cannot be written.
    """
    outcome = ended.outcome_sha256 or ""
    seal_of_run = Seal(outcome, ended.chain_no, ended.chain_sha256, str(ended.status))
    try:
        sealed = read_sealed(evidence, Part.OUTCOME, outcome)
        if not sealed.all_of(PAGE_FILE):
            return None
        page = sealed.one(PAGE_FILE)
        html = evidence.read_bytes(page.address, page.sha256).decode()
        return evidence.write_at(SEALED_REPORT, with_seal(html, seal_of_run).encode()).address
    except EvidenceError as error:
        log.warning("The report has no copy with the run's seal: %s", error)
        return None


def already_finalised(
    engine: Engine, evidence: RunEvidence, run_seq: int, failures: Sequence[str] = ()
) -> Finalised | None:
    """Return how a run ended if an earlier try finalised it and was killed before it could say so.

    The copy of the report that such a try may not have come to is written.

    Args:
        engine: The warehouse.
        evidence: The run's evidence.
        run_seq: The run.
        failures: What failed, as this try sees it (see `Reached`).

    Returns:
        How it ended; None where it runs, where somebody else ended it, or where this try has failures that the run had
        not: then a task of a finished run was cleared.
    """
    with transaction(engine) as conn:
        row = read_run(conn, run_seq)
    if row is None or not _was_finalised_here(row, failures):
        return None
    digests = (row.inputs_sha256, row.outcome_sha256, row.chain_no, row.chain_sha256)
    ended = Finalised(RunStatus(row.status), row.failure, *digests)
    return replace(ended, report=seal_report(evidence, ended))


def _was_finalised_here(row: RunRecord, failures: Sequence[str]) -> bool:
    if row.status in {RunStatus.SUCCEEDED, RunStatus.SUCCEEDED_WITH_REJECTS}:
        return not failures
    # Whoever takes a run over seals no outcome of it.
    if row.status != RunStatus.FAILED or row.outcome_sha256 is None:
        return False
    return not failures or storable_text(failures[0]) == row.failure
