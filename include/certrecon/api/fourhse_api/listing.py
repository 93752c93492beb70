"""Lists of one entity: a page, page after page, or all of it as rows or a frame."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

import msgspec
import pandas as pd
import pyarrow as pa

from certrecon.api.fourhse import FourHseClient
from certrecon.api.fourhse_api.entities import Filter, Listed, Row
from certrecon.api.paging import Reads, read_pages, require_distinct
from certrecon.api.requirements import check_value
from certrecon.api.rows import raw_row, raw_rows
from certrecon.api.vendor_rows import table_of
from certrecon.errors import IncompleteReadError

PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class RowsPage(Generic[Row]):
    """One page of a list.

    Attributes:
        rows: Its rows, in the order asked for.
        number: Which page the server says it is.
        page_count: How many pages the server says there are; None without the header.
        per_page: How many rows the server puts on a page; it may be fewer than asked for.
        total_count: How many rows the server says there are in all.
    """

    rows: tuple[Row, ...]
    number: int
    page_count: int | None
    per_page: int | None
    total_count: int | None

    @property
    def promised(self) -> int | None:
        """How many pages there are by the larger of what the headers say."""
        if self.page_count is None and self.total_count is None:
            return None
        return max(self.page_count or 1, -(-(self.total_count or 0) // max(self.per_page or PER_PAGE, 1)))


@dataclass(slots=True)
class _Seen:
    """What pages had so far, to tell at the end whether they were the whole."""

    what: str
    ids: set[str | None] = field(default_factory=set)
    totals: set[int | None] = field(default_factory=set)

    def ends_with(self, page: RowsPage[Any], asked: int, per_page: int) -> bool:
        """Take a page and return whether it is the last one."""
        before = len(self.ids)
        self.ids.update(row.row_id for row in page.rows)
        self.totals.add(page.total_count)
        stuck = page.number != asked or len(self.ids) == before
        short = len(page.rows) < (page.per_page or per_page)
        return stuck or (short if page.promised is None else asked >= page.promised)

    def require_whole(self) -> None:
        """Raise `IncompleteReadError` unless all pages counted alike and that many rows came."""
        counted = ", ".join("no number" if one is None else f"{one:,}" for one in sorted(self.totals, key=str))
        if self.totals != {len(self.ids)}:
            message = (
                f"{self.what} changed while it was read: the pages counted {counted} rows in all, "
                f"{len(self.ids):,} different ones came. Read it again"
            )
            raise IncompleteReadError(message)


class _Taker(Generic[Row]):
    """Keeps the rows of every page, each once."""

    def __init__(self, entity: Listed[Row, Any]) -> None:
        self._entity = entity
        self.found: dict[str | None, Row] = {}

    def ids(self, body: bytes) -> list[str | None]:
        return [row.row_id for row in read_rows(self._entity, body)]

    def take(self, body: bytes) -> list[str | None]:
        rows = read_rows(self._entity, body)
        self.found |= {row.row_id: row for row in rows}
        return [row.row_id for row in rows]


def read_rows(entity: Listed[Row, Any], body: bytes) -> list[Row]:
    """Return the rows of a list's body."""
    return [entity.row.read(received) for received in raw_rows(body, f"4HSE's list of {entity.path} rows")]


def read_row(entity: Listed[Row, Any], body: bytes) -> Row:
    """Return the row of an answer's body."""
    received: Mapping[str, msgspec.Raw] = raw_row(body, f"4HSE's {entity.path} row")
    return entity.row.read(received)


class ListedRecords(Generic[Row, Filter]):
    """One entity of 4HSE as an open client reads it."""

    def __init__(self, client: FourHseClient, entity: Listed[Row, Filter]) -> None:
        """Keep the open client, and which entity."""
        self.client = client
        self.entity = entity

    def _filter(self, where: Filter | Mapping[str, Any] | None) -> dict[str, Any]:
        if where is None:
            return {}
        stated = self.entity.filter.from_mapping(where) if isinstance(where, Mapping) else where
        return stated.as_json()

    async def index(
        self,
        where: Filter | Mapping[str, Any] | None = None,
        *,
        page: int = 1,
        per_page: int = PER_PAGE,
        sort: str | None = None,
        history: bool = False,
    ) -> RowsPage[Row]:
        """Return one page.

        Args:
            where: What the rows must have; None = all that the user can see.
            page: Which page, from 1. Past the end the server gives the last one again.
            per_page: How many rows; the server may give fewer.
            sort: A field, with `-` in front for descending.
            history: Whether historicised rows come too.

        Raises:
            RequirementError: Something asked for is not documented; nothing was sent.
        """
        self.entity.check_listing(page, per_page, sort, history=history)
        asked = self._filter(where)
        got = await self.client.index(self.entity.path, asked, page, per_page, sort, history=history)
        rows = tuple(read_rows(self.entity, got.body))
        return RowsPage(rows, got.current_page or page, got.page_count, got.per_page, got.total_count)

    async def pages(
        self,
        where: Filter | Mapping[str, Any] | None = None,
        *,
        per_page: int = PER_PAGE,
        sort: str | None = None,
        history: bool = False,
    ) -> AsyncGenerator[RowsPage[Row]]:
        """Yield page after page; the arguments are those of `index`.

        Raises:
            IncompleteReadError: After the last page, when the pages cannot have been the whole list.
        """
        seen, number = _Seen(f"4HSE's list of {self.entity.path} rows"), 1
        while True:
            page = await self.index(where, page=number, per_page=per_page, sort=sort, history=history)
            last = seen.ends_with(page, number, per_page)
            yield page
            if last:
                break
            number += 1
        seen.require_whole()

    async def rows(
        self,
        where: Filter | Mapping[str, Any] | None = None,
        *,
        per_page: int = PER_PAGE,
        sort: str | None = None,
        history: bool = False,
    ) -> list[Row]:
        """Return the whole list, pages fetched side by side and read again where they changed meanwhile.

        Raises:
            IncompleteReadError: It changed in each of three reads.
        """
        self.entity.check_listing(1, per_page, sort, history=history)
        asked, path = self._filter(where), self.entity.path

        async def read_once() -> list[Row]:
            taker = _Taker(self.entity)
            total, _ = await read_pages(
                lambda number: self.client.index(path, asked, number, per_page, sort, history=history),
                taker,
                window=self.client.concurrency,
            )
            require_distinct(total, len(taker.found))
            return list(taker.found.values())

        return await Reads(f"4HSE's list of {path} rows").until_whole(read_once)

    async def table(
        self,
        where: Filter | Mapping[str, Any] | None = None,
        *,
        columns: Iterable[str] | None = None,
        sort: str | None = None,
        history: bool = False,
    ) -> pa.Table:
        """Return the whole list as an Arrow table.

        Args:
            where: What the rows must have.
            columns: Which columns; None = every documented one but `data` and `note`.
            sort: A field, with `-` in front for descending.
            history: Whether historicised rows come too.
        """
        found = await self.rows(where, sort=sort, history=history)
        return table_of(self.entity.row, found, columns)

    async def frame(
        self,
        where: Filter | Mapping[str, Any] | None = None,
        *,
        columns: Iterable[str] | None = None,
        sort: str | None = None,
        history: bool = False,
    ) -> pd.DataFrame:
        """Return the whole list as a pandas frame on Arrow types; the arguments are those of `table`."""
        table = await self.table(where, columns=columns, sort=sort, history=history)
        frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
        return frame

    async def view(self, row_id: str) -> Row | None:
        """Return one row by its id, or None where 4HSE has none."""
        check_value(f"The id of a {self.entity.row.what}", self.entity.row.key, row_id, self.entity.id_kind)
        body = await self.client.view_body(self.entity.path, row_id)
        return None if body is None else read_row(self.entity, body)
