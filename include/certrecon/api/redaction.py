"""The one place that makes a vendor's words fit to be shown: no secret, only visible characters."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote

from certrecon.text import visible

MASK = "***"

_SCHEMED = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")
_NAMED = re.compile(
    r"(?i)\b((?:access|refresh|id|auth|session)?[-_ ]?token|pass(?:word|wd|phrase)?|client[-_ ]?secret|secret"
    r"|api[-_ ]?key|authorization)([\"']?\s*[:=]\s*[\"']?)(?!\*\*\*)[^\s\"'&,;<>{}\[\]]{3,}"
)
_JWT = re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]*){0,2}")
_PERSONAL = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"  # e-mail; bounded, or one long word takes quadratic time
    r"|\+\d{1,3}[ -]?(?:\d[ -]?){6,13}\d"  # telephone
    r"|\b\d{6} ?\d{5}\b"  # Norwegian national identity number
    r"|\b[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]\b"  # Italian tax code
)
_PERSONAL_NAMED = re.compile(  # as JSON or a query writes it; "Phone: is required" names a field and no value
    r"(?i)\b((?:birth[-_ ]?(?:date|place)|date[-_ ]of[-_ ]birth|e-?mail|phone|mobile|tax[-_ ]?code|notes?|data)\w*"
    r"(?:[\"']\s*[:=]\s*[\"']?|=[\"']?))(?!\*\*\*)[^\s\"',;&<>{}\[\]][^\"',;&<>{}\[\]]*"
)
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\(/)")
_SHORTEST_PART = 8
"""Fewest characters of an encoded or cut secret that tell it from chance."""
_LONG = 16
"""Characters of a secret whose first half alone is masked as well: whoever repeats it may have cut it."""


def _spellings(secret: str) -> set[str]:
    """Return how a secret may be written in an address, in JSON, in HTML, and inside something encoded."""
    whole = secret.encode("utf-8", "replace")
    encoded = {whole.hex(), whole.hex().upper(), *(_inside_base64(whole, before) for before in range(3))}
    return {
        secret,
        quote(secret, safe="", errors="replace"),
        quote_plus(secret, errors="replace"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        base64.b64encode(whole).decode("ascii"),
        *(one for one in encoded if len(one) >= _SHORTEST_PART),
    }


def _inside_base64(secret: bytes, before: int) -> str:
    """Return the characters that base64 makes of a secret alone when so many bytes stand before it."""
    encoded = base64.b64encode(bytes(before) + secret).decode("ascii")
    return encoded[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]


def _opened(text: str) -> str:
    """Return text without the escapes of JSON, HTML and addresses, one level of each."""
    plain = _ESCAPED.sub(lambda found: found.group(2) or chr(int(found.group(1), 16)), text)
    return html.unescape(unquote(plain, errors="replace"))


class Redactor:
    """Masks the secrets it was told of, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Start with the secrets of a connection."""
        self._plain: set[str] = set()
        self._secrets: tuple[str, ...] = ()
        self._heads = re.compile(r"(?!)")
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Mask these from now on, tokens fetched at run time among them."""
        known = set(self._secrets)
        for secret in filter(None, secrets):
            self._plain.add(secret)
            known |= _spellings(secret)
        self._secrets = tuple(sorted(known, key=len, reverse=True))
        heads = (re.escape(secret[: len(secret) // 2]) for secret in self._secrets if len(secret) >= _LONG)
        self._heads = re.compile("|".join(f"{head}[^\\s\"'<>]*" for head in heads) or r"(?!)")

    def mask(self, text: str) -> str:
        """Return `text` with every known secret, and what looks like one or like a person's address, replaced.

        A text that holds a secret under escapes which nobody foresaw is replaced as a whole.
        """
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = self._without_cut_secret(self._heads.sub(MASK, text))
        text = _SCHEMED.sub(rf"\1 {MASK}", text)
        text = _NAMED.sub(rf"\1\2{MASK}", text)
        text = _PERSONAL_NAMED.sub(rf"\1{MASK}", _JWT.sub(MASK, text))
        text = _PERSONAL.sub(MASK, text)
        return MASK if self._holds_secret(text) else text

    def _without_cut_secret(self, text: str) -> str:
        """Return text without the beginning of a secret at its end: a body may have been cut off there."""
        for secret in self._secrets:
            for size in range(min(len(secret) - 1, len(text)), _SHORTEST_PART - 1, -1):
                if text.endswith(secret[:size]):
                    return text[:-size] + MASK
        return text

    def _holds_secret(self, text: str) -> bool:
        once = _opened(text)
        return any(secret in one for one in (once, _opened(once)) for secret in self._plain)

    def show(self, text: str, limit: int = 200) -> str:
        """Return `text` masked, then cut to `limit` visible characters, then masked again.

        The second time catches a secret that was in pieces before invisible characters were taken out.
        """
        return self.mask(visible(self.mask(text[: limit * 100]), limit))
