"""Text as received, folding, and when two names agree."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING

from rapidfuzz.fuzz import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable

LETTERS = {"ø": "o", "æ": "ae", "å": "a", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ß": "ss", "œ": "oe"}
ALIKE = 85
Name = tuple[str | None, str | None]


def text(value: object) -> str | None:
    """A JSON value as text: null stays null, 1 is "1", true is "true"."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def trimmed(value: object) -> str | None:
    """Text in NFC without white space around it; None when nothing is left."""
    received = text(value)
    return None if received is None else unicodedata.normalize("NFC", received).strip() or None


def number_of(value: object) -> str | None:
    """An employee number: trimmed; none where it could be nobody's (over 255 characters, or with a NUL)."""
    number = trimmed(value)
    return None if number is None or len(number) > 255 or "\x00" in number else number


def is_true(value: object) -> bool:
    """Whether a flag is set: true or 1, as JSON or as text."""
    return (trimmed(value) or "").lower() in {"true", "1"}


def is_false(value: object) -> bool:
    """Whether a flag is there and not set: false or 0, as JSON or as text."""
    return (trimmed(value) or "").lower() in {"false", "0"}


def tokens(value: str | None) -> list[str]:
    """The folded words of a text (From certificates to claims, 5)."""
    bare = _without_marks(_without_marks(value or "").casefold())
    plain = "".join(LETTERS.get(letter, letter) for letter in bare)
    kept = (letter if _is_letter_or_digit(letter) else " " for letter in plain)
    return "".join(kept).split()


def folded_type(certificate_type: str) -> str:
    """A certificate type folded for comparison; separators do not count."""
    return "".join(tokens(certificate_type))


def names_agree(one: Name, other: Name) -> bool:
    """Whether two (given name, surname) pairs agree, as they stand or swapped on one side."""
    return _agree(one, other) or _agree(one[::-1], other) or _agree(one, other[::-1])


def _agree(one: Iterable[str | None], other: Iterable[str | None]) -> bool:
    (given, surname), (other_given, other_surname) = map(tokens, one), map(tokens, other)
    return bool(set(surname) & set(other_surname)) and any(
        mine == theirs or ratio(mine, theirs) >= ALIKE for mine in given for theirs in other_given
    )


def _without_marks(value: str) -> str:
    decomposed = unicodedata.normalize("NFKD", value)
    return "".join(c for c in decomposed if not unicodedata.category(c).startswith("M"))


def _is_letter_or_digit(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category.startswith("L") or category == "Nd"
