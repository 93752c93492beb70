"""Stage scheduled: a small night under a real scheduler with LocalExecutor, against the same tasks doing nothing.

There each task is a process of its own that starts, imports and reports, which `make run` saves.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.choices import Choices
from benchmarks.measuring import Variant, side_by_side
from benchmarks.names import Scheduled
from benchmarks.results import Measurement
from benchmarks.vendor_data import vendor_answers

TENANTS = 3
"""As many as the sandbox and the DAG of idle tasks have."""


def measure(size: int, choices: Choices, data: Path) -> list[Measurement]:
    """Measure one size."""
    vendors = str(vendor_answers(size, TENANTS, data))
    with tempfile.TemporaryDirectory(prefix="scheduled-", dir=data, ignore_cleanup_errors=True) as parent:
        folder = Path(parent) / "station"
        variants = [
            Variant(name, "benchmarks.ours.scheduled_night", (str(folder), vendors, kind), choices.rounds, ours=True)
            for kind, name in Scheduled.KINDS.items()
        ]
        measured = side_by_side(Scheduled.PART, size, [replace(one, prepare=_emptied(folder)) for one in variants])
    for one in measured:
        one.peak_mib = 0.0  # it is that of the program that watches, not of Airflow's processes
    return measured


def _emptied(folder: Path) -> Callable[[], None]:
    def prepare() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()

    return prepare
