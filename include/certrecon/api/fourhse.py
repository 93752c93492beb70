"""The 4HSE client: index, view and projects (vendor document, and the reference on both APIs, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Self
from urllib.parse import quote

import msgspec

from certrecon.api.delays import RetryPolicy
from certrecon.api.endpoint import AccessToken, FourHseEndpoint
from certrecon.api.paging import Page, Reads, read_pages, require_distinct
from certrecon.api.projects import Project, ProjectRows
from certrecon.api.redaction import Redactor
from certrecon.api.rows import raw_row
from certrecon.api.tokens import Auth, BearerToken, StaticAccessToken, password_grant
from certrecon.api.transport import Transport
from certrecon.api.wire import Answer, Expect, Request, Timeouts
from certrecon.api.writing import write
from certrecon.errors import ResponseFormatError

__all__ = ["NOT_FOUND", "PRIVATE_FIELDS", "VENDOR", "FourHseClient", "Project"]

VENDOR = "4HSE"
NOT_FOUND = 404
PRIVATE_FIELDS = frozenset({"data", "note"})
"""Fields of certificates that no caller gets: medical results and free text (promise 5)."""
_JSON = {"Content-Type": "application/json"}
_PROJECTS_PER_PAGE = 100


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"X-Pagination-{name}", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _segment(row_id: str) -> str:
    """Return an id as one segment of a path, whatever is in it."""
    encoded = quote(row_id, safe="", errors="replace")
    return encoded.replace(".", "%2E") if set(row_id) <= {"."} else encoded


class FourHseClient:
    """4HSE's v2 API; an async context manager."""

    def __init__(
        self,
        endpoint: FourHseEndpoint,
        *,
        concurrency: int = 4,
        requests_per_second: float | None = None,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        """Keep where 4HSE is and how fast it may be asked.

        Args:
            endpoint: The address and how to authenticate.
            concurrency: Most requests at a time.
            requests_per_second: Most requests started a second; None is no limit.
            retry: When to try again.
            timeouts: Seconds to connect and between bytes.
            on_secret: Is told of every token fetched.
        """
        redactor = Redactor(endpoint.secrets)
        auth: Auth
        if isinstance(endpoint.token, AccessToken):
            auth = StaticAccessToken(endpoint.token)
        else:
            auth = BearerToken(password_grant(endpoint.token), redactor, on_secret=on_secret)
        self._base_url = endpoint.base_url
        self.concurrency = concurrency
        self._transport = Transport(
            VENDOR,
            auth,
            redactor=redactor,
            concurrency=concurrency,
            requests_per_second=requests_per_second,
            retry=retry,
            timeouts=timeouts,
        )

    async def __aenter__(self) -> Self:
        """Open the session."""
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the session."""
        await self._transport.__aexit__(*exc_info)

    async def index(
        self,
        entity: str,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the vendor's word
        page: int = 1,
        per_page: int = 100,
        sort: str | None = None,
        *,
        history: bool = False,
    ) -> Page:
        """Return one page of an entity's index.

        Args:
            entity: As in the address: `certificate`, `certificate-action`, `person`, `project`, ...
            filter: Equality per field.
            page: 1-based; what the answer says counts, not this.
            per_page: A wish; the server may clamp it.
            sort: A field, with `-` in front for descending.
            history: Whether rows that were historicised come too.
        """
        asked: dict[str, Any] = {"filter": dict(filter or {}), "per-page": per_page, "page": page}
        if sort is not None:
            asked["sort"] = sort
        if history:
            asked["history"] = True
        answer = await self._transport.call(
            Request(
                "POST",
                f"{self._base_url}/v2/{entity}/index",
                body=msgspec.json.encode(asked),
                headers=_JSON,
                expect=Expect.ARRAY,
            )
        )
        current, pages, per, total = (
            _number(answer.headers, name) for name in ("Current-Page", "Page-Count", "Per-Page", "Total-Count")
        )
        return Page(answer.body, current, pages, per, total)

    async def view_body(self, entity: str, row_id: str | None, query: Mapping[str, str] | None = None) -> bytes | None:
        """Return one row as it came, or None where 4HSE has none (404).

        Args:
            entity: As in the address.
            row_id: The row's id; None where the query names the row.
            query: Keys and values of the query.
        """
        path = f"/v2/{entity}/view" + ("" if row_id is None else f"/{_segment(row_id)}")
        request = Request("GET", self._base_url + path, query=query or {}, expect=Expect.OBJECT)
        answer = await self._transport.call(request, accept={NOT_FOUND})
        return None if answer.status == NOT_FOUND else answer.body

    async def view(self, entity: str, row_id: str) -> dict[str, Any] | None:
        """Return one row by its id without `data` and `note`, or None where 4HSE has none (404)."""
        body = await self.view_body(entity, row_id)
        if body is None:
            return None
        what = f"4HSE's answer to GET /v2/{entity}/view/{_segment(row_id)}"
        row = raw_row(body, what)
        try:
            return {name: msgspec.json.decode(raw) for name, raw in row.items() if name not in PRIVATE_FIELDS}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            message = f"{what} is not well-formed JSON"
        raise ResponseFormatError(message)

    async def write(
        self,
        method: str,
        operation: str,
        row_id: str | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        expect: Expect = Expect.NO_PAGE,
        accept: Collection[int] = (),
    ) -> Answer:
        """Send a writing request; a POST is never repeated once it may have been done.

        Args:
            method: POST creates, PUT changes, DELETE deletes.
            operation: What follows `/v2/`, without the id.
            row_id: The row's id, if it has one already.
            body: What to write.
            query: Keys and values of the query.
            expect: What a success looks like.
            accept: Statuses that are an answer here although they are no success.

        Raises:
            UnknownOutcomeError: A POST may have been done.
        """
        path = f"/v2/{operation}" + ("" if row_id is None else f"/{_segment(row_id)}")
        request = Request(
            method,
            self._base_url + path,
            body=None if body is None else msgspec.json.encode(body),
            headers={} if body is None else _JSON,
            query=query or {},
            expect=expect,
        )
        return await write(self._transport, request, repeatable=method != "POST", accept=accept)

    async def projects(self) -> list[Project]:
        """Return every project the user can see, whatever its status, in the order of their ids.

        Raises:
            IncompleteReadError: The list changed while it was read, three times over.
        """

        async def read_once() -> dict[str | None, Project]:
            rows = ProjectRows()
            total, _ = await read_pages(
                lambda number: self.index("project", page=number, per_page=_PROJECTS_PER_PAGE),
                rows,
                window=self.concurrency,
            )
            require_distinct(total, len(rows.found))
            return rows.found

        found = await Reads("4HSE's list of projects").until_whole(read_once)
        return sorted((project for project in found.values() if project.project_id), key=lambda one: one.project_id)
