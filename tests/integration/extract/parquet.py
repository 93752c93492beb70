"""Datasets as Parquet files in a folder, as the pipeline writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from certrecon.extract.datasets import DatasetFacts


@dataclass
class File:
    """One Parquet file that is being written."""

    address: str
    writer: pq.ParquetWriter

    def write(self, table: pa.Table) -> None:
        self.writer.write_table(table)


class Folder:
    """A folder of datasets; a read that was not whole leaves a file that nobody names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: list[str] = []

    @contextmanager
    def open_dataset(self, name: str, schema: pa.Schema) -> Iterator[File]:
        address = self.path / f"{len(self.opened)}-{name}.parquet"
        self.opened.append(name)
        with pq.ParquetWriter(address, schema) as writer:
            yield File(str(address), writer)


def table_of(facts: DatasetFacts) -> pa.Table:
    """Return a dataset as it lies in its file, after checking its count."""
    table = pq.read_table(facts.address)
    assert len(table) == facts.rows
    assert set(table.schema.types) == {pa.string()}
    return table


def rows_of(facts: DatasetFacts) -> list[dict[str, Any]]:
    """Return the rows of a dataset, only what is not null."""
    rows = table_of(facts).to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def column(facts: DatasetFacts, name: str) -> list[Any]:
    """Return one column of a dataset, sorted, nulls first."""
    return sorted(table_of(facts).column(name).to_pylist(), key=lambda value: value or "")
