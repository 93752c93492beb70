"""Finding persons by parts of their names."""

from __future__ import annotations

from sqlalchemy import Connection, text

from certrecon.text import fold_tokens

_MATCHING = """
    SELECT DISTINCT resource_id FROM reconciliation.claim_person
     WHERE target = :target AND resource_id IS NOT NULL AND {words}"""


def matching_persons(conn: Connection, target: str, parts: str) -> list[str]:
    """Return the resource ids of persons of whom one name, ever seen, holds every word of `parts`.

    Marks, case and the letters of the design's table do not matter; no sign means anything but itself.
    """
    words = fold_tokens(parts)
    if not words:
        return []
    params: dict[str, object] = {"target": target}
    conditions = []
    for place, word in enumerate(words):
        # A server may leave capitals of other alphabets as they are.
        spellings = [word] if word.isascii() else [word, word.capitalize(), word.upper()]
        params[f"word{place}"] = spellings
        conditions.append(f"EXISTS (SELECT FROM unnest(CAST(:word{place} AS text[])) AS w WHERE strpos(folded, w) > 0)")
    query = _MATCHING.format(words=" AND ".join(conditions))
    return list(conn.execute(text(query), params).scalars())
