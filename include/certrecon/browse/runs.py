"""Runs as the pages list them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select, text

from certrecon.browse.paging import Page, checked_limit, cursor_of, key_of, page_of
from certrecon.warehouse.runmodel import BY_HINTS, UNLIMITED, RunRecord
from certrecon.warehouse.runs import read_run
from certrecon.warehouse.tables import run
from certrecon.words import Mode, RunStatus

_MOST_OPENINGS = 50
_EXISTS = text("SELECT 1 FROM reconciliation.run WHERE run_seq = :run_seq")
_SUMMARY = text("SELECT measure, value FROM reconciliation.report_summary WHERE run_seq = :run_seq")
_LINE = (
    run.c.run_seq, run.c.run_id, run.c.attempt, run.c.target, run.c.mode, run.c.trigger, run.c.triggered_by,
    run.c.run_day, run.c.as_of, run.c.scope, run.c.status, run.c.failure, run.c.started_at, run.c.finished_at,
    run.c.certificates, run.c.claims, run.c.sent, run.c.withdrawn, run.c.dispositions, run.c.guards, run.c.chain_no,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list.

    Attributes:
        limited: Whether the run spoke of some tenants or certificates only.
        by_hints: Whether it spoke only of certificates that hints pointed at.
        dispositions: Claims by disposition; empty where the run did not get that far.
        guards: Names of the guards that tripped.
        chain_no: Its place in the chain, null while it runs.
    """

    run_seq: int
    run_id: str
    attempt: int
    target: str
    mode: str
    trigger: str
    triggered_by: str | None
    run_day: dt.date
    as_of: dt.date
    limited: bool
    status: str
    failure: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    certificates: int | None
    claims: int | None
    sent: int | None
    withdrawn: int | None
    dispositions: Mapping[str, int]
    guards: tuple[str, ...]
    chain_no: int | None
    by_hints: bool = False


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One finalised publishing run in the trend."""

    run_seq: int
    run_day: dt.date
    status: str
    limited: bool
    claims: int
    dispositions: Mapping[str, int]


def list_runs(conn: Connection, target: str | None = None, after: str | None = None, limit: int = 50) -> Page[RunLine]:
    """Return runs, dry and failed ones too, newest first; of one target, or of all.

    Raises:
        ParameterError: `after` is no cursor of this list.
    """
    key = key_of(after, [int], "runs", target)
    limit = checked_limit(limit)
    query = select(*_LINE).order_by(run.c.run_seq.desc()).limit(limit + 1)
    if target is not None:
        query = query.where(run.c.target == target)
    if key is not None:
        query = query.where(run.c.run_seq < key[0])
    rows = conn.execute(query).mappings().all()
    return page_of(rows, limit, _line, lambda row: cursor_of([row["run_seq"]], "runs", target))


def get_run(conn: Connection, run_seq: int) -> RunRecord | None:
    """Return a run row whole, null where there is none."""
    known = conn.execute(_EXISTS, {"run_seq": run_seq}).one_or_none()
    return read_run(conn, run_seq) if known else None


def runs_of(conn: Connection, run_id: str) -> tuple[RunLine, ...]:
    """Return the runs that an Airflow run id opened, newest first; at most 50."""
    query = select(*_LINE).where(run.c.run_id == run_id).order_by(run.c.attempt.desc()).limit(_MOST_OPENINGS)
    return tuple(_line(row) for row in conn.execute(query).mappings())


def latest_run(conn: Connection, target: str) -> RunLine | None:
    """Return the last finalised publishing run that got through to claims: the one "now" speaks of."""
    row = conn.execute(_finalised(target).limit(1)).mappings().one_or_none()
    return None if row is None else _line(row)


def trend(conn: Connection, target: str, runs: int = 30) -> tuple[TrendPoint, ...]:
    """Return the last finalised publishing runs that have totals, oldest first; none that followed hints."""
    query = _finalised(target).where(run.c.scope != BY_HINTS).limit(checked_limit(runs))
    rows = conn.execute(query).mappings().all()
    return tuple(_point(_line(row)) for row in reversed(rows))


def run_summary(conn: Connection, run_seq: int) -> Mapping[str, int]:
    """Return the control totals of a run by measure (view `report_summary`)."""
    return {row.measure: int(row.value) for row in conn.execute(_SUMMARY, {"run_seq": run_seq})}


def _finalised(target: str) -> Select[Any]:
    wanted = (run.c.target == target, run.c.mode == Mode.PUBLISH.value, run.c.status != RunStatus.RUNNING.value)
    return select(*_LINE).where(*wanted, run.c.dispositions.is_not(None)).order_by(run.c.run_seq.desc())


def _line(row: RowMapping) -> RunLine:
    values = dict(row)
    scope, guards = values.pop("scope"), values.pop("guards")
    tripped = tuple(sorted(name for name, guard in (guards or {}).items() if _tripped(guard)))
    values["dispositions"] = values["dispositions"] or {}
    return RunLine(**values, limited=scope != UNLIMITED, guards=tripped, by_hints=scope == BY_HINTS)


def _tripped(guard: Any) -> bool:
    return bool(guard.get("tripped", True)) if isinstance(guard, dict) else bool(guard)


def _point(line: RunLine) -> TrendPoint:
    claims = line.claims if line.claims is not None else sum(line.dispositions.values())
    return TrendPoint(line.run_seq, line.run_day, line.status, line.limited, claims, line.dispositions)
