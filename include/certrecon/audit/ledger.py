"""The ledger against the attempts: what it says Ditio acknowledged is what the last acknowledged attempt carried."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from certrecon.audit.breach import Breach, BreachKind

MOST_NAMED = 10
_COUNT = text("SELECT count(*) FROM reconciliation.ditio_upsert")
_DIFFERENCES = text("""
    WITH answered AS (
        SELECT DISTINCT ON (target, employee_number, certificate_type)
               target, employee_number, certificate_type, payload_sha256, answered_at
          FROM reconciliation.ditio_attempt
         WHERE state = 'acknowledged'
         ORDER BY target, employee_number, certificate_type, attempt_id DESC
    )
    SELECT coalesce(u.employee_number, a.employee_number) AS employee_number,
           coalesce(u.certificate_type, a.certificate_type) AS certificate_type,
           CASE WHEN u.target IS NULL THEN 'missing'
                WHEN a.target IS NULL THEN 'added' ELSE 'changed' END AS kind,
           count(*) OVER () AS total
      FROM reconciliation.ditio_upsert AS u
      FULL JOIN answered AS a USING (target, employee_number, certificate_type)
     WHERE u.target IS NULL
        OR u.acknowledged_payload_sha256 IS DISTINCT FROM a.payload_sha256
        OR u.acknowledged_at IS DISTINCT FROM a.answered_at
     ORDER BY 1, 2
     LIMIT :most""")
# The payload is JSON with sorted keys; PostgreSQL spells its values as they were digested. A payload
# with characters that PostgreSQL cannot hold was stored with others in their place.
_KEYS = ("certificateNumber", "certificateType", "employeeNumber", "issuedDateTime", "validUntilDateTime")
_TEXT = " || ',' || ".join(f"""'"{key}":' || coalesce((payload -> '{key}')::text, '')""" for key in _KEYS)
_PAYLOADS = text(f"""
    SELECT employee_number, certificate_type, 'changed' AS kind, count(*) OVER () AS total
      FROM reconciliation.ditio_upsert
     WHERE encode(sha256(convert_to('{{' || {_TEXT} || '}}', 'UTF8')), 'hex') <> payload_sha256
       AND position(U&'\\FFFD' IN payload::text) = 0
     ORDER BY 1, 2
     LIMIT :most""")  # noqa: S608 - constants
_WORDS = {
    "missing": "The ledger lacks {name}, which Ditio acknowledged: the entry was deleted.",
    "added": "The ledger says that Ditio acknowledged {name}, but no attempt did: the entry was added or changed.",
    "changed": "The ledger's entry of {name} was changed: it is not what the last acknowledged attempt carried.",
}


def check_ledger(conn: Connection) -> tuple[int, list[Breach]]:
    """Hold every entry against the attempts and its own digest.

    Returns:
        How many entries there are, and those that do not hold, the first ten by name.
    """
    entries: int = conn.execute(_COUNT).scalar_one()
    by_attempts = _breaches(conn, _DIFFERENCES, _WORDS)
    changed_payload = "The ledger's payload of {name} was changed: it no longer gives its digest."
    return entries, by_attempts + _breaches(conn, _PAYLOADS, {"changed": changed_payload})


def _breaches(conn: Connection, query: Any, words: dict[str, str]) -> list[Breach]:
    rows = conn.execute(query, {"most": MOST_NAMED}).all()
    breaches = []
    for row in rows:
        name = f"employee {row.employee_number}, {row.certificate_type}"
        breaches.append(Breach(BreachKind(row.kind), f"ledger, {name}", words[row.kind].format(name=name)))
    if rows and rows[0].total > len(rows):
        more = f"{rows[0].total - len(rows)} more entries of the ledger do not hold."
        breaches.append(Breach(BreachKind.CHANGED, "ledger", more))
    return breaches
