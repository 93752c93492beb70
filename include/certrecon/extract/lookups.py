"""Certificates that ought to be there, looked up one by one (design, *Extraction*)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from certrecon.api.fourhse import FourHseClient
from certrecon.api.rows import text_of
from certrecon.errors import ResponseFormatError
from certrecon.extract.crew import each
from certrecon.extract.fields import CERTIFICATES, LOOKUPS
from certrecon.extract.health import is_health_type


class Outcome(StrEnum):
    """What 4HSE knows of a certificate that the index did not give."""

    DELETED = "deleted"
    MOVED = "moved"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Lookup:
    """What `view/{id}` answered.

    Attributes:
        outcome: 404 is deleted; another tenant is moved; the same tenant means the read was not whole.
        found_tenant_id: The other tenant, if moved.
        health: Whether the certificate is about HEALTH.
    """

    outcome: Outcome
    found_tenant_id: str | None = None
    health: bool = False


def judge(row: Mapping[str, Any] | None, certificate_id: str, tenant_id: str) -> Lookup:
    """Return what an answer to `view/{id}` means for a tenant.

    Raises:
        ResponseFormatError: It is another certificate than the one asked for.
    """
    if row is None:
        return Lookup(Outcome.DELETED)
    found_id, tenant = text_of(row.get("certificate_id")), text_of(row.get("tenant_id"))
    if found_id is not None and found_id != certificate_id:
        raise ResponseFormatError(f"4HSE answered the view of certificate {certificate_id} with another one")
    health = is_health_type(row.get("action_type"))
    if tenant is None or tenant == tenant_id:
        return Lookup(Outcome.PRESENT, health=health)
    return Lookup(Outcome.MOVED, tenant, health)


class TenantLookups:
    """Looks certificates up for one tenant and remembers those that are gone."""

    def __init__(self, client: FourHseClient, tenant_id: str, concurrency: int) -> None:
        """Keep whom to ask, and how many at a time."""
        self._client = client
        self._tenant_id = tenant_id
        self._concurrency = concurrency
        self._known: dict[str, Lookup] = {}

    async def look_up(self, certificate_ids: Iterable[str]) -> dict[str, Lookup]:
        """Return what 4HSE knows of each; one that was gone before is not asked for again."""
        wanted = sorted(set(certificate_ids))
        await each((one for one in wanted if self._is_open(one)), self._ask, self._concurrency)
        return {one: self._known[one] for one in wanted}

    def _is_open(self, certificate_id: str) -> bool:
        known = self._known.get(certificate_id)
        return known is None or known.outcome is Outcome.PRESENT

    async def _ask(self, certificate_id: str) -> None:
        row = await self._client.view(CERTIFICATES.entity, certificate_id)
        self._known[certificate_id] = judge(row, certificate_id, self._tenant_id)


def lookups_table(tenant_id: str, found: Mapping[str, Lookup], absent: set[str]) -> pa.Table:
    """Return the lookups dataset; a certificate that is both absent and linked to counts as absent."""
    rows = [
        {
            "certificate_id": one,
            "tenant_id": tenant_id,
            "outcome": lookup.outcome.value,
            "found_tenant_id": lookup.found_tenant_id,
            "why": "absent" if one in absent else "dangling",
        }
        for one, lookup in found.items()
    ]
    return pa.Table.from_pylist(rows, schema=LOOKUPS)
