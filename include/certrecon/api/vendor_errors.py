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
_INLINE = re.compile(r"(?i)</?(?:a|b|i|u|em|strong|span|code|small|font|wbr)\b[^>]*>")
_TAGS = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>|<[^>]*>")


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


def parse_error(body: bytes, redactor: Redactor) -> VendorError:
    """Return what an error body says, whatever it is: documented JSON, other JSON, text or HTML."""
    found = _parsed(body)
    if found is not None:
        code, message = found
        return VendorError(redactor.show(code, 80) or None, redactor.show(message, MAX_MESSAGE))
    text = redactor.mask(body[:65_536].decode("utf-8", "replace"))
    return VendorError(None, redactor.show(_TAGS.sub(" ", _INLINE.sub("", text)), MAX_OTHER))
