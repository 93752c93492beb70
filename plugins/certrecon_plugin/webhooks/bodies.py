"""Reads the body of a webhook within limits of size and time, and checks its signature where there is a key."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fastapi import HTTPException
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from fastapi import Request

KEY: Final = "CERTRECON_WEBHOOK_HMAC_KEY"
HEADER: Final = "CERTRECON_WEBHOOK_HMAC_HEADER"
USUAL_HEADER: Final = "X-Hub-Signature-256"
_BEFORE: Final = "sha256="


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a body may be, in bytes, and how long it may take, in seconds."""

    size: int = 2**20
    seconds: float = 10


@dataclass(frozen=True, slots=True)
class Signature:
    """How a body proves that it was sent by who knows a key.

    Attributes:
        key: The key.
        header: The header with the body's HMAC (SHA-256, as hexadecimal digits, `sha256=` before them or not).
    """

    key: bytes
    header: str = USUAL_HEADER

    def fits(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Return whether the header has the body's HMAC, compared in constant time."""
        wanted = hmac.new(self.key, body, hashlib.sha256).hexdigest()
        given = headers.get(self.header, "").strip().removeprefix(_BEFORE).lower()
        return hmac.compare_digest(wanted.encode(), given.encode(errors="replace"))


def signature_of(environment: Mapping[str, str] = os.environ) -> Signature | None:
    """Return what the environment asks of bodies; nothing without a key."""
    key = environment.get(KEY, "").strip()
    return Signature(key.encode(), environment.get(HEADER, "").strip() or USUAL_HEADER) if key else None


async def read_body(request: Request, limits: Limits) -> bytes:
    """Return a body.

    Raises:
        HTTPException: 413, too large, by what it says of itself or by what came; 408, too slow; 400, broken off.
    """
    if _declared(request) > limits.size:
        raise HTTPException(413)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.seconds):
            async for part in request.stream():
                body += part
                if len(body) > limits.size:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)


def _declared(request: Request) -> int:
    # The server under us refuses what is no number; whatever gets here otherwise is counted as it comes.
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 20 else 0
