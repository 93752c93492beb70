"""As changes happen: what 4HSE tells of is read again by id and judged and sent like the nightly run does."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, chain

from certrecon_plugin.habits import TASK_DEFAULTS
from certrecon_plugin.operators.base import Task
from certrecon_plugin.operators.extracting import ExtractEmployeesOperator
from certrecon_plugin.operators.following import ReadHintedOperator, SealHintedOperator, WaitForTurnOperator
from certrecon_plugin.operators.opening import OpenRunOperator
from certrecon_plugin.telling.assets import HINTS
from certrecon_plugin.telling.callbacks import tell_of_broken_run
from certrecon_plugin.wiring import judge_and_publish

LOOKS = timedelta(seconds=30)
PATIENCE = timedelta(hours=24)

DOC = """
### Certificate events

**Purpose.** 4HSE tells of changed certificates, links and persons by webhooks, and *link_certificates* of the links it
made. Each is a hint and nothing more: this DAG takes all hints that wait, reads those certificates, links and persons
again by id, with everything that shares an employee number with them, and judges, sends and records them like
*certificate_reconciliation*, limited to these certificates.

**Owner.** The HSE integration team. HSE staff answer for findings of 4HSE, HR for findings of employees.

**When it starts.** By itself, when hints wait (asset `certrecon://warehouse/hints`). Starting it by hand follows what
waits now. It has no parameters. While the nightly run works it waits; a night that starts meanwhile takes over.

**When it fails.** The last task, *finalise*, says in one sentence what happened. Nothing is lost: its hints wait on,
the next run follows them, and the nightly run reads everything anyway.

**When all tasks but the first are skipped** there was nothing to do: an earlier run had taken the hints along, or no
night has published yet, or the last one was held back. The log of *wait_for_turn* says which.
"""

with DAG(
    dag_id="certificate_events",
    schedule=[HINTS],
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - only assets start it
    catchup=False,
    allowed_run_types=["asset_triggered", "manual"],
    max_active_runs=1,
    is_paused_upon_creation=True,
    default_args=TASK_DEFAULTS,
    on_failure_callback=tell_of_broken_run,
    tags=["hse", "certificates"],
    doc_md=DOC,
):
    wait_for_turn = WaitForTurnOperator(task_id=Task.WAIT_FOR_TURN.value, poke_interval=LOOKS, timeout=PATIENCE)
    # Unlike a night's it is tried again: where a night has just begun it gives way, and has opened nothing.
    open_run = OpenRunOperator(task_id=Task.OPEN_RUN.value, by_hints=True)
    read_hinted = ReadHintedOperator(task_id=Task.READ_HINTED.value)
    extract_employees = ExtractEmployeesOperator(task_id=Task.EXTRACT_EMPLOYEES.value)
    seal_inputs = SealHintedOperator(task_id=Task.SEAL_INPUTS.value)

    chain(wait_for_turn, open_run, read_hinted, extract_employees, seal_inputs)
    judge_and_publish(seal_inputs)
