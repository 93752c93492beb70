"""Makes the application that takes 4HSE's webhooks.

4HSE cannot sign in to Airflow, so the address itself is the key: its token is random, belongs to one event, and can be
revoked. Nothing that a webhook says is believed; what is stored is where to look.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI, HTTPException, Request
from starlette.responses import PlainTextResponse, Response

from certrecon.api.notices import read_notice
from certrecon.errors import CertreconError, NoticeError
from certrecon.warehouse.hints import Hint
from certrecon_plugin.pages.headers import Headers
from certrecon_plugin.pages.warehouse import Warehouse
from certrecon_plugin.webhooks.announcing import Announcer
from certrecon_plugin.webhooks.answers import EarlyAnswer
from certrecon_plugin.webhooks.bodies import Limits, Signature, read_body, signature_of
from certrecon_plugin.webhooks.hiding import WithoutPath
from certrecon_plugin.webhooks.receiver import Receiver

if TYPE_CHECKING:
    from certrecon.words import ChangeEvent

log = logging.getLogger(__name__)

PREFIX: Final = "/certrecon-webhooks"
"""Where Airflow mounts the application."""
PATH: Final = "/fourhse/{token}"
_WORDS: Final = {
    400: "The body broke off.",
    401: "The signature is missing or wrong.",
    408: "The body did not come in time.",
    413: "The body is too large.",
}


def create_app(
    announcer: Announcer | None = None, signature: Signature | None = None, limits: Limits | None = None
) -> FastAPI:
    """Return the application, ready to be mounted; nothing is connected or started yet.

    Args:
        announcer: Tells Airflow of hints; null = the usual one.
        signature: What bodies must carry; null = as the environment says.
        limits: Of bodies; null = the usual ones.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=_living)
    app.state.warehouse = Warehouse()
    app.state.announcer = announcer or Announcer(app.state.warehouse)
    app.state.receiver = Receiver(app.state.warehouse, app.state.announcer)
    app.state.signature = signature or signature_of()
    app.state.limits = limits or Limits()
    app.add_middleware(Headers)
    app.add_middleware(WithoutPath)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(404, _nothing_here)
    app.add_exception_handler(405, _nothing_here)
    app.add_exception_handler(NoticeError, _not_understood)
    app.add_exception_handler(CertreconError, _not_stored)
    app.add_api_route(PATH, take, methods=["POST"])
    return app


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    app.state.announcer.start()
    try:
        yield
    finally:
        app.state.announcer.stop()
        app.state.receiver.close()


async def take(request: Request, token: str) -> Response:
    """Store what a webhook hints at; the answer follows the commit.

    Raises:
        HTTPException: 404, no such address; 401, not signed; 408, 413 and 400 as `read_body`.
        NoticeError: The body names nothing that could have changed.
        CertreconError: The warehouse is not available.
    """
    state = request.app.state
    event: ChangeEvent | None = await state.receiver.event_of(token)
    if event is None:
        raise HTTPException(404)
    body = await read_body(request, state.limits)
    if state.signature is not None and not state.signature.fits(body, request.headers):
        raise HTTPException(401)
    notice = read_notice(event, body)
    await state.receiver.take(Hint(event, notice.entity_id, notice.certificate_ids))
    return Response(b'{"stored": true}', media_type="application/json")


def _nothing_here(_request: Request, _error: Exception) -> Response:
    return EarlyAnswer(404)


def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    words = _WORDS.get(error.status_code, "")
    return PlainTextResponse(words, 401) if error.status_code == 401 else EarlyAnswer(error.status_code, words)


def _not_understood(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 400)


def _not_stored(_request: Request, error: Exception) -> Response:
    log.warning("A webhook was not taken: %s: %s", type(error).__name__, error)
    return PlainTextResponse("Not stored. Send it again later.", 503, {"Retry-After": "60"})
