"""The report of one large run: `python -m benchmarks.report CLAIMS` prints one line of JSON.

It runs in a process of its own, so that the peak is the report's. What the report is made from (claims,
persons, links and so on) is in memory before, as in the task.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from benchmarks.names import Report
from benchmarks.results import Measurement
from benchmarks.telling import memory_mib
from certrecon.report import build_report, render_csvs, render_html, render_summary
from certrecon.report.workbook import render_workbook
from tests.unit.report.crowd import crowd

T = TypeVar("T")


@dataclass(slots=True)
class Stopwatch:
    """Keeps how long each part took."""

    seconds: dict[str, float]

    def of(self, name: str, work: Callable[[], T]) -> T:
        """Do the work and note its seconds."""
        begun = time.perf_counter()
        done = work()
        self.seconds[name] = time.perf_counter() - begun
        return done


def forget_the_past() -> None:
    """Give back what making the inputs left over, and begin a new peak (Linux)."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def measure(claims: int) -> dict[str, object]:
    """Make every file of a report and return seconds a part and memory.

    Returns:
        `seconds` by part, `processor` seconds in all, `bytes` by file, `before_mib` with the inputs in
        memory, `peak_mib` in all.
    """
    inputs = crowd(claims)
    forget_the_past()
    before = memory_mib("VmRSS")
    watch, used = Stopwatch({}), time.process_time()
    report = watch.of("build", lambda: build_report(inputs))
    watch.of("summary", lambda: render_summary(report))
    page = watch.of("page", lambda: render_html(report))
    lists = watch.of("CSV", lambda: render_csvs(report))
    workbook = watch.of("Excel", lambda: render_workbook(report))
    processor = time.process_time() - used
    sizes = {"page": len(page.encode()), "CSV": sum(map(len, lists.values())), "Excel": len(workbook)}
    peak = memory_mib("VmHWM")
    return {"seconds": watch.seconds, "processor": processor, "bytes": sizes, "before_mib": before, "peak_mib": peak}


def measure_stage(claims: int) -> list[Measurement]:
    """Measure in a process of its own; one measurement a part, and `all parts`."""
    command = [sys.executable, "-m", "benchmarks.report", str(claims)]
    load = round(os.getloadavg()[0], 2)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    told = json.loads(done.stdout.splitlines()[-1])
    parts = told.pop("seconds")
    measured = [
        Measurement(Report.PART, claims, name, [round(seconds, 3)], load=load) for name, seconds in parts.items()
    ]
    above = told["peak_mib"] - told["before_mib"]
    whole = Measurement(
        Report.PART, claims, Report.ALL_PARTS, [round(sum(parts.values()), 3)], told["peak_mib"], load, told
    )
    whole.facts["above_inputs_mib"] = round(above, 1)
    print(f"  {claims:,} claims: {whole.median:.1f} s, {above:,.0f} MiB above the inputs", flush=True)
    return [*measured, whole]


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
