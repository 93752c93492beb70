"""Stage startup: DAG files beyond importing the Task SDK, and a small `make run` with everything it does."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.choices import Choices
from benchmarks.measuring import ROOT, Variant, side_by_side
from benchmarks.names import Startup
from benchmarks.nights import measure_night
from benchmarks.results import Measurement


def measure(_size: int, choices: Choices, data: Path) -> list[Measurement]:
    """Measure both; the size does not matter, so everything is kept under 1,000 certificates."""
    files = sorted((ROOT / "dags").glob("*.py"))
    variants = [Variant(Startup.ALL_FILES, "benchmarks.ours.parse", tuple(map(str, files)), choices.rounds, ours=True)]
    variants += [Variant(file.name, "benchmarks.ours.parse", (str(file),), choices.rounds, ours=True) for file in files]
    found = side_by_side(Startup.PARSE, Startup.SIZE, variants)
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nights-", dir=data, ignore_cleanup_errors=True) as folder:
        # The first run of a folder makes both databases: a set-up checkout has them.
        measure_night(Startup.SIZE, "cold", Path(folder), Measurement(Startup.COLD, Startup.SIZE, "before set-up"))
        cold = Measurement(Startup.COLD, Startup.SIZE, Startup.SET_UP)
        for _ in range(choices.rounds):
            measure_night(Startup.SIZE, "cold", Path(folder), cold)
    return [*found, cold]
