"""What every answer of the pages carries, and what becomes of an error that nobody foresaw."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
"""The content security policy: nothing inline, nothing from elsewhere, no framing by others."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What every answer carries; a route may set a policy of its own."""

_SORRY = b"Something went wrong here. The server's log says what; nothing was changed."


class Headers:
    """Middleware that puts the headers on every answer and answers for errors that nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        """Take what comes after it."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception as error:  # noqa: BLE001 - whatever it is, no caller may see it
            _record(error)
            if started:
                raise RuntimeError("An answer broke off.") from None
            await _apologise(with_headers)


def _record(error: Exception) -> None:
    # Its message may quote a row; where it happened cannot.
    places = "".join(traceback.format_tb(error.__traceback__))
    log.error("A page failed with %s\n%s", type(error).__name__, places)


async def _apologise(send: Send) -> None:
    kind = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(_SORRY)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": kind})
    await send({"type": "http.response.body", "body": _SORRY})
