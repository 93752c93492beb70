"""The report of one large run: `python -m benchmarks.report CLAIMS` prints one line of JSON.

It runs in a process of its own, so that the peak is the report's. What the report is made from (claims,
persons, links and so on) is in memory before, as in the task.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from certrecon.report import build_report, render_csvs, render_html, render_summary
from certrecon.report.workbook import render_workbook
from tests.unit.report.crowd import crowd

T = TypeVar("T")

GOAL_SECONDS = 20.0
GOAL_MIB = 500.0
STATUS = Path("/proc/self/status")


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


def memory_mib(name: str) -> float:
    """Return what this process has resident now (`VmRSS`) or had at most (`VmHWM`)."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


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


def verdict(figure: float, goal: float) -> str:
    """Return whether a figure is within its goal, in a word."""
    return "ok" if figure <= goal else "over"


def report_rows(claims: int) -> list[tuple[str, ...]]:
    """Measure in a process of its own and return rows of a table, the head first."""
    command = [sys.executable, "-m", "benchmarks.report", str(claims)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    told = json.loads(done.stdout.splitlines()[-1])
    parts = [(f"  {name}", f"{seconds:.1f} s", "", "") for name, seconds in told["seconds"].items()]
    total, memory = sum(told["seconds"].values()), told["peak_mib"] - told["before_mib"]
    return [
        (f"report of {claims:,} claims", "measured", "goal", ""),
        *parts,
        ("all parts", f"{total:.1f} s", f"{GOAL_SECONDS:.0f} s", verdict(total, GOAL_SECONDS)),
        ("  of the processor", f"{told['processor']:.1f} s", "", ""),
        ("memory above its inputs", f"{memory:,.0f} MiB", f"{GOAL_MIB:.0f} MiB", verdict(memory, GOAL_MIB)),
        ("the whole process", f"{told['peak_mib']:,.0f} MiB", "", ""),
        *((f"  {name}", f"{size / 1e6:.1f} MB", "", "") for name, size in told["bytes"].items()),
    ]


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
