"""Where a run's tasks find the warehouse and the run's evidence."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Engine

from certrecon.evidence import Part, RunEvidence, WrittenFile, WrittenTable
from certrecon.settings import LoadedSettings
from certrecon.settings.loader import restore_settings
from certrecon.stages.handle import FileRef, RunHandle
from certrecon.warehouse.ahead import ahead


def file_ref(written: WrittenFile, rows: int = 0) -> FileRef:
    """Return the reference to a file that was written."""
    return FileRef(written.address, written.sha256, written.size, rows)


@dataclass(frozen=True, slots=True)
class Workplace:
    """What every task after the first one works with.

    Attributes:
        run: The run.
        engine: The warehouse.
        evidence: The run's evidence.
    """

    run: RunHandle
    engine: Engine
    evidence: RunEvidence

    def settings(self) -> LoadedSettings:
        """Return the settings as the run was opened with them."""
        ref = self.run.settings
        return restore_settings(self.evidence.read_bytes(ref.address, ref.sha256).decode())

    def read(self, ref: FileRef, schema: pa.Schema) -> pa.Table:
        """Read the columns of `schema` from a table that an earlier task wrote."""
        return self.evidence.read_table(ref.address, schema, ref.sha256)

    def write(self, stem: str, table: pa.Table) -> FileRef:
        """Write a table of the outcome."""
        return file_ref(self.evidence.write_table(Part.OUTCOME, stem, table), table.num_rows)

    def write_pieces(
        self, part: Part, stem: str, schema: pa.Schema, pieces: Generator[pa.Table, None, None]
    ) -> WrittenTable:
        """Write what the warehouse yields as one table; each next piece is read while the one before is written."""
        with closing(pieces), closing(ahead(pieces)) as read:
            return self.evidence.write_pieces(part, stem, schema, read)

    def write_bytes(self, stem: str, ending: str, data: bytes) -> FileRef:
        """Write a file of the outcome."""
        return file_ref(self.evidence.write_bytes(Part.OUTCOME, stem, ending, data))


def total_rows(refs: Iterable[FileRef]) -> int:
    """Return how many rows some files have together."""
    return sum(ref.rows for ref in refs)
