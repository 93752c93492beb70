"""Evidence files: written once, sealed by digests, readable by their owner only."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from upath import UPath

from certrecon.claims.coded import CODED
from certrecon.errors import EvidenceError
from certrecon.evidence import Part, RunEvidence, SealedFile, SealedPart, highest_run
from certrecon.evidence.manifest import read_dataset, read_sealed, seal

SCHEMA = pa.schema([("certificate_id", pa.string())])
TABLE = pa.table({"certificate_id": ["c1", None]}, schema=SCHEMA)


@pytest.fixture
def evidence(tmp_path: Path) -> RunEvidence:
    return RunEvidence(tmp_path / "evidence", 7)


def sealed_table(evidence: RunEvidence) -> tuple[SealedFile, str]:
    file = SealedFile.of("certificates", evidence.write_table(Part.INPUTS, "certificates", TABLE), 2)
    return file, seal(evidence, Part.INPUTS, SealedPart((file,), {"run_seq": 7}))


def test_what_is_sealed_is_read_back(evidence: RunEvidence) -> None:
    file, sha256 = sealed_table(evidence)
    sealed = read_sealed(evidence, Part.INPUTS, sha256)
    assert sealed.one("certificates") == file
    assert read_dataset(evidence, sealed, "certificates", SCHEMA) == TABLE
    assert read_dataset(evidence, sealed, "links", SCHEMA).num_rows == 0


def test_several_files_are_one_piece_whose_texts_may_be_numbers(evidence: RunEvidence) -> None:
    schema = pa.schema([("tenant_id", pa.string()), ("name", pa.string())])
    rows = [[("t1", "Crane"), ("t1", None)], [], [("t2", "Truck"), ("t2", "Crane")]]
    tables = [pa.table([[row[0] for row in some], [row[1] for row in some]], schema=schema) for some in rows]
    files = tuple(
        SealedFile.of("certificates", evidence.write_table(Part.INPUTS, "certificates", one)) for one in tables
    )
    sealed = SealedPart(files, {})
    plain = read_dataset(evidence, sealed, "certificates", schema)
    coded = read_dataset(evidence, sealed, "certificates", pa.schema([schema.field(0), ("name", CODED)]))
    assert plain == pa.concat_tables(tables)
    assert coded["name"].type == CODED
    assert [coded["name"].num_chunks, plain["name"].num_chunks] == [1, 1]
    assert coded.to_pylist() == plain.to_pylist()


@pytest.mark.parametrize("place", ["file", "manifest"])
def test_one_changed_byte_is_noticed(evidence: RunEvidence, place: str) -> None:
    file, sha256 = sealed_table(evidence)
    path: Path = evidence.path(file.address if place == "file" else "inputs/manifest.json")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(EvidenceError, match="changed"):
        read_dataset(evidence, read_sealed(evidence, Part.INPUTS, sha256), "certificates", SCHEMA)


def test_a_missing_file_is_named(evidence: RunEvidence) -> None:
    file, sha256 = sealed_table(evidence)
    evidence.path(file.address).unlink()
    with pytest.raises(EvidenceError, match=r"certificates-.*missing"):
        read_dataset(evidence, read_sealed(evidence, Part.INPUTS, sha256), "certificates", SCHEMA)


def test_a_second_try_writes_beside_the_first(evidence: RunEvidence) -> None:
    first, second = (evidence.write_table(Part.INPUTS, "links", TABLE) for _ in range(2))
    assert first.address != second.address
    assert first.sha256 == second.sha256


def test_only_the_owner_can_read(evidence: RunEvidence) -> None:
    file, _ = sealed_table(evidence)
    for address in (file.address, "inputs/manifest.json"):
        assert evidence.path(address).stat().st_mode & 0o077 == 0
    assert evidence.path("inputs").stat().st_mode & 0o077 == 0


def test_a_full_or_forbidden_disk_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(EvidenceError, match="Check the evidence store"):
        RunEvidence(tmp_path / "evidence", 1).write_bytes(Part.INPUTS, "settings", "json", b"{}")


def test_no_manifest_is_an_error_not_an_empty_part(evidence: RunEvidence) -> None:
    with pytest.raises(EvidenceError, match="missing"):
        read_sealed(evidence, Part.OUTCOME)


def test_a_broken_manifest_is_an_error(evidence: RunEvidence) -> None:
    evidence.write_at("inputs/manifest.json", json.dumps({"files": [{"no": "address"}], "facts": {}}).encode())
    with pytest.raises(EvidenceError, match="cannot be read"):
        read_sealed(evidence, Part.INPUTS)


@pytest.mark.parametrize(
    ("names", "highest"),
    [([], 0), (["1", "12", "3"], 12), (["manifest.json", "x7", "-4"], 0)],
    ids=["empty", "runs", "other things"],
)
def test_the_highest_run_of_a_store(tmp_path: Path, names: list[str], highest: int) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    assert highest_run(tmp_path) == highest
    assert highest_run(tmp_path / "nowhere") == 0


def test_any_fsspec_store_serves() -> None:
    evidence = RunEvidence(UPath("memory://evidence-test"), 1)
    file, sha256 = sealed_table(evidence)
    assert read_dataset(evidence, read_sealed(evidence, Part.INPUTS, sha256), file.dataset, SCHEMA) == TABLE


def test_what_cannot_be_written_whole_leaves_what_was_there(evidence: RunEvidence) -> None:
    """A full disk or a kill must not leave half a manifest or half a witness, which would look like tampering."""
    evidence.write_at("chain.json", b"before")

    def break_off() -> None:
        with evidence.create("chain.json") as opened:
            opened.sink.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(EvidenceError, match="No space left"):
        break_off()
    assert evidence.read_bytes("chain.json") == b"before"
    assert [path.name for path in evidence.path("chain.json").parent.iterdir()] == ["chain.json"]
