"""The search over claims, as they are now or as any run left them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from certrecon.browse.claims import ClaimFilter, choices, search, stream
from certrecon.findings import CATALOGUE
from certrecon.words import Disposition
from certrecon_plugin.pages.downloads import csv_download, excel_download
from certrecon_plugin.pages.parameters import MOST_CURSOR, choice, run_number, text
from certrecon_plugin.pages.tables import CLAIMS, claim_texts
from certrecon_plugin.pages.targets import choose_target
from certrecon_plugin.pages.templating import page
from certrecon_plugin.pages.warehouse import warehouse_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

router = APIRouter()

FIELDS = ("person", "employee_number", "certificate", "certificate_type", "finding", "disposition", "tenant")


def _wanted(request: Request, target: str) -> ClaimFilter:
    values = request.query_params
    return ClaimFilter(
        target=target,
        as_of=run_number(values.get("as_of", "").strip(), "as_of"),
        **{name: text(values, name) for name in ("person", "employee_number", "certificate")},
        certificate_type=text(values, "certificate_type"),
        finding=choice(values, "finding", CATALOGUE),
        disposition=choice(values, "disposition", (str(name) for name in Disposition)),
        tenant=text(values, "tenant"),
    )


def _asked(request: Request, conn: Connection) -> ClaimFilter:
    targets = choose_target(conn, request.query_params)
    if targets.chosen is None:
        raise HTTPException(404, "There are no claims yet: no run was made.")
    return _wanted(request, targets.chosen)


@router.get("/claims")
def claims(request: Request) -> Response:
    """Show the form, and the claims that fit it."""
    values = request.query_params
    after = text(values, "after", MOST_CURSOR)
    found = known = None
    with warehouse_of(request).reading() as conn:
        targets = choose_target(conn, values)
        if targets.chosen:
            found = search(conn, _wanted(request, targets.chosen), after)
            known = choices(conn, targets.chosen)
    kept = {name: text(values, name) for name in ("target", *FIELDS, "as_of")} | {"after": after}
    return page(request, "claims.html.j2", title="Search", targets=targets, found=found, choices=known, kept=kept)


@router.get("/claims.csv")
def claims_csv(request: Request) -> Response:
    """Give out every claim that fits, as CSV."""
    with warehouse_of(request).reading() as conn:
        wanted = _asked(request, conn)
    return csv_download(
        warehouse_of(request), "claims.csv", CLAIMS, lambda conn: map(claim_texts, stream(conn, wanted))
    )


@router.get("/claims.xlsx")
def claims_excel(request: Request) -> Response:
    """Give out the claims that fit, as an Excel workbook."""
    with warehouse_of(request).reading() as conn:
        wanted = _asked(request, conn)
        return excel_download("claims.xlsx", "Claims", CLAIMS, map(claim_texts, stream(conn, wanted)))
