"""Datasets are packed beside the reading: in order, whole or not at all, and no chunk's failure is lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest

from certrecon.evidence import Part, RunEvidence
from certrecon.stages.dataset_files import EvidenceDatasets

SCHEMA = pa.schema([("certificate_id", pa.string())])
FITS = pa.table({"certificate_id": ["1", "2"]})
FITS_NOT = pa.table({"certificate_id": pa.array([1, 2])})


def write_all(datasets: EvidenceDatasets, chunks: Iterable[pa.Table]) -> None:
    with datasets.open_dataset("certificates", SCHEMA) as file:
        for chunk in chunks:
            file.write(chunk)


def written(folder: Path) -> list[Path]:
    return list((folder / "1" / Part.INPUTS).glob("*"))


def test_chunks_come_back_in_order_under_their_digest(tmp_path: Path) -> None:
    evidence = RunEvidence(tmp_path, 1)
    chunks = [pa.table({"certificate_id": [f"{chunk}-{row}" for row in range(1_000)]}) for chunk in range(20)]
    with EvidenceDatasets(evidence).open_dataset("certificates", SCHEMA) as file:
        for chunk in chunks:
            file.write(chunk)
    [path] = written(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert evidence.read_table(file.address, SCHEMA, digest) == pa.concat_tables(chunks)


@pytest.mark.parametrize(
    "chunks",
    [(FITS_NOT,), (FITS, FITS_NOT), (FITS_NOT, FITS), (FITS, FITS_NOT, FITS_NOT.slice(0, 0))],
    ids=["the only one", "the last", "one before the last", "one before an empty one"],
)
def test_a_chunk_that_cannot_be_written_fails_the_read_and_leaves_no_file(
    chunks: tuple[pa.Table, ...], tmp_path: Path
) -> None:
    datasets = EvidenceDatasets(RunEvidence(tmp_path, 1))
    with pytest.raises(ValueError, match="schema"):
        write_all(datasets, chunks)
    assert written(tmp_path) == []
