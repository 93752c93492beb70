"""The morning's worklist: what needs somebody, by who can fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import Response

from certrecon.browse.claims import choices
from certrecon.browse.paging import MOST_ROWS
from certrecon.browse.worklist import WorkFilter, list_dangling, list_work, owner_totals, unmapped_types
from certrecon.findings import CATALOGUE
from certrecon.report.saying import NEEDY
from certrecon.report.wording import OWNERS
from certrecon.words import Disposition
from certrecon_plugin.pages.downloads import csv_download, excel_download
from certrecon_plugin.pages.parameters import MOST_CURSOR, choice, text
from certrecon_plugin.pages.starting import linking_setting, may_start
from certrecon_plugin.pages.tables import WORK, work_texts
from certrecon_plugin.pages.targets import Targets, choose_target
from certrecon_plugin.pages.templating import page
from certrecon_plugin.pages.warehouse import warehouse_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from sqlalchemy import Connection

router = APIRouter()


def _wanted(values: Mapping[str, str], target: str) -> WorkFilter:
    return WorkFilter(
        target=target,
        owner=choice(values, "owner", OWNERS),
        finding=choice(values, "finding", CATALOGUE),
        disposition=choice(values, "disposition", (str(name) for name in Disposition)),
        tenant=text(values, "tenant"),
    )


def _asked(request: Request, conn: Connection) -> tuple[Targets, WorkFilter | None]:
    targets = choose_target(conn, request.query_params)
    return targets, _wanted(request.query_params, targets.chosen) if targets.chosen else None


@router.get("/worklist")
def worklist(request: Request, starts: Annotated[bool, Depends(may_start)]) -> Response:
    """Show the claims that need somebody, newest first."""
    values = request.query_params
    after = text(values, "after", MOST_CURSOR)
    shown: dict[str, Any] = {"found": None}
    with warehouse_of(request).reading() as conn:
        targets, wanted = _asked(request, conn)
        if wanted:
            shown = {
                "found": list_work(conn, wanted, after),
                "totals": owner_totals(conn, wanted.target),
                "choices": choices(conn, wanted.target),
            }
    kept = {name: text(values, name) for name in ("target", "owner", "finding", "disposition", "tenant")}
    return page(
        request,
        "worklist.html.j2",
        title="Worklist",
        targets=targets,
        kept=kept | {"after": after},
        needy=tuple(map(str, NEEDY)),
        starts=starts,
        setting=linking_setting() if starts else None,
        **shown,
    )


@router.get("/dangling")
def dangling(request: Request) -> Response:
    """Show the links whose certificate is not there."""
    values = request.query_params
    after = text(values, "after", MOST_CURSOR)
    with warehouse_of(request).reading() as conn:
        targets = choose_target(conn, values)
        found = list_dangling(conn, targets.chosen, after) if targets.chosen else None
    kept = {"target": text(values, "target"), "after": after}
    title = "Links without a certificate"
    return page(request, "dangling.html.j2", title=title, targets=targets, found=found, kept=kept)


@router.get("/unmapped")
def unmapped(request: Request) -> Response:
    """Show which certificates no rule of the settings gives a type, by name."""
    with warehouse_of(request).reading() as conn:
        targets = choose_target(conn, request.query_params)
        found = unmapped_types(conn, targets.chosen) if targets.chosen else None
    return page(request, "unmapped.html.j2", title="Certificates without a type", targets=targets, found=found)


@router.get("/worklist.csv")
def worklist_csv(request: Request) -> Response:
    """Give out everything of the worklist that fits the filters, as CSV."""
    wanted = _to_download(request)
    return csv_download(warehouse_of(request), "worklist.csv", WORK, lambda conn: _all_work(conn, wanted))


@router.get("/worklist.xlsx")
def worklist_excel(request: Request) -> Response:
    """Give out the worklist that fits the filters, as an Excel workbook."""
    wanted = _to_download(request)
    with warehouse_of(request).reading() as conn:
        return excel_download("worklist.xlsx", "Worklist", WORK, _all_work(conn, wanted))


def _to_download(request: Request) -> WorkFilter:
    with warehouse_of(request).reading() as conn:
        _, wanted = _asked(request, conn)
    if wanted is None:
        raise HTTPException(404, "There is no worklist yet: no run was made.")
    return wanted


def _all_work(conn: Connection, wanted: WorkFilter) -> Iterator[pa.Table]:
    after: str | None = None
    while True:
        found = list_work(conn, wanted, after, MOST_ROWS)
        yield work_texts(found.rows)
        after = found.next
        if after is None:
            return
