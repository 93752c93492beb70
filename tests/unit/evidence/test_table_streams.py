"""Tables that are written and read some rows at a time are tables like all others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from certrecon.errors import EvidenceError, WarehouseUnavailableError
from certrecon.evidence import Part, RunEvidence
from certrecon.evidence.store import ROWS_A_GROUP

SCHEMA = pa.schema([("certificate_id", pa.string()), ("findings", pa.list_(pa.string())), ("linked", pa.bool_())])
SIZES = {
    "nothing": [],
    "an empty piece": [0],
    "one piece": [3],
    "small pieces": [2, 0, 1],
    "more than a group": [ROWS_A_GROUP - 1, 2, 5],
    "many groups in one piece": [3 * ROWS_A_GROUP],
}


@pytest.fixture
def evidence(tmp_path: Path) -> RunEvidence:
    return RunEvidence(tmp_path / "evidence", 7)


def rows(size: int) -> pa.Table:
    columns = {"certificate_id": map(str, range(size)), "findings": [["A", "B"]] * size, "linked": [True] * size}
    return pa.table({name: pa.array(values, SCHEMA.field(name).type) for name, values in columns.items()}, SCHEMA)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_what_is_written_in_pieces_is_one_table(evidence: RunEvidence, sizes: list[int]) -> None:
    pieces = [rows(size) for size in sizes]
    written = evidence.write_pieces(Part.INPUTS, "ledger", SCHEMA, iter(pieces))
    table = evidence.read_table(written.file.address, SCHEMA, written.file.sha256)
    assert table == pa.concat_tables([SCHEMA.empty_table(), *pieces])
    assert written.rows == sum(sizes)


def test_not_many_rows_are_held_at_once(evidence: RunEvidence) -> None:
    written = evidence.write_pieces(Part.INPUTS, "ledger", SCHEMA, iter([rows(ROWS_A_GROUP // 4)] * 10))
    metadata = pq.ParquetFile(evidence.path(written.file.address)).metadata
    groups = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
    assert groups == [ROWS_A_GROUP, ROWS_A_GROUP, ROWS_A_GROUP // 2]


def test_what_is_read_in_pieces_is_the_table(evidence: RunEvidence) -> None:
    table = rows(2 * ROWS_A_GROUP + 1)
    written = evidence.write_table(Part.INPUTS, "ledger", table)
    narrow = pa.schema([SCHEMA.field("linked"), SCHEMA.field("certificate_id")])
    pieces = list(evidence.read_pieces(written.address, narrow, written.sha256))
    assert len(pieces) > 1
    assert pa.concat_tables(pieces) == table.select(narrow.names)


def test_a_changed_or_other_file_is_not_read_in_pieces(evidence: RunEvidence) -> None:
    written = evidence.write_table(Part.INPUTS, "ledger", rows(1))
    with pytest.raises(EvidenceError, match="was changed"):
        list(evidence.read_pieces(written.address, SCHEMA, "0" * 64))
    with pytest.raises(EvidenceError, match="not what was expected"):
        list(evidence.read_pieces(written.address, pa.schema([("payload", pa.string())]), written.sha256))


def test_a_stream_that_breaks_off_leaves_no_file(evidence: RunEvidence) -> None:
    def breaking() -> Iterator[pa.Table]:
        yield rows(ROWS_A_GROUP)
        raise WarehouseUnavailableError("PostgreSQL is gone.")

    with pytest.raises(WarehouseUnavailableError):
        evidence.write_pieces(Part.INPUTS, "ledger", SCHEMA, breaking())
    assert list(evidence.path("inputs").iterdir()) == []
