"""Runs the tasks of one run as Airflow does: in order, each in its own process, tried again where it would be."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from certrecon.words import Subject
from tests.kill.processes import PROCESSES
from tests.kill.task import Assignment, perform

RETRIES = 2
TASK_SECONDS = 120
VALIDATIONS = tuple(f"validate-{subject}" for subject in Subject)


class Phase(StrEnum):
    """The phases of a run, in order."""

    OPENING = "opening"
    EXTRACTING = "extracting"
    SEALING = "sealing"
    BUILDING = "building"
    VALIDATING = "validating"
    PLANNING = "planning"
    PUBLISHING = "publishing"
    LOADING = "loading"
    REPORTING = "reporting"
    FINALISING = "finalising"


_PHASES = {
    "open": Phase.OPENING,
    "find_tenants": Phase.EXTRACTING,
    "extract": Phase.EXTRACTING,
    "employees": Phase.EXTRACTING,
    "seal": Phase.SEALING,
    "build": Phase.BUILDING,
    "validate": Phase.VALIDATING,
    "plan": Phase.PLANNING,
    "publish": Phase.PUBLISHING,
    "load": Phase.LOADING,
    "report": Phase.REPORTING,
    "finalise": Phase.FINALISING,
}


def phase_of(step: str) -> Phase:
    """Return the phase of a task."""
    return _PHASES[step.partition("-")[0]]


class TaskProcess:
    """The process of one task, from the moment at which it began its work."""

    def __init__(self, assignment: Assignment, step: str) -> None:
        """Start the task, and return once it works."""
        assignment.forget(step)
        told, tells = PROCESSES.Pipe(duplex=False)
        self._process = PROCESSES.Process(target=perform, args=(assignment, step, tells), daemon=True)
        self._process.start()
        tells.close()
        assert told.poll(TASK_SECONDS), f"{step} did not begin"
        told.recv()
        told.close()
        self.began = time.monotonic()

    def is_working(self) -> bool:
        """Tell whether it has not ended yet."""
        return self._process.is_alive()

    def kill(self) -> bool:
        """SIGKILL the process; tell whether it was still there."""
        assert self._process.pid is not None
        if self._process.is_alive():
            os.kill(self._process.pid, signal.SIGKILL)
        return self.code() == -signal.SIGKILL

    def code(self) -> int:
        """Wait for its end and return its exit code, negative where a signal ended it."""
        self._process.join(TASK_SECONDS)
        assert self._process.exitcode is not None, "a task hangs"
        return self._process.exitcode


Starting = Callable[[], TaskProcess]
Watch = Callable[[str, Starting], TaskProcess]
"""Called for every task with a function that starts it; returns its process."""


def undisturbed(_: str, start: Starting) -> TaskProcess:
    """Start a task and leave it alone."""
    return start()


@dataclass
class AirflowRun:
    """One run of the DAG.

    Attributes:
        given: What its tasks know.
        watch: Who starts its tasks, to kill something meanwhile.
        tries: How often each task was tried.
        retries: How often a task is tried again.
    """

    given: Assignment
    watch: Watch = undisturbed
    tries: dict[str, int] = field(default_factory=dict)
    retries: int = RETRIES

    def go(self) -> bool:
        """Run every task that has no result yet; tell whether all of them succeeded."""
        self.given.xcom.mkdir(parents=True, exist_ok=True)
        well = all(self._done(step) for step in self._until_published())
        if self.given.result("open") is None:
            return False
        if self.given.result("plan") is not None:
            well = self._done("load") and self._done("report") and well
        return self._done("finalise") and well

    def failures(self) -> dict[str, str]:
        """Return what each task that failed said."""
        told = {file.stem: self.given.failure(file.stem) for file in self.given.xcom.glob("*.failure")}
        return {step: failure["message"] for step, failure in told.items() if failure}

    def clear(self) -> None:
        """Forget every task, as clearing the whole run does."""
        shutil.rmtree(self.given.xcom)
        self.tries.clear()

    def _until_published(self) -> Iterator[str]:
        yield from ("open", "find_tenants")
        yield from (f"extract-{tenant}" for tenant in self.given.result("find_tenants")["chosen"])
        yield from ("employees", "seal", "build", *VALIDATIONS, "plan", "publish")

    def _done(self, step: str) -> bool:
        """Bring a task to its end; the first one is never tried again (the DAG says so)."""
        if self.given.result(step) is not None:
            return True
        for _ in range(1 if step == "open" else 1 + self.retries):
            self.tries[step] = self.tries.get(step, 0) + 1
            code = self.watch(step, lambda: TaskProcess(self.given, step)).code()
            if code == 0:
                return True
            failure = self.given.failure(step)
            assert code == -signal.SIGKILL or failure is not None, self._log()
            if failure is not None and not failure["passing"]:
                return False
        return False

    def _log(self) -> str:
        return (self.given.xcom / "log.txt").read_text(encoding="utf-8", errors="replace")[-4000:]
