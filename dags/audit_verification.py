"""Weekly: recompute chain and digests of everything on the record, then remove evidence past its retention."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable, ExceptionRetryPolicy, RetryAction, RetryRule, chain

from certrecon_plugin.operators.auditing import PurgeOperator, VerifyOperator

SCHEDULE = os.environ.get("CERTRECON_AUDIT_SCHEDULE", "0 5 * * 0")
TIME_ZONE = os.environ.get("CERTRECON_TIME_ZONE", "Europe/Oslo")
RETRIES = int(os.environ.get("CERTRECON_TASK_RETRIES", "2"))

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="certrecon.errors.PassingError",
            action=RetryAction.RETRY,
            retry_delay=timedelta(minutes=5),
            reason="The warehouse was not available",
        ),
        RetryRule(
            exception="certrecon.errors.CertreconError",
            action=RetryAction.FAIL,
            reason="Trying again would not help",
        ),
    ]
)

DOC = """
### Audit verification

**Purpose.** Recomputes the chain of runs, the digests of claims, attempts and evidence, and the ledger, and names the
first that does not hold. When everything holds, it removes evidence that is past its retention, on the record.

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
    default_args={
        "owner": "hse-integration",
        "retries": RETRIES,
        "retry_delay": timedelta(minutes=5),
        "retry_policy": RETRY_POLICY,
    },
    tags=["hse", "certificates", "audit"],
    doc_md=DOC,
):
    chain(VerifyOperator(task_id="verify"), PurgeOperator(task_id="purge"))
