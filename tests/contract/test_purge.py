"""Evidence past its retention goes, on the record, and verification still holds."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from certrecon.audit.purge import purge_expired
from certrecon.audit.verify import verify
from tests.contract.sandbox_nights import Nights
from tests.contract.warehouse import rows

LATER = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=31)


def purge(nights: Nights, today: dt.date = LATER) -> list[tuple[int, str]]:
    return [(one.run_seq, one.part) for one in purge_expired(nights.engine, Path, today, 30)]


def left(nights: Nights, run: int) -> set[str]:
    folder = nights.pipeline.folder / "evidence" / str(run)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def on_record(nights: Nights) -> list[str]:
    return [row["reason"] for row in rows(nights.engine, "SELECT * FROM reconciliation.evidence_purge")]


KEPT = {"chain.json", *(f"{part}/{name}.json" for part in ("inputs", "outcome") for name in ("manifest", "purge"))}


def test_expired_evidence_goes_on_the_record_and_verification_holds(first_night: Nights) -> None:
    run = first_night.night().run_seq
    assert purge(first_night, LATER - dt.timedelta(days=1)) == []
    assert purge(first_night) == [(run, "inputs"), (run, "outcome")]
    assert left(first_night, run) == KEPT
    assert on_record(first_night) == ["Kept for 30 days as evidence.retention_days says."] * 2
    found = verify(first_night.engine, Path)
    assert found.breaches == ()
    assert found.checked["parts of evidence removed on the record"] == 2
    assert purge(first_night) == []


def test_what_a_broken_off_purge_left_is_finished_without_a_second_entry(
    first_night: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = first_night.night().run_seq
    real, calls = Path.unlink, []

    def break_off(path: Path, missing_ok: bool = False) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", break_off)
    with pytest.raises(KeyboardInterrupt):
        purge(first_night)
    monkeypatch.undo()
    assert verify(first_night.engine, Path).holds
    assert purge(first_night) == [(run, "inputs"), (run, "outcome")]
    assert left(first_night, run) == KEPT
    assert len(on_record(first_night)) == 2


def test_a_running_run_and_one_that_is_not_in_the_chain_keep_theirs(first_night: Nights) -> None:
    night = first_night.pipeline.night(first_night.day)
    night.open()
    before = left(first_night, night.run_seq)
    assert purge(first_night) == []
    assert left(first_night, night.run_seq) == before


def test_after_a_purge_manifests_must_still_be_there(first_night: Nights) -> None:
    run = first_night.night().run_seq
    purge(first_night)
    folder = first_night.pipeline.folder / "evidence" / str(run)
    shutil.rmtree(folder / "inputs")
    found = verify(first_night.engine, Path)
    assert [(str(one.kind), one.where) for one in found.breaches] == [("missing", f"run {run}, inputs/manifest.json")]


def failed_while_reading(nights: Nights) -> int:
    """Let a night end with the datasets read and nothing sealed."""
    night = nights.pipeline.night(nights.day)
    night.open()
    night.find_tenants()
    night.extract()
    night.conclude()
    assert night.status == "failed"
    return night.run_seq


def test_what_a_run_read_before_it_failed_goes_although_it_was_never_sealed(first_night: Nights) -> None:
    run = failed_while_reading(first_night)
    assert any(name.startswith("inputs/persons") for name in left(first_night, run))
    assert (run, "inputs") in purge(first_night)
    assert not {name for name in left(first_night, run) if name.startswith("inputs/")} - {"inputs/purge.json"}
    assert verify(first_night.engine, Path).breaches == ()
    assert purge(first_night) == []


def test_a_removal_of_unsealed_files_that_only_the_warehouse_knows_of_is_named(first_night: Nights) -> None:
    run = failed_while_reading(first_night)
    purge(first_night)
    (first_night.pipeline.folder / "evidence" / str(run) / "inputs" / "purge.json").unlink()
    found = verify(first_night.engine, Path)
    assert [(str(one.kind), one.where) for one in found.breaches] == [("added", f"removal of evidence, run {run}")]
