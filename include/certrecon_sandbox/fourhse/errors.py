"""Yii's error bodies."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from certrecon_sandbox.bodies import BodyError, ContentTypeError

FieldErrors = list[dict[str, str]]


class YiiError(Exception):
    """An answer `{"name", "message", "code", "status"}`."""

    def __init__(self, status: int, message: str) -> None:
        """Keep status and message."""
        super().__init__(message)
        self.status = status
        self.message = message


class InvalidError(Exception):
    """A 422 with `[{"field", "message"}]`."""

    def __init__(self, errors: FieldErrors) -> None:
        """Keep the errors."""
        super().__init__(errors)
        self.errors = errors


def invalid(field: str, message: str) -> InvalidError:
    """Return a 422 with one field."""
    return InvalidError([{"field": field, "message": message}])


def not_found(identity: str) -> YiiError:
    """Return the 404 of a row that does not exist."""
    return YiiError(404, f"Object not found: {identity}")


def error_response(status: int, message: str) -> Response:
    """Render Yii's error body."""
    name = HTTPStatus(status).phrase
    headers = {"WWW-Authenticate": 'Bearer realm="api"'} if status == 401 else None
    body = {"name": name, "message": message, "code": 0, "status": status}
    return JSONResponse(body, status, headers)


def on_yii_error(_request: Request, error: Exception) -> Response:
    """Answer a `YiiError`."""
    if not isinstance(error, YiiError):
        raise error
    return error_response(error.status, error.message)


def on_invalid(_request: Request, error: Exception) -> Response:
    """Answer an `InvalidError`."""
    if not isinstance(error, InvalidError):
        raise error
    return JSONResponse(error.errors, 422)


def on_http_exception(_request: Request, error: Exception) -> Response:
    """Answer an unknown path or a method that is not allowed, as Yii does."""
    if not isinstance(error, HTTPException):
        raise error
    message = "Page not found." if error.status_code == 404 else str(error.detail)
    return error_response(error.status_code, message)


def on_body_error(_request: Request, error: Exception) -> Response:
    """Answer a body that cannot be read."""
    if isinstance(error, ContentTypeError):
        return error_response(415, f"Unsupported content type: {error}")
    if not isinstance(error, BodyError):
        raise error
    return error_response(400, str(error))
