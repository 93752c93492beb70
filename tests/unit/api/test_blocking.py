"""Coroutines from ordinary code: when sessions open and close, and that they always close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Self

import pytest

from certrecon.api.blocking import Blocking


class Door:
    """A session that remembers whether it is open, and which of its kind it is."""

    made: list[Door]

    def __init__(self) -> None:
        self.open = False
        self.asked = 0
        Door.made.append(self)

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await asyncio.sleep(0)
        self.open = False

    async def ask(self) -> int:
        assert self.open
        self.asked += 1
        return self.asked

    async def fail(self) -> None:
        raise LookupError

    async def count(self) -> AsyncGenerator[int]:
        while True:
            yield await self.ask()


@pytest.fixture
def blocking() -> Blocking[Door]:
    Door.made = []
    return Blocking(Door)


def all_closed() -> bool:
    return not any(door.open for door in Door.made)


def test_each_call_alone_has_a_session_of_its_own(blocking: Blocking[Door]) -> None:
    assert [blocking.call(Door.ask), blocking.call(Door.ask)] == [1, 1]
    assert len(Door.made) == 2
    assert all_closed()


def test_calls_in_one_with_share_a_session(blocking: Blocking[Door]) -> None:
    with blocking:
        assert [blocking.call(Door.ask), blocking.call(Door.ask), next(blocking.iterate(Door.count))] == [1, 2, 3]
        assert Door.made[0].open
    assert len(Door.made) == 1
    assert all_closed()


def test_it_can_be_opened_again_but_not_twice_at_once(blocking: Blocking[Door]) -> None:
    with blocking, pytest.raises(RuntimeError, match="already open"), blocking:
        pass
    with blocking:
        assert blocking.call(Door.ask) == 1
    assert all_closed()


def test_a_failure_closes_the_session(blocking: Blocking[Door]) -> None:
    with pytest.raises(LookupError):
        blocking.call(Door.fail)
    with pytest.raises(LookupError), blocking:
        blocking.call(Door.fail)
    assert len(Door.made) == 2
    assert all_closed()


def test_leaving_an_iterator_early_closes_the_session(blocking: Blocking[Door]) -> None:
    numbers = blocking.iterate(Door.count)
    assert [next(numbers), next(numbers)] == [1, 2]
    assert Door.made[0].open
    numbers.close()  # type: ignore[attr-defined]
    assert all_closed()


def test_where_a_loop_runs_it_says_what_to_use(blocking: Blocking[Door]) -> None:
    async def main() -> None:
        blocking.call(Door.ask)

    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(main())
    assert Door.made == []
