"""The tables of docs/scale.md, as Markdown: each cell is computed, none is typed."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.markdown import markdown
from benchmarks.scale.costs import Costs
from benchmarks.scale.fit import Line
from benchmarks.scale.load import Limits, Load
from benchmarks.scale.measure import SIDE_BY_SIDE
from benchmarks.scale.model import Forecast, forecast, read_seconds, send_seconds, walls
from benchmarks.scale.simulate import Vendor, simulate_reading, simulate_sending

SHAPES = ((1_000_000, 100), (10_000_000, 1_000), (100_000_000, 10_000))
"""Certificates and tenants of the tables."""
CHANGED = 0.01
SEEDS = (1, 2, 3)
"""Nights of which the simulated seconds are the mean: each has another order of tenants and other latencies."""
REFUSALS = "Where 4HSE refuses, the formula knows its rate alone: the difference is what the refusals cost."
Row = Sequence[str]


def duration(seconds: float) -> str:
    """Return seconds as somebody would say them."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"


def size_of(number: float) -> str:
    """Return bytes as somebody would say them."""
    for unit, width in (("GB", 1e9), ("MB", 1e6)):
        if number >= width:
            return f"{number / width:,.1f} {unit}"
    return f"{number / 1e3:,.1f} kB"


def gib(mib: float) -> str:
    """Return MiB as GiB."""
    return f"{mib / 1024:,.1f} GiB"


def nights_table(nights: Sequence[Forecast]) -> str:
    """Return what nights of several sizes come to, a column a night."""
    rows: list[Row] = [
        ["tenants", *(f"{one.load.tenants:,}" for one in nights)],
        ["requests to 4HSE", *(f"{one.requests.fourhse:,}" for one in nights)],
        ["  of them second looks", *(f"{one.requests.looks:,}" for one in nights)],
        ["batches to Ditio", *(f"{one.requests.batches:,}" for one in nights)],
        *([name, *(duration(one.seconds[name]) for one in nights)] for name in nights[0].seconds),
        ["**all of it**", *(f"**{duration(one.total)}**" for one in nights)],
        ["reading is ruled by", *(one.reading.ruled_by for one in nights)],
        *([f"memory of {name}", *(gib(one.memory[name]) for one in nights)] for name in nights[0].memory),
        ["rows written", *(f"{one.rows:,}" for one in nights)],
        ["evidence", *(size_of(one.evidence) for one in nights)],
        *([name, *(size_of(one.per_tenant[name]) for one in nights)] for name in nights[0].per_tenant),
    ]
    return markdown([["certificates", *(f"{one.load.certificates:,}" for one in nights)], *rows])


def walls_table(costs: Costs, limits: Limits, tenants: int) -> str:
    """Return at how many certificates each part gives, the first one first."""
    found = walls(Load(100_000_000, tenants, changed_share=CHANGED), limits, costs)
    rows = [[wall.what, f"{wall.certificates / 1e6:,.2f} M"] for wall in found]
    return markdown([[f"what gives ({gib(limits.memory_mib)} a process)", "certificates"], *rows])


@dataclass(frozen=True, slots=True)
class Trial:
    """One way to read, for formula and simulation.

    Attributes:
        name: What is turned.
        limits: The settings.
        vendor_rate: Requests a second above which 4HSE answers 429.
    """

    name: str
    limits: Limits
    vendor_rate: float | None = None


PLAIN = Limits()
TRIALS = (
    Trial("as it comes: 4 tenants at once, 4 requests each", PLAIN),
    Trial("`fourhse.concurrency: 16`", replace(PLAIN, concurrency=16)),
    Trial("`CERTRECON_TENANTS_AT_ONCE=16`", replace(PLAIN, tenants_at_once=16)),
    Trial("both", replace(PLAIN, concurrency=16, tenants_at_once=16)),
    Trial("both, 16 cores", replace(PLAIN, concurrency=16, tenants_at_once=16, cores=16)),
    Trial("both, `requests_per_second: 200`", replace(PLAIN, concurrency=16, tenants_at_once=16, fourhse_rate=200.0)),
    Trial("both, 4HSE refuses more than 200 a second", replace(PLAIN, concurrency=16, tenants_at_once=16), 200.0),
    Trial("`requests_per_second: 50`", replace(PLAIN, fourhse_rate=50.0)),
)


def simulated_table(costs: Costs, load: Load, trials: Sequence[Trial] = TRIALS) -> str:
    """Return formula and simulation of reading one load in several ways."""
    rows = []
    for trial in trials:
        reading = read_seconds(load, trial.limits, costs.working, trial.vendor_rate)
        vendor = Vendor(trial.limits.fourhse_latency, rate=trial.vendor_rate)
        runs = [simulate_reading(load, trial.limits, vendor, costs.working, seed=seed) for seed in SEEDS]
        simulated = statistics.mean(run.seconds for run in runs)
        difference, run = reading.seconds / simulated - 1, runs[0]
        rows.append([
            trial.name, duration(reading.seconds), duration(simulated), f"{difference:+.1%}", f"{run.requests:,}",
            f"{run.refused:,}", reading.ruled_by,
        ])  # fmt: skip
    head = ["reading", "formula", "simulated", "difference", "requests", "429", "ruled by"]
    return markdown([head, *rows])


def sending_table(costs: Costs, load: Load) -> str:
    """Return formula and simulation of sending the first night of a load."""
    rows = []
    for concurrency in (2, 8, 16):
        limits = replace(PLAIN, ditio_concurrency=concurrency)
        formula = send_seconds(load, limits, costs.working)
        run = simulate_sending(load, limits, Vendor(limits.ditio_latency), costs.working)
        difference = formula / run.seconds - 1
        name = f"`ditio.concurrency: {concurrency}`"
        rows.append([name, duration(formula), duration(run.seconds), f"{difference:+.1%}", f"{run.requests:,}"])
    return markdown([["sending", "formula", "simulated", "difference", "requests"], *rows])


def started_table(costs: Costs, cores: int) -> str:
    """Return formula and measurement of what one more tenant of next to nothing costs, several at once."""
    formula = max(costs.task_seconds / SIDE_BY_SIDE, costs.task_processor / cores)
    measured = costs.started.each
    name = f"one more tenant of next to nothing, {SIDE_BY_SIDE} at once, {cores} cores"
    difference = f"{formula / measured - 1:+.1%}"
    return markdown([
        ["starting tasks", "formula", "measured", "difference"],
        [name, f"{formula:.2f} s", f"{measured:.2f} s", difference],
    ])  # fmt: skip


def lines_table(costs: Costs) -> str:
    """Return every fitted line, so that a reader can see how far it reaches."""
    lines: Mapping[str, tuple[Line, str]] = {
        "read, by rows": (costs.read, "s"),
        **{f"{name}, by claims": (line, "s") for name, line in costs.stages.items()},
        "load, all new, by certificates": (costs.load_new, "s"),
        "load, unchanged, by certificates": (costs.load_unchanged, "s"),
        "send, by rows": (costs.send, "s"),
        "memory of reading, by rows": (costs.memory_read, "MiB"),
        **{f"memory of {name}, by claims": (line, "MiB") for name, line in costs.memory.items()},
        "manifests, by tenants": (costs.tenants, "s"),
    }
    rows = [
        [name, f"{line.fixed:,.3f} {unit}", f"{line.each * 1e6:,.2f} {unit}", f"{line.error:.0%}", f"{line.upto:,}"]
        for name, (line, unit) in lines.items()
    ]
    rows.append(["a mapped task, beside its work", f"{costs.task_seconds:.2f} s", "", "", ""])
    rows.append(["processor seconds of that", f"{costs.task_processor:.2f} s", "", "", ""])
    return markdown([["cost", "fixed", "each million", "furthest point", "measured up to"], *rows])


def everything(costs: Costs, shapes: Sequence[tuple[int, int]] = SHAPES) -> str:
    """Return all tables under their headings, for so many certificates and tenants; the last of them is simulated."""
    first = [forecast(Load(*shape), PLAIN, costs) for shape in shapes]
    nightly = [forecast(Load(*shape, changed_share=CHANGED), PLAIN, costs) for shape in shapes]
    most = Load(*shapes[-1])
    parts = [
        ("### A night with 1 % changed, by certificates", nights_table(nightly)),
        ("### A first night, by certificates", nights_table(first)),
        ("### What gives first", walls_table(costs, PLAIN, most.tenants)),
        (
            f"### Simulated: {most.certificates:,} certificates of {most.tenants:,} tenants",
            simulated_table(costs, most),
        ),
        ("### Simulated: the first night's sending", sending_table(costs, most)),
        ("### Starting tasks side by side", started_table(costs, PLAIN.cores)),
        ("### The fitted lines", lines_table(costs)),
    ]
    return "\n\n".join(f"{heading}\n\n{table}" for heading, table in parts)
