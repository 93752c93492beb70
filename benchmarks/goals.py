"""The goals, and whether what was measured reaches them: every figure is computed from the kept results."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.markdown import markdown
from benchmarks.names import Compute, Extract, Load, Nights, Publish, Report, Scheduled, Startup
from benchmarks.results import Measurement, read_results

MILLION = 1_000_000
MB = 1_000_000 / 2**20
"""MiB in a megabyte."""
AT_MOST, AT_LEAST = "at most", "at least"
HOLDS = {AT_MOST: operator.le, AT_LEAST: operator.ge}


class Results:
    """What was measured, by stage, part, variant and size."""

    def __init__(self, folder: Path) -> None:
        """Read the results of a folder when they are asked for."""
        self._folder = folder
        self._stages: dict[str, list[Measurement]] = {}

    def stage(self, name: str) -> list[Measurement]:
        """Return all that was measured of a stage."""
        return self._stages.setdefault(name, read_results(name, self._folder))

    def one(self, stage: str, part: str, variant: str, size: int) -> Measurement | None:
        """Return a measurement that has figures; a part may be given by its beginning."""
        for one in self.stage(stage):
            if one.part.startswith(part) and (one.variant, one.size) == (variant, size) and one.seconds:
                return one
        return None

    def sizes(self, stage: str) -> list[int]:
        """Return the sizes that were measured, the largest first."""
        return sorted({one.size for one in self.stage(stage)}, reverse=True)


Figure = Callable[[Results, int], float | None]
"""The figure of a goal at a size; None where it was not measured."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal.

    Attributes:
        stage: Whose results tell.
        what: What it is about.
        bound: `AT_MOST` or `AT_LEAST`.
        limit: The bound.
        unit: What the figure counts.
        figure: Computes it.
        size: The size that the goal speaks of; None = the largest that was measured.
    """

    stage: str
    what: str
    bound: str
    limit: float
    unit: str
    figure: Figure
    size: int | None = MILLION


def _ratio(stage: str, part: str, above: str, below: str) -> Figure:
    """Return how many times as long one variant took as another."""

    def figure(results: Results, size: int) -> float | None:
        one, other = (results.one(stage, part, name, size) for name in (above, below))
        return one.median / other.median if one and other else None

    return figure


def _peak(stage: str, part: str, variant: str, unit: float = 1.0) -> Figure:
    def figure(results: Results, size: int) -> float | None:
        one = results.one(stage, part, variant, size)
        return one.peak_mib / unit if one else None

    return figure


def _stage_peak(results: Results, size: int) -> float | None:
    one = results.one("compute", Compute.NIGHTLY, Compute.OURS, size)
    return one.facts["stage_peak_mib"] if one else None


def _own_share(results: Results, size: int) -> float | None:
    one = results.one("compute", Compute.FIRST, Compute.OURS, size)
    return one.facts["great_expectations"] - one.facts["rules_alone"] if one else None


def _beside_vendors(kind: str) -> Figure:
    """Return a night's seconds without the vendors' own."""

    def figure(results: Results, size: int) -> float | None:
        one = results.one("nights", "", kind, size)
        return one.median - one.facts["fourhse_seconds"] - one.facts["ditio_seconds"] if one else None

    return figure


def _largest_process(results: Results, size: int) -> float | None:
    """Return the largest peak of any process in any night; the sandbox is the vendors'."""
    peaks = [
        peak
        for one in results.stage("nights")
        if one.size == size
        for name, peak in one.facts["peaks"].items()
        if name != "sandbox"
    ]
    return max(peaks, default=None)


def _written_unchanged(results: Results, size: int) -> float | None:
    one = results.one("nights", "", Nights.UNCHANGED, size)
    return float(sum(one.facts["written"])) if one else None


def _growth(stage: str, part: str, variant: str, value: Callable[[Measurement], float]) -> Figure:
    """Return a figure at a size against the same at a tenth of it."""

    def figure(results: Results, size: int) -> float | None:
        one, tenth = (results.one(stage, part, variant, number) for number in (size, size // 10))
        return value(one) / value(tenth) if one and tenth else None

    return figure


def _seconds(one: Measurement) -> float:
    return one.median


def _memory(one: Measurement) -> float:
    return one.peak_mib


def _report_memory(results: Results, size: int) -> float | None:
    one = results.one("report", Report.PART, Report.ALL_PARTS, size)
    return one.facts["above_inputs_mib"] if one else None


def _slowest_page(results: Results, size: int) -> float | None:
    spent = [1000 * max(one.seconds) for one in results.stage("pages") if one.size == size]
    return max(spent, default=None)


def _median(stage: str, part: str, variant: str) -> Figure:
    def figure(results: Results, size: int) -> float | None:
        one = results.one(stage, part, variant, size)
        return one.median if one else None

    return figure


X, S, MIB = "times", "s", "MiB"
NEW, SAME, CHANGED = Load.PARTS.values()
GOALS = (
    Goal("extract", "extract, 50 ms: against a bare aiohttp client", AT_MOST, 1.1, X,
         _ratio("extract", "50 ms", Extract.OURS, Extract.BARE)),
    Goal("extract", "extract, 0 ms: against msgspec straight to Parquet", AT_MOST, 1.3, X,
         _ratio("extract", "0 ms", Extract.OURS, Extract.MSGSPEC)),
    Goal("extract", "extract, 0 ms: how much faster than dlt's REST source", AT_LEAST, 10, X,
         _ratio("extract", "0 ms", Extract.DLT, Extract.OURS)),
    Goal("extract", "extract: memory", AT_MOST, 300, "MB", _peak("extract", "0 ms", Extract.OURS, MB)),
    Goal("compute", "compute, Great Expectations included: against DuckDB without validation", AT_MOST, 3.5, X,
         _ratio("compute", Compute.FIRST, Compute.OURS, Compute.DUCKDB)),
    Goal("compute", "compute: memory", AT_MOST, 2048, MIB, _stage_peak),
    Goal("compute", "Great Expectations' own share", AT_MOST, 1, S, _own_share),
    Goal("load", "load, all new, the claims: against COPY of ready CSV into the same indexes", AT_MOST, 1.1, X,
         _ratio("load", NEW, Load.CLAIMS, Load.INDEXED)),
    Goal("load", "load, all new, the whole task: against COPY of ready CSV without an index", AT_MOST, 1.1, X,
         _ratio("load", NEW, Load.TASK, Load.PLAIN)),
    *(Goal("load", f"load, {part}, {what}: against COPY of all rows, {index}", AT_MOST, 0.5, X,
           _ratio("load", part, ours, limit))
      for part in (CHANGED, SAME)
      for what, ours, index, limit in (("the claims", Load.CLAIMS, "same indexes", Load.INDEXED),
                                       ("the whole task", Load.TASK, "no index", Load.PLAIN))),
    Goal("nights", "an unchanged night: claim, ledger and attempt rows written", AT_MOST, 0, "rows",
         _written_unchanged),
    Goal("publish", "publish, 50 ms: against a bare sender", AT_MOST, 1.1, X,
         _ratio("publish", "50 ms", Publish.TASK, Publish.BARE)),
    Goal("nights", "first night beside the vendors' own time", AT_MOST, 60, S, _beside_vendors(Nights.FIRST)),
    Goal("nights", "unchanged night beside the vendors' own time", AT_MOST, 40, S, _beside_vendors(Nights.UNCHANGED)),
    Goal("nights", "the largest process of any night, the sandbox excepted", AT_MOST, 2048, MIB, _largest_process),
    Goal("nights", "10,000 certificates: against a DAG of the same tasks that do nothing", AT_MOST, 2, X,
         _ratio("nights", "", Nights.FIRST, Nights.IDLE), 10_000),
    Goal("scheduled", "the same under a scheduler, each task in a process of its own", AT_MOST, 2, X,
         _ratio("scheduled", Scheduled.PART, Scheduled.FIRST, Scheduled.IDLE), 10_000),
    Goal("extract", "growth from a tenth, extract: time", AT_MOST, 11, X,
         _growth("extract", "0 ms", Extract.OURS, _seconds)),
    Goal("extract", "growth from a tenth, extract: memory", AT_MOST, 11, X,
         _growth("extract", "0 ms", Extract.OURS, _memory)),
    Goal("compute", "growth from a tenth, compute: time", AT_MOST, 11, X,
         _growth("compute", Compute.FIRST, Compute.OURS, _seconds)),
    Goal("compute", "growth from a tenth, compute: memory", AT_MOST, 11, X,
         _growth("compute", Compute.FIRST, Compute.OURS, _memory)),
    Goal("load", "growth from a tenth, load, all new: time", AT_MOST, 11, X, _growth("load", NEW, Load.TASK, _seconds)),
    Goal("nights", "growth from a tenth, first night: time", AT_MOST, 11, X,
         _growth("nights", "", Nights.FIRST, _seconds)),
    Goal("nights", "growth from a tenth, first night: memory", AT_MOST, 11, X,
         _growth("nights", "", Nights.FIRST, _memory)),
    Goal("startup", "DAG files beyond importing the Task SDK", AT_MOST, 0.3, S,
         _median("startup", Startup.PARSE, Startup.ALL_FILES), Startup.SIZE),
    Goal("startup", "make run on a set-up checkout, 1,000 certificates", AT_MOST, 20, S,
         _median("startup", Startup.COLD, Startup.SET_UP), Startup.SIZE),
    Goal("report", "report of 1,000,000 claims", AT_MOST, 20, S,
         _median("report", Report.PART, Report.ALL_PARTS)),
    Goal("report", "report of 1,000,000 claims: memory above its inputs", AT_MOST, 500, MIB, _report_memory),
    Goal("pages", "slowest answer of any page, 1,000,000 claims", AT_MOST, 300, "ms", _slowest_page),
)  # fmt: skip


def judged(goal: Goal, results: Results) -> tuple[str, str, str, str, str]:
    """Return a goal's row: what, bound, figure, at how many, verdict."""
    bound = f"{goal.bound} {goal.limit:g} {goal.unit}"
    sizes = [goal.size] if goal.size else []
    for size in dict.fromkeys([*sizes, *results.sizes(goal.stage)]):
        value = goal.figure(results, size)
        if value is not None:
            verdict = "reached" if HOLDS[goal.bound](value, goal.limit) else "not reached"
            if goal.size not in {None, size}:
                verdict += f" at {size:,}, not measured at {goal.size:,}"
            return goal.what, bound, f"{value:,.3g}" if value < 1000 else f"{value:,.0f}", f"{size:,}", verdict
    return goal.what, bound, "-", "-", "not measured"


def goals_table(folder: Path) -> str:
    """Return every goal with its figure and verdict, as Markdown."""
    results = Results(folder)
    rows = [("goal", "bound", "measured", "certificates", "verdict"), *(judged(goal, results) for goal in GOALS)]
    return markdown(rows)
