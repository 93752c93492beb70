"""One HTTP request and what came of it: no retry, no redirect followed, no body without end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from os import strerror
from typing import Self
from urllib.parse import urlencode

import aiohttp
from yarl import URL

MAX_ERROR_BODY = 65_536
"""Bytes read of a body that is not a success: enough for any message."""


class Expect(StrEnum):
    """What the body of a success must look like; a proxy's page or half an answer does not."""

    ARRAY = "JSON array"
    OBJECT = "JSON object"
    JSON = "JSON"
    NO_PAGE = "answer of an API"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, and without a byte arriving. The whole call is bounded by its `RetryPolicy`."""

    connect: float = 10.0
    read: float = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request, complete but for its credentials.

    Attributes:
        method: The HTTP method.
        url: The address without a query.
        body: The body as bytes, or None.
        headers: What it needs besides the credentials.
        query: Keys and values of the query.
        expect: What a success looks like; `NO_PAGE` (all but HTML) and `ANYTHING` also let it be cut at `max_body`.
        max_body: Most bytes of a success.
    """

    method: str
    url: str
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    expect: Expect = Expect.JSON
    max_body: int = 64 * 2**20

    @property
    def label(self) -> str:
        """What to call the request in a log line or a message; holds neither query nor credentials."""
        return f"{self.method} {URL(self.url, encoded=True).raw_path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that arrived whole (or as much of it as was wanted)."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class FaultKind(StrEnum):
    """Why there is no answer."""

    CONNECT = "connect"
    CERTIFICATE = "certificate"
    BROKEN = "broken"
    TIMEOUT = "timeout"
    TOO_LARGE = "too large"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Fault:
    """No usable answer; `text` says so without repeating anything that was sent or received."""

    kind: FaultKind
    text: str


def looks_like(body: bytes, expect: Expect) -> bool:
    """Return whether a body begins and ends as it should: a proxy's page and a cut body do not."""
    if expect is Expect.ANYTHING:
        return True
    if expect is Expect.NO_PAGE:
        return not body[:64].lstrip(b" \t\r\n\xef\xbb\xbf").startswith(b"<")
    ends = body[:64].lstrip(b" \t\r\n\xef\xbb\xbf")[:1] + body[-64:].rstrip()[-1:]
    if expect is Expect.JSON:
        return ends in {b"[]", b"{}"}
    return ends == (b"[]" if expect is Expect.ARRAY else b"{}")


async def _read(response: aiohttp.ClientResponse, limit: int, *, cut: bool) -> bytes | None:
    """Read at most `limit` bytes; more than that is cut, or None."""
    if not cut and (response.content_length or 0) > limit:
        return None
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        chunks.append(chunk)
        if size > limit:
            response.close()
            return b"".join(chunks)[:limit] if cut else None
    return b"".join(chunks)


def _fault(error: BaseException) -> Fault:
    """Say what went wrong in words of our own: the library's repeat addresses, headers and bodies."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):  # a TimeoutError too, but nothing was sent
        return Fault(FaultKind.CONNECT, "could not be connected to (no answer in time)")
    if isinstance(error, TimeoutError):
        return Fault(FaultKind.TIMEOUT, "gave no answer in time")
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return Fault(
            FaultKind.CERTIFICATE,
            "could not agree on TLS (untrusted certificate, or plain http on that port)",
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Fault(FaultKind.CONNECT, "has a host name that could not be resolved")
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno  # its own text repeats the address
        return Fault(
            FaultKind.CONNECT, f"could not be connected to ({strerror(number) if number else 'no connection'})"
        )
    return Fault(FaultKind.BROKEN, f"broke the connection off ({type(error).__name__})")


class Wire:
    """One aiohttp session; an async context manager."""

    def __init__(self, *, connections: int, timeouts: Timeouts) -> None:
        """Keep how many connections there may be, and the time-outs."""
        self._connections = connections
        self._timeouts = timeouts
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session: no cookies, no proxies and no `.netrc` of the environment."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers={"User-Agent": "certrecon", "Accept": "application/json"},
            read_bufsize=2**18,
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _timeout(self, total: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=total, connect=None, sock_connect=self._timeouts.connect, sock_read=self._timeouts.read
        )

    async def send(self, request: Request, *, total: float) -> Answer | Fault:
        """Send a request once, within `total` seconds; whatever happens on the way is a `Fault`."""
        if self._session is None:
            message = "the client is not open: use it as 'async with'"
            raise RuntimeError(message)
        url = request.url + ("?" + urlencode(request.query) if request.query else "")
        try:
            async with self._session.request(
                request.method,
                URL(url, encoded=True),
                data=request.body,
                headers=request.headers,
                timeout=self._timeout(total),
                allow_redirects=False,
            ) as response:
                success = 200 <= response.status < 300
                cut = request.expect in {Expect.ANYTHING, Expect.NO_PAGE} or not success
                body = await _read(response, request.max_body if success else MAX_ERROR_BODY, cut=cut)
                answer = None if body is None else Answer(response.status, response.headers, body)
        except (aiohttp.ClientError, OSError, TimeoutError, EOFError) as error:
            return _fault(error)
        if answer is None:
            return Fault(FaultKind.TOO_LARGE, f"sent more than {request.max_body:,} bytes")
        if success and not looks_like(answer.body, request.expect):
            return Fault(FaultKind.MALFORMED, f"answered {answer.status} with something that is no {request.expect}")
        return answer
