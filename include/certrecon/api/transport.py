"""How a vendor is spoken to: in turn, with credentials, again where that may help (design, *Extraction*)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from certrecon.api.delays import Delays, RetryPolicy, asked_wait
from certrecon.api.limiter import RateLimiter
from certrecon.api.outcomes import Reaction, answer_error, fault_error, reaction_to_result
from certrecon.api.redaction import Redactor
from certrecon.api.tokens import Auth, Credential
from certrecon.api.wire import Answer, Fault, Request, Timeouts, Wire
from certrecon.errors import CertreconError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that was sent once.

    Attributes:
        sent_at: When it went out.
        result: The answer, or why there is none.
        ended_at: When that was known.
    """

    sent_at: datetime
    result: Answer | Fault
    ended_at: datetime


class Transport:
    """One vendor over one session; an async context manager.

    Requests start within the rate, and no more than `concurrency` at a time. A 429 holds every
    request back. Nothing is followed, kept or logged that could carry a secret.
    """

    def __init__(
        self,
        vendor: str,
        auth: Auth,
        *,
        redactor: Redactor,
        concurrency: int = 4,
        requests_per_second: float | None = None,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Keep the vendor's name, where credentials come from, and the bounds."""
        self.vendor = vendor
        self.redactor = redactor
        self.retry = retry or RetryPolicy()
        self._auth = auth
        self._limiter = RateLimiter(requests_per_second)
        self._places = asyncio.Semaphore(concurrency)
        self._wire = Wire(connections=concurrency + 1, timeouts=timeouts or Timeouts())

    async def __aenter__(self) -> Self:
        """Open the session."""
        await self._wire.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the session."""
        await self._wire.__aexit__(*exc_info)

    async def call(self, request: Request, *, accept: Collection[int] = ()) -> Answer:
        """Return the answer to a reading request, tried until it succeeds or cannot.

        Args:
            request: What to ask.
            accept: Statuses that are an answer here although they are no success (404 for one row).

        Raises:
            CertreconError: The leaf that says what can be done; its message has the vendor's words.
        """
        delays = Delays(self.retry)
        renewed = False
        while True:
            credential = await self._auth.credential(self._without_credentials)
            result = (await self._send(request, credential, delays.left)).result
            if isinstance(result, Answer) and result.status in accept:
                return result
            reaction = reaction_to_result(result)
            if reaction is Reaction.RENEW and not renewed and self._auth.discard(credential):
                renewed = True
                continue
            if isinstance(result, Answer) and reaction is Reaction.ACCEPT:
                return result
            await self._wait_or_fail(request, result, reaction, delays)

    async def once(self, request: Request) -> Sent:
        """Send a request once and return what came of it, whatever it is.

        A 401 makes the next request ask for a new token. For whoever records every single request.

        Raises:
            CertreconError: No credential could be had; nothing was sent.
        """
        credential = await self._auth.credential(self._without_credentials)
        sent = await self._send(request, credential, self.retry.total)
        reaction = reaction_to_result(sent.result)
        if reaction is Reaction.RENEW:
            self._auth.discard(credential)
        if isinstance(sent.result, Answer) and reaction is Reaction.WAIT:
            self._limiter.hold(asked_wait(sent.result.headers) or 0.0)
        return sent

    async def _without_credentials(self, request: Request) -> Answer:
        delays = Delays(self.retry)
        while True:
            result = await self._wire.send(request, total=delays.left)
            reaction = reaction_to_result(result)
            if isinstance(result, Answer) and reaction is Reaction.ACCEPT:
                return result
            await self._wait_or_fail(request, result, reaction, delays)

    async def _send(self, request: Request, credential: Credential, total: float) -> Sent:
        request = _with(request, credential)
        async with self._places:
            await self._limiter.turn()
            sent_at = datetime.now(UTC)
            result = await self._wire.send(request, total=max(total, 0.001))
            return Sent(sent_at, result, datetime.now(UTC))

    async def _wait_or_fail(self, request: Request, result: Answer | Fault, reaction: Reaction, delays: Delays) -> None:
        if reaction in {Reaction.WAIT, Reaction.RETRY}:
            asked = asked_wait(result.headers) if isinstance(result, Answer) else None
            wait = delays.next_wait(rate_limited=reaction is Reaction.WAIT, asked=asked)
            if wait is not None:
                what = result.status if isinstance(result, Answer) else result.text
                logger.info(
                    "%s: %s: %s; waiting %.1f s (try %d)",
                    self.vendor,
                    request.label,
                    what,
                    wait,
                    delays.tries,
                )
                if reaction is Reaction.WAIT:
                    self._limiter.hold(wait)
                await asyncio.sleep(wait)
                return
        raise self._error(request, result, max(delays.tries, 1))

    def _error(self, request: Request, result: Answer | Fault, tries: int) -> CertreconError:
        if isinstance(result, Fault):
            return fault_error(self.vendor, request, result, tries)
        return answer_error(self.vendor, request, result, tries, self.redactor)


def _with(request: Request, credential: Credential) -> Request:
    return Request(
        request.method,
        request.url,
        request.body,
        {**request.headers, **credential.headers},
        {**request.query, **credential.query},
        request.expect,
        request.max_body,
    )
