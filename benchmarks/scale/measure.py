"""Measures what no stage of `make bench` does: every task of a night, what grows with the tenants, how tasks start."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import Variant, run_once
from benchmarks.results import FOLDER, Measurement, keep_results
from benchmarks.vendor_data import DATA, vendor_answers

TASKS, TENANTS, STARTS = "tasks", "tenants", "starts"
"""The stages that are kept: tasks of a night by certificates, the others by tenants."""
MEASURE = "python -m benchmarks.scale measure"
MANIFEST, AT_ONCE = "manifest and counts", "at once"
SIDE_BY_SIDE = 4
"""Tenants at once of the second measurement: the default of `CERTRECON_TENANTS_AT_ONCE`."""
MANY = (1_000, 4_000, 10_000)
"""Numbers of tenants of the manifests."""
STARTED = (6, 24)
"""Numbers of tenants, a certificate each, of the nights under a scheduler."""
SMALL, SMALL_TENANTS = 2_000, 20
"""The night that shows what a tenant's task hands over."""


def _told(module: str, *arguments: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="certrecon-bench-") as folder:
        return run_once(Variant(module, module, (folder, *arguments), 1, ours=True))


def measure_nights(size: int, data: Path = DATA) -> list[Measurement]:
    """Measure every task of a first and an unchanged night of one tenant."""
    load = round(os.getloadavg()[0], 2)
    told = _told("benchmarks.scale.night_tasks", str(vendor_answers(size, 1, data)))
    found = []
    for part, night in told["nights"].items():
        facts = {name: night[name] for name in ("claims", "sent", "evidence")}
        for task, seconds in night["seconds"].items():
            found.append(Measurement(part, size, task, [seconds], night["mib"][task], load, facts))
    return found


def measure_tenants(numbers: Sequence[int] = MANY, data: Path = DATA) -> list[Measurement]:
    """Measure manifests and counts of many tenants; the size of a measurement is its number of tenants."""
    vendors, load = vendor_answers(SMALL, SMALL_TENANTS, data), round(os.getloadavg()[0], 2)
    told = _told("benchmarks.scale.tenants", str(vendors), *map(str, numbers))
    shared = {"result": told["result"], "widest": told["widest"]}
    return [
        Measurement(TENANTS, int(number), MANIFEST, [one["seal"] + one["read"] + one["count"]], 0.0, load, one | shared)
        for number, one in told["grown"].items()
    ]


def measure_starts(numbers: Sequence[int] = STARTED, data: Path = DATA) -> list[Measurement]:
    """Measure under a real scheduler how long the mapped tasks of tenants take that hold next to nothing.

    One at a time, so that no task waits for a processor, and several at a time, to see whether the model holds.
    """
    most, found = max(numbers), []
    vendors = vendor_answers(most, most, data)
    for lanes in (1, SIDE_BY_SIDE):
        load = round(os.getloadavg()[0], 2)
        told = _told("benchmarks.scale.starting", str(vendors), str(lanes), *map(str, numbers))
        for number, run in told["runs"].items():
            facts = {"lanes": lanes, "processor": run["processor"]}
            found.append(Measurement(STARTS, int(number), f"{lanes} {AT_ONCE}", [run["seconds"]], 0.0, load, facts))
    return found


def measure(sizes: Sequence[int], folder: Path = FOLDER, say: Callable[[str], None] = print) -> None:
    """Measure and keep.

    Args:
        sizes: Numbers of certificates.
        folder: Where the results go.
        say: Is told how far it is.
    """
    say("measuring what grows with the tenants ...")
    keep_results(TENANTS, measure_tenants(), folder)
    say("measuring how tasks start under a scheduler ...")
    keep_results(STARTS, measure_starts(), folder)
    for size in sizes:
        say(f"measuring every task of two nights of {size:,} certificates ...")
        keep_results(TASKS, measure_nights(size), folder)
