"""What people were asked before publishing, and what they said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, text

from certrecon.warehouse.runs import require_running
from certrecon.warehouse.storable import storable_json, storable_text

_ADD = text("""
    INSERT INTO reconciliation.approval
           (run_seq, guards, plan_sha256, asked_at, decided_at, decided_by, decision, reason, triggered_by)
    VALUES (:run_seq, CAST(:guards AS jsonb), :plan_sha256, :asked_at, :decided_at, :decided_by, :decision, :reason,
            :triggered_by)""")
_READ = text("""
    SELECT run_seq, guards, plan_sha256, asked_at, decided_at, decided_by, decision, reason, triggered_by
      FROM reconciliation.approval WHERE run_seq = :run_seq ORDER BY approval_id""")


@dataclass(frozen=True, slots=True)
class Approval:
    """A request to a person and its answer; attributes are the columns of the design.

    Attributes:
        run_seq: The run that asked.
        guards: The guards it was about, as JSON value.
        plan_sha256: Digest of the plan that was asked about.
        asked_at: When.
        decided_at: When it was decided, null = nobody answered.
        decided_by: By whom.
        decision: What was decided.
        reason: Why, in words.
        triggered_by: Who or what started the run.
    """

    run_seq: int
    guards: Any
    plan_sha256: str
    asked_at: dt.datetime
    decided_at: dt.datetime | None
    decided_by: str | None
    decision: str | None
    reason: str | None
    triggered_by: str | None


def add_approval(conn: Connection, approval: Approval) -> None:
    """Append a request once it is decided; its run must be running."""
    require_running(conn, approval.run_seq)
    values = asdict(approval) | {"guards": storable_json(approval.guards)}
    for name in ("decided_by", "decision", "reason", "triggered_by"):
        values[name] = storable_text(values[name])
    conn.execute(_ADD, values)


def read_approvals(conn: Connection, run_seq: int) -> Sequence[Approval]:
    """Return what people were asked in a run, in that order."""
    return [Approval(**row) for row in conn.execute(_READ, {"run_seq": run_seq}).mappings()]
