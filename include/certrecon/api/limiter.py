"""How fast requests may start."""

from __future__ import annotations

import asyncio


class RateLimiter:
    """Spaces the starts of requests evenly, and holds all of them back while a vendor asks for it."""

    def __init__(self, requests_per_second: float | None) -> None:
        """Keep the rate; None is no limit."""
        self._gap = 1.0 / requests_per_second if requests_per_second else 0.0
        self._next = 0.0
        self._held_until = 0.0

    async def turn(self) -> None:
        """Return when a request may start."""
        loop = asyncio.get_running_loop()
        while True:
            while (held := self._held_until - loop.time()) > 0:  # noqa: ASYNC110 - the time moves while it waits
                await asyncio.sleep(held)
            if not self._gap:
                return
            now = loop.time()
            start = max(now, self._next)
            self._next = start + self._gap
            if start > now:
                await asyncio.sleep(start - now)
            if loop.time() >= self._held_until:
                return

    def hold(self, seconds: float) -> None:
        """Let nothing start for so many seconds: a 429 speaks to every request of the client."""
        self._held_until = max(self._held_until, asyncio.get_running_loop().time() + seconds)
