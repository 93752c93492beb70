"""Reads what a caller wrote into an address or a form; what does not fit is said in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from fastapi import HTTPException, Request

from certrecon.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST: Final = 255
"""How many characters a field of a form may have."""

MOST_CURSOR: Final = 2_000
MOST_BODY: Final = 16_384
MOST_FIELDS: Final = 20
MOST_VALUES: Final = 300
_HIGHEST: Final = 2**63 - 1


def text(values: Mapping[str, str], name: str, most: int = MOST) -> str | None:
    """Return a field's text without white space around it; nothing where it is empty.

    Raises:
        ParameterError: It is longer than `most` characters, or has a character that no text has.
    """
    value = values.get(name, "").strip()
    if len(value) > most:
        message = f"The field '{name}' has {len(value)} characters; at most {most} can be searched."
        raise ParameterError(message)
    if "\x00" in value:
        message = f"The field '{name}' has a character that no text has."
        raise ParameterError(message)
    return value or None


def choice(values: Mapping[str, str], name: str, allowed: Iterable[str]) -> str | None:
    """Return one of the allowed values, nothing where the field is empty.

    Raises:
        ParameterError: It is another value.
    """
    value = text(values, name)
    if value is not None and value not in set(allowed):
        message = f"The field '{name}' has a value that it cannot have."
        raise ParameterError(message)
    return value


def run_number(value: str | None, name: str = "run") -> int | None:
    """Return the number of a run, nothing where there is none.

    Raises:
        ParameterError: It is no number.
    """
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 19 and 0 < int(value) <= _HIGHEST):
        message = f"The field '{name}' must be the number of a run, such as 12."
        raise ParameterError(message)
    return int(value)


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent, of each the last value.

    Raises:
        HTTPException: 413, too large; 400, no form.
    """
    return {name: values[-1] for name, values in (await _fields(request, MOST_FIELDS)).items()}


async def lists_of(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form that was sent, of each all values.

    Raises:
        HTTPException: 413, too large; 400, no form.
    """
    return await _fields(request, MOST_VALUES)


async def _fields(request: Request, most: int) -> dict[str, list[str]]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY:
            raise HTTPException(413)
    try:
        return parse_qs(body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=most)
    except ValueError as error:
        raise HTTPException(400, "The form could not be read. Go back and send it again.") from error
