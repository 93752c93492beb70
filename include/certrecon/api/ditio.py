"""The Ditio client: employees and the certificates upsert (vendor document; reference, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import msgspec

from certrecon.api.delays import RetryPolicy, asked_wait
from certrecon.api.endpoint import DitioEndpoint
from certrecon.api.outcomes import Reaction, reaction_to
from certrecon.api.redaction import Redactor
from certrecon.api.rows import raw_elements, raw_row, text_of_raw
from certrecon.api.tokens import BearerToken, client_credentials
from certrecon.api.transport import Transport
from certrecon.api.vendor_errors import parse_error
from certrecon.api.wire import Answer, Expect, Request, Timeouts
from certrecon.errors import ResponseFormatError
from certrecon.words import EmployeeSource

VENDOR = "Ditio"
SANDBOX_HEADER = "X-Certrecon-Sandbox"
"""The header by which the project's sandbox tells that nothing sent to it is real."""
MAX_EMPLOYEES_BODY = 2**30
"""Most bytes of an employee list: the documented ones come in one piece."""
MAX_PARTS = 10_000
"""Most parts of an employee list that comes in parts."""
_PATHS = {
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


def _next_part(envelope: dict[str, msgspec.Raw]) -> str | None:
    token = text_of_raw(envelope.get("continuationtoken"))
    if token:
        return token
    links = envelope.get("links")
    following = raw_row(bytes(links), "Ditio's links").get("next") if links and bytes(links)[:1] == b"{" else None
    if text_of_raw(following):
        message = "Ditio's employee list goes on (links.next) but says with no continuationToken where"
        raise ResponseFormatError(message)
    return None


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
        """Return every employee as Ditio gives it, undecoded.

        A bare array is the whole list; `{"data": [...], "continuationToken": ...}` is followed to its end.

        Raises:
            ResponseFormatError: Neither form, or a list that never ends.
        """
        rows: list[msgspec.Raw] = []
        before: list[msgspec.Raw] = []
        seen: set[str] = set()
        token: str | None = ""
        while token is not None:
            part, token = await self._employees_part(source, token)
            rows += part
            again = token is not None and bool(part) and list(map(bytes, part)) == list(map(bytes, before))
            before = part
            if token in seen or len(seen) >= MAX_PARTS or again:
                message = f"Ditio's employee list does not end: it came in {len(seen) + 1:,} parts"
                raise ResponseFormatError(message)
            if token is not None:
                seen.add(token)
        return rows

    async def _employees_part(self, source: EmployeeSource, token: str) -> tuple[list[msgspec.Raw], str | None]:
        query = {"continuationToken": token} if token else {}
        url = self._base_url + _PATHS[EmployeeSource(source)]
        answer = await self._transport.call(Request("GET", url, query=query, max_body=MAX_EMPLOYEES_BODY))
        self._note_sandbox(answer.headers)
        what = "Ditio's list of employees"
        if answer.body.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"[":
            return raw_elements(answer.body, what), None
        envelope = {name.lower(): raw for name, raw in raw_row(answer.body, what).items()}
        if "data" not in envelope:
            message = f"{what} is neither an array nor an object with 'data'"
            raise ResponseFormatError(message)
        return raw_elements(bytes(envelope["data"]), what), _next_part(envelope)

    async def post_certificates(self, body: bytes) -> Attempt:
        """Send certificates once and return what came of it; whatever Ditio answers is no exception.

        After a 401 the next call asks for a new token. After a 429 every request of the client waits.

        Args:
            body: A JSON array, ready to send.

        Raises:
            CertreconError: There is no token to be had; nothing was sent.
        """
        sent = await self._transport.once(
            Request(
                "POST",
                self._base_url + _CERTIFICATES_PATH,
                body=body,
                headers={"Content-Type": "application/json"},
                expect=Expect.NO_PAGE,
                max_body=_MAX_UPSERT_ANSWER,
            )
        )
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
