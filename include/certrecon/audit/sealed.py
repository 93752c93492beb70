"""Evidence against its digests: the manifests against the run's row, every file against its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from certrecon.audit.breach import Breach, added, changed, missing
from certrecon.audit.stores import Stores
from certrecon.errors import EvidenceError
from certrecon.evidence import Part, RunEvidence, SealedFile
from certrecon.evidence.manifest import MANIFEST, read_sealed
from certrecon.warehouse.runmodel import RunRecord

PURGE_NOTE = "purge.json"
"""What a removal leaves in the folder of a part, beside its manifest."""

UNSEALED = "unsealed {part}"
"""What the record of a removal says in place of a digest where a run ended before the part was sealed."""

_BYTES_A_READ = 1 << 20


@dataclass(slots=True)
class EvidenceSeen:
    """What was looked at.

    Attributes:
        files: Files that hold.
        purged: Parts whose files were removed on the record.
    """

    files: int = 0
    purged: int = 0


def check_evidence(
    runs: Sequence[RunRecord], stores: Stores, purges: Iterable[tuple[int, str]]
) -> tuple[EvidenceSeen, list[Breach]]:
    """Recompute the digests of all evidence.

    Args:
        runs: The runs to look at.
        stores: Where their evidence lies.
        purges: Run and digest of every part whose removal is on the record.
    """
    seen, breaches, on_record = EvidenceSeen(), [], set(purges)
    parts = [(run, part, sha256) for run in runs for part, sha256 in _parts(run)]
    for run, part, sha256 in parts:
        breaches += _check_part(run, part, sha256, stores, seen, purged=(run.run_seq, sha256) in on_record)
    unsealed = {(run.run_seq, name) for run in runs for name in _removed_unsealed(run, stores, on_record)}
    seen.purged += len(unsealed)
    known = {(run.run_seq, sha256) for run, _, sha256 in parts} | unsealed
    return seen, breaches + [_no_such(run_seq) for run_seq, _ in sorted(on_record - known)]


def parts_of(run: RunRecord) -> Iterator[tuple[Part, str | None]]:
    """Yield the parts of a run's evidence, each with the digest that sealed it, None where nothing did."""
    yield Part.INPUTS, run.inputs_sha256
    yield Part.OUTCOME, run.outcome_sha256


def _parts(run: RunRecord) -> Iterator[tuple[Part, str]]:
    return ((part, sha256) for part, sha256 in parts_of(run) if sha256 is not None)


def _removed_unsealed(run: RunRecord, stores: Stores, on_record: set[tuple[int, str]]) -> Iterator[str]:
    """Yield the entries of parts that a run never sealed, where the store too says that they were removed."""
    for part, sha256 in parts_of(run):
        name = UNSEALED.format(part=part)
        if sha256 is None and (run.run_seq, name) in on_record:
            evidence = stores.evidence_of(run)
            if evidence is not None and evidence.path(f"{part}/{PURGE_NOTE}").exists():
                yield name


def _check_part(
    run: RunRecord,
    part: Part,
    sha256: str,
    stores: Stores,
    seen: EvidenceSeen,
    *,
    purged: bool,
) -> list[Breach]:
    evidence = stores.evidence_of(run)
    where = f"run {run.run_seq}, {part}/{MANIFEST}"
    if evidence is None or not evidence.path(f"{part}/{MANIFEST}").exists():
        return [missing(where, f"The manifest of run {run.run_seq}'s {part} is missing.")]
    try:
        sealed = read_sealed(evidence, part, sha256)
    except EvidenceError:
        words = f"The manifest of run {run.run_seq}'s {part} was changed: it is not what the run's row has sealed."
        return [changed(where, words)]
    # Where nothing was sent, what was decided is the outcome too: one file under two names.
    files = {(file.address, file.sha256, file.size): file for file in sealed.files}.values()
    found = [_look(evidence, file) for file in files]
    breaches = [_file_breach(run.run_seq, file, kind) for file, kind in zip(files, found, strict=True) if kind]
    seen.files += found.count("")
    return _judge_purge(evidence, part, run.run_seq, breaches, seen, on_record=purged)


def _judge_purge(
    evidence: RunEvidence,
    part: Part,
    run_seq: int,
    breaches: list[Breach],
    seen: EvidenceSeen,
    *,
    on_record: bool,
) -> list[Breach]:
    """Excuse what is gone when both the warehouse and the store say that it was removed."""
    noted, where = evidence.path(f"{part}/{PURGE_NOTE}").exists(), f"run {run_seq}, {part}"
    if on_record and not noted:
        words = (
            f"The warehouse says that run {run_seq}'s {part} was removed, but the evidence store has no note of that: "
            "the entry was added."
        )
        return [added(f"removal of evidence, {where}", words), *breaches]
    gone = [breach for breach in breaches if breach.kind == "missing"]
    if noted and not on_record and gone:
        words = f"Evidence of run {run_seq}'s {part} was removed, and the warehouse's entry of the removal is missing."
        return [missing(f"removal of evidence, {where}", words), *(one for one in breaches if one not in gone)]
    if not on_record:
        return breaches
    seen.purged += 1
    return [breach for breach in breaches if breach not in gone]


def _look(evidence: RunEvidence, file: SealedFile) -> str:
    """Return `missing`, `changed` or nothing."""
    path = evidence.path(file.address)
    try:
        return "" if _digest(path) == file.sha256 else "changed"
    except OSError:
        return "missing"


def _digest(path: Any) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(_BYTES_A_READ):
            digest.update(block)
    return digest.hexdigest()


def _file_breach(run_seq: int, file: SealedFile, kind: str) -> Breach:
    where, name = f"run {run_seq}, {file.address}", f"The evidence file {file.address} of run {run_seq}"
    if kind == "missing":
        return missing(where, f"{name} is missing.")
    return changed(where, f"{name} was changed: it does not have the digest that its manifest says.")


def _no_such(run_seq: int) -> Breach:
    words = f"The warehouse says that evidence of run {run_seq} was removed which that run does not have."
    return added(f"removal of evidence, run {run_seq}", words)
