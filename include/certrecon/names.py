"""Whether two names are the same person's (design, *From certificates to claims*, 5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from certrecon.text import fold_tokens

ALIKE = 85.0
"""The least rapidfuzz `ratio` (0 to 100) at which two given-name tokens count as the same."""


@dataclass(frozen=True, slots=True)
class Name:
    """A person's given name and family name, as a vendor wrote them; either may be missing."""

    given: str | None
    family: str | None


@lru_cache(maxsize=200_000)
def _tokens(text: str | None) -> tuple[str, ...]:
    return fold_tokens(text or "")


def _straight(
    given: tuple[str, ...],
    family: tuple[str, ...],
    other_given: tuple[str, ...],
    other_family: tuple[str, ...],
) -> bool:
    if not set(family) & set(other_family):
        return False
    return any(one == other or fuzz.ratio(one, other) >= ALIKE for one in given for other in other_given)


def names_agree(one: Name, other: Name) -> bool:
    """Return whether a surname token is the same and a given-name token the same or nearly so.

    Given name and surname may be swapped on one side. A name without any token agrees with none.
    """
    given, family = _tokens(one.given), _tokens(one.family)
    other_given, other_family = _tokens(other.given), _tokens(other.family)
    return (
        _straight(given, family, other_given, other_family)
        or _straight(family, given, other_given, other_family)
        or _straight(given, family, other_family, other_given)
    )
