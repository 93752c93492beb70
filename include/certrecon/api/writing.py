"""Writing requests: repeated only where that cannot do harm.

A refusal (401, 429) did nothing, and a connection that was never made carried nothing: these are tried
again. Without an answer, or with a 5xx, the request may have been done. It is sent again only if doing it
twice is the same as doing it once (update, delete); a create never is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from http import HTTPStatus

from certrecon.api.delays import Delays, asked_wait
from certrecon.api.outcomes import Reaction, answer_error, fault_error, reaction_to_result
from certrecon.api.transport import Transport
from certrecon.api.wire import Answer, Fault, FaultKind, Request
from certrecon.errors import CertreconError, UnknownOutcomeError

logger = logging.getLogger(__name__)
_NEVER_SENT = {FaultKind.CONNECT, FaultKind.CERTIFICATE}


def may_have_been_done(result: Answer | Fault) -> bool:
    """Return whether a request that was not answered with a success may have been done all the same."""
    if isinstance(result, Answer):
        return result.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return result.kind not in _NEVER_SENT


async def write(transport: Transport, request: Request, *, repeatable: bool, accept: Collection[int] = ()) -> Answer:
    """Send a writing request until it is answered or must not be repeated.

    Args:
        transport: The vendor.
        request: What to do.
        repeatable: Whether doing it twice is the same as doing it once.
        accept: Statuses that are an answer here although they are no success.

    Raises:
        UnknownOutcomeError: It may have been done and must not be repeated.
        CertreconError: The vendor refused it, or could not be reached.
    """
    delays = Delays(transport.retry)
    renewed = False
    while True:
        result = (await transport.once(request)).result
        reaction = reaction_to_result(result)
        if isinstance(result, Answer) and (reaction is Reaction.ACCEPT or result.status in accept):
            return result
        if reaction is Reaction.RENEW and not renewed:
            renewed = True
            continue
        if may_have_been_done(result) and not repeatable:
            raise _unknown(transport.vendor, request, result)
        await _wait_or_fail(transport, request, result, delays)


def _unknown(vendor: str, request: Request, result: Answer | Fault) -> UnknownOutcomeError:
    what = f"answered {result.status}" if isinstance(result, Answer) else result.text
    return UnknownOutcomeError(
        f"{vendor} {what} ({request.label}). It may have been done all the same, so it was not sent again"
    )


async def _wait_or_fail(transport: Transport, request: Request, result: Answer | Fault, delays: Delays) -> None:
    reaction = reaction_to_result(result)
    if reaction in {Reaction.WAIT, Reaction.RETRY}:
        asked = asked_wait(result.headers) if isinstance(result, Answer) else None
        wait = delays.next_wait(rate_limited=reaction is Reaction.WAIT, asked=asked)
        if wait is not None:
            logger.info("%s: %s: waiting %.1f s (try %d)", transport.vendor, request.label, wait, delays.tries)
            await asyncio.sleep(wait)
            return
    raise _error(transport, request, result, max(delays.tries, 1))


def _error(transport: Transport, request: Request, result: Answer | Fault, tries: int) -> CertreconError:
    if isinstance(result, Fault):
        return fault_error(transport.vendor, request, result, tries)
    return answer_error(transport.vendor, request, result, tries, transport.redactor)
