"""Keeps the tokens in the paths out of every log that is written above the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

HIDDEN: Final = "/***"


class WithoutPath:
    """Middleware that leaves path and query to the application and takes them from whoever is around it.

    Airflow writes a line for each request when it is over, from the same scope that was handed down. So the application
    gets a copy, and the scope loses both before anything else happens.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Take what comes after it."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        inner = dict(scope)
        if scope["type"] in {"http", "websocket"}:
            shown = str(scope.get("root_path", "")) + HIDDEN
            scope.update(path=shown, raw_path=shown.encode(), query_string=b"")
        await self._app(inner, receive, send)
