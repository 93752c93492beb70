"""Datasets on their way into a run's evidence while their vendor is still being read."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from certrecon.evidence import Part, RunEvidence, SealedFile, WrittenFile
from certrecon.extract.datasets import DatasetFacts

SEALED_ELSEWHERE = frozenset({"name", "address", "rows"})
"""Facts of a dataset that a sealed file says itself."""


class _DatasetFile:
    """One dataset being written (a `certrecon.extract.datasets.DatasetFile`).

    A chunk is packed in a thread while the next pages are on their way; one waits at most, so memory stays flat.
    """

    def __init__(self, address: str, writer: pq.ParquetWriter, packer: ThreadPoolExecutor) -> None:
        self.address = address
        self._writer = writer
        self._packer = packer
        self._packing: Future[None] | None = None

    def write(self, table: pa.Table) -> None:
        """Append rows; what went wrong with the chunk before is raised here."""
        self.finish()
        if table.num_rows:
            self._packing = self._packer.submit(self._writer.write_table, table)

    def finish(self) -> None:
        """Wait until every chunk is written."""
        packing, self._packing = self._packing, None
        if packing is not None:
            packing.result()


class EvidenceDatasets:
    """Writes datasets into the run's inputs and remembers their digests."""

    def __init__(self, evidence: RunEvidence) -> None:
        """Take the evidence to write to."""
        self._evidence = evidence
        self._written: dict[str, WrittenFile] = {}

    @contextmanager
    def open_dataset(self, name: str, schema: pa.Schema) -> Iterator[_DatasetFile]:
        """Open a fresh file; a read that was not whole leaves one that no manifest names."""
        address = self._evidence.fresh_address(Part.INPUTS, name, "parquet")
        with (
            self._evidence.create(address) as opened,
            pq.ParquetWriter(opened.sink, schema, compression="zstd", compression_level=1) as writer,
            ThreadPoolExecutor(1) as packer,
        ):
            file = _DatasetFile(address, writer, packer)
            yield file
            file.finish()
        if opened.written is not None:
            self._written[address] = opened.written

    def sealed(self, facts: DatasetFacts, tenant: str | None) -> SealedFile:
        """Return what the manifest will say of a dataset."""
        written = self._written[facts.address]
        known = {key: value for key, value in facts.as_record().items() if key not in SEALED_ELSEWHERE}
        return SealedFile(facts.name, facts.address, written.sha256, written.size, facts.rows, tenant, known)
