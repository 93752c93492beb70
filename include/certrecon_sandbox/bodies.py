"""Reading requests the way PHP and Yii do: JSON or form, nested keys in brackets, query beside."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

_KEY = re.compile(r"\[([^\[\]]*)\]")
_MOST_NESTED = 16


class BodyError(ValueError):
    """A body that is not what its content type says."""


class ContentTypeError(ValueError):
    """A content type that the API does not read."""


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Turn `filter[tenant_id]=x` into `{"filter": {"tenant_id": "x"}}`, like PHP."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        name = key.split("[", 1)[0]
        path = [name, *_KEY.findall(key[len(name) :])][:_MOST_NESTED]
        place = result
        for step in path[:-1]:
            inner = place.setdefault(step or str(len(place)), {})
            if not isinstance(inner, dict):
                break
            place = inner
        else:
            place[path[-1] or str(len(place))] = value
    return result


def read_query(request: Request) -> dict[str, Any]:
    """Return the query string, nested."""
    raw = request.scope["query_string"]
    if not raw:
        return {}
    return nest(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))


async def read_body(request: Request) -> dict[str, Any]:
    """Return the body as an object.

    Raises:
        BodyError: The body is not valid, or not an object.
        ContentTypeError: The content type is neither JSON nor a form.
    """
    body = await request.body()
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if not body:
        return {}
    if kind == "application/x-www-form-urlencoded":
        return read_form(body)
    if kind != "application/json":
        raise ContentTypeError(kind or "none")
    return _object(body)


def read_form(body: bytes) -> dict[str, Any]:
    """Return a form, nested."""
    try:
        return nest(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    except ValueError as error:
        raise BodyError("The form is not valid UTF-8.") from error


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BodyError("Invalid JSON data in request body: Syntax error.") from error
    if not isinstance(value, dict):
        raise BodyError("Invalid JSON data in request body: an object was expected.")
    return value


def as_flag(value: Any) -> bool:
    """Tell whether a JSON or form value means yes."""
    return value is True or str(value).strip().lower() in {"1", "true", "yes", "on"}
