"""The Ditio client: employees and the certificates upsert (vendor document; reference, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Self
from urllib.parse import quote

import msgspec

from certrecon.api.delays import RetryPolicy, asked_wait
from certrecon.api.ditio_lists import employees_part
from certrecon.api.endpoint import DitioEndpoint
from certrecon.api.outcomes import Reaction, reaction_to
from certrecon.api.redaction import Redactor
from certrecon.api.tokens import BearerToken, client_credentials
from certrecon.api.transport import Transport
from certrecon.api.vendor_errors import parse_error
from certrecon.api.wire import Answer, Expect, Request, Timeouts
from certrecon.api.writing import write
from certrecon.errors import ResponseFormatError
from certrecon.words import EmployeeSource

__all__ = [
    "EMPLOYEE_PATHS",
    "MAX_EMPLOYEES_BODY",
    "MAX_PARTS",
    "SANDBOX_HEADER",
    "VENDOR",
    "Attempt",
    "DitioClient",
    "employees_part",
]

VENDOR = "Ditio"
SANDBOX_HEADER = "X-Certrecon-Sandbox"
"""The header by which the project's sandbox tells that nothing sent to it is real."""
MAX_EMPLOYEES_BODY = 2**30
"""Most bytes of an employee list: the documented ones come in one piece."""
MAX_PARTS = 10_000
"""Most parts of an employee list that comes in parts."""
EMPLOYEE_PATHS = {
    EmployeeSource.EMPLOYEES_V5: "/api/v5/integration/employees",
    EmployeeSource.USERS_V4: "/api/v4/integration/users",
}
_CERTIFICATES_PATH = "/api/v4/integration/certificates"
_MAX_UPSERT_ANSWER = 65_536


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request with certificates, and what came of it.

    Attributes:
        sent_at: When it went out.
        answered_at: When the answer was there; None without one.
        http_status: Its status; None without an answer.
        message: What Ditio said, or why there is no answer; None on success. Fit to be shown.
        retry_after: The seconds Ditio asks to wait, if it does.
        sandbox: Whether the sandbox answered.
    """

    sent_at: datetime
    answered_at: datetime | None
    http_status: int | None
    message: str | None
    retry_after: float | None
    sandbox: bool

    @property
    def reaction(self) -> Reaction:
        """What the answer asks for, by the table that every request follows."""
        return reaction_to(self.http_status)


class DitioClient:
    """Ditio's integration API; an async context manager.

    Attributes:
        is_sandbox: Whether any answer so far came from the sandbox.
    """

    def __init__(
        self,
        endpoint: DitioEndpoint,
        *,
        concurrency: int = 2,
        requests_per_second: float | None = None,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        """Keep where Ditio is and how fast it may be asked; the arguments are those of `FourHseClient`."""
        self._redactor = Redactor(endpoint.secrets)
        self._base_url = endpoint.base_url
        self.retry = retry or RetryPolicy()
        self.is_sandbox = False
        self._transport = Transport(
            VENDOR,
            BearerToken(client_credentials(endpoint), self._redactor, on_secret=on_secret),
            redactor=self._redactor,
            concurrency=concurrency,
            requests_per_second=requests_per_second,
            retry=self.retry,
            timeouts=timeouts,
        )

    async def __aenter__(self) -> Self:
        """Open the session."""
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the session."""
        await self._transport.__aexit__(*exc_info)

    async def employees(self, source: EmployeeSource) -> list[msgspec.Raw]:
        """Return every employee as Ditio gives it, undecoded; see `listed`."""
        return await self.listed(EMPLOYEE_PATHS[EmployeeSource(source)])

    async def listed(self, path: str, query: Mapping[str, str] | None = None) -> list[msgspec.Raw]:
        """Return every row of a list of employees or users as Ditio gives it, undecoded.

        A bare array is the whole list; `{"data": [...], "continuationToken": ...}` is followed to its end.

        Args:
            path: What follows the address.
            query: Keys and values of the query.

        Raises:
            ResponseFormatError: Neither form, or a list that never ends.
        """
        rows: list[msgspec.Raw] = []
        before: list[msgspec.Raw] = []
        seen: set[str] = set()
        token: str | None = ""
        while token is not None:
            part, token = await self._listed_part(path, query or {}, token)
            rows += part
            again = token is not None and bool(part) and list(map(bytes, part)) == list(map(bytes, before))
            before = part
            if token in seen or len(seen) >= MAX_PARTS or again:
                message = f"Ditio's employee list does not end: it came in {len(seen) + 1:,} parts"
                raise ResponseFormatError(message)
            if token is not None:
                seen.add(token)
        return rows

    async def _listed_part(
        self, path: str, query: Mapping[str, str], token: str
    ) -> tuple[list[msgspec.Raw], str | None]:
        asked = {**query, **({"continuationToken": token} if token else {})}
        answer = await self._transport.call(
            Request("GET", self._base_url + path, query=asked, max_body=MAX_EMPLOYEES_BODY)
        )
        self._note_sandbox(answer.headers)
        return employees_part(answer.body)

    async def one(self, path: str, key: str, query: Mapping[str, str] | None = None) -> bytes | None:
        """Return one employee or user as Ditio gives it, or None where it has none (404).

        Args:
            path: What follows the address.
            key: The number or id, whatever is in it.
            query: Keys and values of the query.
        """
        segment = quote(key, safe="", errors="replace")
        segment = segment.replace(".", "%2E") if set(key) <= {"."} else segment
        request = Request("GET", f"{self._base_url}{path}/{segment}", query=query or {}, expect=Expect.OBJECT)
        answer = await self._transport.call(request, accept={HTTPStatus.NOT_FOUND})
        self._note_sandbox(answer.headers)
        return None if answer.status == HTTPStatus.NOT_FOUND else answer.body

    async def upsert(self, body: bytes) -> None:
        """Send certificates until Ditio acknowledges them all; sent again where there was no answer.

        Args:
            body: A JSON array, ready to send.

        Raises:
            RequestRefusedError: Ditio refused a row; those before it may have been saved.
            CertreconError: Ditio could not be reached, or refused the credentials.
        """
        answer = await write(self._transport, self._upsert_request(body), repeatable=True)
        self._note_sandbox(answer.headers)

    def _upsert_request(self, body: bytes) -> Request:
        return Request(
            "POST",
            self._base_url + _CERTIFICATES_PATH,
            body=body,
            headers={"Content-Type": "application/json"},
            expect=Expect.NO_PAGE,
            max_body=_MAX_UPSERT_ANSWER,
        )

    async def post_certificates(self, body: bytes) -> Attempt:
        """Send certificates once and return what came of it; whatever Ditio answers is no exception.

        After a 401 the next call asks for a new token. After a 429 every request of the client waits.

        Args:
            body: A JSON array, ready to send.

        Raises:
            CertreconError: There is no token to be had; nothing was sent.
        """
        sent = await self._transport.once(self._upsert_request(body))
        result = sent.result
        if not isinstance(result, Answer):
            return Attempt(sent.sent_at, None, None, f"Ditio {result.text}", None, sandbox=self.is_sandbox)
        sandbox = self._note_sandbox(result.headers)
        message = None
        if reaction_to(result.status) is not Reaction.ACCEPT:
            message = str(parse_error(result.body, self._redactor)) or f"HTTP {result.status}"
        waits = reaction_to(result.status) in {Reaction.WAIT, Reaction.RETRY}
        asked = asked_wait(result.headers) if waits else None
        return Attempt(sent.sent_at, sent.ended_at, result.status, message, asked, sandbox=sandbox)

    def _note_sandbox(self, headers: Mapping[str, str]) -> bool:
        sandbox = headers.get(SANDBOX_HEADER, "").strip() == "1"
        self.is_sandbox = self.is_sandbox or sandbox
        return sandbox
