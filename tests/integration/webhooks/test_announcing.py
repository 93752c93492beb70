"""Telling Airflow of waiting hints: not for each, always after the last, and again where it did not work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import Hint, add_hints
from certrecon.words import ChangeEvent
from certrecon_plugin.pages.warehouse import Warehouse
from certrecon_plugin.webhooks.announcing import Announcer, Pace
from tests.integration.pages.conftest import CONNECTION, as_connection

PACE = Pace(pause=0.4, again=0.1, repeat=1.5, later=6)
Announcers = Callable[[Callable[[int], bool]], Announcer]


@pytest.fixture
def announcers(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Announcers]:
    """A function that makes an announcer on a fresh warehouse; it is not started yet."""
    monkeypatch.setenv(CONNECTION, as_connection(warehouse_url))
    made: list[Announcer] = []

    def make(announce: Callable[[int], bool]) -> Announcer:
        made.append(Announcer(Warehouse(), announce, PACE))
        return made[-1]

    yield make
    for one in made:
        one.stop()


class Airflow:
    """Whoever is told, and what it says to that."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.told: list[int] = []
        self.answers = list(answers)

    def __call__(self, waiting: int) -> bool:
        self.told.append(waiting)
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer


def store(warehouse: Engine, count: int = 1) -> None:
    with transaction(warehouse) as conn:
        add_hints(conn, [Hint(ChangeEvent.PERSON_UPDATE, "p1")] * count)


def until(true: Callable[[], bool], seconds: float = 5) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)


def test_hints_that_wait_when_it_starts_are_told_of(warehouse: Engine, announcers: Announcers) -> None:
    store(warehouse, 3)
    airflow = Airflow()
    announcers(airflow).start()
    until(lambda: airflow.told == [3])


def test_without_waiting_hints_airflow_is_not_told(announcers: Announcers) -> None:
    airflow = Airflow()
    announcer = announcers(airflow)
    announcer.start()
    announcer.wake()
    time.sleep(2.5 * PACE.pause)
    assert airflow.told == []


def test_a_burst_is_told_of_few_times_and_once_more_after_its_last_hint(
    warehouse: Engine, announcers: Announcers
) -> None:
    airflow = Airflow()
    announcer = announcers(airflow)
    announcer.start()
    began = time.monotonic()
    for _ in range(40):
        store(warehouse)
        announcer.wake()
        time.sleep(0.03)
    took = time.monotonic() - began
    until(lambda: 40 in airflow.told)
    time.sleep(2 * PACE.pause)
    assert airflow.told[-1] == 40
    assert airflow.told.count(40) == 1
    assert len(airflow.told) <= 2 + took / PACE.pause


@pytest.mark.parametrize(
    "answers", [(False, False), (RuntimeError("the database is locked"),), (False, OSError())], ids=["no DAG is on", "a failure", "both"]
)  # fmt: skip
def test_where_airflow_could_not_be_told_it_is_told_again(
    warehouse: Engine, announcers: Announcers, answers: tuple[bool | Exception, ...]
) -> None:
    store(warehouse)
    airflow = Airflow(*answers)
    announcers(airflow).start()
    until(lambda: len(airflow.told) == len(answers) + 1)
    time.sleep(2 * PACE.pause)
    assert airflow.told == [1] * (len(answers) + 1)  # and then it is quiet


def test_while_the_warehouse_is_away_it_goes_on_trying(warehouse: Engine, announcers: Announcers) -> None:
    store(warehouse)
    away, back = "ALTER TABLE reconciliation.change_hint RENAME TO away", "ALTER TABLE reconciliation.away RENAME TO change_hint"  # fmt: skip
    with transaction(warehouse) as conn:
        conn.execute(text(away))
    airflow = Airflow()
    announcers(airflow).start()
    time.sleep(3 * PACE.again)
    assert airflow.told == []
    with transaction(warehouse) as conn:
        conn.execute(text(back))
    until(lambda: airflow.told == [1])


def test_a_hint_between_the_end_of_one_process_and_the_start_of_the_next_is_told_of(
    warehouse: Engine, announcers: Announcers
) -> None:
    first, second = Airflow(), Airflow()
    ended = announcers(first)
    ended.start()
    ended.stop()
    store(warehouse)
    ended.wake()
    announcers(second).start()
    until(lambda: second.told == [1])
    assert first.told == []


def test_hints_that_a_task_left_are_told_of_without_a_call(warehouse: Engine, announcers: Announcers) -> None:
    airflow = Airflow()
    announcers(airflow).start()
    store(warehouse, 2)
    until(lambda: airflow.told == [2])


def test_hints_that_still_wait_are_told_of_again_after_a_while(warehouse: Engine, announcers: Announcers) -> None:
    """The run that looked failed; nobody calls, and the hints are not forgotten until the night."""
    store(warehouse, 1)
    airflow = Airflow()
    announcers(airflow).start()
    until(lambda: airflow.told == [1])
    time.sleep(1)
    assert airflow.told == [1]
    until(lambda: airflow.told == [1, 1])


def test_hints_that_may_not_be_followed_yet_are_told_of_ever_less_often(
    warehouse: Engine, announcers: Announcers
) -> None:
    """Each telling starts a run; after a night that was refused they would be 140 a day, all of them for nothing."""
    store(warehouse)
    airflow = Airflow()
    announcers(airflow).start()
    until(lambda: airflow.told == [1, 1])
    time.sleep(2.5 * PACE.repeat)
    assert airflow.told == [1, 1]
    store(warehouse)
    until(lambda: airflow.told == [1, 1, 2])
    until(lambda: airflow.told == [1, 1, 2, 2])  # a new hint is told of again as soon as the first one was
    until(lambda: airflow.told == [1, 1, 2, 2, 2], PACE.later + 5)
