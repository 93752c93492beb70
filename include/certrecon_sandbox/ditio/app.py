"""Ditio's application."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from certrecon_sandbox.ditio import certificates, employees, errors, tokens
from certrecon_sandbox.state import Sandbox


def ditio_app(sandbox: Sandbox) -> FastAPI:
    """Build Ditio's application; its OpenAPI description is at `/ditio/openapi.json`."""
    app = FastAPI(title="Ditio (sandbox)", version="4", docs_url=None, redoc_url=None)
    app.state.sandbox = sandbox
    app.include_router(tokens.router)
    app.include_router(certificates.router)
    app.include_router(employees.router)
    app.add_exception_handler(errors.DitioError, errors.on_ditio_error)
    app.add_exception_handler(HTTPException, errors.on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_wrong_query)
    return app


def _on_wrong_query(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    name = str(error.errors()[0]["loc"][-1])
    wrong = errors.DitioError(400, "ArgumentIsInvalid", f"The {name} parameter is wrong.", name)
    return errors.on_ditio_error(request, wrong)
