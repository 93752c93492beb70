"""Stage load: claims into PostgreSQL, all new, unchanged and 1 % changed, against raw COPY, pandas and dlt."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from benchmarks.bench_env import peer_python
from benchmarks.choices import Choices
from benchmarks.databases import Databases, postgres
from benchmarks.measuring import Variant, side_by_side
from benchmarks.names import Load
from benchmarks.prepared_nights import LOADED_COLUMNS, Kind, prepared_nights
from benchmarks.results import Measurement

DATABASE = "scratch"


class Loading:
    """The variants of one size."""

    def __init__(self, nights: Path, databases: Databases, choices: Choices) -> None:
        """Take the prepared nights and their server."""
        self._nights, self._databases, self._choices = nights, databases, choices
        self._scratch = nights / "scratch"
        self._address = databases.url(DATABASE)
        self._python = peer_python(wanted=choices.peers)

    def variants(self, kind: Kind) -> list[Variant]:
        """Return who loads a night: ours, and both COPYs of all rows, which every night is held against."""
        found = [*self._ours(kind), *self._raw()]
        if kind is Kind.FIRST:
            found += [self._pandas(), self._dlt(Load.DLT, "append")]
        if kind is Kind.CHANGED:
            found.append(self._dlt(Load.DLT_MERGE, "merge"))
        fresh = self._fresh(kind)
        return [replace(one, prepare=fresh, watched=self._databases.pid) for one in found]

    def _ours(self, kind: Kind) -> list[Variant]:
        arguments = (str(self._nights), str(self._scratch), kind, self._address)
        return [
            Variant(name, "benchmarks.ours.load", (*arguments, what), self._choices.rounds, ours=True)
            for name, what in ((Load.TASK, "task"), (Load.CLAIMS, "claims"))
        ]

    def _raw(self) -> list[Variant]:
        arguments = (self._address, str(self._nights / "claims.csv"), ", ".join(LOADED_COLUMNS))
        return [
            Variant(name, "benchmarks.peers.raw_copy", (*arguments, what), self._choices.rounds, ours=True)
            for name, what in ((Load.PLAIN, "plain"), (Load.INDEXED, "indexed"))
        ]

    def _pandas(self) -> Variant:
        arguments = (self._address, str(self._nights / "claims.parquet"))
        return Variant(Load.PANDAS, "benchmarks.peers.to_sql", arguments, self._choices.slow_rounds, ours=True)

    def _dlt(self, name: str, how: str) -> Variant:
        arguments = (self._address, str(self._nights / "claims.parquet"), str(self._scratch), how)
        return Variant(name, "benchmarks.peers.dlt_load", arguments, self._choices.slow_rounds, self._python)

    def _fresh(self, kind: Kind) -> Callable[[], None]:
        """Return what puts the warehouse back to where the night had just published."""

        def prepare() -> None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._databases.create(DATABASE, f"{kind}_published")

        return prepare


def measure(size: int, choices: Choices, data: Path, kinds: Iterable[Kind] = Kind) -> list[Measurement]:
    """Measure one size."""
    nights, found = prepared_nights(size, choices.tenants, data), []
    with postgres(nights) as databases:
        loading = Loading(nights, databases, choices)
        for kind in kinds:
            found += side_by_side(Load.PARTS[kind], size, loading.variants(kind))
        databases.drop(DATABASE)
    shutil.rmtree(nights / "scratch", ignore_errors=True)
    return found
