"""The closed formulas: how long a night takes, what it takes up, and which part stands in the way first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale.costs import Costs
from benchmarks.scale.counting import Requests, count_requests, looks_of, pages_of
from benchmarks.scale.load import Limits, Load, Working

Seconds = NDArray[np.float64]

ARROW_TEXT = 2**31 - 1
"""Most bytes of text that Arrow holds in one piece of a column of type `string`."""


_LONG, _MOMENTS = 2_000, 200


@dataclass(frozen=True, slots=True)
class Reading:
    """How long reading 4HSE takes, and what makes it so long; the longest part rules.

    Attributes:
        seconds: Expected, with tenants listed in any order.
        largest: The largest tenant alone: no number of workers makes a night shorter.
        parts: Seconds by what they are for: waiting for answers, starting tasks, the rate, the processors.
    """

    seconds: float
    largest: float
    parts: Mapping[str, float]

    @property
    def ruled_by(self) -> str:
        """What would have to change to make it shorter."""
        return max(self.parts, key=lambda name: self.parts[name])


def _side_by_side(requests: Seconds, limits: Limits, share: float | None, page_work: Seconds | float) -> Seconds:
    """Return the seconds of requests of one kind, which end before the next kind begins."""
    waves = np.ceil(requests / limits.concurrency) * limits.fourhse_latency
    gap = 1 / share if share else 0.0
    spaced = (requests - 1) * gap + max(gap, limits.fourhse_latency)
    worked = requests * page_work + limits.fourhse_latency
    return np.where(requests > 0, np.maximum(np.maximum(waves, spaced), worked), 0.0)


def tenant_seconds(load: Load, limits: Limits, work: Working) -> Seconds:
    """Return the seconds of each tenant's task, the largest first."""
    share = limits.share_of_rate(load.tenants)

    def wait(requests: NDArray[np.int64], page_work: Seconds | float) -> Seconds:
        return _side_by_side(requests.astype(np.float64), limits, share, page_work)

    total = np.full(load.tenants, work.tenant_seconds + limits.fourhse_latency) + wait(load.lookups_by_tenant(), 0.0)
    for rows in load.rows_by_tenant().values():
        pages = pages_of(rows, limits.page_size)
        page = rows / pages * work.row_seconds
        total += wait(np.ones_like(pages), page) + wait(pages - 1, page) + wait(looks_of(pages), page)
    return total


def over_lanes(tasks: Seconds, lanes: int) -> float:
    """Return how long tasks take over some lanes, when they are taken in any order.

    The lanes share the work evenly until a long task is left over. A task is among the first with a chance of lanes /
    tasks; else it begins at any moment of the time that the others take over the lanes. The end is the latest end of
    any: its expectation is added up from the chances that all have ended by a moment.
    """
    tasks = np.sort(tasks)[::-1]
    even, longest = float(tasks.sum()) / lanes, float(tasks[0])
    at_once = max(even, longest)
    if len(tasks) <= lanes or lanes == 1:
        return at_once
    long, first = tasks[:_LONG], lanes / len(tasks)
    moments = np.linspace(at_once, even + longest, _MOMENTS)
    begun_by = (moments[:, None] - long) / np.maximum(even - long / lanes, 1e-9)
    all_ended = np.prod(first + (1 - first) * np.clip(begun_by, 0.0, 1.0), axis=1)
    return at_once + float(np.trapezoid(1 - all_ended, moments))


def read_seconds(load: Load, limits: Limits, work: Working, vendor_rate: float | None = None) -> Reading:
    """Return how long reading takes.

    Args:
        load: What there is.
        limits: How it is read.
        work: What the pipeline itself takes.
        vendor_rate: Requests a second above which 4HSE answers 429.
    """
    lanes, requests = limits.lanes(load.tenants), count_requests(load, limits)
    fixed = work.tenant_seconds
    tasks = tenant_seconds(load, limits, work)
    unhindered = tenant_seconds(load, replace(limits, fourhse_rate=None), work)
    rates = [rate for rate in (limits.fourhse_rate, vendor_rate) if rate]
    rows = sum(int(one.sum()) for one in load.rows_by_tenant().values())
    parts = {
        "4HSE's answers": float((unhindered - fixed).sum()) / lanes,
        "starting tasks": load.tenants * fixed / lanes,
        "4HSE's rate": requests.fourhse / min(rates) if rates else 0.0,
        "processors": rows * work.row_seconds / min(limits.cores, lanes)
        + load.tenants * work.tenant_processor / limits.cores,
        "the largest tenant": float(tasks.max()),
    }
    seconds = max(over_lanes(tasks, lanes), parts["4HSE's rate"], parts["processors"])
    return Reading(seconds, parts["the largest tenant"], parts)


def send_seconds(load: Load, limits: Limits, work: Working, vendor_rate: float | None = None) -> float:
    """Return how long sending takes: one sender, however many workers there are."""
    batches = -(-load.sent // limits.batch_size)
    rates = [rate for rate in (limits.ditio_rate, vendor_rate) if rate]
    waves = math.ceil(batches / limits.ditio_concurrency) * limits.ditio_latency
    return max(waves, batches / min(rates) if rates else 0.0, load.sent * work.sent_row_seconds)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a night comes to.

    Attributes:
        load: The night.
        requests: What is sent to the vendors.
        reading: Reading 4HSE.
        seconds: Seconds by stage, one after the other.
        memory: MiB by the process that holds most.
        evidence: Bytes of evidence.
        rows: Rows that the warehouse writes: claims, ledger entries, attempts.
        pieces: Share of Arrow's 2 GiB that each column in one piece takes.
        per_tenant: Bytes and seconds that grow with the tenants, whatever they hold.
    """

    load: Load
    requests: Requests
    reading: Reading
    seconds: Mapping[str, float]
    memory: Mapping[str, float]
    evidence: float
    rows: int
    pieces: Mapping[str, float]
    per_tenant: Mapping[str, float]

    @property
    def total(self) -> float:
        """Seconds of the night, approvals left out."""
        return sum(self.seconds.values())

    @property
    def longest(self) -> str:
        """The stage that takes longest."""
        return max(self.seconds, key=lambda name: self.seconds[name])

    @property
    def heaviest(self) -> str:
        """The process that needs most memory."""
        return max(self.memory, key=lambda name: self.memory[name])


def load_seconds(load: Load, costs: Costs) -> float:
    """Return the seconds to load: finding that nothing changed, and what is new beyond that."""
    more = max(0.0, costs.load_new.each - costs.load_unchanged.each)
    return costs.load_unchanged.at(load.claims) + more * load.changed_claims


def forecast(load: Load, limits: Limits, costs: Costs, vendor_rate: float | None = None) -> Forecast:
    """Return what a night comes to.

    Args:
        load: What there is.
        limits: What the vendors allow, and what settings and machines give.
        costs: What the project's own work costs.
        vendor_rate: Requests a second above which 4HSE answers 429.
    """
    requests = count_requests(load, limits)
    reading = read_seconds(load, limits, costs.working, vendor_rate)
    largest_rows = sum(int(rows.max()) for rows in load.rows_by_tenant().values())
    evidence = costs.evidence_nightly.at(load.certificates)
    evidence += load.changed_share * (costs.evidence_first.at(load.certificates) - evidence)
    seconds = {
        "read": reading.seconds,
        **{name: line.at(load.claims) for name, line in costs.stages.items()},
        "manifests": costs.tenants.at(load.tenants),
        "publish": send_seconds(load, limits, costs.working) + costs.send.fixed,
        "load": load_seconds(load, costs),
    }
    return Forecast(
        load=load,
        requests=requests,
        reading=reading,
        seconds=seconds,
        memory={"extract": costs.memory_read.at(largest_rows)}
        | {name: line.at(load.claims) for name, line in costs.memory.items()},
        evidence=evidence,
        rows=load.changed_claims + 2 * load.sent,
        pieces={name: width * load.certificates / ARROW_TEXT for name, width in costs.widest.items()},
        per_tenant={
            "XCom of the tenants, bytes": costs.tenant_result * load.tenants,
            "manifest, bytes": costs.manifest.at(load.tenants),
            "run's row, bytes": costs.run_row.at(load.tenants),
        },
    )


@dataclass(frozen=True, slots=True)
class Wall:
    """What can be reached before something gives.

    Attributes:
        what: What gives.
        certificates: At how many certificates.
    """

    what: str
    certificates: float


_MOST = 10**10


def _within(shape: Load, limits: Limits, costs: Costs) -> float:
    """Return how many certificates a night of a shape can have at most to end in time; nought where none can."""
    low, high = 0, _MOST
    while high - low > max(low // 1_000, 1):
        middle = (low + high) // 2
        if forecast(replace(shape, certificates=middle), limits, costs).total <= limits.window_seconds:
            low = middle
        else:
            high = middle
    return float(low)


def walls(shape: Load, limits: Limits, costs: Costs) -> list[Wall]:
    """Return what gives first, second and so on when a load of one shape grows.

    Args:
        shape: Tenants and shares, of as many certificates as the share of the largest tenant is taken from.
        limits: Memory of a process and length of a night.
        costs: What the project's own work costs.
    """
    share = float(shape.certificates_by_tenant().max()) / max(shape.certificates, 1)
    rows = 1 + shape.links_per_certificate + shape.persons_per_certificate
    found = [Wall(f"memory of {name}", line.reaches(limits.memory_mib) / shape.claims_per_certificate)
             for name, line in costs.memory.items()]  # fmt: skip
    found.append(
        Wall("memory of extract, the largest tenant", costs.memory_read.reaches(limits.memory_mib) / rows / share)
    )
    found += [Wall(f"2 GiB of text in {name}", ARROW_TEXT / width)
              for name, width in costs.widest.items()]  # fmt: skip
    found.append(Wall(f"a night of {limits.window_seconds / 3600:.0f} h", _within(shape, limits, costs)))
    return sorted((wall for wall in found if math.isfinite(wall.certificates)), key=lambda wall: wall.certificates)
