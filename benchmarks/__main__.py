"""`make bench`: measures stage by stage, prints the tables, and keeps the figures below `var/bench/`.

    STAGES="extract compute load publish nights scheduled profiles startup report pages"   which
    SIZES="10000 100000 1000000"     certificates (default "10000 100000"; a million: about an hour, 30 GB of disk)
    ROUNDS=3  SLOW_ROUNDS=1          how often each variant runs; slow: what needs minutes at a million
    TENANTS=1  CLAIMS=1000000        projects that hold the certificates; claims behind pages and report
    PEERS=0                          without the peers of benchmarks/requirements.txt

Variants of a part take turns in one run, each in a process of its own, all on the same data; seconds are
without imports. Figures of two machines, or of a machine that was busy, compare to nothing: each table says the load.
"""

from __future__ import annotations

import importlib
import os
import time

from benchmarks.choices import Choices, read_choices
from benchmarks.goals import goals_table
from benchmarks.results import FOLDER, Measurement, keep_results
from benchmarks.tables import stage_table
from benchmarks.vendor_data import DATA

OF_CLAIMS = ("report", "pages")
ONCE = {"startup": 0, "scheduled": 0, "profiles": -1}
"""Stages that are measured at one size: the smallest, or the largest."""


def measure_stage(stage: str, choices: Choices) -> list[Measurement]:
    """Measure one stage at every size and return what was measured."""
    module = importlib.import_module(f"benchmarks.{stage}")
    if stage in OF_CLAIMS:
        found: list[Measurement] = module.measure_stage(choices.claims) if choices.claims else []
        return found
    sizes = (choices.sizes[ONCE[stage]],) if stage in ONCE else choices.sizes
    measured: list[Measurement] = []
    for size in sizes:
        measured += module.measure(size, choices, DATA)
        keep_results(stage, measured)
    return measured


def main() -> None:
    """Measure what was chosen and print tables and goals."""
    choices = read_choices(os.environ)
    started = time.monotonic()
    for stage in choices.stages:
        print(
            f"\n{stage} (load {os.getloadavg()[0]:.1f}, {(time.monotonic() - started) / 60:.0f} min so far)", flush=True
        )
        measured = measure_stage(stage, choices)
        if measured:
            keep_results(stage, measured)
            print(f"\n{stage_table(stage, measured)}", flush=True)
    print(f"\n{goals_table(FOLDER)}")
    print("\n`python -m benchmarks.tables` puts all of this into docs/performance.md")


if __name__ == "__main__":
    main()
