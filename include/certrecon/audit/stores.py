"""Where the evidence of runs lies, found from what their rows say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from certrecon.evidence import RunEvidence
from certrecon.warehouse.runmodel import RunRecord

OpenRoot = Callable[[str], Any]
"""Makes a path-like of the address of an evidence store."""


class Stores:
    """The evidence stores that runs of a warehouse were written to."""

    def __init__(self, open_root: OpenRoot) -> None:
        """Take what opens a store's root."""
        self._open_root = open_root
        self._opened: dict[str, Any] = {}

    def root(self, address: str) -> Any:
        """Return the root of a store, opened once."""
        if address not in self._opened:
            self._opened[address] = self._open_root(address)
        return self._opened[address]

    def evidence_of(self, run: RunRecord) -> RunEvidence | None:
        """Return the evidence of a run, None where its row names none."""
        if run.evidence_uri is None:
            return None
        return RunEvidence(self.root(root_address(run.evidence_uri)), run.run_seq)

    def addresses(self, runs: Iterable[RunRecord], current: str | None) -> list[str]:
        """Return every store that a run was written to, and the one of the settings, in a fixed order."""
        found = {root_address(run.evidence_uri) for run in runs if run.evidence_uri}
        known = {_bare(address) for address in found}
        if current is not None and _bare(current) not in known:
            found.add(current)
        return sorted(found)


def root_address(evidence_uri: str) -> str:
    """Return the store of a run's evidence: the address above its folder."""
    return evidence_uri.rstrip("/").rsplit("/", 1)[0]


def _bare(address: str) -> str:
    return address.removeprefix("file://").rstrip("/")
