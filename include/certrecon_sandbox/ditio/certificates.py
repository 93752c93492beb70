"""The certificates upsert: checked item by item, so earlier items stay saved before a 400."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from certrecon_sandbox.ditio.employees import own_numbers
from certrecon_sandbox.ditio.errors import DitioError
from certrecon_sandbox.ditio.tokens import authenticate
from certrecon_sandbox.state import sandbox_of
from certrecon_sandbox.table import Row

router = APIRouter(dependencies=[Depends(authenticate)])

REQUIRED = ("employeeNumber", "certificateType", "issuedDateTime", "validUntilDateTime")
# Longest values; the two vendors' documents name none.
LONGEST = {"employeeNumber": 255, "certificateType": 255, "certificateNumber": 255, "notes": 1000}
FIELDS = (*REQUIRED, "certificateNumber", "notes")
_ITEM = {
    "type": "object",
    "required": list(REQUIRED),
    "properties": {
        name: {"type": "string"} | ({"format": "date-time"} if "DateTime" in name else {}) for name in FIELDS
    },
}
_BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "array", "items": _ITEM}}},
}


@router.post(
    "/core/api/v4/integration/certificates",
    status_code=201,
    response_class=Response,  # an answer without a body: the description promises no JSON
    openapi_extra={"requestBody": _BODY},
)
async def upsert(request: Request) -> Response:
    """Create or update certificates by employee number and exact certificate type."""
    sandbox = sandbox_of(request)
    items = await _items(request)
    if len(items) > sandbox.options.ditio_max_rows:
        message = f"At most {sandbox.options.ditio_max_rows} certificates may be sent at once."
        raise DitioError(413, "TooManyItems", message)
    numbers = own_numbers(sandbox.world)
    saved = []
    for index, item in enumerate(items):
        row = _check(index, item, numbers)
        sandbox.world.upserts[row["employeeNumber"], row["certificateType"]] = row
        saved.append(row)
    if sandbox.options.ditio_success_body == "echo":
        return JSONResponse(saved, 201)
    return Response(status_code=201)


async def _items(request: Request) -> list[Any]:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise DitioError(415, "UnsupportedMediaType", "Send the certificates as application/json.")
    try:
        items = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DitioError(400, "InvalidJson", "The body is not valid JSON.") from error
    if not isinstance(items, list):
        raise DitioError(400, "ArgumentInvalid", "An array of certificates is expected.")
    return items


def _check(index: int, item: Any, numbers: frozenset[str]) -> Row:
    if not isinstance(item, dict):
        raise DitioError(400, "ArgumentInvalid", "A certificate must be an object.", None, index)
    row = _fields(item)
    for name, value in row.items():
        message = _text_error(name, value)
        if message:
            raise DitioError(400, "ArgumentIsInvalid", message, name, index)
    if row["employeeNumber"] not in numbers:
        message = f"No user with employee number '{row['employeeNumber']}' exists in the company."
        raise DitioError(400, "EmployeeNotFound", message, "employeeNumber", index)
    issued, until = _moment(row["issuedDateTime"]), _moment(row["validUntilDateTime"])
    for name, moment in (("issuedDateTime", issued), ("validUntilDateTime", until)):
        if moment is None:
            message = f"The value '{row[name][:40]}' is not a valid date."
            raise DitioError(400, "ArgumentIsInvalid", message, name, index)
    if issued is not None and until is not None and not issued < until:
        message = "issuedDateTime must be before validUntilDateTime."
        raise DitioError(400, "ArgumentIsInvalid", message, "issuedDateTime", index)
    return row


def _fields(item: dict[str, Any]) -> Row:
    """Pick the documented fields; names are not case-sensitive, as in ASP.NET."""
    if any(name not in item for name in REQUIRED):
        folded = {name.lower(): value for name, value in item.items()}
        return {name: folded.get(name.lower()) for name in FIELDS}
    return {name: item.get(name) for name in FIELDS}


def _text_error(name: str, value: Any) -> str | None:
    if value is None or value == "":
        return f"The {name} field is required." if name in REQUIRED else None
    if not isinstance(value, str):
        return f"The {name} field must be a string."
    if name in REQUIRED and not value.strip():
        return f"The {name} field is required."
    if len(value) > LONGEST.get(name, 64):
        return f"The {name} field must not be longer than {LONGEST.get(name, 64)} characters."
    return None


@lru_cache(maxsize=65536)
def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except OverflowError:
        return None
