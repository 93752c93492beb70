"""A list of employees as Ditio answers it: a bare array, or parts that name the next one (reference, 3.3)."""

from __future__ import annotations

import msgspec

from certrecon.api.rows import raw_elements, raw_row, text_of_raw
from certrecon.errors import ResponseFormatError


def _next_part(envelope: dict[str, msgspec.Raw]) -> str | None:
    token = text_of_raw(envelope.get("continuationtoken"))
    if token:
        return token
    links = envelope.get("links")
    following = raw_row(bytes(links), "Ditio's links").get("next") if links and bytes(links)[:1] == b"{" else None
    if text_of_raw(following):
        message = "Ditio's employee list goes on (links.next) but says with no continuationToken where"
        raise ResponseFormatError(message)
    return None


def employees_part(body: bytes) -> tuple[list[msgspec.Raw], str | None]:
    """Return the rows of one answer with employees, undecoded, and the token of the next part if there is one.

    Raises:
        ResponseFormatError: Neither an array nor an object with `data`.
    """
    what = "Ditio's list of employees"
    if body.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"[":
        return raw_elements(body, what), None
    envelope = {name.lower(): raw for name, raw in raw_row(body, what).items()}
    if "data" not in envelope:
        message = f"{what} is neither an array nor an object with 'data'"
        raise ResponseFormatError(message)
    return raw_elements(bytes(envelope["data"]), what), _next_part(envelope)
