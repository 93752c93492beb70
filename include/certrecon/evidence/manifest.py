"""Manifests: written last, they seal a part of a run's evidence and name the files that count."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from certrecon.errors import EvidenceError
from certrecon.evidence.store import Part, RunEvidence, WrittenFile

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One file of a manifest.

    Attributes:
        dataset: What the file holds, such as `certificates` or `settings`.
        address: Its path below the run's folder.
        sha256: The digest of its bytes.
        size: Its length in bytes.
        rows: How many rows it has, for tables.
        tenant: The tenant it was read from, for datasets of a tenant.
        facts: What else is known of it: vendor's count, times read from and to, undocumented fields.
    """

    dataset: str
    address: str
    sha256: str
    size: int
    rows: int | None = None
    tenant: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: str, written: WrittenFile, rows: int | None = None) -> SealedFile:
        """Describe a file that was written."""
        return cls(dataset, written.address, written.sha256, written.size, rows)


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A part of a run's evidence as its manifest says.

    Attributes:
        files: Every file that counts.
        facts: What belongs to the part as a whole, such as run day and parameters.
    """

    files: tuple[SealedFile, ...]
    facts: Mapping[str, Any]

    def all_of(self, dataset: str) -> list[SealedFile]:
        """Return the files of a dataset, one a tenant."""
        return [file for file in self.files if file.dataset == dataset]

    def one(self, dataset: str) -> SealedFile:
        """Return the only file of a dataset.

        Raises:
            EvidenceError: There is none, or more than one.
        """
        files = self.all_of(dataset)
        if len(files) != 1:
            message = f"The evidence has {len(files)} files of {dataset}, expected one."
            raise EvidenceError(message)
        return files[0]


def seal(evidence: RunEvidence, part: Part, sealed: SealedPart) -> str:
    """Write the manifest of a part.

    Returns:
        The SHA-256 of the manifest, which seals all files it names.
    """
    document = {
        "part": str(part),
        "facts": dict(sealed.facts),
        "files": [asdict(file) for file in sealed.files],
    }
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, default=str)
    return evidence.write_at(f"{part}/{MANIFEST}", text.encode()).sha256


def read_sealed(evidence: RunEvidence, part: Part, sha256: str | None = None) -> SealedPart:
    """Read the manifest of a part.

    Raises:
        EvidenceError: It is missing, changed, or not a manifest.
    """
    try:
        document = json.loads(evidence.read_bytes(f"{part}/{MANIFEST}", sha256))
        return SealedPart(tuple(SealedFile(**file) for file in document["files"]), document["facts"])
    except (ValueError, KeyError, TypeError) as error:
        message = f"The manifest {evidence.path(f'{part}/{MANIFEST}')} cannot be read: {error}"
        raise EvidenceError(message) from error


def read_dataset(evidence: RunEvidence, sealed: SealedPart, dataset: str, schema: pa.Schema) -> pa.Table:
    """Read all files of a dataset, each checked against its digest, as one table."""
    files = sealed.all_of(dataset)
    return in_one_piece((evidence.read_table(file.address, schema, file.sha256) for file in files), schema)


def in_one_piece(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """Put tables of `schema` together so that each column is one piece; one column at a time is held twice."""
    pieces: dict[str, list[pa.Array]] = {name: [] for name in schema.names}
    for table in tables:
        for name, found in pieces.items():
            found.extend(table.column(name).chunks)
        del table
    whole = {field.name: pa.chunked_array(pieces.pop(field.name), field.type).combine_chunks() for field in schema}
    return pa.table(list(whole.values()), schema=schema)
