"""From what hints point at to everything that must be judged together with it.

Who wins a certificate type, and whether a number is shared, depends on all claims of an employee number. So whatever
is known under a number that turns up, before or after the change, is read again as well, until nothing new turns up.
So is what Ditio holds under it, also where the certificate is gone: whether something else supports it may change now.

What 4HSE refuses of the ids that hints name is left out. Nothing that is read around the others may be: nobody is
judged by half of a number.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import pyarrow as pa

from certrecon.api.fourhse import FourHseClient
from certrecon.errors import CertreconError
from certrecon.extract.crew import each
from certrecon.extract.fields import CERTIFICATES, LINKS, EntityFields
from certrecon.extract.hinted.refused import is_refusal
from certrecon.extract.hinted.rows import Viewed, certificates_of, view
from certrecon.extract.hinted.wanted import Known, Wanted
from certrecon.words import PERSON

_OF_CERTIFICATE = ("tenant_id", "resource_id", "resource_type", "action_type")


class Around:
    """Certificates and persons as they are now, and where the certificates were known to be.

    Attributes:
        certificates: What each certificate's view answered.
        persons: What each person's view answered.
        known_tenants: The tenant in which earlier runs knew a certificate.
        numbers: Every employee number that turned up.
        named: The certificates that hints name, by themselves or by a link.
        left_out: Ids that hints name and 4HSE refused.
    """

    def __init__(self, client: FourHseClient, known: Known, person: EntityFields, page_size: int, at_once: int) -> None:
        """Know nothing yet.

        Args:
            client: 4HSE.
            known: What earlier runs knew.
            person: The persons' dataset.
            page_size: Rows asked for a page.
            at_once: Requests at a time.
        """
        self.certificates: dict[str, Viewed] = {}
        self.persons: dict[str, Viewed] = {}
        self.known_tenants: dict[str, str] = {}
        self.numbers: set[str] = set()
        self.named: frozenset[str] = frozenset()
        self.left_out: list[str] = []
        self._client = client
        self._known = known
        self._person = person
        self._page_size = page_size
        self._at_once = at_once

    async def read(self, wanted: Wanted) -> None:
        """Read what hints point at, and whatever shares an employee number with it."""
        self.named = wanted.certificates | await self._of_links(wanted.links)
        certificates = await self._not_refused(self.named, self._view_certificate)
        of_persons, persons = await self._of_persons(wanted.persons)
        known = self._known.claims(persons=persons)
        await self._grow(certificates | of_persons | _texts(known, "certificate_id"), persons)

    async def _of_links(self, links: Iterable[str]) -> set[str]:
        found: set[str] = set()

        async def look(link_id: str) -> None:
            seen = await view(self._client, LINKS.entity, LINKS.id_column, link_id, ("certificate_id",))
            if certificate := seen.values.get("certificate_id"):
                found.add(certificate)

        await self._not_refused(links, look)
        return found

    async def _of_persons(self, persons: Iterable[str]) -> tuple[set[str], set[str]]:
        """Return the certificates of persons that hints name, and those of the persons that 4HSE did not refuse."""
        found: set[str] = set()

        async def look(person_id: str) -> None:
            certificates = await certificates_of(self._client, person_id, self._page_size)
            await self._view_person(person_id)
            found.update(certificates)

        seen = await self._not_refused(persons, look)
        return found, seen

    async def _not_refused(self, ids: Iterable[str], look: Callable[[str], Awaitable[None]]) -> set[str]:
        """Look at ids that hints name, and return those that 4HSE did not refuse."""
        seen: set[str] = set()

        async def try_one(row_id: str) -> None:
            try:
                await look(row_id)
            except CertreconError as error:
                if not is_refusal(error, row_id):
                    raise
                self.left_out.append(row_id)
            else:
                seen.add(row_id)

        await each(sorted(ids), try_one, self._at_once)
        return seen

    async def _grow(self, certificates: set[str], persons: set[str]) -> None:
        while certificates or persons:
            await each(sorted(certificates - set(self.certificates)), self._view_certificate, self._at_once)
            known = self._known.claims(certificates=certificates)
            self._remember(known)
            persons |= {one for one in map(self._person_of, certificates) if one is not None}
            await each(sorted(persons - set(self.persons)), self._view_person, self._at_once)
            certificates, persons = self._sharing(_texts(known, "employee_number") | self._numbers_of(persons))

    def _sharing(self, numbers: set[str]) -> tuple[set[str], set[str]]:
        """Return certificates and persons that are known under numbers that are new here, and were not read."""
        new = numbers - self.numbers
        self.numbers |= new
        if not new:
            return set(), set()
        known = self._known.claims(numbers=new)
        certificates = _texts(known, "certificate_id") | self._known.delivered(new)
        return certificates - set(self.certificates), self._known.persons(new) - set(self.persons)

    def _remember(self, known: pa.Table) -> None:
        ids, tenants = known.column("certificate_id").to_pylist(), known.column("tenant_id").to_pylist()
        self.known_tenants |= dict(zip(ids, tenants, strict=True))

    async def _view_certificate(self, certificate_id: str) -> None:
        entity, column = CERTIFICATES.entity, CERTIFICATES.id_column
        self.certificates[certificate_id] = await view(self._client, entity, column, certificate_id, _OF_CERTIFICATE)

    async def _view_person(self, person_id: str) -> None:
        number = self._person.columns["number"]
        fields = (self._person.tenant_column, number)
        entity, column = self._person.entity, self._person.id_column
        self.persons[person_id] = await view(self._client, entity, column, person_id, fields)

    def _person_of(self, certificate_id: str) -> str | None:
        """Return the person whose certificate this is, where its type does not say that it is of something else.

        Claims read the type the same way: blank is missing, anything but the very word is something else.
        """
        values = self.certificates[certificate_id].values
        kind = values.get("resource_type") or ""
        return values.get("resource_id") if kind == PERSON or not kind.strip() else None

    def _numbers_of(self, persons: Iterable[str]) -> set[str]:
        seen = [self.persons[one] for one in sorted(persons) if self.persons[one].body is not None]
        number = self._person.columns["number"]
        columns = [[one.row_id for one in seen], [one.values.get(number) for one in seen]]
        table = pa.table([pa.array(one, pa.string()) for one in columns], names=["person_id", "number"])
        return {one for one in self._known.numbers(table) if one is not None}


def _texts(table: pa.Table, name: str) -> set[str]:
    return {one for one in table.column(name).unique().to_pylist() if one is not None}
