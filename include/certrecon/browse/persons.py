"""Finding persons by parts of their names."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, text

from certrecon.text import fold_tokens

_LISTED: Final = 3_000
"""Persons that a query names one by one; more are looked up while claims are looked at."""


def person_condition(conn: Connection, target: str, parts: str) -> tuple[str, dict[str, Any]]:
    """Return the condition on claims of persons of whom one name, ever seen, holds every word of `parts`.

    Marks, case and the letters of the design's table do not matter; no sign means anything but itself.
    The values that the condition names come with it; `target` is the caller's.
    """
    words = fold_tokens(parts)
    if not words:
        return "false", {}
    matching, params = _matching(words)
    found = conn.execute(text(f"{matching} LIMIT {_LISTED + 1}"), params | {"target": target}).scalars().all()
    if len(found) > _LISTED:
        # `IS TRUE` keeps it a table of hashes that each claim is looked up in; as a join it is planned badly.
        return f"(left(resource_id, 160) IN ({matching})) IS TRUE", params
    return "left(resource_id, 160) = ANY (CAST(:persons AS text[]))", {"persons": sorted(set(found))}


def _matching(words: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    params: dict[str, Any] = {}
    conditions = []
    for place, word in enumerate(words):
        # A server may leave capitals of other alphabets as they are.
        spellings = [word] if word.isascii() else [word, word.capitalize(), word.upper()]
        names = [f"word{place}_{number}" for number in range(len(spellings))]
        params |= dict(zip(names, spellings, strict=True))
        conditions.append("(" + " OR ".join(f"strpos(folded, :{name}) > 0" for name in names) + ")")
    query = f"""
        SELECT resource_id FROM reconciliation.claim_person
         WHERE target = :target AND resource_id IS NOT NULL AND {" AND ".join(conditions)}"""  # noqa: S608 - ours
    return query, params
