"""Answers of the receiver, and how one reaches a caller that is still sending."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

LINGER_SECONDS: Final = 2
LINGER_BYTES: Final = 8 * 2**20


class EarlyAnswer(PlainTextResponse):
    """An answer that is given before the body was read to its end, which is not waited for.

    To close at once would throw the answer away on its way, since the system resets a connection that is closed with
    bytes unread. So a little more is read and dropped while the caller finds the answer.
    """

    def __init__(self, status: int, words: str = "") -> None:
        """Take the status and what to say."""
        super().__init__(words, status, {"Connection": "close"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as its parent's
        """Answer, then let the caller finish or go."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await _drop(receive)
        await send({"type": "http.response.body", "body": b""})


async def _drop(receive: Receive) -> None:
    dropped = 0
    while dropped < LINGER_BYTES:
        message = await receive()
        if not message.get("more_body"):
            return
        dropped += len(message["body"])
