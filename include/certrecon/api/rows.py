"""Rows of a JSON answer as text, value by value, so that what is not wanted is never decoded."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from certrecon.errors import ResponseFormatError

_BOM = b"\xef\xbb\xbf"
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_ROWS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_RAW_ROW = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _without_lone_surrogate(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape.group(1) else escape.group(0)


def mended(body: bytes) -> bytes:
    """Return a body with bytes that are not UTF-8, and escapes that are half a character, replaced.

    Such text cannot be stored anywhere; U+FFFD stands where it stood.
    """
    body = body.removeprefix(_BOM)
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        body = body.decode("utf-8", "replace").encode("utf-8")
    return _ESCAPE.sub(_without_lone_surrogate, body) if _SURROGATE.search(body) else body


def _decoded(decoder: msgspec.json.Decoder[Any], body: bytes, what: str) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        message = f"{what} has a row that is no JSON object"
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = f"{what} is not well-formed JSON"
    except RecursionError:
        message = f"{what} is nested too deep"
    raise ResponseFormatError(message)


def raw_rows(body: bytes, what: str) -> list[dict[str, msgspec.Raw]]:
    """Return the rows of a JSON array with their values undecoded.

    Args:
        body: The answer's body.
        what: What it is, for the message.

    Raises:
        ResponseFormatError: Not an array of objects.
    """
    rows: list[dict[str, msgspec.Raw]] = _decoded(_RAW_ROWS, mended(body), what)
    return rows


def raw_elements(body: bytes, what: str) -> list[msgspec.Raw]:
    """Return the elements of a JSON array undecoded, or raise `ResponseFormatError`."""
    elements: list[msgspec.Raw] = _decoded(_RAW_LIST, mended(body), what)
    return elements


def raw_row(body: bytes, what: str) -> dict[str, msgspec.Raw]:
    """Return a JSON object with its values undecoded, or raise `ResponseFormatError`."""
    row: dict[str, msgspec.Raw] = _decoded(_RAW_ROW, mended(body), what)
    return row


def text_of_raw(raw: msgspec.Raw | None) -> str | None:
    """Return an undecoded value as text: strings as they are, null as None, everything else as written.

    Objects and arrays become compact JSON.
    """
    if raw is None:
        return None
    written = bytes(raw).strip()
    try:
        if written[:1] == b'"':
            return str(msgspec.json.decode(written))
        text = written.decode("utf-8")
        if written[:1] in {b"{", b"["}:
            return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):  # msgspec.DecodeError and UnicodeDecodeError are ValueErrors
        return written.decode("utf-8", "replace")
    return None if text == "null" else text


def text_of(value: Any) -> str | None:
    """Return a decoded scalar as the text JSON would write: 1 is "1", true is "true", null is None."""
    if value is None or type(value) is str:
        return value
    if value is True:
        return "true"
    return "false" if value is False else str(value)
