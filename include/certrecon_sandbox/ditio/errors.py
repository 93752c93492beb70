"""Ditio's error bodies: five shapes are known, and which one a call sends is not documented."""

from __future__ import annotations

import secrets
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from certrecon_sandbox.state import sandbox_of


class DitioError(Exception):
    """An answer that is no success.

    Attributes:
        status: The HTTP status.
        code: Ditio's short code.
        message: Words for people.
        field: The field at fault, if one is.
        index: Which element of the array is at fault, if one is.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        index: int | None = None,
    ) -> None:
        """Keep the parts."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.index = index


def render(error: DitioError, shape: str) -> Response:
    """Render an error in one of the five shapes."""
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'} if error.status == 401 else None
    if shape == "text":
        return PlainTextResponse(error.message, error.status, headers)
    if shape == "aspnet":
        kind = "application/problem+json"
        return JSONResponse(_problem(error), error.status, headers, media_type=kind)
    return JSONResponse(_body(error, shape), error.status, headers)


def _body(error: DitioError, shape: str) -> dict[str, object]:
    if shape == "v5":
        item = {"category": "UserInvalidInputError", "code": error.code}
        item |= {"field": error.field or "", "message": error.message}
        return {"message": "Validation failed", "errors": [item]}
    if shape == "older":
        return {"error": {"message": error.message}}
    return {"error": error.code, "message": error.message}


def _problem(error: DitioError) -> dict[str, object]:
    place = "" if error.index is None else f"[{error.index}]."
    name = (error.field or "")[:1].upper() + (error.field or "")[1:]
    return {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": "One or more validation errors occurred.",
        "status": error.status,
        "traceId": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00",
        "errors": {(place + name) or "$": [error.message]},
    }


def on_ditio_error(request: Request, error: Exception) -> Response:
    """Answer a `DitioError` in the shape of the options."""
    if not isinstance(error, DitioError):
        raise error
    return render(error, sandbox_of(request).options.ditio_error_shape)


def on_http_exception(_request: Request, error: Exception) -> Response:
    """Answer an unknown path or method; ASP.NET sends no body."""
    if not isinstance(error, HTTPException):
        raise error
    return Response(status_code=error.status_code, headers=error.headers)


def not_found(what: str) -> DitioError:
    """Return the 404 of an unknown row; the same as that of a row out of scope."""
    return DitioError(HTTPStatus.NOT_FOUND, "NotFound", f"{what} was not found.")
