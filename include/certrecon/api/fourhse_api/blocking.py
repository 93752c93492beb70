"""4HSE's entities from ordinary code: each call waits for what `FourHseRecords` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic

import pandas as pd
import pyarrow as pa

from certrecon.api.blocking import Blocking
from certrecon.api.fourhse import FourHseClient
from certrecon.api.fourhse_api.entities import Change, Filter, New, Row
from certrecon.api.fourhse_api.listing import PER_PAGE, ListedRecords, RowsPage
from certrecon.api.fourhse_api.people import PersonFilter, PersonRow
from certrecon.api.fourhse_api.records import Deletion, FourHseRecords, PersonRecords, WrittenRecords

Session = Blocking[FourHseClient]


class Lists(Generic[Row, Filter]):
    """One entity of 4HSE, to be read; arguments and errors are those of `ListedRecords`."""

    def __init__(self, session: Session, choose: Callable[[FourHseRecords], ListedRecords[Row, Filter]]) -> None:
        """Keep how 4HSE is reached, and which entity."""
        self._session = session
        self._choose = choose

    def _records(self, client: FourHseClient) -> ListedRecords[Row, Filter]:
        return self._choose(FourHseRecords(client))

    def index(
        self,
        where: Filter | Mapping[str, Any] | None = None,
        *,
        page: int = 1,
        per_page: int = PER_PAGE,
        sort: str | None = None,
        history: bool = False,
    ) -> RowsPage[Row]:
        """Return one page."""
        return self._session.call(
            lambda client: self._records(client).index(where, page=page, per_page=per_page, sort=sort, history=history)
        )

    def pages(
        self,
        where: Filter | Mapping[str, Any] | None = None,
        *,
        per_page: int = PER_PAGE,
        sort: str | None = None,
        history: bool = False,
    ) -> Iterator[RowsPage[Row]]:
        """Yield page after page; raises at the end if they cannot have been the whole list."""
        return self._session.iterate(
            lambda client: self._records(client).pages(where, per_page=per_page, sort=sort, history=history)
        )

    def rows(
        self,
        where: Filter | Mapping[str, Any] | None = None,
        *,
        per_page: int = PER_PAGE,
        sort: str | None = None,
        history: bool = False,
    ) -> list[Row]:
        """Return the whole list."""
        return self._session.call(
            lambda client: self._records(client).rows(where, per_page=per_page, sort=sort, history=history)
        )

    def table(
        self,
        where: Filter | Mapping[str, Any] | None = None,
        *,
        columns: Iterable[str] | None = None,
        sort: str | None = None,
        history: bool = False,
    ) -> pa.Table:
        """Return the whole list as an Arrow table."""
        return self._session.call(
            lambda client: self._records(client).table(where, columns=columns, sort=sort, history=history)
        )

    def frame(
        self,
        where: Filter | Mapping[str, Any] | None = None,
        *,
        columns: Iterable[str] | None = None,
        sort: str | None = None,
        history: bool = False,
    ) -> pd.DataFrame:
        """Return the whole list as a pandas frame on Arrow types."""
        return self._session.call(
            lambda client: self._records(client).frame(where, columns=columns, sort=sort, history=history)
        )

    def view(self, row_id: str) -> Row | None:
        """Return one row by its id, or None where 4HSE has none."""
        return self._session.call(lambda client: self._records(client).view(row_id))


class WritableLists(Lists[Row, Filter], Generic[Row, Filter, New, Change]):
    """One entity of 4HSE, to be read and written; arguments and errors are those of `WrittenRecords`."""

    def __init__(
        self, session: Session, choose: Callable[[FourHseRecords], WrittenRecords[Row, Filter, New, Change]]
    ) -> None:
        """Keep how 4HSE is reached, and which entity."""
        super().__init__(session, choose)
        self._choose_written = choose

    def _written(self, client: FourHseClient) -> WrittenRecords[Row, Filter, New, Change]:
        return self._choose_written(FourHseRecords(client))

    def create(self, new: New | Mapping[str, Any]) -> Row:
        """Create a row; never sent twice: without an answer it raises `UnknownOutcomeError`."""
        return self._session.call(lambda client: self._written(client).create(new))

    def update(self, row_id: str, change: Change | Mapping[str, Any]) -> Row:
        """Change a row."""
        return self._session.call(lambda client: self._written(client).update(row_id, change))

    def delete(self, row_id: str, *, force: bool = False) -> Deletion:
        """Delete a row and all that hangs on it, or without `force` show what would be deleted."""
        return self._session.call(lambda client: self._written(client).delete(row_id, force=force))


class PersonLists(Lists[PersonRow, PersonFilter]):
    """4HSE's persons, to be read."""

    def __init__(self, session: Session, choose: Callable[[FourHseRecords], PersonRecords]) -> None:
        """Keep how 4HSE is reached."""
        super().__init__(session, choose)
        self._choose_persons = choose

    def view_by_code(self, code: str, project_id: str) -> PersonRow | None:
        """Return the person of a project with an employee number, or None."""
        return self._session.call(
            lambda client: self._choose_persons(FourHseRecords(client)).view_by_code(code, project_id)
        )
