"""When to try again: shared by every reading request and by the publisher (design, *Extraction*)."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_EPOCH_FROM = 1_000_000_000
"""An `X-Rate-Limit-Reset` this large is a point in time, not a number of seconds."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long one call is tried.

    Attributes:
        attempts: Most tries of a call that ended in a 5xx, a broken connection or a time-out.
        rate_limited_attempts: Most tries of a call that was answered 429.
        base: Seconds before the second try; doubled for each one after it.
        cap: Most seconds that a wait of our own choice lasts.
        total: Most seconds that a call lasts, waits included.
    """

    attempts: int = 5
    rate_limited_attempts: int = 20
    base: float = 1.0
    cap: float = 60.0
    total: float = 600.0


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def asked_wait(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds an answer asks to wait, or None.

    `Retry-After` (seconds, or an HTTP date, measured against the answer's own `Date` so that a wrong
    clock does no harm), else `X-Rate-Limit-Reset` (seconds; a point in time if it is that large).
    """
    present = _moment(headers.get("Date")) or now or datetime.now(UTC)
    retry_after = headers.get("Retry-After")
    seconds = _seconds(retry_after)
    if seconds is not None:
        return seconds
    until = _moment(retry_after)
    if until is not None:
        return max(0.0, (until - present).total_seconds())
    reset = _seconds(headers.get("X-Rate-Limit-Reset"))
    if reset is not None and reset >= _EPOCH_FROM:
        return max(0.0, reset - present.timestamp())
    return reset


@dataclass(slots=True)
class Delays:
    """The waits of one call, from its first failure to giving up.

    Attributes:
        policy: The bounds.
        failed: Tries that ended in a 5xx, a broken connection or a time-out.
        limited: Tries that were answered 429.
    """

    policy: RetryPolicy
    clock: Callable[[], float] = time.monotonic
    failed: int = 0
    limited: int = 0
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the call's clock."""
        self._started = self.clock()

    @property
    def tries(self) -> int:
        """Tries that failed so far."""
        return self.failed + self.limited

    @property
    def left(self) -> float:
        """Seconds left of the call's whole time."""
        return self.policy.total - (self.clock() - self._started)

    def _backoff(self, tries: int) -> float:
        most = min(self.policy.cap, self.policy.base * 2.0 ** min(tries - 1, 30))
        return most * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    def next_wait(self, *, rate_limited: bool, asked: float | None = None) -> float | None:
        """Count a failed try and return the seconds to wait, or None when it was the last.

        Args:
            rate_limited: Whether the answer was 429.
            asked: What the answer asks to wait; zero is no help and backs off instead. A little
                jitter is added, so that those who wait together do not come back together.
        """
        if rate_limited:
            self.limited += 1
            used_up = self.limited >= self.policy.rate_limited_attempts
            backoff = self._backoff(self.limited)
        else:
            self.failed += 1
            used_up = self.failed >= self.policy.attempts
            backoff = self._backoff(self.failed)
        wait = asked * random.uniform(1.0, 1.05) if asked else backoff  # noqa: S311 - jitter
        return None if used_up or wait >= self.left else wait
