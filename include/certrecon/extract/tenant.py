"""One tenant read whole: certificates, then links, then persons (design, *Extraction*)."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import pyarrow as pa

from certrecon.api.fourhse import FourHseClient
from certrecon.api.paging import Page, Reads, UnstableReadError, read_pages, require_distinct
from certrecon.extract.datasets import DatasetFacts, DatasetWriter
from certrecon.extract.fields import CERTIFICATES, LINKS, LOOKUPS, EntityFields, person_fields
from certrecon.extract.keeping import Certificates, FinishedRead, Links
from certrecon.extract.lookups import Lookup, Outcome, TenantLookups, lookups_table
from certrecon.extract.taking import DatasetTaker, Keep

logger = logging.getLogger(__name__)

_LOOKAHEAD = 2
_SLICE = 65_536

Ids: TypeAlias = Iterable[str] | pa.Array | pa.ChunkedArray


@dataclass(frozen=True, slots=True)
class TenantRead:
    """What to read.

    Attributes:
        tenant_id: The 4HSE project.
        write: Where the datasets go.
        person_field: The person's field that holds the employee number.
        page_size: Rows asked for a page; the server may clamp it.
        concurrency: Requests at a time.
        publish_health: Whether HEALTH is published on purpose; else its names are dropped.
        known_ids: Certificates that the last run knew of in this tenant, wanted once the certificates are read.
    """

    tenant_id: str
    write: DatasetWriter
    person_field: str = "code"
    page_size: int = 100
    concurrency: int = 4
    publish_health: bool = False
    known_ids: Ids | Future[Ids] = ()


@dataclass(frozen=True, slots=True)
class TenantExtract:
    """What was read of one tenant."""

    tenant_id: str
    certificates: DatasetFacts
    links: DatasetFacts
    persons: DatasetFacts
    lookups: DatasetFacts

    @property
    def datasets(self) -> tuple[DatasetFacts, ...]:
        """All four, in the order in which they are read."""
        return (self.certificates, self.links, self.persons, self.lookups)


class _TenantReader:
    """Reads one tenant; an object a tenant."""

    def __init__(self, client: FourHseClient, request: TenantRead) -> None:
        self._client = client
        self._request = request
        self._lookups = TenantLookups(client, request.tenant_id, request.concurrency)

    async def extract(self) -> TenantExtract:
        # What waits for a later read is closed with all reads, also when one of them fails.
        with ExitStack() as waiting:
            return await self._extract(waiting)

    async def _extract(self, waiting: ExitStack) -> TenantExtract:
        certificate_reads, link_reads, person_reads = map(self._reads, ("certificates", "links", "persons"))
        while True:
            certificates = await certificate_reads.until_whole(
                lambda: self._certificates_once(certificate_reads, waiting)
            )
            try:
                written = await self._links_and_lookups(certificates, link_reads)
            except _CertificatesMissingError as error:
                reason = str(error)
            else:
                break
            certificate_reads.again(reason)
        links, health_ids, lookups = written
        with self._request.write.open_dataset(CERTIFICATES.dataset, CERTIFICATES.schema) as out:
            certificates.write(out, None if self._request.publish_health else health_ids)
        facts = certificates.read.facts(CERTIFICATES.dataset, out.address, certificate_reads.used)
        persons = await person_reads.until_whole(lambda: self._persons_once(person_reads))
        return TenantExtract(self._request.tenant_id, facts, links, persons, lookups)

    def _reads(self, dataset: str) -> Reads:
        return Reads(f"4HSE's {dataset} of tenant {self._request.tenant_id}")

    async def _read(self, fields: EntityFields, keep: Keep, reads: Reads) -> FinishedRead:
        """Read one index once, with its control total; rows without an id are believed when they come again."""
        request = self._request
        taker = DatasetTaker(fields, request.tenant_id, keep)
        read_from = datetime.now(UTC)

        async def fetch(number: int) -> Page:
            return await self._client.index(
                fields.entity,
                {fields.tenant_column: request.tenant_id},
                number,
                request.page_size,
                history=fields.history,
            )

        total, pages = await read_pages(fetch, taker, window=request.concurrency * _LOOKAHEAD)
        taker.flush()
        require_distinct(total, len(taker.seen))
        if taker.without_id and reads.used == 1:
            raise UnstableReadError(f"{taker.without_id:,} rows came without an id")
        return FinishedRead(taker, total, pages, read_from, datetime.now(UTC))

    async def _certificates_once(self, reads: Reads, waiting: ExitStack) -> Certificates:
        certificates = waiting.enter_context(closing(Certificates()))
        certificates.read = await self._read(CERTIFICATES, certificates.keep, reads)
        return certificates

    async def _links_and_lookups(
        self, certificates: Certificates, reads: Reads
    ) -> tuple[DatasetFacts, set[str | None], DatasetFacts]:
        absent = self._absent(certificates)

        async def once() -> tuple[DatasetFacts, set[str | None], DatasetFacts]:
            with self._request.write.open_dataset(LINKS.dataset, LINKS.schema) as out:
                links = Links(out, certificates, publish_health=self._request.publish_health)
                read = await self._read(LINKS, links.keep, reads)
                looked_up_from = datetime.now(UTC)
                found = await self._lookups.look_up(absent | links.dangling_ids)
                _require_gone(found)
                links.write_dangling(found)
            facts = read.facts(LINKS.dataset, out.address, reads.used)
            return facts, links.health_ids, self._write_lookups(found, absent, looked_up_from)

        return await reads.until_whole(once)

    def _absent(self, certificates: Certificates) -> set[str]:
        """Return the known certificates that the index did not give."""
        asked = self._request.known_ids
        known = asked.result() if isinstance(asked, Future) else asked
        if not isinstance(known, pa.Array | pa.ChunkedArray):
            known = pa.array(list(known), pa.string())
        slices = (known.slice(start, _SLICE).to_pylist() for start in range(0, len(known), _SLICE))
        return {one for part in slices for one in certificates.missing(part)}

    def _write_lookups(self, found: dict[str, Lookup], absent: set[str], since: datetime) -> DatasetFacts:
        table = lookups_table(self._request.tenant_id, found, absent)
        with self._request.write.open_dataset("lookups", LOOKUPS) as out:
            out.write(table)
        return DatasetFacts("lookups", out.address, len(table), 0, 0, None, (), since, datetime.now(UTC), 1, len(table))

    async def _persons_once(self, reads: Reads) -> DatasetFacts:
        fields = person_fields(self._request.person_field)
        with self._request.write.open_dataset(fields.dataset, fields.schema) as out:
            read = await self._read(fields, lambda ours, _foreign: out.write(ours), reads)
        return read.facts(fields.dataset, out.address, reads.used)


class _CertificatesMissingError(Exception):
    """`view/{id}` knows certificates of the tenant that its index did not give."""


def _require_gone(found: dict[str, Lookup]) -> None:
    present = [one for one, lookup in found.items() if lookup.outcome is Outcome.PRESENT]
    if present:
        raise _CertificatesMissingError(
            f"{len(present):,} certificates were not in the index although 4HSE has them, as {present[0]}"
        )


async def extract_tenant(client: FourHseClient, request: TenantRead) -> TenantExtract:
    """Read one tenant whole and write its four datasets.

    Raises:
        IncompleteReadError: A control total did not agree in three reads; the message has the numbers.
        CertreconError: 4HSE could not be reached, or refused; the leaf says what can be done.
    """
    return await _TenantReader(client, request).extract()
