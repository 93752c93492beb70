"""The kinds of values that the vendors document: texts, ids, days, enums, numbers, objects."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import msgspec

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,7})?)?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)

_WORDS: tuple[tuple[Any, str], ...] = (
    (type(None), "nothing"),
    (bool, "true or false"),  # before the numbers, of which it is one to Python
    (int | float, "a number"),
    (datetime, "a moment"),
    (date, "a day"),
    (Mapping, "an object"),
    (list | tuple, "a list"),
)


def describe(value: Any) -> str:
    """Return what kind of value this is, without repeating it."""
    if isinstance(value, str):
        return f"a text of {len(value):,} characters" if value.strip() else "a blank text"
    if isinstance(value, datetime) and value.tzinfo is None:
        return "a moment without a time zone"
    found = (words for kind, words in _WORDS if isinstance(value, kind))
    return next(found, f"a value of type {type(value).__name__}")


def _plain_text(value: str) -> str:
    """Return a text without its class: an enum's own `str` may be its name, and JSON is not written of any class."""
    return str.__str__(value)


def _sendable(value: Any) -> bool:
    """Return whether this is a text that UTF-8 can write: half a character cannot be sent."""
    try:
        return isinstance(value, str) and value.encode("utf-8") is not None
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True, slots=True)
class Text:
    """A text of at most `most` characters; a blank one counts only where `blank` says so."""

    most: int | None = None
    blank: bool = False

    @property
    def needed(self) -> str:
        """The requirement in words."""
        text = "a text" if self.blank else "a text that is not blank"
        return text if self.most is None else f"{text}, of at most {self.most} characters"

    def accepts(self, value: Any) -> bool:
        """Return whether it is such a text."""
        filled = _sendable(value) and (self.blank or bool(value.strip()))
        return filled and (self.most is None or len(value) <= self.most)

    def plain(self, value: Any) -> Any:
        """Return the text."""
        return _plain_text(value)


@dataclass(frozen=True, slots=True)
class Uuid:
    """An id in the form of a UUID."""

    needed: str = "a UUID (8-4-4-4-12 hexadecimal digits)"

    def accepts(self, value: Any) -> bool:
        """Return whether it is written like a UUID."""
        return _UUID.fullmatch(value) is not None if isinstance(value, str) else False

    def plain(self, value: Any) -> Any:
        """Return the text."""
        return _plain_text(value)


@dataclass(frozen=True, slots=True)
class Day:
    """A day, as a `date` or written YYYY-MM-DD."""

    needed: str = "a date, or a text YYYY-MM-DD that is one"

    def accepts(self, value: Any) -> bool:
        """Return whether it is a day of the calendar."""
        if isinstance(value, str):
            return is_day(value)
        return isinstance(value, date) and not isinstance(value, datetime)

    def plain(self, value: Any) -> Any:
        """Return it as YYYY-MM-DD."""
        return _plain_text(value) if isinstance(value, str) else value.isoformat()


def is_day(text: str) -> bool:
    """Return whether a text is a day of the calendar in the documented form."""
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment with its zone: a `datetime`, a `date` (its start in UTC), or a text such as 2026-01-15T00:00:00Z."""

    needed: str = "a moment with its time zone, such as 2026-01-15T00:00:00Z"

    def accepts(self, value: Any) -> bool:
        """Return whether it is a moment whose zone is known."""
        return moment_of(value) is not None

    def plain(self, value: Any) -> Any:
        """Return it as a text; one that was a text stays as it is."""
        if isinstance(value, str):
            return _plain_text(value)
        moment = moment_of(value)
        return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def moment_of(value: Any) -> datetime | None:
    """Return the moment that a value says, in UTC; None where it says none."""
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).astimezone(UTC) if _MOMENT.fullmatch(value) else None
        if isinstance(value, datetime):
            return value.astimezone(UTC) if value.tzinfo else None
        return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the documented words."""

    words: type[StrEnum]

    @property
    def needed(self) -> str:
        """The requirement in words."""
        return "one of " + ", ".join(self.words)

    def accepts(self, value: Any) -> bool:
        """Return whether it is one of them, letter by letter."""
        return isinstance(value, str) and value in set(self.words)

    def plain(self, value: Any) -> Any:
        """Return the word."""
        return _plain_text(value)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, within bounds where there are some."""

    least: int | None = None
    most: int | None = None

    @property
    def needed(self) -> str:
        """The requirement in words."""
        if self.most is not None:
            return f"a whole number from {self.least or 0} to {self.most}"
        return "a whole number" + (f" of at least {self.least}" if self.least is not None else "")

    def accepts(self, value: Any) -> bool:
        """Return whether it is such a number; true and false are none."""
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def plain(self, value: Any) -> Any:
        """Return the number."""
        return int(value)


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object that JSON can write; an empty one counts only where `empty` says so."""

    empty: bool = True

    @property
    def needed(self) -> str:
        """The requirement in words."""
        return "an object that JSON can write" + ("" if self.empty else " and that is not empty")

    def accepts(self, value: Any) -> bool:
        """Return whether it can be sent as it is."""
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            return False
        try:
            # The one knows what JSON has no word for (a set, no number), the other writes what is sent.
            json.dumps(dict(value), allow_nan=False)
            msgspec.json.encode(dict(value))
        except (TypeError, ValueError, OverflowError, RecursionError):
            return False
        return self.empty or bool(value)

    def plain(self, value: Any) -> Any:
        """Return it as a plain dictionary."""
        return dict(value)
