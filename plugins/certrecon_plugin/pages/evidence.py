"""What a run's evidence holds for people to read, found through its manifest and checked against its digests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException

from certrecon.errors import EvidenceError
from certrecon.evidence import Part, RunEvidence, SealedFile
from certrecon.evidence.manifest import read_sealed
from certrecon_plugin.pages.words import FILES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from certrecon.warehouse.runs import RunRecord

PAGE = "report"


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that a run offers.

    Attributes:
        name: The name in the address.
        words: What it is.
        size: Its length in bytes.
    """

    name: str
    words: str
    size: int


@dataclass(frozen=True, slots=True)
class Offers:
    """What can be read of a run.

    Attributes:
        page: Whether there is a report page.
        files: The files to download.
        problem: Why there is nothing, in words; null where there is.
    """

    page: bool
    files: tuple[Offer, ...]
    problem: str | None = None


class RunFiles:
    """The sealed outcome of one run."""

    def __init__(self, run: RunRecord) -> None:
        """Read the manifest.

        Raises:
            HTTPException: 404, the run sealed no outcome.
            EvidenceError: The outcome is missing or was changed.
        """
        if run.outcome_sha256 is None:
            raise HTTPException(404, without_outcome(run))
        if not run.evidence_uri:
            raise EvidenceError("The run sealed an outcome and has no evidence address.")
        folder = _folder(run.evidence_uri)
        if folder.name != str(run.run_seq):
            raise EvidenceError("The run's evidence address is not that of the run.")
        self._evidence = RunEvidence(folder.parent, run.run_seq)
        sealed = read_sealed(self._evidence, Part.OUTCOME, run.outcome_sha256)
        self.files: dict[str, SealedFile] = {file.dataset: file for file in sealed.files}

    def content(self, dataset: str) -> bytes:
        """Return a file's bytes.

        Raises:
            HTTPException: 404, the run has no such file.
            EvidenceError: It is missing or was changed.
        """
        file = self.files.get(dataset)
        if file is None:
            raise HTTPException(404, "This run has no such file.")
        return self._evidence.read_bytes(file.address, file.sha256)


def offered(run: RunRecord, removal: str | None) -> Offers:
    """Return what can be read of a run; a problem in words where nothing can.

    Args:
        run: The run.
        removal: What `removal_of` says of its evidence.
    """
    if removal is not None or run.outcome_sha256 is None:
        return Offers(page=False, files=(), problem=removal or without_outcome(run))
    try:
        found = RunFiles(run).files
    except EvidenceError:
        return Offers(page=False, files=(), problem=_GONE)
    files = tuple(
        Offer(f"{name}.{ending}", words, found[name].size) for name, (words, ending) in FILES.items() if name in found
    )
    return Offers(page=PAGE in found, files=files, problem=None if PAGE in found else _BEFORE_REPORT)


_BEFORE_REPORT = "This run ended before it had a report."
_GONE = (
    "The run's evidence is not there any more, or is not what was sealed. What the warehouse knows of the run is on "
    "this page; the command make verify says what became of the evidence."
)


def without_outcome(run: RunRecord) -> str:
    """Return why a run that sealed no outcome has nothing to read; it was abandoned, or failed as it was opened."""
    if run.finished_at is None:
        return "This run has not sealed its outcome yet, so there is no report yet."
    return "This run sealed no outcome, so it has no report."


def removal_of(conn: Connection, run_seq: int) -> str | None:
    """Return when and why a run's evidence was removed on the record, in words; null where it was not."""
    from sqlalchemy import select

    from certrecon.warehouse.tables import evidence_purge

    query = select(evidence_purge).where(evidence_purge.c.run_seq == run_seq).order_by(evidence_purge.c.purge_id)
    purge = conn.execute(query.limit(1)).one_or_none()
    if purge is None:
        return None
    return f"The evidence of run {run_seq} was removed on {purge.purged_at:%Y-%m-%d}: {purge.reason.rstrip('.')}."


def require_kept(conn: Connection, run_seq: int) -> None:
    """Refuse to look for evidence that was removed on the record.

    Raises:
        HTTPException: 410; the words say when and why.
    """
    removal = removal_of(conn, run_seq)
    if removal is not None:
        raise HTTPException(410, removal)


def _folder(uri: str) -> Any:
    from certrecon_plugin.resources import evidence_root

    return evidence_root(uri)
