"""The unversioned office calls that 4HSE's oldest public sample still uses.

Nothing of the project calls them; they are here so that the sample runs with only the host changed.
"""

from __future__ import annotations

import uuid

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from certrecon_sandbox.bodies import read_body, read_query
from certrecon_sandbox.fourhse.entities import OFFICE
from certrecon_sandbox.fourhse.errors import invalid, not_found
from certrecon_sandbox.fourhse.listing import parse_listing
from certrecon_sandbox.state import sandbox_of
from certrecon_sandbox.table import Row, Table

router = APIRouter(include_in_schema=False)
_FIELDS = ("office_id", "name", "project_id")


@router.get("/office/index")
async def index(request: Request) -> Response:
    """List offices: `limit`, `offset`, `sort`."""
    asked = read_query(request)
    table = _table(request)
    keys = table.select(parse_listing(OFFICE, {"sort": asked.get("sort")}, 1).selection)
    start, size = _number(asked.get("offset"), 0), _number(asked.get("limit"), 20)
    return _data([table.rows[key] for key in keys[start : start + size]])


@router.get("/office/view")
async def view(request: Request) -> Response:
    """Show one office."""
    return _data(_office(request))


@router.post("/office/create")
async def create(request: Request) -> Response:
    """Add an office."""
    given = await read_body(request)
    values = {name: given[name] for name in _FIELDS if given.get(name)}
    if "name" not in values:
        raise invalid("name", "Name cannot be blank.")
    if values.get("project_id") not in sandbox_of(request).world.projects.rows:
        raise invalid("project_id", "Project ID is invalid.")
    return _data(_table(request).add({"office_id": str(uuid.uuid4())} | values), 201)


@router.put("/office/update")
async def update(request: Request) -> Response:
    """Rename an office."""
    office, given = _office(request), await read_body(request)
    values = {"name": given["name"]} if given.get("name") else {}
    return _data(_table(request).change(office["office_id"], values))


@router.delete("/office/delete")
async def delete(request: Request) -> Response:
    """Take an office away."""
    _table(request).remove(_office(request)["office_id"])
    return Response(status_code=204)


def _table(request: Request) -> Table:
    return sandbox_of(request).world.offices


def _office(request: Request) -> Row:
    identity = request.query_params.get("id", "")
    row = _table(request).get(identity)
    if row is None:
        raise not_found(identity)
    return row


def _data(value: object, status: int = 200) -> Response:
    return JSONResponse({"data": value}, status)


def _number(value: object, default: int) -> int:
    return int(value) if isinstance(value, str) and value.isdecimal() else default
