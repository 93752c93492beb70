"""Which faults are switched on, where, and how often each has happened."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from certrecon_sandbox.faults.fault import Fault, FaultError


@dataclass
class Switched:
    """A fault that is switched on.

    Attributes:
        endpoint: The endpoint's name, or a pattern of names.
        fault: The kind with its parameters.
        times: How often it happens; None is always.
        after: How many requests it spares first.
        chance: How likely it is to happen to each request after those, from 0 to 1.
        seed: Decides which requests that are, where `chance` is below 1.
        number: Its number on the switchboard.
        seen: Requests of the endpoint since it was switched on.
        hits: How often it has happened.
    """

    endpoint: str
    fault: Fault
    times: int | None = None
    after: int = 0
    chance: float = 1.0
    seed: int = 0
    number: int = 0
    seen: int = 0
    hits: int = 0
    _draw: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Start the sequence of what is random."""
        self._draw = random.Random(f"fault:{self.seed}")

    def happens(self, endpoint: str) -> bool:
        """Count a request; tell whether the fault happens to it."""
        if not fnmatchcase(endpoint, self.endpoint) or not self.fault.fits(endpoint):
            return False
        self.seen += 1
        drawn = self._draw.random() < self.chance
        if self.seen <= self.after or not drawn or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        names = ("number", "endpoint", "times", "after", "chance", "seed", "seen", "hits")
        shown = {name: getattr(self, name) for name in names}
        return shown | {"kind": self.fault.kind} | self.fault.parameters()


class Switchboard:
    """The faults of one sandbox, in the order in which they were switched on."""

    def __init__(self) -> None:
        """Start with none."""
        self.switched: list[Switched] = []
        self._last = 0

    def add(self, fault: Switched) -> Switched:
        """Switch a fault on and give it a number."""
        self._last += 1
        fault.number = self._last
        self.switched.append(fault)
        return fault

    def remove(self, number: int) -> None:
        """Switch one fault off.

        Raises:
            FaultError: There is none of that number.
        """
        kept = [one for one in self.switched if one.number != number]
        if len(kept) == len(self.switched):
            raise FaultError(f"no fault has the number {number}")
        self.switched = kept

    def clear(self) -> None:
        """Switch every fault off."""
        self.switched = []

    def happening(self, endpoint: str) -> list[Switched]:
        """Count a request of an endpoint, and return the faults that happen to it."""
        return [one for one in self.switched if one.happens(endpoint)]
