"""What people were asked to link in 4HSE, and what came of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from certrecon.browse.paging import checked_limit
from certrecon.browse.tuning import tune

_LAST: Final = text("""
    SELECT l.linking_id, l.run_id, l.action_id, l.asked_at, l.decided_at, l.decided_by, l.decision, l.reason,
           l.triggered_by, jsonb_array_length(l.plan -> 'candidates') AS certificates,
           (SELECT count(*) FROM reconciliation.created_link AS c WHERE c.linking_id = l.linking_id) AS links
      FROM reconciliation.linking AS l ORDER BY l.linking_id DESC LIMIT :rows""")


@dataclass(frozen=True, slots=True)
class LinkingLine:
    """A question whether certificates are to be linked.

    Attributes:
        linking_id: Its number.
        run_id: Airflow's id of the run.
        action_id: The action.
        asked_at: When it was asked.
        decided_at: When it was answered; None = nobody answered.
        decided_by: By whom.
        decision: What was decided.
        reason: Why, in words.
        triggered_by: Who started the run.
        certificates: How many were asked about.
        links: How many links were created.
    """

    linking_id: int
    run_id: str
    action_id: str
    asked_at: dt.datetime
    decided_at: dt.datetime | None
    decided_by: str | None
    decision: str
    reason: str | None
    triggered_by: str | None
    certificates: int
    links: int


def last_linkings(conn: Connection, limit: int = 20) -> tuple[LinkingLine, ...]:
    """Return the last questions, the newest first."""
    tune(conn)
    return tuple(LinkingLine(**row) for row in conn.execute(_LAST, {"rows": checked_limit(limit)}).mappings())
