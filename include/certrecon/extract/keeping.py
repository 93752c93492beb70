"""Certificates and links on their way to a file: no name of anything HEALTH gets there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.extract.datasets import DatasetFacts, DatasetFile
from certrecon.extract.fields import CERTIFICATES
from certrecon.extract.health import health_rows, without_names
from certrecon.extract.lookups import Lookup
from certrecon.extract.taking import DatasetTaker
from certrecon.extract.waiting import WaitingRows


@dataclass(slots=True)
class FinishedRead:
    """A whole read of one index."""

    taker: DatasetTaker
    total: int
    pages: int
    read_from: datetime
    read_to: datetime

    def facts(self, name: str, address: str, reads: int) -> DatasetFacts:
        """Return what the manifest says of it."""
        taker = self.taker
        return DatasetFacts(
            name=name,
            address=address,
            rows=taker.rows,
            foreign_rows=taker.foreign_rows,
            duplicate_rows=taker.duplicate_rows,
            without_id=taker.without_id,
            vendor_total=self.total,
            undocumented_fields=taker.undocumented,
            read_from=self.read_from,
            read_to=self.read_to,
            reads=reads,
            pages=self.pages,
        )


@dataclass(slots=True)
class Certificates:
    """One read of the certificates, waiting for the links before any name may be written.

    Attributes:
        waiting: The rows.
        health_ids: Certificates that are HEALTH themselves, those of other tenants too.
        foreign_ids: Certificates of other tenants that the index gave.
    """

    waiting: WaitingRows = field(default_factory=lambda: WaitingRows(CERTIFICATES.schema, "name"))
    health_ids: set[str | None] = field(default_factory=set)
    foreign_ids: set[str | None] = field(default_factory=set)
    read: FinishedRead = field(init=False)

    def keep(self, ours: pa.Table, foreign: pa.Table) -> None:
        """Take a chunk."""
        for table in (ours, foreign):
            self.health_ids.update(table.column("certificate_id").filter(health_rows(table)).to_pylist())
        self.foreign_ids.update(foreign.column("certificate_id").to_pylist())
        self.waiting.add(ours)

    def close(self) -> None:
        """Forget the rows."""
        self.waiting.close()

    def missing(self, ids: list[str | None]) -> list[str]:
        """Return those of the ids that are no certificate of the tenant."""
        there = self.read.taker.seen.contains(ids)
        return [
            one
            for one, seen in zip(ids, there.tolist(), strict=True)
            if one is not None and (not seen or one in self.foreign_ids)
        ]

    def write(self, out: DatasetFile, private: set[str | None] | None) -> None:
        """Write the rows; the names of `private` certificates are dropped (None: of none)."""
        values = _values(private or ())
        for rows in self.waiting.tables():
            if private is None:
                out.write(rows)
                continue
            about_health = pc.or_(health_rows(rows), pc.is_in(rows.column("certificate_id"), value_set=values))
            out.write(without_names(rows, about_health, ("name",)))


class Links:
    """One read of the links: written as they come, but for dangling ones, which wait for their lookups."""

    def __init__(self, out: DatasetFile, certificates: Certificates, *, publish_health: bool) -> None:
        """Start one read into `out`, after these certificates."""
        self.health_ids: set[str | None] = set()
        self.dangling_ids: set[str] = set()
        self._out = out
        self._certificates = certificates
        self._publish_health = publish_health
        self._private = _values(certificates.health_ids)
        self._dangling: list[pa.Table] = []

    def keep(self, ours: pa.Table, foreign: pa.Table) -> None:
        """Take a chunk: write it, but for what dangles."""
        for table in (ours, foreign):
            self.health_ids.update(table.column("certificate_id").filter(health_rows(table)).to_pylist())
        dangling = set(self._certificates.missing(ours.column("certificate_id").to_pylist()))
        if dangling:
            waits = pc.is_in(ours.column("certificate_id"), value_set=pa.array(sorted(dangling), pa.string()))
            self._dangling.append(ours.filter(waits))
            self.dangling_ids |= dangling
            ours = ours.filter(pc.invert(waits))
        self._write(ours, self._private)

    def write_dangling(self, found: dict[str, Lookup]) -> None:
        """Write the links that waited, now that 4HSE said whether their certificates are about HEALTH."""
        private = _values({one for one, lookup in found.items() if lookup.health} | self._certificates.health_ids)
        for table in self._dangling:
            self._write(table, private)

    def _write(self, table: pa.Table, private: pa.Array) -> None:
        if not self._publish_health:
            about_health = pc.or_(health_rows(table), pc.is_in(table.column("certificate_id"), value_set=private))
            table = without_names(table, about_health, ("action_name", "action_code"))
        self._out.write(table)


def _values(ids: Iterable[str | None]) -> pa.Array:
    """Return ids as what a column is held against; a missing id is none."""
    return pa.array([one for one in ids if one is not None], pa.string())
