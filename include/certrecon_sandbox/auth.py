"""Access and refresh tokens: opaque, with an end."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Grant:
    """What a token allows.

    Attributes:
        ends: When it ends, on the monotonic clock.
        scopes: The scopes it was given for.
    """

    ends: float
    scopes: frozenset[str] = frozenset()


class TokenStore:
    """The tokens of one vendor that still count."""

    def __init__(self) -> None:
        """Start without any token."""
        self._grants: dict[str, Grant] = {}
        self.issued = 0

    def issue(self, lifetime: float, scopes: frozenset[str] = frozenset(), prefix: str = "") -> str:
        """Make a token that lives `lifetime` seconds; it is found again with `prefix` before it."""
        now = time.monotonic()
        self._grants = {token: grant for token, grant in self._grants.items() if grant.ends > now}
        token = secrets.token_urlsafe(48)
        self._grants[prefix + token] = Grant(now + lifetime, scopes)
        self.issued += 1
        return token

    def find(self, token: str) -> Grant | None:
        """Return what a token allows, or None when it is unknown or has ended."""
        grant = self._grants.get(token)
        return grant if grant is not None and grant.ends > time.monotonic() else None

    def revoke(self, token: str) -> None:
        """End one token."""
        self._grants.pop(token, None)

    def expire_all(self) -> int:
        """End every token now and tell how many there were."""
        count = len(self._grants)
        self._grants.clear()
        return count


def same(given: object, expected: str) -> bool:
    """Compare a credential in constant time."""
    return isinstance(given, str) and secrets.compare_digest(given.encode(), expected.encode())


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer` header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
