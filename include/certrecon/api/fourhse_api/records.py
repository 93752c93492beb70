"""4HSE's entities as an open client reads and writes them: `FourHseRecords(client).certificates...`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic

import msgspec

from certrecon.api.fourhse import FourHseClient
from certrecon.api.fourhse_api import entities
from certrecon.api.fourhse_api.certificates import (
    CertificateChange,
    CertificateFilter,
    CertificateRow,
    NewCertificate,
)
from certrecon.api.fourhse_api.entities import Change, Filter, New, Row, Written
from certrecon.api.fourhse_api.links import (
    CertificateActionChange,
    CertificateActionFilter,
    CertificateActionRow,
    NewCertificateAction,
)
from certrecon.api.fourhse_api.listing import ListedRecords, read_row
from certrecon.api.fourhse_api.people import (
    ActionFilter,
    ActionRow,
    PersonFilter,
    PersonRow,
    ProjectFilter,
    ProjectRow,
)
from certrecon.api.requirements import Breach, check_value, refuse
from certrecon.api.rows import mended
from certrecon.api.value_kinds import Text
from certrecon.api.wire import Answer, Expect
from certrecon.errors import RequestRefusedError, ResponseFormatError, UnknownOutcomeError


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a deletion did, or would do.

    Attributes:
        row_id: Which row.
        done: Whether it was deleted; False = this is a preview.
        children: In a preview: what would be deleted with it (links, attachments), each as 4HSE tells it, or as a
            pair of kind and child where 4HSE lists them by kind.
    """

    row_id: str
    done: bool
    children: tuple[Any, ...] = field(default=(), repr=False)


class WrittenRecords(ListedRecords[Row, Filter], Generic[Row, Filter, New, Change]):
    """One entity of 4HSE as an open client reads and writes it."""

    entity: Written[Row, Filter, New, Change]

    def __init__(self, client: FourHseClient, entity: Written[Row, Filter, New, Change]) -> None:
        """Keep the open client, and which entity."""
        super().__init__(client, entity)

    async def create(self, new: New | Mapping[str, Any]) -> Row:
        """Create a row and return it as 4HSE answered it.

        The id is chosen before the request where `new` has none, so that a row whose answer was lost can
        be looked for. A create that may have been done is not sent again.

        Args:
            new: What to create; a mapping has the vendor's names.

        Raises:
            RequirementError: A documented requirement is not met; nothing was sent.
            UnknownOutcomeError: No answer, or one that cannot be read: it may have been created; `row_id` is what
                to look for.
            RequestRefusedError: 4HSE refused it (422 names the fields), nothing was created.
            CredentialsError: The user may not write there.
        """
        key = self.entity.row.key
        body = (self.entity.new.from_mapping(new) if isinstance(new, Mapping) else new).as_json()
        row_id = body.setdefault(key, str(uuid.uuid4()))
        try:
            answer = await self.client.write("POST", f"{self.entity.path}/create", body=body, expect=Expect.OBJECT)
            return self._created(answer)
        except UnknownOutcomeError as error:
            reason = str(error)
        told = f"{reason}. Look for {key} {row_id} with view(), and with index() in case 4HSE chose another id"
        raise UnknownOutcomeError(told, row_id)

    def _created(self, answer: Answer) -> Row:
        """Return the row that was created; without its id the answer tells of none."""
        try:
            row = read_row(self.entity, answer.body)
        except ResponseFormatError as error:
            reason = str(error)
        else:
            if row.row_id is not None:
                return row
            reason = f"{self.entity.row.key} is missing"
        message = f"4HSE answered the create with {answer.status}, but not with a row that can be read ({reason})"
        raise UnknownOutcomeError(f"{message}. It may have been created all the same, so it was not sent again")

    async def update(self, row_id: str, change: Change | Mapping[str, Any]) -> Row:
        """Change a row and return 4HSE's answer, which may hold no more than what was changed.

        Sent again where there was no answer: changing twice is the same as changing once.

        Raises:
            RequirementError: A documented requirement is not met, or the id given in `change` is another row's;
                nothing was sent.
            RequestRefusedError: There is no such row (`status` 404), or 4HSE refused the change.
            CredentialsError: The user may not write there.
        """
        self._check_id(row_id)
        stated = self.entity.change.from_mapping(change) if isinstance(change, Mapping) else change
        body = self._of_row(row_id, stated.as_json())
        answer = await self.client.write("PUT", f"{self.entity.path}/update", row_id, body=body, expect=Expect.OBJECT)
        return read_row(self.entity, answer.body)

    def _of_row(self, row_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return a change without the row's own id, which the address has: nothing can then move to another row."""
        key = self.entity.row.key
        if str(body.pop(key, row_id)).lower() != row_id.lower():
            raise refuse(self.entity.change.what, [Breach(key, "is another row's id, needs that of the row to change")])
        return body

    async def delete(self, row_id: str, *, force: bool = False) -> Deletion:
        """Delete a row and all that hangs on it, or without `force` show what would be deleted.

        A deletion is sent again where there was no answer. It first looks whether there is such a row; a row
        that is gone after that was deleted.

        Raises:
            RequestRefusedError: There is no such row (`status` 404), or 4HSE refused.
            CredentialsError: The user may not write there.
            ResponseFormatError: What should be a preview lists nothing that can be read.
        """
        self._check_id(row_id)
        operation = f"{self.entity.path}/delete"
        if not force:
            return Deletion(row_id, done=False, children=await self._preview(operation, row_id))
        if await self.client.view_body(self.entity.path, row_id) is None:
            message = f"4HSE has no {self.entity.path} {row_id} to delete (404)"
            raise RequestRefusedError(message, HTTPStatus.NOT_FOUND)
        await self.client.write("DELETE", operation, row_id, query={"force": "true"}, accept={HTTPStatus.NOT_FOUND})
        return Deletion(row_id, done=True)

    async def _preview(self, operation: str, row_id: str) -> tuple[Any, ...]:
        # Without the key `force`: false is its documented default, and a server that reads the word
        # "false" as any other text that is not empty would delete.
        answer = await self.client.write("DELETE", operation, row_id, accept={HTTPStatus.CONFLICT})
        try:
            listed = msgspec.json.decode(mended(answer.body))
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, dict | list) and not _is_error(listed):
            return tuple(listed) if isinstance(listed, list) else tuple(_by_kind(listed))
        message = (
            f"4HSE answered the preview of a deletion with {answer.status} and no list. Look with view() "
            f"whether {self.entity.path} {row_id} is still there"
        )
        raise ResponseFormatError(message)

    def _check_id(self, row_id: str) -> None:
        check_value(f"The id of a {self.entity.row.what}", self.entity.row.key, row_id, self.entity.id_kind)


def _by_kind(listed: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every child with its kind; a kind of which there is none is no child."""
    for kind, children in listed.items():
        each = children if isinstance(children, list) else [children] if children else []
        yield from ((kind, child) for child in each)


def _is_error(listed: Any) -> bool:
    return isinstance(listed, dict) and {"status", "message"} <= set(listed)


class PersonRecords(ListedRecords[PersonRow, PersonFilter]):
    """4HSE's persons as an open client reads them."""

    async def view_by_code(self, code: str, project_id: str) -> PersonRow | None:
        """Return the person of a project with an employee number, or None."""
        for name, value in (("code", code), ("project_id", project_id)):
            check_value("A look at a 4HSE person", name, value, Text(50 if name == "code" else None))
        query = {"code": code, "project_id": project_id}
        body = await self.client.view_body(self.entity.path, None, query)
        return None if body is None else read_row(self.entity, body)


class FourHseRecords:
    """Everything that the documents let one do with 4HSE's certificates.

    ```python
    async with FourHseClient(endpoint) as client:
        fourhse = FourHseRecords(client)
        async for page in fourhse.certificates.pages({"action_type": "TRAINING"}, sort="-date_expire"): ...
    ```
    """

    def __init__(self, client: FourHseClient) -> None:
        """Use an open client."""
        self.certificates = WrittenRecords[CertificateRow, CertificateFilter, NewCertificate, CertificateChange](
            client, entities.CERTIFICATES
        )
        self.certificate_actions = WrittenRecords[
            CertificateActionRow, CertificateActionFilter, NewCertificateAction, CertificateActionChange
        ](client, entities.CERTIFICATE_ACTIONS)
        self.persons = PersonRecords(client, entities.PERSONS)
        self.projects = ListedRecords[ProjectRow, ProjectFilter](client, entities.PROJECTS)
        self.actions = ListedRecords[ActionRow, ActionFilter](client, entities.ACTIONS)
