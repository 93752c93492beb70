"""Kills of the scheduler, under a real Airflow: the next one goes on with the run where it is."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.contract.pipeline import OSLO
from tests.kill.ground import DAY, SETTLED, Ground
from tests.kill.state import sent_again
from tests.kill.station import Station, running_station
from tests.kill.vendor import CERTIFICATES, Point

TASKS = ("open_run", "extract_tenant", "seal_inputs", "build_claims", "plan", "publish", "load", "report", "finalise")
OVERLAP_SECONDS = 30


class Scope(StrEnum):
    """What dies with the scheduler."""

    ALONE = "scheduler alone"
    MACHINE = "scheduler and its tasks"


@dataclass(frozen=True, slots=True)
class SchedulerKill:
    """One kill of the scheduler.

    Attributes:
        scope: What dies with it.
        task: The task during which it dies.
        delay: Seconds after that task began to work; None = while Ditio's answer to it is held back.
    """

    scope: Scope
    task: str
    delay: float | None

    def __str__(self) -> str:
        """Name the kill, for ids and tables."""
        when = "processed, not answered" if self.delay is None else f"{self.delay:.2f} s after it began"
        return f"{self.scope}, {self.task}, {when}"


@dataclass(frozen=True, slots=True)
class SchedulerOutcome:
    """What came of one kill of the scheduler.

    Attributes:
        kill: The kill.
        tries: The most tries that a task took.
        sent_again: Rows that were sent again beyond what a calm night does.
        problems: What was not as after a calm night.
        seconds: How long it took.
    """

    kill: SchedulerKill
    tries: int
    sent_again: int
    problems: tuple[str, ...]
    seconds: float


def draw_scheduler_kills(seed: int) -> list[SchedulerKill]:
    """Return the kills of a seed: both scopes while an answer is held back, and at any time in a task each."""
    chance = random.Random(f"{seed}:scheduler")
    return [
        SchedulerKill(Scope.MACHINE, "publish", None),
        SchedulerKill(Scope.ALONE, "publish", None),
        SchedulerKill(Scope.MACHINE, chance.choice(TASKS), chance.random() * 2),
        SchedulerKill(Scope.ALONE, chance.choice(TASKS), chance.random() * 2),
    ]


def survive_all(ground: Ground, kills: list[SchedulerKill]) -> Iterator[SchedulerOutcome]:
    """Try kills one after the other under one Airflow; its runs have the day of the clock."""
    ground.put_back(SETTLED)
    calm = ground.run(nights_later=(dt.datetime.now(OSLO).date() - DAY).days)
    assert calm.go(), calm.failures()
    ground.calm.append(ground.state())
    nights = len(ground.calm) - 1
    with running_station(ground) as station:
        for kill in kills:
            began = time.monotonic()
            ground.put_back(SETTLED)
            before = sent_again(ground.vendor)
            run_id = _kill_during(ground, station, kill)
            ended = station.wait_for_end(run_id)
            problems = ground.problems(nights) + ([] if ended == "success" else [f"the run ended as {ended}"])
            tries = max(tried for _, tried in station.tasks(run_id).values())
            again = max(0, sent_again(ground.vendor) - before - ground.split)
            yield SchedulerOutcome(kill, tries, again, tuple(problems), time.monotonic() - began)


def _kill_during(ground: Ground, station: Station, kill: SchedulerKill) -> str:
    if kill.delay is not None:
        run_id = station.trigger()
        station.wait_until_working(run_id, kill.task)
        time.sleep(kill.delay)
        station.kill_scheduler(alone=kill.scope is Scope.ALONE)
        station.start("scheduler")
        return run_id
    with ground.vendor.holding(CERTIFICATES, Point.PROCESSED, skip=2):
        run_id = station.trigger()
        station.wait_until_working(run_id, kill.task)
        while not ground.vendor.held.exists():
            assert station.state(run_id) == "running", "nothing was sent"
            time.sleep(0.05)
        station.kill_scheduler(alone=kill.scope is Scope.ALONE)
        station.start("scheduler")
        if kill.scope is Scope.ALONE:
            _wait_for_second_try(station, run_id, kill.task)
    return run_id


def _wait_for_second_try(station: Station, run_id: str, task: str) -> None:
    """Let the next scheduler start the task again while the task of the dead one still works, if it does that."""
    end = time.monotonic() + OVERLAP_SECONDS
    while time.monotonic() < end:
        found = [state for name, state in station.tasks(run_id).items() if name.startswith(task)]
        if any(tried > 1 and state == "running" for state, tried in found):
            time.sleep(2)
            return
        time.sleep(0.1)
