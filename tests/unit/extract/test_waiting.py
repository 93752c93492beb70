"""Rows that wait come back as they were, and what must not be on a disk is on none."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certrecon.errors import EvidenceError
from certrecon.extract import waiting
from certrecon.extract.waiting import WaitingRows

SCHEMA = pa.schema([("id", pa.string()), ("name", pa.string()), ("day", pa.string())])
texts = st.none() | st.text(max_size=3)
tables = st.lists(st.lists(st.tuples(texts, texts, texts), max_size=6), max_size=5)


def table(rows: list[tuple[str | None, ...]]) -> pa.Table:
    return pa.table(
        [pa.array(column, pa.string()) for column in zip(*rows, strict=True)] or [[], [], []], schema=SCHEMA
    )


@given(tables)
def test_rows_come_back_in_their_order(chunks: list[list[tuple[str | None, ...]]]) -> None:
    with closing(WaitingRows(SCHEMA, "name")) as rows:
        for chunk in chunks:
            rows.add(table(chunk))
        found = list(rows.tables())
    assert all(one.schema == SCHEMA for one in found)
    assert [row for one in found for row in one.to_pylist()] == [
        row for chunk in chunks for row in table(chunk).to_pylist()
    ]


def test_many_rows_wait_in_a_file_but_for_what_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "IN_MEMORY", 1_000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with closing(WaitingRows(SCHEMA, "name")) as rows:
        for number in range(50):
            rows.add(table([(f"id-{number}-{place}", "Audiometry", "2026-01-01") for place in range(100)]))
        found = rows.tables()
        assert next(found).column("name").to_pylist() == ["Audiometry"] * 100
        held = pa.ipc.open_stream(os.pread(rows._file.fileno(), 10**7, 0)).read_all()
        assert held.column_names == ["id", "day"]
        assert held.num_rows == 5_000
        assert list(tmp_path.iterdir()) == [], "the file has no name"
        assert sum(one.num_rows for one in found) == 4_900


def test_what_is_closed_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "IN_MEMORY", 0)
    rows = WaitingRows(SCHEMA, "name")
    rows.add(table([("a", "b", "c")]))
    descriptor = rows._file.fileno()
    assert os.fstat(descriptor).st_nlink == 0, "the file has no name"
    rows.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_folder_that_takes_no_file_is_told_of_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "IN_MEMORY", 1_000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    many = table([(f"id-{number}", "b", "c") for number in range(5_000)])
    with closing(WaitingRows(SCHEMA, "name")) as rows, pytest.raises(EvidenceError, match=r"No such file.*TMPDIR"):
        rows.add(many)
