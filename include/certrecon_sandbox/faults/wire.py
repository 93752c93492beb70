"""Faults of the connection; the bytes on the wire are what they say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from certrecon_sandbox.faults.exchange import Answer, Exchange
from certrecon_sandbox.faults.fault import Fault, choice

_PAUSE = 0.02
"""Seconds in which what was sent reaches the peer before the connection breaks."""
_BLOCK = b" " * 65_536


@dataclass(frozen=True)
class Latency(Fault):
    """The request waits `seconds` before the vendor sees it; or, `where: answer`, its answer does."""

    kind: ClassVar[str] = "latency"
    seconds: float = 1.0
    where: str = choice("request", "answer")

    async def play(self, exchange: Exchange) -> None:
        """Wait, then go on."""
        if self.where == "request":
            await asyncio.sleep(self.seconds)
            await exchange.go_on()
            return
        answer = await exchange.answer()
        await asyncio.sleep(self.seconds)
        await exchange.reply(answer)


@dataclass(frozen=True)
class Reset(Fault):
    """A TCP reset before any byte of an answer; the vendor has not seen the request."""

    kind: ClassVar[str] = "reset"

    async def play(self, exchange: Exchange) -> None:
        """Break the connection."""
        await exchange.reset()


@dataclass(frozen=True)
class LostAnswer(Fault):
    """The vendor processes the request whole, and its answer never arrives: a TCP reset instead."""

    kind: ClassVar[str] = "lost_answer"

    async def play(self, exchange: Exchange) -> None:
        """Process, then break the connection."""
        await exchange.answer()
        await exchange.reset()


@dataclass(frozen=True)
class CutBody(Fault):
    """The connection breaks after `share` of the body: by a TCP reset, or closed as if all were well.

    The vendor has processed the request. An answer without a body gets one, so that there is a middle.
    """

    kind: ClassVar[str] = "cut_body"
    share: float = 0.5
    how: str = choice("reset", "close")

    async def play(self, exchange: Exchange) -> None:
        """Send a part, then break off."""
        answer = await exchange.answer()
        body = answer.body or b"[" + b" " * 64 + b"]"
        if answer.status == 204:
            answer.status = 200
        await exchange.start(answer, len(body))
        part = body[: min(max(1, int(len(body) * self.share)), len(body) - 1)]
        await exchange.send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(_PAUSE)
        await (exchange.reset() if self.how == "reset" else exchange.close())


@dataclass(frozen=True)
class EndlessBody(Fault):
    """A success whose body does not end, up to `megabytes` of white space after one bracket."""

    kind: ClassVar[str] = "endless_body"
    megabytes: int = 4096

    async def play(self, exchange: Exchange) -> None:
        """Send blocks until the peer has gone."""
        answer = Answer(200, [(b"content-type", b"application/json")])
        await exchange.send({"type": "http.response.start", "status": 200, "headers": answer.headers})
        await exchange.send({"type": "http.response.body", "body": b"[", "more_body": True})
        gone = asyncio.ensure_future(exchange.gone())
        for _ in range(self.megabytes * 16):
            if gone.done():
                break
            await exchange.send({"type": "http.response.body", "body": _BLOCK, "more_body": True})
            await asyncio.sleep(0)
        gone.cancel()
        await exchange.send({"type": "http.response.body", "body": b"]"})
