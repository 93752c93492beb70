"""Near the limit of extraction to Parquet: pages into typed msgspec structs, chunks of columns into one writer.

    python -m benchmarks.peers.msgspec_parquet URL PLACES FOLDER CONCURRENCY

No control totals, no duplicates, no privacy, no digests: the same columns of the same rows, no more.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import uvloop

from benchmarks.peers.downloading import Source, download
from benchmarks.telling import tell, timed

CHUNK_ROWS = 20_000
COLUMNS = {
    "certificate": (
        "certificate_id", "tenant_id", "name", "action_type", "date_release", "date_expire", "resource_id",
        "resource_type", "warning", "validity", "validity_unit",
    ),
    "certificate-action": (
        "certificate_action_id", "certificate_id", "tenant_id", "action_id", "action_name", "action_code",
        "action_type", "date_expire",
    ),
    "person": (
        "person_id", "project_id", "code", "first_name", "last_name", "birth_date", "owned_active", "parent_active",
    ),
}  # fmt: skip
SPELLED = {"warning", "validity", "owned_active", "parent_active"}
"""Columns that may be numbers or booleans."""


def _struct(entity: str) -> Any:
    fields = [(name, str | int | bool | None if name in SPELLED else str | None, None) for name in COLUMNS[entity]]
    return msgspec.defstruct(entity.replace("-", "_"), fields)


class IndexFile:
    """One index of one tenant on its way to a Parquet file."""

    def __init__(self, path: Path, entity: str) -> None:
        """Open the file."""
        self.rows = 0
        self._names = COLUMNS[entity]
        self._decode = msgspec.json.Decoder(list[_struct(entity)]).decode  # type: ignore[misc]
        self._schema = pa.schema([(name, pa.string()) for name in self._names])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", compression_level=1)
        self._waiting: list[Any] = []

    def take(self, body: bytes) -> None:
        """Take a page."""
        self._waiting += self._decode(body)
        if len(self._waiting) >= CHUNK_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is waiting and end the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        arrays = [self._column(name) for name in self._names]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self.rows += len(self._waiting)
        self._waiting.clear()

    def _column(self, name: str) -> pa.Array:
        values = [getattr(row, name) for row in self._waiting]
        if name in SPELLED:
            values = [None if value is None else str(value) for value in values]
        return pa.array(values, pa.string())


def main() -> None:
    """Download everything into Parquet once and tell seconds and rows."""
    source, folder, concurrency = Source.of(sys.argv[1], Path(sys.argv[2])), Path(sys.argv[3]), int(sys.argv[4])
    folder.mkdir(parents=True, exist_ok=True)
    open_files: dict[str, IndexFile] = {}
    rows: list[int] = []

    def take(entity: str, body: bytes) -> None:
        if entity not in open_files:
            open_files[entity] = IndexFile(folder / f"{entity}-{len(rows)}.parquet", entity)
        open_files[entity].take(body)

    def finish(_tenant: str, entity: str) -> None:
        done = open_files.pop(entity)
        done.close()
        rows.append(done.rows)

    pa.array(["imports pandas"], pa.string())
    seconds, _ = timed(lambda: uvloop.run(download(source, concurrency, take, finish)))
    written = sum(path.stat().st_size for path in folder.iterdir())
    tell(seconds, rows=sum(rows), bytes=written)


if __name__ == "__main__":
    main()
