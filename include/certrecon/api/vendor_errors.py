"""What a vendor says in an error body, cut to a code and a message (design, *Connections*).

The shapes are those of the reference on both APIs (2.9 for 4HSE, 3.6 for Ditio, RFC 6749 for tokens).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from certrecon.api.redaction import Redactor

MAX_MESSAGE = 400
"""Most characters of a message that was found in a documented place."""
MAX_OTHER = 200
"""Most visible characters of any other body."""
_MAX_PARTS = 5
_MAX_BODY = 65_536
_ELLIPSIS = "\u2026"
_JSON = re.compile(r"\s*(?:\{|\[\s*(?:[\[\]{\"\d]|$))")
_HTML = re.compile(r"(?is)^\s*<|<(?:html|body|head|!doctype)\b")
_HEADINGS = re.compile(r"(?is)<(title|h[1-3])\b[^>]*>(.*?)</\1\s*>")
_VALUES = re.compile(
    r"(?s)\{.*\}|\{.*$|\[\s*[\[{\"'].*"  # what is written as JSON or as a row
    r"|\"[^\"]*\"?|\u201c[^\u201d]*\u201d?|\u00ab[^\u00bb]*\u00bb?|`[^`]*`?"
    r"|(?<!\w)'.*?'(?!\w)|(?<!\w)'.*$"  # an apostrophe inside a word quotes nothing
)
# Neither looks further than the next tag, nor twice for an end that is not there: that would take quadratic time.
_INLINE = re.compile(r"(?i)</?(?:a|b|i|u|em|strong|span|code|small|font|wbr)\b[^<>]*>")
_TAGS = re.compile(r"(?is)<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^<>]*>")
_PRIVATE = re.compile(r"(?is)\b(data|notes?)\b\s*[:=].*")


@dataclass(frozen=True, slots=True)
class VendorError:
    """A vendor's error, fit to be shown.

    Attributes:
        code: The vendor's own code or name of the error, if it gave one.
        message: What it said; empty when the body was empty.
    """

    code: str | None
    message: str

    def __str__(self) -> str:
        """Return code and message as one text."""
        if self.code and self.message:
            return f"{self.code}: {self.message}"
        return self.code or self.message


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _field_error(item: Any) -> str:
    if not isinstance(item, dict):
        return _text(item)
    name, message = _text(item.get("field")), _text(item.get("message"))
    return f"{name}: {message}" if name and message else name or message


def _field_errors(errors: Any) -> str:
    """Join the entries of a list of {field, message}, or of ASP.NET's {field: [messages]}."""
    if isinstance(errors, dict):
        errors = [
            {
                "field": name,
                "message": "; ".join(map(_text, texts)) if isinstance(texts, list) else _text(texts),
            }
            for name, texts in list(errors.items())[: _MAX_PARTS + 1]
        ]
    if not isinstance(errors, list):
        return ""
    parts = [part for part in map(_field_error, errors[:_MAX_PARTS]) if part]
    return "; ".join(parts) + (" ..." if len(errors) > _MAX_PARTS else "")


def _from_object(body: dict[str, Any]) -> tuple[str, str]:
    # .NET writes the same names with a capital in some of its answers.
    body = {name.lower(): value for name, value in reversed(body.items())}
    inner = body.get("error")
    if isinstance(inner, dict):
        return _text(inner.get("code")), _text(inner.get("message"))
    fields = _field_errors(body.get("errors"))
    message = _text(body.get("message")) or _text(body.get("error_description"))
    message = message or _text(body.get("title")) or _text(body.get("detail"))
    code = _text(inner) or _text(body.get("name"))
    return code, f"{message} ({fields})" if message and fields else message or fields


def _parsed(body: bytes) -> tuple[str, str] | None:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(value, dict):
        code, message = _from_object(value)
        return (code, message) if code or message else None
    if isinstance(value, list):
        message = _field_errors(value)
        return ("", message) if message else None
    return ("", value) if isinstance(value, str) else None


def _words(text: str) -> str:
    """Return a message without the values that it quotes, or that it gives for a private field."""
    return _VALUES.sub(_ELLIPSIS, _PRIVATE.sub(rf"\1: {_ELLIPSIS}", text))


def _headings(text: str) -> str:
    """Return the title and the headings of a page, each once."""
    return " ".join(dict.fromkeys(_TAGS.sub(" ", heading).strip() for _, heading in _HEADINGS.findall(text)))


def _other(text: str, *, values: bool) -> str:
    """Return what to show of a body that has no documented place for a message."""
    if not values and _JSON.match(text):
        return "JSON of no documented form"
    if not values and _HTML.search(text):
        return _headings(text) or "an HTML page"
    text = _TAGS.sub(" ", _INLINE.sub("", text))
    return text if values else _words(text)


def parse_error(body: bytes, redactor: Redactor, *, values: bool = True) -> VendorError:
    """Return what an error body says, whatever it is: documented JSON, other JSON, text or HTML.

    Args:
        body: The body as it came.
        redactor: Knows the secrets.
        values: Whether values that the vendor quotes may be shown. An answer to a reading request may
            quote rows, and so medical data and birth dates (promise 5): there only its words are shown.
    """
    found = _parsed(body)
    if found is not None:
        code, message = (redactor.mask(text[:_MAX_BODY]) for text in found)
        if not values:
            code, message = _words(code), _words(message)
        return VendorError(redactor.show(code, 80) or None, redactor.show(message, MAX_MESSAGE))
    text = redactor.mask(body[:_MAX_BODY].decode("utf-8", "replace"))
    return VendorError(None, redactor.show(_other(text, values=values), MAX_OTHER))
