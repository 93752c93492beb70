"""A set of ids in eight bytes each, asked and filled many at a time.

It keeps 64-bit hashes. That two of a million different ids share one has a probability of 3e-8; the
later of them would count as a duplicate, and the control total would not agree.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
_Hashes = npt.NDArray[np.int64]


def _hashes(ids: Sequence[str | None]) -> _Hashes:
    return np.fromiter(map(hash, ids), dtype=np.int64, count=len(ids))


def _missing(ids: Sequence[str | None]) -> Mask:
    return np.fromiter((value is None for value in ids), dtype=np.bool_, count=len(ids))


class IdSet:
    """Grows by whole chunks; sorted runs are merged so that there are few of them."""

    def __init__(self) -> None:
        """Start empty."""
        self._runs: list[_Hashes] = []
        self._nulls = 0

    def __len__(self) -> int:
        """Return how many different ids there are; a missing id is different from every other."""
        return sum(map(len, self._runs)) + self._nulls

    def contains(self, ids: Sequence[str | None]) -> Mask:
        """Return for each id whether it is in the set; a missing id never is."""
        hashes = _hashes(ids)
        order = np.argsort(hashes)
        found = np.zeros(len(ids), dtype=np.bool_)
        found[order] = self._has(hashes[order])
        return found & ~_missing(ids) if None in ids else found

    def add(self, ids: Sequence[str | None]) -> Mask:
        """Add ids and return for each whether it is new; the first of equal ones is."""
        hashes, first = np.unique(_hashes(ids), return_index=True)
        unseen = ~self._has(hashes)
        new = np.zeros(len(ids), dtype=np.bool_)
        new[first[unseen]] = True
        if None in ids:
            missing = _missing(ids)
            self._nulls += int(missing.sum())
            unseen &= ~missing[first]
            new |= missing
        self._merge(hashes[unseen])
        return new

    def _has(self, hashes: _Hashes) -> Mask:
        """Return which hashes are in the set. They must be in order: so each look begins near the last one."""
        found = np.zeros(len(hashes), dtype=np.bool_)
        for run in self._runs:
            places = np.searchsorted(run, hashes)
            places[places == len(run)] = 0
            found |= run[places] == hashes
        return found

    def _merge(self, run: _Hashes) -> None:
        if not len(run):
            return
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)
