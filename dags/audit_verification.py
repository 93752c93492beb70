"""Weekly: recompute chain and digests of everything on the record, then remove what is past its retention."""

from __future__ import annotations

import os
from datetime import datetime

from airflow.sdk import DAG, CronTriggerTimetable, chain

from certrecon_plugin.habits import TASK_DEFAULTS, TIME_ZONE
from certrecon_plugin.operators.auditing import PurgeOperator, VerifyOperator

SCHEDULE = os.environ.get("CERTRECON_AUDIT_SCHEDULE") or "0 5 * * 0"

DOC = """
### Audit verification

**Purpose.** Recomputes the chain of runs, the digests of claims, attempts and evidence, and the ledger, and names the
first that does not hold. When everything holds, it removes evidence that is past its retention, and puts pseudonyms
in place of persons whose claims ended longer ago than the settings keep them, both on the record.

**Owner.** The HSE integration team.

**When it fails.** The task *verify* says in one sentence what does not hold; its log lists everything. Change nothing
in the warehouse or the evidence store, and go on with the runbook. Nothing is removed until verification holds again.
"""

with DAG(
    dag_id="audit_verification",
    schedule=CronTriggerTimetable(SCHEDULE, timezone=TIME_ZONE),
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - the timetable has the zone
    catchup=False,
    allowed_run_types=["scheduled", "manual"],
    max_active_runs=1,
    is_paused_upon_creation=True,
    default_args=TASK_DEFAULTS,
    tags=["hse", "certificates", "audit"],
    doc_md=DOC,
):
    chain(VerifyOperator(task_id="verify"), PurgeOperator(task_id="purge"))
