"""The run row: opening, taking over, the lock that every write holds, and finalising.

A target has at most one running publishing run, the last one opened. A finalised row never
changes: each function that writes it demands that it is still `running`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, select, text

from certrecon.errors import RunTakenOverError, TargetBusyError
from certrecon.warehouse import tables
from certrecon.warehouse.bulk import copy_out
from certrecon.warehouse.chain import add_link
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.runmodel import (
    BY_HINTS,
    UNLIMITED,
    Baseline,
    ChainLink,
    NewRun,
    OpenedRun,
    RunRecord,
    RunResult,
)
from certrecon.warehouse.runrow import read_run, run_record
from certrecon.warehouse.storable import storable_json, storable_text
from certrecon.words import Disposition, Mode, RunStatus

__all__ = [
    "FINALISED_RUN", "Baseline", "ChainLink", "NewRun", "OpenedRun", "RunRecord", "RunResult", "baseline",
    "finalise_run", "finalised_runs", "hints_may_be_followed", "is_night", "is_success", "last_loaded", "open_run",
    "read_run", "require_free", "require_running", "sent_by_hints_since", "set_evidence_uri",
]  # fmt: skip

_LOCK_OPENING = text("SELECT pg_advisory_xact_lock(hashtext('certrecon open run'))")
_NUMBER_ABOVE = text("""
    SELECT setval(pg_get_serial_sequence('reconciliation.run', 'run_seq'), :above)
     WHERE :above > (SELECT coalesce(max(run_seq), 0) FROM reconciliation.run)""")
_ATTEMPT = text("SELECT 1 + count(*) FROM reconciliation.run WHERE run_id = :run_id")
_INSERT = text("""
    INSERT INTO reconciliation.run
           (run_id, attempt, target, mode, trigger, triggered_by, run_day, as_of, scope, status, started_at,
            settings_sha256, code_version)
    VALUES (:run_id, :attempt, :target, :mode, :trigger, :triggered_by, :run_day, :as_of,
            CAST(:scope AS jsonb), 'running', clock_timestamp(), :settings_sha256, :code_version)
    RETURNING run_seq""")
_TAKEN_OVER = text("""
    SELECT run_seq,
           'abandoned: run ' || CAST(:run_seq AS text) ||
           CASE WHEN :publishes AND target = :target
                THEN ' took the target over' ELSE ' opened the same Airflow run again' END AS failure
      FROM reconciliation.run
     WHERE status = 'running' AND run_seq < :run_seq
       AND (run_id = :run_id OR (:publishes AND target = :target))
     ORDER BY run_seq FOR UPDATE""")
_BUSY = text("""
    SELECT run_seq FROM reconciliation.run
     WHERE status = 'running' AND mode = 'publish' AND target = :target AND run_id <> :run_id
       AND scope <> CAST(:by_hints AS jsonb)
     ORDER BY run_seq DESC LIMIT 1""")
_LAST_FULL = text("""
    SELECT max(run_seq) FROM reconciliation.run
     WHERE target = :target AND mode = 'publish' AND status <> 'running' AND dispositions IS NOT NULL
       AND scope = CAST('{"tenant_ids": []}' AS jsonb)""")
_SENT_BY_HINTS = text("""
    SELECT coalesce(sum(sent), 0)::bigint FROM reconciliation.run
     WHERE target = :target AND run_seq > :run_seq AND scope ? 'by'""")
_LOCK_RUN = text("SELECT status, failure FROM reconciliation.run WHERE run_seq = :run_seq FOR UPDATE")
_SET_EVIDENCE = text("UPDATE reconciliation.run SET evidence_uri = :uri WHERE run_seq = :run_seq")
_JSON_RESULTS = ("tenants", "dispositions", "findings", "guards")
_RESULT = text("""
    UPDATE reconciliation.run
       SET certificates = :certificates, links = :links, persons = :persons, employees = :employees,
           claims = :claims,
           sent = coalesce(CAST(:sent AS bigint), CASE WHEN mode = 'publish' THEN (
               SELECT count(DISTINCT (a.employee_number, a.certificate_type)) FROM reconciliation.ditio_attempt AS a
                WHERE a.run_seq = :run_seq AND a.state = 'acknowledged') END), withdrawn = :withdrawn,
           tenants = CAST(:tenants AS jsonb), dispositions = CAST(:dispositions AS jsonb),
           findings = CAST(:findings AS jsonb), guards = CAST(:guards AS jsonb),
           inputs_sha256 = :inputs_sha256, outcome_sha256 = :outcome_sha256
     WHERE run_seq = :run_seq""")
FINALISED_RUN = pa.schema(
    [
        ("run_seq", pa.int64()), ("run_day", pa.date32()), ("mode", pa.string()), ("status", pa.string()),
        ("limited", pa.bool_()), ("claims", pa.int64()), ("dispositions", pa.string()),
        ("settings_sha256", pa.string()), ("chain_no", pa.int64()), ("chain_sha256", pa.string()),
    ]
)  # fmt: skip
"""What `finalised_runs` returns; `dispositions` is JSON text, claims by disposition."""

_FINALISED = """
    SELECT run_seq, run_day, mode, status, scope <> CAST('{"tenant_ids": []}' AS jsonb), claims,
           dispositions, settings_sha256, chain_no, chain_sha256
      FROM reconciliation.run
     WHERE target = %(target)s AND run_seq < %(before)s AND mode = 'publish' AND status <> 'running'
       AND NOT scope ? 'by'
     ORDER BY run_seq"""


def open_run(engine: Engine, new: NewRun, *, above: int = 0) -> OpenedRun:
    """Write the run row and take over what is still running (design, *DAG*).

    A publishing run takes its target over from an earlier publishing one; any run takes over an
    earlier opening of its own Airflow run. A dry run takes over no other and is taken over by none.

    A run that follows hints gives way instead: a night reads everything anyway.

    Args:
        engine: The warehouse.
        new: What is known of the run.
        above: The run's number will be larger than this.

    Raises:
        TargetBusyError: The run follows hints, and another one works on the target.
    """
    values = {key: storable_text(str(value)) if value is not None else None for key, value in _given(new).items()}
    with transaction(engine) as conn:
        # Two runs opened at once would otherwise not see each other, and both go on.
        conn.execute(_LOCK_OPENING)
        if new.scope == BY_HINTS:
            require_free(conn, new.target, new.run_id)
        conn.execute(_NUMBER_ABOVE, {"above": above})
        attempt: int = conn.execute(_ATTEMPT, values).scalar_one()
        dates = {"run_day": new.run_day, "as_of": new.as_of, "scope": _scope(new.scope), "attempt": attempt}
        run_seq: int = conn.execute(_INSERT, {**values, **dates}).scalar_one()
        takes = {**values, "run_seq": run_seq, "publishes": new.mode == Mode.PUBLISH}
        taken = conn.execute(_TAKEN_OVER, takes).all()
        links = [add_link(conn, earlier, RunStatus.FAILED, failure) for earlier, failure in taken]
    return OpenedRun(run_seq, attempt, [link.run_seq for link in links], links)


def require_free(conn: Connection, target: str, run_id: str = "") -> None:
    """Demand that no night or other publishing run works on a target, runs that follow hints excepted.

    Raises:
        TargetBusyError: One does; the message names it.
    """
    values = {"target": target, "run_id": run_id, "by_hints": storable_json(dict(BY_HINTS))}
    busy = conn.execute(_BUSY, values).scalar_one_or_none()
    if busy is not None:
        message = f"Run {busy} works on the same Ditio company: what hints point at is looked at after it."
        raise TargetBusyError(message)


def require_running(conn: Connection, run_seq: int) -> None:
    """Lock the run's row until the transaction ends, and demand that the run is still `running`.

    Raises:
        RunTakenOverError: It is not: another run took the target over, or it is finalised.
    """
    row = conn.execute(_LOCK_RUN, {"run_seq": run_seq}).one_or_none()
    if row is None:
        raise RunTakenOverError(f"Run {run_seq} is not in the warehouse: clear the whole run.")
    if row.status != RunStatus.RUNNING:
        why = f"{row.status} ({row.failure})" if row.failure else row.status
        raise RunTakenOverError(f"Run {run_seq} is no longer running but {why}: clear the whole run.")


def set_evidence_uri(conn: Connection, run_seq: int, uri: str) -> None:
    """Record where the run's evidence lies."""
    require_running(conn, run_seq)
    conn.execute(_SET_EVIDENCE, {"run_seq": run_seq, "uri": storable_text(uri)})


def finalise_run(conn: Connection, run_seq: int, result: RunResult) -> ChainLink:
    """Write how the run ended and add it to the chain; nothing changes its row afterwards.

    Raises:
        RunTakenOverError: The run is not running any more.
    """
    if result.status == RunStatus.RUNNING:
        raise ValueError("A run is not finalised as running.")
    require_running(conn, run_seq)
    values = {each.name: getattr(result, each.name) for each in fields(result)} | {"run_seq": run_seq}
    for name in _JSON_RESULTS:
        values[name] = None if values[name] is None else storable_json(values[name])
    conn.execute(_RESULT, values)
    return add_link(conn, run_seq, result.status, result.failure)


def finalised_runs(conn: Connection, target: str, before: int) -> pa.Table:
    """Return the target's finalised publishing runs below number `before` (schema `FINALISED_RUN`), by number.

    Runs that followed hints are left out: there may be hundreds between two nights.
    """
    return copy_out(conn, _FINALISED, {"target": target, "before": before}, FINALISED_RUN)


def hints_may_be_followed(conn: Connection, target: str) -> bool:
    """Return whether the last run of all tenants that loaded claims is the one that guards compare with.

    Where it was refused, stopped by a guard or not delivered, small runs must not send piece by piece what a person
    or a guard held back as a whole.
    """
    compared = baseline(conn, target)
    last: int | None = conn.execute(_LAST_FULL, {"target": target}).scalar_one()
    return compared is not None and compared.run_seq == last


def sent_by_hints_since(conn: Connection, target: str, run_seq: int) -> int:
    """Return how many rows runs that followed hints have sent since a run."""
    sent: int = conn.execute(_SENT_BY_HINTS, {"target": target, "run_seq": run_seq}).scalar_one()
    return sent


def last_loaded(conn: Connection, target: str, before: int) -> RunRecord | None:
    """Return the target's last finalised publishing run below number `before` that loaded claims."""
    run = tables.run.c
    query = (
        select(tables.run)
        .where(run.target == target, run.mode == Mode.PUBLISH.value, run.run_seq < before)
        .where(run.status != RunStatus.RUNNING.value, run.dispositions.is_not(None))
        .order_by(run.run_seq.desc())
        .limit(1)
    )
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else run_record(row)


def is_night() -> ColumnElement[bool]:
    """Return the condition of a run that speaks of everything: it publishes, and is limited to nothing."""
    return and_(tables.run.c.mode == Mode.PUBLISH.value, tables.run.c.scope == UNLIMITED)


def is_success() -> ColumnElement[bool]:
    """Return the condition of a run that succeeded and whose plan nobody refused, nor was left without an answer."""
    run = tables.run.c
    ended_well = run.status.in_([RunStatus.SUCCEEDED.value, RunStatus.SUCCEEDED_WITH_REJECTS.value])
    return and_(ended_well, ~func.coalesce(run.dispositions.has_key(Disposition.REFUSED.value), False))


def baseline(conn: Connection, target: str) -> Baseline | None:
    """Return the run that guards compare with: the target's last succeeded, unlimited, publishing one.

    A run whose plan was refused is none: what a person would not send today must not be normal tomorrow.
    """
    run = tables.run.c
    query = (
        select(tables.run).where(run.target == target, is_night(), is_success()).order_by(run.run_seq.desc()).limit(1)
    )
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else run_record(row)


def _given(new: NewRun) -> dict[str, object]:
    skipped = {"scope", "run_day", "as_of"}
    return {each.name: getattr(new, each.name) for each in fields(new) if each.name not in skipped}


def _scope(scope: Mapping[str, Any] | None) -> str:
    return storable_json({**UNLIMITED, **(scope or {})})
