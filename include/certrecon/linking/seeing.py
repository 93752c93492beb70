"""Certificates and the action as 4HSE shows them, less what is medical."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace

from certrecon.api.fourhse import FourHseClient
from certrecon.api.fourhse_api.links import CertificateActionRow
from certrecon.api.fourhse_api.people import ActionRow
from certrecon.api.fourhse_api.records import FourHseRecords
from certrecon.api.rows import text_of
from certrecon.errors import ParameterError, ResponseFormatError
from certrecon.extract.health import is_health_type

_CERTIFICATE = "certificate"
_MOST = 10


@dataclass(frozen=True, slots=True, repr=False)
class SeenAction:
    """An action as it was seen.

    Attributes:
        action_id: Its id.
        tenant_id: Its project.
        action_type: Its type.
        code: Its code; None where it is HEALTH and that is not published on purpose.
        name: Its name; the same.
    """

    action_id: str
    tenant_id: str
    action_type: str | None
    code: str | None
    name: str | None

    @property
    def sha256(self) -> str:
        """The digest of what was seen."""
        return _digest(astuple(self))


@dataclass(frozen=True, slots=True, repr=False)
class SeenCertificate:
    """A certificate as it was seen.

    Attributes:
        certificate_id: Its id.
        tenant_id: Its project.
        action_type: Its type.
        resource_id: Whom it is issued to.
        date_release: When it was issued, as received.
        date_expire: When it expires, as received.
        name: Its name; None where it is HEALTH and that is not published on purpose.
        resource_name: Whose it is; the same.
    """

    certificate_id: str
    tenant_id: str | None
    action_type: str | None
    resource_id: str | None
    date_release: str | None
    date_expire: str | None
    name: str | None
    resource_name: str | None

    @property
    def is_health(self) -> bool:
        """Whether it is about HEALTH, however that is written."""
        return is_health_type(self.action_type)

    @property
    def sha256(self) -> str:
        """The digest of what was seen."""
        return _digest(astuple(self))


def _digest(values: Iterable[str | None]) -> str:
    return hashlib.sha256(json.dumps(list(values), ensure_ascii=False).encode()).hexdigest()


def _not_one(found: Sequence[ActionRow]) -> str:
    has = "Parameter 'action_code' has to name one action, and where the certificates are in 4HSE there"
    if not found:
        return f"{has} is none of that code. Look the code up in 4HSE."
    several = "; ".join(
        f"{row.action_id} (office {row.subtenant_id}, project {row.tenant_id})" for row in found[:_MOST]
    )
    more = "" if len(found) <= _MOST else f"; and {len(found) - _MOST} more"
    return f"{has} are {len(found)} of that code. Give the 'action_id' of the one that is meant: {several}{more}."


class Sight:
    """4HSE as a run looks at it; `data` and `note` never come out of the client (promise 5)."""

    def __init__(self, client: FourHseClient, *, publish_health: bool) -> None:
        """Keep the open client, and whether names of HEALTH may be seen."""
        self.records = FourHseRecords(client)
        self._client = client
        self._publish_health = publish_health

    async def action(self, action_id: str) -> SeenAction:
        """Return an action.

        Raises:
            ParameterError: 4HSE has none of that id.
        """
        row = await self.records.actions.view(action_id)
        if row is None:
            message = (
                f"Parameter 'action_id' names {action_id}, and 4HSE has no such action. Take the id from the address "
                "of the action in 4HSE."
            )
            raise ParameterError(message)
        return self._action(row, action_id)

    async def action_of_code(self, code: str, projects: Sequence[str]) -> SeenAction:
        """Return the one action of a code in some projects.

        An action belongs to one office, so a course may exist once an office (reference, 1.5): which of them is meant
        is for a person to say.

        Args:
            code: The code; compared exactly.
            projects: The projects of the certificates.

        Raises:
            ParameterError: There is none, or there are several; the message has their ids and offices.
        """
        listed = [row for one in projects for row in await self.records.actions.rows({"code": code, "tenant_id": one})]
        found = [row for row in listed if row.tenant_id in projects and row.code == code]
        if len(found) == 1 and found[0].action_id is not None:
            return self._action(found[0], found[0].action_id)
        raise ParameterError(_not_one(found))

    def _action(self, row: ActionRow, action_id: str) -> SeenAction:
        if row.action_id != action_id or row.tenant_id is None:
            message = f"4HSE answered the view of action {action_id} with another one, or without its project"
            raise ResponseFormatError(message)
        seen = SeenAction(action_id, row.tenant_id, row.action_type, row.code, row.name)
        if self._publish_health or not is_health_type(row.action_type):
            return seen
        return replace(seen, code=None, name=None)

    async def certificate(self, certificate_id: str) -> SeenCertificate | None:
        """Return a certificate, or None where 4HSE has none of that id."""
        row = await self._client.view(_CERTIFICATE, certificate_id)
        if row is None:
            return None
        if text_of(row.get("certificate_id")) != certificate_id:
            message = f"4HSE answered the view of certificate {certificate_id} with another one"
            raise ResponseFormatError(message)
        names = ("tenant_id", "action_type", "resource_id", "date_release", "date_expire", "name", "resource_name")
        seen = SeenCertificate(certificate_id, *(text_of(row.get(name)) for name in names))
        if self._publish_health or not seen.is_health:
            return seen
        return replace(seen, name=None, resource_name=None)

    async def links(self, certificate_id: str) -> list[CertificateActionRow]:
        """Return the links of a certificate, whatever else the server's filter lets through."""
        rows = await self.records.certificate_actions.rows({"certificate_id": certificate_id})
        return [row for row in rows if row.certificate_id == certificate_id]
