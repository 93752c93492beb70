"""Two runs started at once on one target: the later one takes it over, and nothing is lost or sent twice."""

from __future__ import annotations

import random
import threading
import time

import pytest

from tests.contract import warehouse as sql
from tests.kill.ground import SETTLED, Ground
from tests.kill.runs import TASK_SECONDS, AirflowRun, Phase, Starting, TaskProcess
from tests.kill.vendor import CERTIFICATES, Point


def test_a_run_that_is_taken_over_while_it_sends(ground: Ground) -> None:
    """The second run opens while an answer to the first is held back; it sends only once the first has stopped."""
    ground.put_back(SETTLED)
    first, second = ground.run(), ground.run()
    publishes = threading.Event()

    def told(step: str, start: Starting) -> TaskProcess:
        process = start()
        if step == "publish":
            publishes.set()
        return process

    def held(step: str, start: Starting) -> TaskProcess:
        if step != "publish":
            return start()
        with ground.vendor.holding(CERTIFICATES, Point.PROCESSED, skip=1):
            process = start()
            while not ground.vendor.held.exists():
                assert process.is_working(), "nothing was sent"
            later.start()
            assert publishes.wait(TASK_SECONDS), second.failures()
            time.sleep(1)
        return process

    first.watch, second.watch = held, told
    later = threading.Thread(target=second.go)
    assert not first.go()
    later.join()
    assert second.given.result("finalise") is not None, second.failures()
    must_have_been_taken_over(ground, first)
    assert ground.problems(0) == []


def test_two_publishers_of_one_run(ground: Ground) -> None:
    """A scheduler that dies alone leaves its task behind, and the next one starts the task again."""
    ground.put_back(Phase.PUBLISHING)
    run = ground.run(run_id="disturbed")

    def watched(step: str, start: Starting) -> TaskProcess:
        if step != "publish" or run.tries[step] > 1:
            return start()
        with ground.vendor.holding(CERTIFICATES, Point.PROCESSED, skip=1):
            orphan = start()
            while not ground.vendor.held.exists():
                assert orphan.is_working(), "nothing was sent"
            second = TaskProcess(run.given, "publish")
            time.sleep(1)
        orphan.code()
        return second

    run.watch = watched
    assert run.go(), run.failures()
    assert ground.problems(0) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_two_runs_at_once(ground: Ground, seed: int) -> None:
    """They start within a second of each other; the seed says when."""
    ground.put_back(SETTLED)
    runs = [ground.run(), ground.run()]
    threads = [threading.Thread(target=run.go) for run in runs]
    threads[0].start()
    time.sleep(random.Random(seed).random())
    threads[1].start()
    for thread in threads:
        thread.join()
    lost = [run for run in runs if run.given.result("finalise") is None]
    assert len(lost) == 1, [run.failures() for run in runs]
    must_have_been_taken_over(ground, lost[0])
    assert ground.problems(0) == []


def must_have_been_taken_over(ground: Ground, run: AirflowRun) -> None:
    """Check that the run is on the record as abandoned, and that its tasks say so."""
    with ground.engine() as engine:
        rows = sql.rows(engine, "SELECT run_seq, status, failure FROM reconciliation.run ORDER BY run_seq")[-2:]
    assert rows[0]["status"] == "failed"
    assert rows[1]["status"] in {"succeeded", "succeeded_with_rejects"}
    assert rows[0]["failure"] == f"abandoned: run {rows[1]['run_seq']} took the target over"
    said = list(run.failures().values())
    assert said
    assert all("clear the whole run" in failure for failure in said), said
