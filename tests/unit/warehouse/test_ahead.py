"""Items made ahead of their use: all of them, in their order, one at a time, and errors where they belong."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from certrecon.warehouse.ahead import ahead

WAIT = 10


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([], id="none"),
        pytest.param([7], id="one"),
        pytest.param([None, 0, "", 3], id="empty ones are items too"),
        pytest.param(list(range(1000)), id="many"),
    ],
)
def test_every_item_comes_in_its_order(items: list[object]) -> None:
    assert list(ahead(iter(items))) == items


def test_the_next_item_is_made_while_one_is_used() -> None:
    made_second = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made_second.set()
        yield 2

    for item in ahead(items()):
        assert item == 2 or made_second.wait(WAIT)


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    broken = ahead(items())
    assert next(broken) == 1
    with pytest.raises(ValueError, match="broken"):
        next(broken)


def test_whoever_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    stopped = ahead(iter(range(10)))
    assert next(stopped) == 0
    stopped.close()
    assert threading.active_count() == before
