"""Single rows of 4HSE as they came, with the few values that say where to look next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from certrecon.api.fourhse import FourHseClient
from certrecon.api.paging import Page, Reads, read_pages, require_distinct
from certrecon.api.rows import mended, raw_row, raw_rows, text_of_raw
from certrecon.errors import ResponseFormatError
from certrecon.extract.fields import CERTIFICATES, LINKS


@dataclass(frozen=True, slots=True)
class Viewed:
    """What `view/{id}` answered.

    Attributes:
        row_id: What was asked for.
        body: The row as it came, as a page of one; None where 4HSE has none.
        values: The values of the fields that were asked about, as text.
    """

    row_id: str
    body: bytes | None = field(repr=False)
    values: dict[str, str | None]


async def view(client: FourHseClient, entity: str, id_field: str, row_id: str, fields: tuple[str, ...]) -> Viewed:
    """Read one row by its id.

    Raises:
        ResponseFormatError: It is another row than the one asked for, or no row.
    """
    body = await client.view_body(entity, row_id)
    if body is None:
        return Viewed(row_id, None, {})
    what = f"4HSE's answer to GET /v2/{entity}/view/{row_id}"
    row = raw_row(body, what)
    found = text_of_raw(row.get(id_field))
    if found is not None and found != row_id:
        raise ResponseFormatError(f"4HSE answered the view of {entity} {row_id} with another one")
    values = {name: text_of_raw(row.get(name)) for name in fields}
    return Viewed(row_id, b"[" + mended(body) + b"]", values)


class Bodies:
    """Keeps the pages of one index as they came (a `PageTaker`)."""

    def __init__(self, id_field: str, what: str) -> None:
        """Keep nothing yet.

        Args:
            id_field: The field that identifies a row.
            what: What is read, for messages.
        """
        self.pages: list[bytes] = []
        self.rows: list[dict[str, Any]] = []
        self._id_field = id_field
        self._what = what

    def ids(self, body: bytes) -> list[str | None]:
        """Return the ids of a page's rows."""
        return [text_of_raw(row.get(self._id_field)) for row in raw_rows(body, self._what)]

    def take(self, body: bytes) -> list[str | None]:
        """Keep a page and return the ids of its rows."""
        rows = raw_rows(body, self._what)
        self.pages.append(mended(body))
        self.rows += rows
        return [text_of_raw(row.get(self._id_field)) for row in rows]

    def values(self, name: str) -> set[str]:
        """Return the values of a field in all rows."""
        found = (text_of_raw(row.get(name)) for row in self.rows)
        return {one for one in found if one is not None}


async def _index(client: FourHseClient, entity: str, id_field: str, asked: dict[str, str], page_size: int) -> Bodies:
    what = f"4HSE's {entity} index of {' '.join(asked.values())}"

    async def fetch(number: int) -> Page:
        return await client.index(entity, asked, number, page_size)

    async def once() -> Bodies:
        bodies = Bodies(id_field, what)
        total, _ = await read_pages(fetch, bodies, window=1)
        require_distinct(total, len(bodies.values(id_field)))
        return bodies

    return await Reads(what).until_whole(once)


async def links_of(client: FourHseClient, certificate_id: str, page_size: int) -> Bodies:
    """Read the links of a certificate, in whatever tenant they are, with the control total of any index."""
    asked = {"certificate_id": certificate_id}
    return await _index(client, LINKS.entity, LINKS.id_column, asked, page_size)


async def certificates_of(client: FourHseClient, person_id: str, page_size: int) -> set[str]:
    """Return the ids of a person's certificates, in whatever tenant they are."""
    asked = {"resource_id": person_id}
    found = await _index(client, CERTIFICATES.entity, CERTIFICATES.id_column, asked, page_size)
    return found.values(CERTIFICATES.id_column)
