"""The one place that makes a vendor's words fit to be shown: no secret, only visible characters."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"

_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_SCHEMED = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")
_NAMED = re.compile(
    r"(?i)\b((?:access|refresh|id|auth|session)?[-_ ]?token|pass(?:word|wd|phrase)?|client[-_ ]?secret|secret"
    r"|api[-_ ]?key|authorization)([\"']?\s*[:=]\s*[\"']?)(?!\*\*\*)[^\s\"'&,;<>{}\[\]]{3,}"
)
_JWT = re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]*){0,2}")


def visible(text: str, limit: int) -> str:
    """Return at most `limit` visible characters of `text` on one line."""
    plain = _TERMINAL.sub("", text[: limit * 20])
    shown = " ".join("".join(char for char in plain if char.isprintable() or char.isspace()).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _spellings(secret: str) -> set[str]:
    """Return how a secret may be written in an address, in JSON and in a Basic header."""
    encoded = base64.b64encode(secret.encode("utf-8", "replace")).decode("ascii")
    return {
        secret,
        quote(secret, safe="", errors="replace"),
        quote_plus(secret, errors="replace"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        encoded,
    }


class Redactor:
    """Masks the secrets it was told of, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Start with the secrets of a connection."""
        self._secrets: tuple[str, ...] = ()
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Mask these from now on, tokens fetched at run time among them."""
        known = set(self._secrets)
        for secret in filter(None, secrets):
            known |= _spellings(secret)
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def mask(self, text: str) -> str:
        """Return `text` with every known secret, and what looks like a secret, replaced."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = _SCHEMED.sub(rf"\1 {MASK}", text)
        text = _NAMED.sub(rf"\1\2{MASK}", text)
        return _JWT.sub(MASK, text)

    def show(self, text: str, limit: int = 200) -> str:
        """Return `text` masked, then cut to `limit` visible characters, then masked again.

        The second time catches a secret that was in pieces before invisible characters were taken out.
        """
        return self.mask(visible(self.mask(text[: limit * 100]), limit))
