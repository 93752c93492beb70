"""The files of a run's outcome by what they hold, as tasks handed them on or as the sealed manifest names them."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from certrecon.errors import EvidenceError
from certrecon.evidence import RunEvidence, SealedFile, SealedPart
from certrecon.evidence.manifest import in_one_piece
from certrecon.stages.handle import FileRef
from certrecon.stages.plan import Planned

DECIDED_FILE, CLAIMS_FILE, LEDGER_AFTER_FILE = "decided", "claims", "ledger_after"
SUMMARY_FILE, PAGE_FILE, WORKBOOK_FILE = "summary", "report", "workbook"


class Outcome:
    """Reads the files of a run's outcome, each checked against its digest."""

    def __init__(self, evidence: RunEvidence, files: Mapping[str, SealedFile]) -> None:
        """Take the run's evidence and its files by dataset."""
        self._evidence = evidence
        self._files = files

    @classmethod
    def of_refs(cls, evidence: RunEvidence, refs: Mapping[str, FileRef]) -> Outcome:
        """Take the files as tasks hand them to each other."""
        return cls(evidence, {name: sealed_file(name, ref) for name, ref in refs.items()})

    @classmethod
    def of_sealed(cls, evidence: RunEvidence, sealed: SealedPart) -> Outcome:
        """Take the files that the outcome's manifest names."""
        return cls(evidence, {file.dataset: file for file in sealed.files})

    def __contains__(self, dataset: str) -> bool:
        """Return whether the run came to writing a file."""
        return dataset in self._files

    def table(self, dataset: str, schema: pa.Schema) -> pa.Table:
        """Read the columns of `schema` from a table.

        Raises:
            EvidenceError: The run has no such file, or it was changed.
        """
        file = self._file(dataset)
        return self._evidence.read_table(file.address, schema, file.sha256)

    def in_one_piece(self, dataset: str, schema: pa.Schema) -> pa.Table:
        """Read a table as `table` does, each column in one piece, for whoever looks at columns as a whole.

        Raises:
            EvidenceError: The run has no such file, or it was changed.
        """
        return in_one_piece((self.table(name, schema) for name in (dataset,)), schema)

    def text(self, dataset: str) -> str:
        """Read a text file.

        Raises:
            EvidenceError: The run has no such file, or it was changed.
        """
        return self.content(dataset).decode()

    def content(self, dataset: str) -> bytes:
        """Read a file as it is.

        Raises:
            EvidenceError: The run has no such file, or it was changed.
        """
        file = self._file(dataset)
        return self._evidence.read_bytes(file.address, file.sha256)

    def sha256(self, dataset: str) -> str:
        """Return a file's digest.

        Raises:
            EvidenceError: The run has no such file.
        """
        return self._file(dataset).sha256

    def _file(self, dataset: str) -> SealedFile:
        if dataset not in self._files:
            message = f"The outcome of the run in {self._evidence.uri} has no file of {dataset}."
            raise EvidenceError(message)
        return self._files[dataset]


def sealed_file(dataset: str, ref: FileRef) -> SealedFile:
    """Describe a file that a task handed on."""
    return SealedFile(dataset, ref.address, ref.sha256, ref.size, ref.rows)


def planned_files(planned: Planned) -> dict[str, FileRef]:
    """Return the files of planning by what they hold."""
    return {
        DECIDED_FILE: planned.claims,
        "plan": planned.plan,
        "restored": planned.restored,
        "withdrawn": planned.withdrawn,
        "judged": planned.judged,
        "moved_away": planned.moved_away,
        "guards": planned.tripped,
        "tenants": planned.tenants,
    }
