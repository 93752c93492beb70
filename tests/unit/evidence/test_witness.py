from __future__ import annotations

from pathlib import Path

import pytest

from certrecon.errors import EvidenceError
from certrecon.evidence import RunEvidence
from certrecon.evidence.witness import WITNESS, Witness, read_witness, witnessed_runs, write_witness

OF_SEVEN = Witness("a-warehouse", 5, 7, "succeeded", "0" * 64, "1" * 64, "2" * 64, None)


def test_a_witness_comes_back_as_it_was_written(tmp_path: Path) -> None:
    evidence = RunEvidence(tmp_path, 7)
    assert read_witness(evidence) is None
    write_witness(evidence, OF_SEVEN)
    assert read_witness(evidence) == OF_SEVEN
    assert evidence.path(WITNESS).stat().st_mode & 0o077 == 0


def test_runs_with_a_witness(tmp_path: Path) -> None:
    for number in (12, 3):
        write_witness(RunEvidence(tmp_path, number), OF_SEVEN)
    (tmp_path / "5").mkdir()
    (tmp_path / "notes").mkdir()
    assert witnessed_runs(tmp_path) == [3, 12]
    assert witnessed_runs(tmp_path / "nowhere") == []


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"chain_no": 1}'])
def test_what_is_no_witness_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    evidence = RunEvidence(tmp_path, 7)
    write_witness(evidence, OF_SEVEN)
    evidence.path(WITNESS).write_text(text)
    with pytest.raises(EvidenceError, match=r"7.chain\.json is not one"):
        read_witness(evidence)
