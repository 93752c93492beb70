"""Writes what was read by id as the four datasets of a tenant, just as a whole read of the tenant writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.extract.datasets import DatasetFacts
from certrecon.extract.fields import CERTIFICATES, LINKS, LOOKUPS, EntityFields, person_fields
from certrecon.extract.hinted.rows import Viewed
from certrecon.extract.keeping import Certificates, FinishedRead, Links
from certrecon.extract.lookups import Lookup, Outcome, judge, lookups_table
from certrecon.extract.taking import DatasetTaker, Keep

if TYPE_CHECKING:
    from certrecon.extract.hinted.read import HintedRead


@dataclass(slots=True)
class TenantRows:
    """What was read that concerns one tenant.

    Attributes:
        viewed: What each certificate's view answered, those included that lie elsewhere or are gone.
        known: Certificates that earlier runs knew in this tenant.
        links: Pages of links of these certificates; rows of other tenants among them.
        persons: Pages of one person.
    """

    viewed: dict[str, Viewed] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    links: list[bytes] = field(default_factory=list)
    persons: list[bytes] = field(default_factory=list)

    def add_certificate(self, seen: Viewed, *, known_here: bool, links: list[bytes]) -> None:
        """Take a certificate and its links."""
        self.viewed[seen.row_id] = seen
        if known_here:
            self.known.add(seen.row_id)
        self.links += links

    def add_person(self, seen: Viewed) -> None:
        """Take a person whom 4HSE has."""
        if seen.body is not None:
            self.persons.append(seen.body)


class _TenantWriting:
    """Writes one tenant; an object a tenant."""

    def __init__(self, request: HintedRead, tenant: str, rows: TenantRows, since: datetime, until: datetime) -> None:
        self._request = request
        self._tenant = tenant
        self._rows = rows
        self._since = since
        self._until = until

    def write(self) -> tuple[DatasetFacts, ...]:
        with closing(Certificates()) as certificates:
            return self._written(certificates)

    def _written(self, certificates: Certificates) -> tuple[DatasetFacts, ...]:
        here = [one.body for one in self._rows.viewed.values() if one.body is not None and self._lies_here(one)]
        certificates.read = self._taken(CERTIFICATES, certificates.keep, here)
        links, health_ids, found = self._links(certificates)
        with self._request.write.open_dataset(CERTIFICATES.dataset, CERTIFICATES.schema) as out:
            certificates.write(out, None if self._request.publish_health else health_ids)
        own = certificates.read.facts(CERTIFICATES.dataset, out.address, 1)
        return own, links, self._persons(), self._lookups(found)

    def _lies_here(self, seen: Viewed) -> bool:
        return seen.values.get("tenant_id") in {None, self._tenant}

    def _taken(self, fields: EntityFields, keep: Keep, pages: Iterable[bytes]) -> FinishedRead:
        taker = DatasetTaker(fields, self._tenant, keep)
        count = 0
        for page in pages:
            taker.take(page)
            count += 1
        taker.flush()
        return FinishedRead(taker, len(taker.seen), count, self._since, self._until)

    def _links(self, certificates: Certificates) -> tuple[DatasetFacts, set[str | None], dict[str, Lookup]]:
        with self._request.write.open_dataset(LINKS.dataset, LINKS.schema) as out:
            links = Links(out, certificates, publish_health=self._request.publish_health)
            read = self._taken(LINKS, _of_these(self._rows.viewed, links.keep), self._rows.links)
            gone = {one for one in self._rows.known if not certificates.read.taker.seen.contains([one])[0]}
            found = {one: self._looked_up(one) for one in sorted(gone | links.dangling_ids)}
            links.write_dangling(found)
        return read.facts(LINKS.dataset, out.address, 1), links.health_ids, found

    def _looked_up(self, certificate_id: str) -> Lookup:
        seen = self._rows.viewed[certificate_id]
        return judge(None if seen.body is None else seen.values, certificate_id, self._tenant)

    def _persons(self) -> DatasetFacts:
        fields = person_fields(self._request.person_field)
        with self._request.write.open_dataset(fields.dataset, fields.schema) as out:
            read = self._taken(fields, lambda ours, _foreign: out.write(ours), self._rows.persons)
        return read.facts(fields.dataset, out.address, 1)

    def _lookups(self, found: dict[str, Lookup]) -> DatasetFacts:
        gone = {one: lookup for one, lookup in found.items() if lookup.outcome is not Outcome.PRESENT}
        table = lookups_table(self._tenant, gone, self._rows.known)
        with self._request.write.open_dataset("lookups", LOOKUPS) as out:
            out.write(table)
        return DatasetFacts("lookups", out.address, len(table), 0, 0, None, (), self._since, self._until, 1, len(table))


def _of_these(certificates: Iterable[str], keep: Keep) -> Callable[[pa.Table, pa.Table], None]:
    """Return a keeper of the links of certificates that were asked for, should 4HSE give others too."""
    asked = pa.array(sorted(certificates), pa.string())

    def keep_own(ours: pa.Table, foreign: pa.Table) -> None:
        keep(*(table.filter(pc.is_in(table.column("certificate_id"), value_set=asked)) for table in (ours, foreign)))

    return keep_own


def write_tenant(
    request: HintedRead, tenant: str, rows: TenantRows, since: datetime, until: datetime
) -> tuple[DatasetFacts, ...]:
    """Write certificates, links, persons and lookups of a tenant.

    Args:
        request: What to read.
        tenant: The tenant.
        rows: What was read that concerns it.
        since: When reading began.
        until: When it ended.
    """
    return _TenantWriting(request, tenant, rows, since, until).write()
