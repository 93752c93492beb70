"""Small tables to write, and short ways to open runs and look at what is there."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine, text

from certrecon.schemas import ATTEMPT
from certrecon.warehouse.answers import record_attempts
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.history import CLAIM, HistoryChange, write_claims
from certrecon.warehouse.ledger import KEY, PLAN, write_outbox
from certrecon.warehouse.runs import NewRun, OpenedRun, RunResult, finalise_run, open_run
from certrecon.words import Mode, RunStatus

TARGET = "target-a"
DAY = dt.date(2026, 3, 1)
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def new_run(run_id: str = "run", **changes: Any) -> NewRun:
    """A publishing run of `TARGET`, but for the changes."""
    given: dict[str, Any] = {
        "run_id": run_id,
        "target": TARGET,
        "mode": Mode.PUBLISH,
        "trigger": "manual",
        "triggered_by": "someone",
        "run_day": DAY,
        "as_of": DAY,
        "settings_sha256": "5e77",
        "code_version": "0.1.0",
    }
    return NewRun(**given | changes)


def opened(engine: Engine, run_id: str = "run", **changes: Any) -> OpenedRun:
    """Open a run."""
    return open_run(engine, new_run(run_id, **changes))


def opened_seq(engine: Engine, run_id: str = "run", **changes: Any) -> int:
    """Open a run and return its number."""
    return opened(engine, run_id, **changes).run_seq


def finalise(engine: Engine, run_seq: int, status: RunStatus = RunStatus.SUCCEEDED, **totals: Any) -> None:
    """Finalise a run."""
    with transaction(engine) as conn:
        finalise_run(conn, run_seq, RunResult(status, **totals))


def claims(*rows: dict[str, Any]) -> pa.Table:
    """Claims of certificate `c1` of tenant `t1`, one for each dict of what differs."""
    usual = {
        "certificate_id": "c1",
        "certificate_type": "Byggekort",
        "tenant_id": "t1",
        "certificate_name": "Card",
        "action_type": "TRAINING",
        "resource_type": "PERSON",
        "resource_id": "p1",
        "person_name": "Åse Øy",
        "employee_number": "0042",
        "issued_on": dt.date(2025, 1, 1),
        "valid_until": dt.date(2027, 1, 1),
        "linked": True,
        "disposition": "delivered",
        "findings": [],
        "detail": '{"ditio_employee_number":" 0042"}',
    }
    return pa.Table.from_pylist([usual | row for row in rows], CLAIM)


def write(
    engine: Engine, run_seq: int, rows: pa.Table, scope: list[str] | None = None, target: str = TARGET
) -> tuple[int, int, int]:
    """Write claims; opened, ended, unchanged."""
    with transaction(engine) as conn:
        change: HistoryChange = write_claims(conn, run_seq, target, rows, scope)
    return change.opened, change.ended, change.unchanged


def sha(payload: str) -> str:
    """Digest of a payload."""
    return hashlib.sha256(payload.encode()).hexdigest()


def plan(*rows: dict[str, Any]) -> pa.Table:
    """Rows to send, of employee `1` and `Byggekort`, payload `A`, but for what differs."""
    made = []
    for row in rows:
        name = row.get("version", "A")
        usual = {
            "employee_number": "1",
            "certificate_type": "Byggekort",
            "certificate_id": f"c{name}",
            "person_id": f"p{name}",
            "tenant_id": f"t{name}",
            "given_name": f"Given {name}",
            "family_name": f"Family {name}",
            "payload": json.dumps({"v": name}),
            "payload_sha256": sha(name),
        }
        made.append(usual | {key: value for key, value in row.items() if key != "version"})
    return pa.Table.from_pylist(made, PLAN)


def queue(engine: Engine, run_seq: int, *rows: dict[str, Any]) -> int:
    """Write the outbox."""
    with transaction(engine) as conn:
        return write_outbox(conn, run_seq, TARGET, plan(*rows)).changed


def answer(engine: Engine, run_seq: int, *rows: dict[str, Any]) -> None:
    """Record attempts: acknowledged ones of payload `A`, but for what differs."""
    made = []
    for row in rows:
        usual = {
            "batch_id": "b1",
            "employee_number": "1",
            "certificate_type": "Byggekort",
            "payload_sha256": sha(row.get("version", "A")),
            "sent_at": NOON,
            "answered_at": NOON,
            "http_status": 200,
            "message": None,
            "state": "acknowledged",
            "in_doubt": False,
        }
        made.append(usual | {key: value for key, value in row.items() if key != "version"})
    with transaction(engine) as conn:
        record_attempts(conn, run_seq, TARGET, pa.Table.from_pylist(made, ATTEMPT))


def keys(*rows: tuple[str, str]) -> pa.Table:
    """Ledger keys."""
    return pa.table([[row[0] for row in rows], [row[1] for row in rows]], schema=KEY)


def query(engine: Engine, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """The rows that a statement returns."""
    with transaction(engine) as conn:
        return [tuple(row) for row in conn.execute(text(statement), values)]


def one(engine: Engine, statement: str, **values: Any) -> dict[str, Any]:
    """The one row that a statement returns, by column."""
    with transaction(engine) as conn:
        return dict(conn.execute(text(statement), values).mappings().one())
