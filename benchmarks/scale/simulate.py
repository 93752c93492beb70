"""A night in virtual time, request by request, that shares no formula with the model.

Lanes take the tenants one after the other, in the order in which they are listed. Each reads as the pipeline does: a
token, then of every index page 1 alone, the other pages, and some pages a second time; at most `concurrency` requests
at a time, never more than twice as many pages ahead of the oldest that is missing, starts spaced by the lane's share of
the rate. 4HSE answers after a random latency, and with 429 and `Retry-After` where its own bucket of tokens is empty; a
429 holds all requests of that lane, and of no other, since tasks know nothing of each other. Tasks that start share the
processors of all workers, one after the other; the short work on a page is taken to find a processor at once.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.scale.load import DATASETS, Limits, Load, Working
from certrecon.api.paging import LOOKS

_DRAWS = 65_536
_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Vendor:
    """How a vendor behaves.

    Attributes:
        latency: Mean seconds until an answer.
        spread: Standard deviation of the latency as a share of it.
        rate: Requests a second that it lets pass; None lets all pass.
        burst: Requests that it lets pass at once after a pause.
        retry_after: Seconds that its 429 asks to wait.
    """

    latency: float
    spread: float = 0.3
    rate: float | None = None
    burst: float = 50.0
    retry_after: float = 1.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came of it.

    Attributes:
        seconds: From the first start to the last answer.
        requests: Requests that were answered with data.
        refused: Requests that were answered with 429.
        idle_lanes: Share of the lanes' time after they had run out of tenants.
    """

    seconds: float
    requests: int
    refused: int
    idle_lanes: float


class _Bucket:
    """A vendor's rate limit."""

    def __init__(self, vendor: Vendor) -> None:
        self._rate, self._burst = vendor.rate, vendor.burst
        self._tokens, self._at = vendor.burst, 0.0

    def passes(self, now: float) -> bool:
        if self._rate is None:
            return True
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


@dataclass(frozen=True, slots=True)
class Stage:
    """Requests that may run side by side: the next stage begins when all are answered.

    Attributes:
        requests: How many.
        pause: Seconds before them in which nothing is asked.
        processor: Seconds of any processor that the pause needs; it lasts longer where none is free.
        work: Seconds of the lane's own processor on each answer.
    """

    requests: int
    pause: float = 0.0
    processor: float = 0.0
    work: float = 0.0


@dataclass(slots=True)
class _Lane:
    """One task slot: what it reads now."""

    gap: float
    stages: Iterator[Stage]
    work: float = 0.0
    wanted: int = 0
    left: int = 0
    under_way: int = 0
    started: int = 0
    oldest: int = 0
    answered: set[int] = field(default_factory=set)
    next_start: float = 0.0
    held_until: float = 0.0
    busy_until: float = 0.0
    ended_at: float = 0.0

    def begin(self, stage: Stage) -> None:
        """Begin with requests that may run side by side."""
        self.wanted = self.left = stage.requests
        self.work = stage.work
        self.started = self.oldest = 0
        self.answered.clear()

    def may_start(self, concurrency: int) -> bool:
        """Tell whether another request may be under way now."""
        ahead = self.started - self.oldest
        return self.under_way < concurrency and self.started < self.wanted and ahead < _AHEAD * concurrency

    def turn(self, now: float) -> float:
        """Return when the next request starts, and keep the place after it."""
        start = max(now, self.next_start, self.held_until, self.busy_until)
        if self.gap:
            self.next_start = start + self.gap
        return start

    def done(self, number: int, now: float) -> None:
        """Take an answer: the lane's own processor works on one page at a time."""
        self.under_way -= 1
        self.left -= 1
        self.busy_until = max(self.busy_until, now) + self.work
        self.answered.add(number)
        while self.oldest in self.answered:
            self.answered.remove(self.oldest)
            self.oldest += 1


class _Draws:
    """Random latencies, drawn many at a time."""

    def __init__(self, vendor: Vendor, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._mean, self._spread = vendor.latency, vendor.spread
        self._waiting: list[float] = []

    def one(self) -> float:
        if not self._waiting:
            self._waiting = self._some()
        return self._waiting.pop()

    def _some(self) -> list[float]:
        if not (self._mean and self._spread):
            return [self._mean] * _DRAWS
        shape = 1 / self._spread**2
        drawn: list[float] = self._random.gamma(shape, self._mean / shape, _DRAWS).tolist()
        return drawn


_WAKE, _SEND, _ANSWER = range(3)


class _Clock:
    """Virtual time and everything that happens in it."""

    def __init__(self, vendor: Vendor, lanes: list[_Lane], concurrency: int, cores: int, seed: int) -> None:
        self._vendor, self._lanes, self._concurrency = vendor, lanes, concurrency
        self._cores = [0.0] * cores
        self._bucket, self._draws = _Bucket(vendor), _Draws(vendor, seed)
        self._events: list[tuple[float, int, int, int]] = []
        self.requests = self.refused = 0
        self.answers: list[float] = []

    def run(self, *, keep_answers: bool = False) -> float:
        """Let everything happen and return when it had ended."""
        for index in range(len(self._lanes)):
            self._next_stage(index, 0.0)
        while self._events:
            now, kind, index, number = heapq.heappop(self._events)
            if kind == _ANSWER:
                if keep_answers:
                    self.answers.append(now)
                self._answer(index, number, now)
            elif kind == _SEND:
                self._send(index, number, now)
            else:
                self._fill(index, now)
        return max(lane.ended_at for lane in self._lanes)

    def _answer(self, index: int, number: int, now: float) -> None:
        lane = self._lanes[index]
        lane.done(number, now)
        self.requests += 1
        if lane.left:
            self._fill(index, now)
        else:
            self._next_stage(index, lane.busy_until)

    def _next_stage(self, index: int, now: float) -> None:
        """Begin what the lane reads next, after a pause in which it asks nothing."""
        lane = self._lanes[index]
        for stage in lane.stages:
            now = max(now + stage.pause, self._processed(now, stage.processor))
            if stage.requests:
                lane.begin(stage)
                heapq.heappush(self._events, (now, _WAKE, index, 0))
                return
        lane.ended_at = now

    def _processed(self, now: float, seconds: float) -> float:
        """Return when the processor that is free first has worked so long."""
        if not seconds:
            return now
        ended = max(now, self._cores[0]) + seconds
        heapq.heapreplace(self._cores, ended)
        return ended

    def _fill(self, index: int, now: float) -> None:
        """Start as many requests as may be under way."""
        lane = self._lanes[index]
        while lane.may_start(self._concurrency):
            number = lane.started
            lane.started += 1
            lane.under_way += 1
            self._start(index, number, lane.turn(now), now)

    def _start(self, index: int, number: int, start: float, now: float) -> None:
        if start > now and self._vendor.rate is not None:
            heapq.heappush(self._events, (start, _SEND, index, number))
        else:
            self._send(index, number, start)

    def _send(self, index: int, number: int, now: float) -> None:
        lane = self._lanes[index]
        if lane.held_until > now:
            heapq.heappush(self._events, (lane.turn(now), _SEND, index, number))
        elif self._bucket.passes(now):
            heapq.heappush(self._events, (now + self._draws.one(), _ANSWER, index, number))
        else:
            self.refused += 1
            lane.held_until = now + self._draws.one() + self._vendor.retry_after
            heapq.heappush(self._events, (lane.turn(now), _SEND, index, number))


def _stages(rows: Sequence[int], lookups: int, limits: Limits, work: Working) -> Iterator[Stage]:
    """Yield what a tenant asks for, one stage after the other."""
    yield Stage(0, work.tenant_seconds, work.tenant_processor)
    for place, count in enumerate(rows):
        pages = max(1, -(-count // limits.page_size))
        page = count / pages * work.row_seconds
        yield Stage(1, work=page)
        yield Stage(pages - 1, work=page)
        yield Stage(min(pages, LOOKS), work=page)
        if DATASETS[place] == "links":
            yield Stage(lookups)


def simulate_reading(
    load: Load, limits: Limits, vendor: Vendor, work: Working, *, seed: int = 1, shuffled: bool = True
) -> Simulated:
    """Read every tenant once, in virtual time.

    Args:
        load: What there is.
        limits: How it is read.
        vendor: How 4HSE behaves.
        work: What the pipeline itself takes.
        seed: Chooses latencies and the order of the tenants.
        shuffled: Whether tenants are listed in any order; else the largest first.
    """
    rows = np.column_stack(list(load.rows_by_tenant().values()))
    lookups = load.lookups_by_tenant()
    order = np.arange(load.tenants)
    if shuffled:
        np.random.default_rng(seed).shuffle(order)
    waiting = iter(order.tolist())
    tokens = _Draws(vendor, seed + 1)

    def tenants() -> Iterator[Stage]:
        for tenant in waiting:
            yield Stage(0, tokens.one())
            yield from _stages(rows[tenant].tolist(), int(lookups[tenant]), limits, work)

    share = limits.share_of_rate(load.tenants)
    lanes = [_Lane(1 / share if share else 0.0, tenants()) for _ in range(limits.lanes(load.tenants))]
    clock = _Clock(vendor, lanes, limits.concurrency, limits.cores, seed)
    ended = clock.run()
    idle = sum(ended - lane.ended_at for lane in lanes) / (len(lanes) * ended) if ended else 0.0
    return Simulated(ended, clock.requests, clock.refused, idle)


def simulate_sending(load: Load, limits: Limits, vendor: Vendor, work: Working, *, seed: int = 1) -> Simulated:
    """Send a plan, in virtual time: one sender, and one recorder that commits what was answered, in that order.

    Args:
        load: What there is; its last batch is taken for a whole one.
        limits: How it is sent.
        vendor: How Ditio behaves.
        work: What the pipeline itself takes.
        seed: Chooses latencies.
    """
    batches = -(-load.sent // limits.batch_size)
    gap = 1 / limits.ditio_rate if limits.ditio_rate else 0.0
    clock = _Clock(vendor, [_Lane(gap, iter([Stage(batches)]))], limits.ditio_concurrency, limits.cores, seed)
    ended = clock.run(keep_answers=True)
    recorded = 0.0
    for answered in clock.answers:
        recorded = max(recorded, answered) + limits.batch_size * work.sent_row_seconds
    return Simulated(max(ended, recorded), clock.requests, clock.refused, 0.0)
