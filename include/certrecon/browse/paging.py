"""Pages of rows, and the cursor that says where the next one begins."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from certrecon.errors import ParameterError

T = TypeVar("T")
R = TypeVar("R")
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list.

    Attributes:
        rows: The rows, in the order of the list.
        next: The cursor of the page after this one, null where this is the last.
    """

    rows: tuple[T, ...]
    next: str | None


def checked_limit(limit: int) -> int:
    """Return how many rows a page may have: at least 1, at most `MOST_ROWS`."""
    return max(1, min(limit, MOST_ROWS))


def cursor_of(key: Sequence[Any], *belongs_to: object) -> str:
    """Return the cursor of a row's key in the list that `belongs_to` describes (a filter, a target)."""
    content = json.dumps([_digest(belongs_to), *key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def key_of(cursor: str | None, kinds: Sequence[type], *belongs_to: object) -> list[Any] | None:
    """Return the key in a cursor, null for none.

    Args:
        cursor: What `cursor_of` returned, from a caller who may have changed it.
        kinds: The type of each part of the key.
        belongs_to: What the list is of.

    Raises:
        ParameterError: It is no cursor, or one of another list.
    """
    if cursor is None or cursor == "":
        return None
    try:
        content: list[Any] = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
        digest, *key = content
    except (ValueError, TypeError):
        raise _refused() from None
    fits = len(key) == len(kinds) and all(type(part) is kind for part, kind in zip(key, kinds, strict=True))
    if digest != _digest(belongs_to) or not fits or not all(_fits_a_column(part) for part in key):
        raise _refused()
    return key


def page_of(rows: Sequence[R], limit: int, made: Callable[[R], T], cursor: Callable[[R], str]) -> Page[T]:
    """Return a page of `limit` rows, given one row more where there are more."""
    shown = rows[:limit]
    following = cursor(shown[-1]) if len(rows) > limit else None
    return Page(tuple(made(row) for row in shown), following)


def _digest(belongs_to: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(belongs_to).encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _fits_a_column(part: object) -> bool:
    if isinstance(part, int):
        return abs(part) < 2**63
    return isinstance(part, str) and _storable(part)


def _storable(part: str) -> bool:
    try:
        return b"\0" not in part.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell and UTF-8 cannot
        return False


def _refused() -> ParameterError:
    return ParameterError("The address of this page is not one that this list gave out: start again at the first page.")
