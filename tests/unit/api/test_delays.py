"""How long to wait before trying again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from multidict import CIMultiDict

from certrecon.api.delays import Delays, RetryPolicy, asked_wait

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CASES = [
    ({"Retry-After": "7"}, 7.0, "seconds"),
    ({"Retry-After": " 2.5 "}, 2.5, "a fraction"),
    ({"retry-after": "0"}, 0.0, "zero"),
    ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30.0, "a date"),
    ({"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0.0, "a date in the past"),
    ({"Retry-After": "Sun, 01 Mar 2026 12:00:30"}, 30.0, "a date without zone"),
    (
        {"Retry-After": "Sun, 01 Mar 2026 18:00:30 GMT", "Date": "Sun, 01 Mar 2026 18:00:00 GMT"},
        30.0,
        "a date by the vendor's wrong clock",
    ),
    ({"X-Rate-Limit-Reset": "12"}, 12.0, "reset"),
    ({"X-Rate-Limit-Reset": str(int(NOW.timestamp()) + 9)}, 9.0, "reset as a point in time"),
    ({"Retry-After": "3", "X-Rate-Limit-Reset": "12"}, 3.0, "Retry-After counts first"),
    ({"Retry-After": "soon", "X-Rate-Limit-Reset": "12"}, 12.0, "a senseless Retry-After"),
    ({"Retry-After": "-5"}, None, "negative"),
    ({"Retry-After": "inf"}, None, "infinite"),
    ({"Retry-After": "nan"}, None, "not a number"),
    ({"Retry-After": "Sun, 99 Mar 2026 12:00:30 GMT"}, None, "no such date"),
    ({"X-Rate-Limit-Remaining": "0"}, None, "nothing said"),
]


@pytest.mark.parametrize(("headers", "expected", "_id"), CASES, ids=[name for *_, name in CASES])
def test_what_an_answer_asks_for(headers: dict[str, str], expected: float | None, _id: str) -> None:
    assert asked_wait(CIMultiDict(headers), NOW) == expected


def test_backoff_doubles_up_to_the_cap_with_jitter() -> None:
    delays = Delays(RetryPolicy(attempts=6, base=1.0, cap=4.0, total=1000.0))
    waits = [delays.next_wait(rate_limited=False) for _ in range(6)]
    assert waits[-1] is None
    for wait, most in zip(waits[:-1], [1.0, 2.0, 4.0, 4.0, 4.0], strict=True):
        assert wait is not None
        assert most / 2 <= wait <= most


def test_an_asked_wait_is_kept_and_zero_backs_off() -> None:
    delays = Delays(RetryPolicy(base=1.0, total=1000.0))
    asked = delays.next_wait(rate_limited=True, asked=90.0)
    assert asked is not None
    assert 90.0 <= asked <= 90.0 * 1.05
    zero = delays.next_wait(rate_limited=True, asked=0.0)
    assert zero is not None
    assert zero >= 0.5


def test_limits_and_failures_are_counted_apart() -> None:
    delays = Delays(RetryPolicy(attempts=2, rate_limited_attempts=3, base=0.0))
    assert delays.next_wait(rate_limited=True) is not None
    assert delays.next_wait(rate_limited=False) is not None
    assert delays.next_wait(rate_limited=True) is not None
    assert delays.next_wait(rate_limited=True) is None
    assert delays.next_wait(rate_limited=False) is None
    assert delays.tries == 5


def test_a_wait_longer_than_what_is_left_gives_up_at_once() -> None:
    now = [0.0]
    delays = Delays(RetryPolicy(total=100.0), clock=lambda: now[0])
    assert delays.next_wait(rate_limited=True, asked=50.0) is not None
    now[0] = 60.0
    assert delays.left == 40.0
    assert delays.next_wait(rate_limited=True, asked=50.0) is None
