"""What the sandbox was asked: counters an endpoint, every writing request with its body, the last lists."""

from __future__ import annotations

import datetime as dt
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

_LISTS_KEPT = 1000


@dataclass
class Write:
    """One writing request as received, and what it was answered with.

    Attributes:
        status: The status that was sent.
        answer_type: The content type that was sent.
        answered: Whether the answer went out whole, to a client that was still there.
    """

    number: int
    at: str
    endpoint: str
    method: str
    path: str
    content_type: str
    body: bytearray = field(default_factory=bytearray)
    status: int | None = None
    answer_type: str = ""
    answered: bool = False


@dataclass
class EndpointCount:
    """The requests one endpoint has had."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    in_flight: int = 0
    most_in_flight: int = 0
    header_names: set[str] = field(default_factory=set)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "requests": self.requests,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "most_in_flight": self.most_in_flight,
            "header_names": sorted(self.header_names),
        }


@dataclass(frozen=True)
class Asked:
    """What one `index` request asked for, its body and query as one object."""

    entity: str
    body: dict[str, Any]


class Journal:
    """Counters, writes and lists since the last `clear`."""

    def __init__(self) -> None:
        """Start empty."""
        self.endpoints: dict[str, EndpointCount] = {}
        self.writes: list[Write] = []
        self.lists: deque[Asked] = deque(maxlen=_LISTS_KEPT)

    def clear(self) -> None:
        """Forget everything."""
        self.endpoints.clear()
        self.writes.clear()
        self.lists.clear()

    def begin(self, endpoint: str) -> EndpointCount:
        """Count a request that has come in."""
        count = self.endpoints.setdefault(endpoint, EndpointCount())
        count.requests += 1
        count.in_flight += 1
        count.most_in_flight = max(count.most_in_flight, count.in_flight)
        return count

    def write(self, endpoint: str, method: str, path: str, content_type: str) -> Write:
        """Record a writing request; its body and status are filled in as they come."""
        at = dt.datetime.now(dt.UTC).isoformat()
        entry = Write(len(self.writes) + 1, at, endpoint, method, path, content_type)
        self.writes.append(entry)
        return entry
