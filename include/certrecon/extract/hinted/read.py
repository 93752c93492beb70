"""One reading of what hints point at, written as the datasets of a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from certrecon.api.fourhse import FourHseClient
from certrecon.api.paging import UnstableReadError
from certrecon.errors import CertreconError, IncompleteReadError
from certrecon.extract.crew import each
from certrecon.extract.datasets import DatasetFacts, DatasetWriter
from certrecon.extract.fields import person_fields
from certrecon.extract.hinted.around import Around
from certrecon.extract.hinted.refused import is_refusal
from certrecon.extract.hinted.rows import Bodies, Viewed, links_of
from certrecon.extract.hinted.tenant import TenantRows, write_tenant
from certrecon.extract.hinted.wanted import Known, Wanted


@dataclass(frozen=True, slots=True)
class HintedRead:
    """What to read.

    Attributes:
        wanted: What hints point at.
        known: What earlier runs knew.
        tenants: The tenants of the settings, or that 4HSE lists; nothing of others is kept.
        write: Where the datasets go.
        person_field: The person's field that holds the employee number.
        page_size: Rows asked for a page; the server may clamp it.
        concurrency: Requests at a time.
        publish_health: Whether HEALTH is published on purpose; else its names are dropped.
    """

    wanted: Wanted
    known: Known
    tenants: tuple[str, ...]
    write: DatasetWriter
    person_field: str = "code"
    page_size: int = 100
    concurrency: int = 4
    publish_health: bool = False


@dataclass(frozen=True, slots=True)
class HintedExtract:
    """What was read.

    Attributes:
        certificates: The ids that were looked at and that the run may speak of, in their order.
        numbers: Every employee number that turned up, in their order.
        datasets: What was written, by tenant.
        left_out: Ids that hints name and 4HSE refused, in their order; the run does not speak of them.
    """

    certificates: tuple[str, ...]
    numbers: tuple[str, ...]
    datasets: dict[str, tuple[DatasetFacts, ...]]
    left_out: tuple[str, ...]


class _Reading:
    """One reading; an object each."""

    def __init__(self, client: FourHseClient, request: HintedRead) -> None:
        self._client = client
        self._request = request
        person = person_fields(request.person_field)
        self._around = Around(client, request.known, person, request.page_size, request.concurrency)
        self._links: dict[str, Bodies] = {}
        self._listed = frozenset(request.tenants)

    async def read(self) -> HintedExtract:
        since = datetime.now(UTC)
        await self._around.read(self._request.wanted)
        ours = sorted(filter(self._is_ours, self._around.certificates))
        await each(ours, self._read_links, self._request.concurrency)
        certificates = [one for one in ours if one in self._links]
        until = datetime.now(UTC)
        tenants = self._by_tenant(certificates)
        datasets = {name: write_tenant(self._request, name, rows, since, until) for name, rows in tenants.items()}
        around = self._around
        return HintedExtract(
            tuple(certificates), tuple(sorted(around.numbers)), datasets, tuple(sorted(around.left_out))
        )

    async def _read_links(self, certificate_id: str) -> None:
        try:
            self._links[certificate_id] = await links_of(self._client, certificate_id, self._request.page_size)
        except CertreconError as error:
            if not (self._is_unheard_of(certificate_id) and is_refusal(error, certificate_id)):
                raise
            self._around.left_out.append(certificate_id)

    def _is_unheard_of(self, certificate_id: str) -> bool:
        """Return whether nothing but a hint knows a certificate: 4HSE has none, and no run ever knew it."""
        around = self._around
        gone = around.certificates[certificate_id].body is None
        return gone and certificate_id in around.named and certificate_id not in around.known_tenants

    def _is_ours(self, certificate_id: str) -> bool:
        """Return whether the run may speak of a certificate: it lies in a tenant of ours, or it did, or it is gone."""
        seen = self._around.certificates[certificate_id]
        known = self._around.known_tenants.get(certificate_id)
        if seen.body is None:
            return known is None or known in self._listed
        return seen.values["tenant_id"] in self._listed or known in self._listed

    def _by_tenant(self, certificates: list[str]) -> dict[str, TenantRows]:
        """Return what was read and what is gone, by tenant, the tenants in their order."""
        found: dict[str, TenantRows] = {}
        for certificate_id in certificates:
            seen, links = self._around.certificates[certificate_id], self._links[certificate_id]
            known = self._around.known_tenants.get(certificate_id)
            told = {seen.values.get("tenant_id"), known, *links.values("tenant_id")}
            for tenant in self._listed.intersection(told):
                rows = found.setdefault(tenant, TenantRows())
                rows.add_certificate(seen, known_here=known == tenant, links=links.pages)
        for person in self._around.persons.values():
            for home in self._listed.intersection(self._homes(person)):
                found.setdefault(home, TenantRows()).add_person(person)
        return dict(sorted(found.items()))

    def _homes(self, person: Viewed) -> set[str | None]:
        """Return the tenant of a person; where 4HSE leaves it out, those of the certificates that name the person."""
        told = person.values.get("project_id")
        if told is not None:
            return {told}
        seen = (one.values for one in self._around.certificates.values())
        return {values.get("tenant_id") for values in seen if values.get("resource_id") == person.row_id}


async def read_hinted(client: FourHseClient, request: HintedRead) -> HintedExtract:
    """Read what hints point at, and whatever must be judged with it.

    Raises:
        IncompleteReadError: An index did not agree with itself in three reads.
        CertreconError: 4HSE could not be reached, or refused; the leaf says what can be done.
    """
    try:
        return await _Reading(client, request).read()
    except UnstableReadError as error:
        message = f"What 4HSE was asked for by id did not fit together: {error}. Run again"
    raise IncompleteReadError(message)
