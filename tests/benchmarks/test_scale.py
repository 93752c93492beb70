"""docs/scale.md rests on this: formulas that a simulation agrees with, and costs that are fitted and never typed."""

from __future__ import annotations

import asyncio
import itertools
import re
import statistics
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from benchmarks import names
from benchmarks.results import Measurement, keep_results
from benchmarks.scale.__main__ import BEGIN, END, write_between
from benchmarks.scale.costs import FIRST, NIGHTLY, WHOLE_TASKS, Costs, Measured, costs_from, fact, seconds, size
from benchmarks.scale.counting import count_requests, looks_of, pages_of
from benchmarks.scale.fit import UnmeasuredError, fit_line
from benchmarks.scale.load import Limits, Load, Working
from benchmarks.scale.measure import AT_ONCE, MANIFEST, STARTS, TASKS, TENANTS
from benchmarks.scale.model import forecast, over_lanes, read_seconds, send_seconds, walls
from benchmarks.scale.simulate import Vendor, simulate_reading, simulate_sending
from benchmarks.scale.tables import SHAPES, everything
from certrecon.api.paging import LOOKS, Page, read_pages
from certrecon.evidence import SealedFile, SealedPart
from certrecon.stages.plan import count_tenants
from certrecon.stages.run_inputs import RunInputs

WORK = Working(tenant_seconds=1.0, row_seconds=4e-6, sent_row_seconds=1e-5)
PLAIN = Limits()
SIZES = (10_000, 100_000, 1_000_000)

# --- requests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("certificates", "pages", "looks"),
    [
        pytest.param(0, 3, 3, id="an empty index has a page, and it is looked at twice"),
        pytest.param(100, 1 + 2 + 1, 4, id="105 links are two pages"),
        pytest.param(10_000, 100 + 105 + 5, LOOKS + LOOKS + 5, id="no index is looked at more than LOOKS times"),
    ],
)
def test_requests_are_counted_as_the_pager_sends_them(certificates: int, pages: int, looks: int) -> None:
    found = count_requests(Load(certificates, 1, looked_up_share=0.0), PLAIN)
    assert (found.pages, found.looks, found.lookups) == (pages, looks, 0)


class _Numbers:
    """Takes pages whose bodies are the numbers of their rows."""

    def ids(self, body: bytes) -> list[str | None]:
        return list(body.decode().split())

    take = ids


@pytest.mark.parametrize("rows", [0, 1, 100, 101, 1_999, 2_001, 10_500])
def test_the_pager_itself_asks_as_often_as_is_counted(rows: int) -> None:
    asked: list[int] = []
    count = max(1, -(-rows // 100))

    async def fetch(number: int) -> Page:
        asked.append(number)
        held = range(100 * (number - 1), min(100 * number, rows))
        return Page(" ".join(map(str, held)).encode(), number, count, 100, rows)

    asyncio.run(read_pages(fetch, _Numbers(), window=8))
    pages = pages_of(np.array([rows]), 100)
    assert len(asked) == int((pages + looks_of(pages)).sum())


@pytest.mark.parametrize("shape", [(1, 1), (1_000, 7), (99_999, 1_000), *SHAPES], ids=str)
def test_tenants_share_out_all_certificates_the_largest_first(shape: tuple[int, int]) -> None:
    sizes = Load(*shape).certificates_by_tenant()
    assert sizes.sum() == shape[0]
    assert len(sizes) == shape[1]
    assert sizes.max() <= sizes[0] + 1


# --- formulas against the simulation -----------------------------------------------------------------------

WAYS = {
    "several large tenants and many lanes": (
        Load(1_000_000, 300, evenness=1.0),
        replace(PLAIN, tenants_at_once=16, fourhse_rate=200.0),
    ),
    "one tenant": (Load(200_000, 1), PLAIN),
    "many equal tenants": (Load(200_000, 200, evenness=0.0), PLAIN),
    "a few large tenants": (Load(300_000, 100), PLAIN),
    "tenants of next to nothing": (Load(20_000, 1_000), PLAIN),
    "as many lanes as tenants": (Load(100_000, 16), replace(PLAIN, tenants_at_once=16)),
    "fewer slots than tenants at once": (Load(300_000, 100), replace(PLAIN, tenants_at_once=16, slots=2)),
    "more requests at a time": (Load(300_000, 100), replace(PLAIN, concurrency=16)),
    "a rate of our own": (Load(100_000, 100), replace(PLAIN, fourhse_rate=50.0)),
    "a rate of our own, one tenant": (Load(100_000, 1), replace(PLAIN, fourhse_rate=20.0)),
    "no latency": (Load(300_000, 4, evenness=0.0), replace(PLAIN, fourhse_latency=0.0, cores=4)),
}


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_reading_takes_as_long_as_simulated(way: str) -> None:
    load_, limits = WAYS[way]
    vendor = Vendor(limits.fourhse_latency)
    runs = [simulate_reading(load_, limits, vendor, WORK, seed=seed) for seed in range(5)]
    formula = read_seconds(load_, limits, WORK)
    assert formula.seconds == pytest.approx(statistics.mean(run.seconds for run in runs), rel=0.1)
    assert {run.requests for run in runs} == {count_requests(load_, limits).fourhse}


def test_a_vendor_that_refuses_costs_more_than_its_rate_and_loses_no_request() -> None:
    load_ = Load(300_000, 100)
    run = simulate_reading(load_, PLAIN, Vendor(PLAIN.fourhse_latency, rate=100.0), WORK)
    formula = read_seconds(load_, PLAIN, WORK, 100.0)
    asked = count_requests(load_, PLAIN).fourhse
    assert run.refused > 0
    assert run.requests == asked
    assert asked / 100.0 <= formula.seconds <= run.seconds <= 1.3 * formula.seconds


@pytest.mark.parametrize(
    ("limits", "work"),
    [
        pytest.param(PLAIN, WORK, id="bound by latency"),
        pytest.param(replace(PLAIN, ditio_concurrency=16), WORK, id="more batches at a time"),
        pytest.param(replace(PLAIN, ditio_rate=10.0), WORK, id="bound by the rate"),
        pytest.param(PLAIN, replace(WORK, sent_row_seconds=1e-3), id="bound by the recorder's commits"),
    ],
)
def test_sending_takes_as_long_as_simulated(limits: Limits, work: Working) -> None:
    load_ = Load(100_000, 10)
    run = simulate_sending(load_, limits, Vendor(limits.ditio_latency), work)
    assert send_seconds(load_, limits, work) == pytest.approx(run.seconds, rel=0.1)


@pytest.mark.slow
def test_a_hundred_million_certificates_are_simulated_within_a_minute() -> None:
    load_ = Load(*SHAPES[-1])
    began = time.monotonic()
    run = simulate_reading(load_, PLAIN, Vendor(PLAIN.fourhse_latency), WORK)
    assert time.monotonic() - began < 60
    assert run.requests == count_requests(load_, PLAIN).fourhse > 2_000_000


def test_the_same_seed_is_the_same_night() -> None:
    small = Load(10_000, 10)
    one, two = (simulate_reading(small, PLAIN, Vendor(0.05), WORK, seed=3) for _ in range(2))
    assert one == two


# --- what more of anything does ----------------------------------------------------------------------------

BETTER = {
    "requests a second": [replace(PLAIN, fourhse_rate=rate) for rate in (5.0, 20.0, 80.0, 320.0)],
    "requests at a time": [replace(PLAIN, concurrency=number) for number in (1, 2, 4, 8, 16)],
    "tenants at once": [replace(PLAIN, tenants_at_once=number) for number in (1, 2, 4, 8, 16, 32)],
    "slots of the workers": [replace(PLAIN, tenants_at_once=32, slots=number) for number in (1, 4, 16, 32)],
    "rows of a page": [replace(PLAIN, page_size=number) for number in (50, 100, 200, 500)],
    "an earlier answer": [replace(PLAIN, fourhse_latency=number) for number in (0.5, 0.2, 0.05, 0.0)],
}


@pytest.mark.parametrize("better", BETTER, ids=str)
@pytest.mark.parametrize("shape", [(1_000_000, 1), (1_000_000, 100), (100_000, 5_000)], ids=str)
def test_more_of_it_never_makes_reading_slower(better: str, shape: tuple[int, int]) -> None:
    found = [read_seconds(Load(*shape), limits, WORK).seconds for limits in BETTER[better]]
    assert all(later <= earlier * 1.000_001 for earlier, later in itertools.pairwise(found)), found


@pytest.mark.parametrize(
    ("tasks", "lanes", "expected"),
    [
        pytest.param([8.0], 4, 8.0, id="one task is not shared out"),
        pytest.param([4.0] * 8, 1, 32.0, id="one lane takes all"),
        pytest.param([5.0, 1.0, 1.0], 4, 5.0, id="no more tasks than lanes: the longest"),
    ],
)
def test_tasks_over_lanes(tasks: list[float], lanes: int, expected: float) -> None:
    assert over_lanes(np.array(tasks), lanes) == pytest.approx(expected)


def test_more_tenants_at_once_do_not_start_faster_than_the_processors_can() -> None:
    work = replace(WORK, tenant_processor=0.8)
    wide, load_ = replace(PLAIN, tenants_at_once=32, cores=2), Load(1_000, 1_000)
    reading = read_seconds(load_, wide, work)
    assert reading.ruled_by == "processors"
    assert reading.seconds == pytest.approx(1_000 * 0.8 / 2, rel=0.01)
    assert simulate_reading(load_, wide, Vendor(0.05), work).seconds == pytest.approx(reading.seconds, rel=0.1)


def test_a_night_that_ends_in_time_is_no_larger_than_said(costs: Costs) -> None:
    shape = Load(10**7, 100, changed_share=0.01)
    (most,) = (wall.certificates for wall in walls(shape, PLAIN, costs) if wall.what == "a night of 6 h")
    assert forecast(replace(shape, certificates=int(most)), PLAIN, costs).total <= PLAIN.window_seconds
    assert forecast(replace(shape, certificates=int(most * 1.01)), PLAIN, costs).total > PLAIN.window_seconds


# --- fitting -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fixed", "each"),
    [(0.5, 2e-6), (0.0, 3e-5), (7.0, 0.0)],
    ids=["both", "nothing fixed", "nothing that grows"],
)
def test_a_fit_finds_known_costs(fixed: float, each: float) -> None:
    line = fit_line(SIZES, [fixed + each * number for number in SIZES], "known")
    assert line.fixed == pytest.approx(fixed, abs=1e-6)
    assert line.each == pytest.approx(each, abs=1e-12)
    assert line.error < 1e-6
    assert line.upto == SIZES[-1]


def test_a_fit_says_how_far_its_points_lie_and_never_goes_below_nought() -> None:
    line = fit_line([1, 2, 4], [1.0, 4.0, 16.0], "bent")
    assert line.fixed == 0.0
    assert line.error > 0.3


def test_one_size_makes_no_line() -> None:
    with pytest.raises(UnmeasuredError, match=r"x\.json: a line needs two sizes, measured: 10"):
        fit_line([10, 10], [1.0, 1.1], "var/x.json")


def test_what_was_never_measured_is_named_with_the_command_that_measures_it(tmp_path: Path) -> None:
    with pytest.raises(UnmeasuredError, match=r"tenants\.json is missing: run `python -m benchmarks\.scale measure`"):
        costs_from(tmp_path)
    with pytest.raises(UnmeasuredError, match=r"extract\.json is missing: run `STAGES=extract make bench`"):
        Measured(tmp_path).line("extract", "0 ms", names.Extract.OURS, size, seconds)
    keep_results("extract", [Measurement("0 ms", 10, names.Extract.OURS, [1.0])], tmp_path)
    with pytest.raises(UnmeasuredError, match="does not tell 'rows'"):
        Measured(tmp_path).line("extract", "0 ms", names.Extract.OURS, fact("rows"), seconds)


# --- from files to the page --------------------------------------------------------------------------------


def _measured(folder: Path) -> None:
    """Keep measurements of known costs, as the benchmarks would."""
    found: dict[str, list[Measurement]] = {name: [] for name in ("extract", "compute", "load", "publish", TASKS)}
    for number in SIZES:
        rows, told = {"rows": 2 * number}, {"dates": 1e-7 * number, "links": 1e-7 * number}
        parts = {"claims": 2e-6 * number, "plan": 3e-6 * number, **{f"validate {k}": v for k, v in told.items()}}
        found["extract"].append(
            Measurement("0 ms", number, names.Extract.OURS, [4e-6 * 2 * number], 100 + 1e-4 * number, facts=rows)
        )
        found["compute"].append(
            Measurement(
                names.Compute.FIRST, number, names.Compute.OURS, [1.0], facts={"claims": number, "parts": parts}
            )
        )
        for kind, each in (("first", 8e-6), ("unchanged", 2e-6)):
            found["load"].append(Measurement(names.Load.PARTS[kind], number, names.Load.TASK, [each * number]))
        found["publish"].append(
            Measurement(f"0 ms, {number} rows", number, names.Publish.TASK, [1e-5 * number], facts={"rows": number})
        )
        for night, task in itertools.product((FIRST, NIGHTLY), WHOLE_TASKS):
            facts = {"claims": number, "evidence": 500 * number if night == FIRST else 400 * number}
            found[TASKS].append(Measurement(night, number, task, [1e-6 * number], 300 + 1e-3 * number, facts=facts))
    grown = {"result": 2000, "widest": {"claims.detail": 100.0}}
    for tenants in (1_000, 10_000):
        facts = {
            "seal": 1e-4 * tenants,
            "read": 1e-4 * tenants,
            "count": 0.0,
            "manifest": 2e3 * tenants,
            "run_row": 100 * tenants,
        }
        found.setdefault(TENANTS, []).append(Measurement(TENANTS, tenants, MANIFEST, [1.0], facts=facts | grown))
        for lanes in (1, 4):
            facts = {"processor": 30 + 1.5 * tenants}
            started = Measurement(STARTS, tenants, f"{lanes} {AT_ONCE}", [20 + 2.0 * tenants / lanes], facts=facts)
            found.setdefault(STARTS, []).append(started)
    for stage, measured in found.items():
        keep_results(stage, measured, folder)


@pytest.fixture(name="costs")
def _costs(tmp_path: Path) -> Costs:
    _measured(tmp_path)
    return costs_from(tmp_path)


def test_costs_come_from_the_files(costs: Costs) -> None:
    assert costs.read.each == pytest.approx(4e-6)
    assert (costs.task_seconds, costs.task_processor) == (pytest.approx(2.0), pytest.approx(1.5))
    assert costs.stages["validate"].each == pytest.approx(2e-7)
    assert costs.send.at(1_000_000) == pytest.approx(10.0)
    assert costs.memory["report"].at(1_000_000) == pytest.approx(1_300.0)
    assert costs.tenants.at(1_000) == pytest.approx(0.8), "written once, read seven times"


def test_a_night_adds_up(costs: Costs) -> None:
    first = forecast(Load(1_000_000, 1), PLAIN, costs)
    nightly = forecast(Load(1_000_000, 1, changed_share=0.01), PLAIN, costs)
    assert first.total == pytest.approx(sum(first.seconds.values()))
    assert first.seconds["load"] == pytest.approx(8.0)
    assert nightly.seconds["load"] == pytest.approx(2.0 + 0.06)
    assert (first.evidence, nightly.evidence) == (pytest.approx(5e8), pytest.approx(4.01e8))
    assert first.rows == 1_000_000 + 2 * 700_000
    assert nightly.rows == 10_000 + 2 * 7_000


@pytest.mark.parametrize("changed", [0.0, 0.01, 1.0])
def test_more_certificates_never_take_less(costs: Costs, changed: float) -> None:
    nights = [
        forecast(Load(number, 100, changed_share=changed), PLAIN, costs) for number in (10**5, 10**6, 10**7, 10**8)
    ]
    for earlier, later in itertools.pairwise(nights):
        assert later.total > earlier.total
        assert all(later.memory[name] >= earlier.memory[name] for name in earlier.memory)
        assert later.evidence > earlier.evidence


def test_walls_stand_where_the_lines_reach_them(costs: Costs) -> None:
    found = {wall.what: wall.certificates for wall in walls(Load(10**8, 10_000), PLAIN, costs)}
    assert found["memory of report"] == pytest.approx((PLAIN.memory_mib - 300) / 1e-3)
    assert found["2 GiB of text in claims.detail"] == pytest.approx((2**31 - 1) / 100)
    assert list(found.values()) == sorted(found.values())


def test_the_tables_go_between_the_page_s_markers(costs: Costs, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_between(page, everything(costs, [(1_000, 10), (100_000, 100)]))
    written = page.read_text(encoding="utf-8")
    assert written.startswith(f"before\n{BEGIN}\n\n### A night with 1 % changed")
    assert written.endswith(f"{END}\nafter\n")
    assert "old" not in written
    assert not re.search(r"\b(nan|inf)\b", written)


# --- the product -------------------------------------------------------------------------------------------


def test_counting_rows_by_tenant_grows_with_the_tenants_and_not_with_their_square() -> None:
    def counted(tenants: int) -> float:
        ids = [f"tenant-{number}" for number in range(tenants)]
        names = ("certificates", "links", "persons", "lookups")
        files = tuple(SealedFile(name, f"{name}-{one}", "0" * 64, 1, 10, one) for one in ids for name in names)
        inputs = RunInputs.__new__(RunInputs)
        inputs.sealed, inputs.context = SealedPart(files, {}), cast("Any", SimpleNamespace(tenants=tuple(ids)))
        claims = pa.table({"tenant_id": ids, "applicable": [True] * tenants, "employees": pa.array([1] * tenants)})
        began = time.process_time()
        counts = count_tenants(inputs, claims)
        spent = time.process_time() - began
        assert {(one.certificates, one.links, one.persons, one.matched) for one in counts.values()} == {(10, 10, 10, 1)}
        return spent

    assert counted(20_000) < 5.0
