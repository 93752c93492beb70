"""Evidence cannot be written: whichever task meets that says so, and nothing that was sent is forgotten."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kill.ground import SETTLED, Ground
from tests.kill.runs import AirflowRun, Phase, Starting, TaskProcess, phase_of

DISK, FILLER = "8m", "filler"
WRITES_NOTHING = {Phase.PUBLISHING}
ERRORS = {"disk": os.strerror(errno.ENOSPC), "limit": os.strerror(errno.EFBIG)}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that can be filled."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root with the right to mount can make a small disk; the file limit is tried in any case")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> None:
    """Write to a disk until nothing more fits."""
    with (disk / FILLER).open("wb", buffering=0) as filler:
        for size in (65536, 1):
            with suppress(OSError):
                while filler.write(b"x" * size):
                    pass
    assert shutil.disk_usage(disk).free == 0


def run_on(ground: Ground, disk: Path | None) -> AirflowRun:
    """Return the night whose evidence goes onto that disk."""
    ground.put_back(SETTLED)
    run = ground.run(run_id="disturbed")
    if disk is not None:
        run.given = replace(run.given, settings={**run.given.settings, "evidence": {"root": str(disk)}})
    return run


def must_name_it(run: AirflowRun, step: str, why: str) -> None:
    failure = run.given.failure(step)
    assert failure is not None, step
    assert failure["error"] == "EvidenceError", failure
    assert failure["message"].startswith("Cannot write evidence file "), step
    assert failure["message"].endswith(f": {why}. Check the evidence store."), step


def test_every_task_names_the_full_disk_and_goes_on_when_there_is_room(ground: Ground, disk: Path) -> None:
    """The disk is full from one task on until the run has ended; then there is room, and what failed is cleared."""
    run = run_on(ground, disk)
    failed: list[str] = []
    full = False

    def watched(step: str, start: Starting) -> TaskProcess:
        nonlocal full
        if not full and step not in failed and phase_of(step) not in WRITES_NOTHING and step != "find_tenants":
            failed.append(step)
            fill(disk)
            full = True
        return start()

    run.watch = watched
    while not run.go():
        assert full, run.failures()
        must_name_it(run, failed[-1], ERRORS["disk"])
        (disk / FILLER).unlink()
        full = False
        if run.given.result("open") is None:
            run.clear()
    assert {phase_of(step) for step in failed} == set(Phase) - WRITES_NOTHING
    assert ground.problems(0) == []


@pytest.mark.parametrize("phase", [Phase.EXTRACTING, Phase.LOADING, Phase.FINALISING])
def test_a_night_without_room_is_made_up_for_by_the_next(ground: Ground, phase: Phase) -> None:
    """From one phase on no file may grow: the night fails, and the next one ends as after calm nights."""
    run = run_on(ground, None)
    limited = replace(run.given, largest_file=0)
    struck = False

    def watched(step: str, start: Starting) -> TaskProcess:
        nonlocal struck
        struck = struck or phase_of(step) is phase
        return TaskProcess(limited, step) if struck else start()

    run.watch = watched
    assert not run.go()
    failures = run.failures()
    assert failures, "nothing failed"
    assert all(ERRORS["limit"] in failure or "not loaded" in failure for failure in failures.values()), failures
    assert ground.run(nights_later=1).go()
    assert ground.problems(1) == []
