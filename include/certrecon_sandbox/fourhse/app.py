"""4HSE's application."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI
from starlette.exceptions import HTTPException

from certrecon_sandbox.bodies import BodyError, ContentTypeError
from certrecon_sandbox.fourhse import errors, legacy, tokens
from certrecon_sandbox.fourhse.entities import LISTED, VIEWED
from certrecon_sandbox.fourhse.routes import (
    CERTIFICATE_ACTION_WRITES,
    CERTIFICATE_WRITES,
    add_index,
    add_view,
    add_writes,
)
from certrecon_sandbox.state import Sandbox


def fourhse_app(sandbox: Sandbox) -> FastAPI:
    """Build 4HSE's application; its OpenAPI description is at `/4hse/openapi.json`."""
    app = FastAPI(title="4HSE (sandbox)", version="2.0.0", docs_url=None, redoc_url=None)
    app.state.sandbox = sandbox
    router = APIRouter(dependencies=[Depends(tokens.authenticate)])
    for entity in LISTED:
        add_index(router, entity)
    for entity in VIEWED:
        add_view(router, entity)
    add_writes(router, CERTIFICATE_WRITES)
    add_writes(router, CERTIFICATE_ACTION_WRITES)
    router.include_router(legacy.router)
    app.include_router(router)
    app.include_router(tokens.router)
    app.add_exception_handler(errors.YiiError, errors.on_yii_error)
    app.add_exception_handler(errors.InvalidError, errors.on_invalid)
    app.add_exception_handler(BodyError, errors.on_body_error)
    app.add_exception_handler(ContentTypeError, errors.on_body_error)
    app.add_exception_handler(HTTPException, errors.on_http_exception)
    return app
