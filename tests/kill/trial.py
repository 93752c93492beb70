"""One kill: put the ground back to the phase, kill, go on as Airflow would, and compare with calm nights."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import create_engine, text

from tests.kill.cluster import Cluster
from tests.kill.ground import Ground
from tests.kill.kills import Kill, Moment, Recovery, Victim
from tests.kill.runs import AirflowRun, Phase, Starting, TaskProcess, phase_of
from tests.kill.state import sent_again
from tests.kill.vendor import CERTIFICATES, TOKEN, Point, VendorProcess

TRIES = 6
HELD_SECONDS = 30
LOCK_SECONDS = 15
LOOK_SECONDS = 0.001
POINTS = {
    Moment.UNSENT: (TOKEN, Point.RECEIVED),
    Moment.RECEIVED: (CERTIFICATES, Point.RECEIVED),
    Moment.PROCESSED: (CERTIFICATES, Point.PROCESSED),
    Moment.ANSWERED: (CERTIFICATES, Point.PROCESSED),
}


class _MissedError(Exception):
    """The task had ended before the kill fell."""


class _AbandonedError(Exception):
    """Nobody goes on with this run."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one kill.

    Attributes:
        kill: The kill as it fell.
        step: The task that worked at that moment.
        after: How the state was reached again.
        sent_again: Rows that were sent again beyond what a calm night does, since no answer to them was committed.
        problems: What was not as after calm nights; nothing = survived.
        seconds: How long it took.
    """

    kill: Kill
    step: str
    after: str
    sent_again: int
    problems: tuple[str, ...]
    seconds: float


def survive(ground: Ground, kill: Kill) -> Outcome:
    """Try one kill, sooner where it fell too late."""
    began = time.monotonic()
    for _ in range(TRIES):
        try:
            return _Trial(ground, kill).run(began)
        except _MissedError:
            kill = kill.earlier()
    raise AssertionError(f"the kill never fell: {kill}")


class _Trial:
    """One kill that may fall too late."""

    def __init__(self, ground: Ground, kill: Kill) -> None:
        self._ground = ground
        self._kill = kill
        self._step, self._seconds = _aim(ground, kill)
        self._fallen = False

    def run(self, began: float) -> Outcome:
        ground = self._ground
        ground.put_back(self._kill.phase)
        before = sent_again(ground.vendor)
        after, nights = self._go_on(ground.run(run_id="disturbed", patient=self._kill.patient))
        again = max(0, sent_again(ground.vendor) - before - ground.split)
        problems = tuple(ground.problems(nights))
        return Outcome(self._kill, self._step, after, again, problems, time.monotonic() - began)

    def _go_on(self, run: AirflowRun) -> tuple[str, int]:
        """Run the disturbed night and what comes after it; return in words what did, and how many nights passed."""
        run.watch = self._watched
        try:
            well = run.go()
        except _AbandonedError:
            well = False
        assert self._fallen, "the task to kill never came"
        if not well and self._cleared(run):
            return "whole run cleared", 0
        if well:
            return "task tried again" if max(run.tries.values()) > 1 else "nobody noticed", 0
        follower = self._ground.run(nights_later=1)
        assert follower.go(), f"the next night failed: {follower.failures()} after {run.failures()}"
        return "next night", 1

    def _cleared(self, run: AirflowRun) -> bool:
        """A run whose opening failed is cleared as a whole, where somebody is to go on with it."""
        if self._kill.recovery is not Recovery.RETRY or run.given.result("open") is not None:
            return False
        run.clear()
        assert run.go(), f"the cleared run failed: {run.failures()}"
        return True

    # --- the kill --------------------------------------------------------------------------------------

    def _watched(self, step: str, start: Starting) -> TaskProcess:
        if self._fallen or step != self._step:
            return start()
        with self._at_the_moment(start) as process:
            self._strike(process)
        self._bring_back(process)
        if self._kill.recovery is Recovery.NEXT_NIGHT:
            process.kill()
            raise _AbandonedError
        return process

    @contextmanager
    def _at_the_moment(self, start: Starting) -> Iterator[TaskProcess]:
        if self._kill.moment is Moment.ANY:
            process = start()
            time.sleep(max(0.0, process.began + self._seconds - time.monotonic()))
            yield process
            return
        endpoint, point = POINTS[self._kill.moment]
        skip = 0 if endpoint == TOKEN else int(self._kill.share * self._ground.posts)
        with self._ground.vendor.holding(endpoint, point, skip):
            process = start()
            self._wait_until_held(process)
            if self._kill.moment is not Moment.ANSWERED:
                yield process
                return
            with self._uncommitted():
                yield process

    def _wait_until_held(self, process: TaskProcess) -> None:
        end = time.monotonic() + HELD_SECONDS
        while not self._ground.vendor.held.exists():
            if not process.is_working():
                raise _MissedError
            assert time.monotonic() < end, "no request came"
            time.sleep(LOOK_SECONDS)

    @contextmanager
    def _uncommitted(self) -> Iterator[None]:
        """Let the answer go out while its commit waits for the lock of the run's row."""
        engine = create_engine(self._ground.cluster.url().replace("postgresql:", "postgresql+psycopg:"))
        conn = engine.connect()
        try:
            conn.execute(text("SELECT FROM reconciliation.run WHERE status = 'running' FOR UPDATE"))
            self._ground.vendor.release()
            if not self._ground.cluster.wait_for_lock(LOCK_SECONDS):
                raise _MissedError
            yield
        finally:
            conn.invalidate()  # whoever holds the lock may be dead
            engine.dispose()

    def _strike(self, process: TaskProcess) -> None:
        if not process.is_working():
            raise _MissedError
        if self._kill.victim is not Victim.TASK:
            self._service.kill()
        elif not process.kill():
            raise _MissedError
        self._fallen = True

    def _bring_back(self, process: TaskProcess) -> None:
        """Start a killed service again, at once or after the task has ended."""
        if self._kill.victim is Victim.TASK:
            return
        if not self._kill.prompt and self._kill.recovery is Recovery.RETRY:
            process.code()
        self._service.start()

    @property
    def _service(self) -> Cluster | VendorProcess:
        return self._ground.cluster if self._kill.victim is Victim.POSTGRES else self._ground.sandbox


def _aim(ground: Ground, kill: Kill) -> tuple[str, float]:
    """Return the task to kill in, and how many seconds after its beginning."""
    if kill.phase is Phase.PUBLISHING:
        return "publish", kill.share * ground.durations["publish"]
    steps = [step for step in ground.durations if phase_of(step) is kill.phase]
    left = kill.share * sum(ground.durations[step] for step in steps)
    for step in steps:
        if left <= ground.durations[step]:
            return step, left
        left -= ground.durations[step]
    return steps[-1], ground.durations[steps[-1]]
