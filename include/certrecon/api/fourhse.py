"""The 4HSE client: index, view and projects (vendor document, and the reference on both APIs, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import msgspec

from certrecon.api.delays import RetryPolicy
from certrecon.api.endpoint import AccessToken, FourHseEndpoint
from certrecon.api.paging import Page, Reads, read_pages, require_distinct
from certrecon.api.redaction import Redactor
from certrecon.api.rows import raw_row, raw_rows, text_of_raw
from certrecon.api.tokens import Auth, BearerToken, StaticAccessToken, password_grant
from certrecon.api.transport import Transport
from certrecon.api.wire import Expect, Request, Timeouts
from certrecon.errors import ResponseFormatError

VENDOR = "4HSE"
NOT_FOUND = 404
PRIVATE_FIELDS = frozenset({"data", "note"})
"""Fields of certificates that no caller gets: medical results and free text (promise 5)."""
_JSON = {"Content-Type": "application/json"}
_PROJECTS_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Project:
    """A 4HSE project: the tenant of certificates, links and persons.

    Attributes:
        project_id: Its id; `tenant_id` elsewhere.
        name: Its name.
        status: `active`, `suspended`, `pending_delete` or `deleted`.
        project_type: `safety` or `template`.
    """

    project_id: str
    name: str | None
    status: str | None
    project_type: str | None

    @property
    def operational(self) -> bool:
        """Whether `tenants: []` takes it: active and no template (design, *Fine print*)."""
        status, kind = ((text or "").strip().lower() for text in (self.status, self.project_type))
        return status == "active" and kind != "template"


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"X-Pagination-{name}", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _segment(row_id: str) -> str:
    """Return an id as one segment of a path, whatever is in it."""
    encoded = quote(row_id, safe="", errors="replace")
    return encoded.replace(".", "%2E") if set(row_id) <= {"."} else encoded


class _ProjectRows:
    """Keeps the projects of every page, each once."""

    def __init__(self) -> None:
        self.found: dict[str | None, Project] = {}

    def ids(self, body: bytes) -> list[str | None]:
        return [text_of_raw(row.get("project_id")) for row in raw_rows(body, "4HSE's list of projects")]

    def take(self, body: bytes) -> list[str | None]:
        ids: list[str | None] = []
        for row in raw_rows(body, "4HSE's list of projects"):
            name, status, kind = (text_of_raw(row.get(key)) for key in ("name", "status", "project_type"))
            project_id = text_of_raw(row.get("project_id"))
            ids.append(project_id)
            self.found[project_id] = Project(project_id or "", name, status, kind)
        return ids


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

    async def view(self, entity: str, row_id: str) -> dict[str, Any] | None:
        """Return one row by its id without `data` and `note`, or None where 4HSE has none (404)."""
        request = Request("GET", f"{self._base_url}/v2/{entity}/view/{_segment(row_id)}", expect=Expect.OBJECT)
        answer = await self._transport.call(request, accept={NOT_FOUND})
        if answer.status == NOT_FOUND:
            return None
        row = raw_row(answer.body, f"4HSE's answer to {request.label}")
        try:
            return {name: msgspec.json.decode(raw) for name, raw in row.items() if name not in PRIVATE_FIELDS}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            message = f"4HSE's answer to {request.label} is not well-formed JSON"
        raise ResponseFormatError(message)

    async def projects(self) -> list[Project]:
        """Return every project the user can see, whatever its status, in the order of their ids.

        Raises:
            IncompleteReadError: The list changed while it was read, three times over.
        """

        async def read_once() -> dict[str | None, Project]:
            rows = _ProjectRows()
            total, _ = await read_pages(
                lambda number: self.index("project", page=number, per_page=_PROJECTS_PER_PAGE),
                rows,
                window=self.concurrency,
            )
            require_distinct(total, len(rows.found))
            return rows.found

        found = await Reads("4HSE's list of projects").until_whole(read_once)
        return sorted((project for project in found.values() if project.project_id), key=lambda one: one.project_id)
