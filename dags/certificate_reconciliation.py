"""Nightly: certificates from 4HSE, held against the employees of Ditio, sent there and put on the record."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow.sdk import (
    CronTriggerTimetable,
    DeadlineAlert,
    Param,
    SyncCallback,
    chain,
)

from certrecon_plugin.deadlines import RunMade, deadline_hours
from certrecon_plugin.habits import TASK_DEFAULTS, TIME_ZONE, DeadlineDag
from certrecon_plugin.operators.base import Task
from certrecon_plugin.operators.extracting import (
    TENANTS_AT_ONCE,
    ExtractEmployeesOperator,
    ExtractTenantOperator,
    SealInputsOperator,
)
from certrecon_plugin.operators.opening import FindTenantsOperator, OpenRunOperator
from certrecon_plugin.telling.callbacks import tell_of_broken_run, tell_of_missed_deadline
from certrecon_plugin.wiring import judge_and_publish

SCHEDULE = os.environ.get("CERTRECON_SCHEDULE") or "30 3 * * *"

GUARDS = {
    "first_publish": "First publishing to this Ditio company",
    "tenant_missing": "A 4HSE project is no longer listed",
    "drop": "Certificates, links, persons or employees fell sharply",
    "match_rate": "Fewer claims find their employee",
    "upserts": "Unusually many rows would change",
    "withdrawn": "Unusually many deliveries lost their support",
}

PARAMS = {
    "mode": Param(
        "publish",
        type="string",
        enum=["publish", "dry_run"],
        title="What to do",
        description_md="**Publish to Ditio** sends what is due. **Dry run: only report** sends nothing and changes "
        "nothing: its report says what publishing would do. While the DAG is paused, starting a run with *Unpause on "
        "trigger* lets the last missed night start first, and that one publishes.",
        values_display={"publish": "Publish to Ditio", "dry_run": "Dry run: only report"},
    ),
    "tenant_ids": Param(
        [],
        type=["array", "null"],
        items={"type": "string", "minLength": 1},
        title="Only these 4HSE projects",
        description_md="4HSE project ids, one a line, as in the address of a project in 4HSE. Empty: all projects "
        "of the settings. A limited run closes, withdraws and overwrites nothing outside these projects.",
    ),
    "approval": Param(
        "auto",
        type="string",
        enum=["auto", "always"],
        title="When to ask before publishing",
        description_md="**When a guard trips**: a person is asked only where a guard finds something unusual that "
        "is not accepted below. **Always**: a person is asked in any case. The question waits under *Browse, Required "
        "Actions*; without an answer nothing is sent.",
        values_display={"auto": "When a guard trips", "always": "Always"},
    ),
    "accept": Param(
        [],
        type=["array", "null"],
        items={"type": "string", "enum": list(GUARDS)},
        examples=list(GUARDS),
        values_display=GUARDS,
        title="Accept these guards beforehand",
        description_md="Guards that you have looked at and let pass in this run. That is recorded with the run.",
    ),
    "resend": Param(
        False,
        type="boolean",
        title="Send again what Ditio has",
        description_md="Send every deliverable row, also those that Ditio has acknowledged; for example after Ditio "
        "was restored from a backup.",
    ),
    "as_of": Param(
        None,
        type=["string", "null"],
        format="date",
        title="Judge validity on this day",
        description_md="Empty: the day of the run. Another day only in a dry run.",
    ),
}

DOC = """
### Certificate reconciliation

**Purpose.** Reads safety certificates from 4HSE and employees from Ditio, validates dates and employee matches,
flags certificates without a CertificateAction, sends the rest to Ditio, and puts every decision on the record in
the warehouse.

**Owner.** The HSE integration team. HSE staff answer for findings of 4HSE, HR for findings of employees.

**When it fails.** The last task, *finalise*, says in one sentence what happened and what to do. Nothing is lost:
what Ditio has not acknowledged goes out with the next run. To run it again, clear the whole run or trigger a new one.

**When it waits.** The task *approve* asks a person, under *Browse, Required Actions*, where a guard tripped.
Without an answer in time nothing of the plan is sent, and the next run plans anew.

**Who is told.** People are told by the notifiers of `CERTRECON_NOTIFIERS` when a run fails, waits for an approval, has
new rejections or withdrawals, or has not ended in time. For DAGs of your own there are the assets
`certrecon://warehouse/ledger`, `certrecon://warehouse/claims` and `certrecon://evidence/report`, with counts in each
event.

**Before you unpause it.** Unpausing starts the last missed night at once, and that run publishes.
"""

with DeadlineDag(
    dag_id="certificate_reconciliation",
    schedule=CronTriggerTimetable(SCHEDULE, timezone=TIME_ZONE),
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - the timetable has the zone
    catchup=False,
    allowed_run_types=["scheduled", "manual"],
    max_active_runs=1,
    is_paused_upon_creation=True,
    params=PARAMS,
    default_args=TASK_DEFAULTS,
    deadline=DeadlineAlert(
        reference=RunMade(),
        interval=timedelta(hours=deadline_hours()),
        callback=SyncCallback(tell_of_missed_deadline),
        name=f"not ended within {deadline_hours():g} h",
    ),
    on_failure_callback=tell_of_broken_run,
    tags=["hse", "certificates"],
    doc_md=DOC,
):
    open_run = OpenRunOperator(task_id=Task.OPEN_RUN.value, retries=0)
    find_tenants = FindTenantsOperator(task_id=Task.FIND_TENANTS.value)
    extract_tenant = ExtractTenantOperator.partial(
        task_id=Task.EXTRACT_TENANT.value,
        map_index_template="{{ task.tenant_id }}",
        max_active_tis_per_dagrun=TENANTS_AT_ONCE,
    ).expand(tenant_id=find_tenants.output)
    extract_employees = ExtractEmployeesOperator(task_id=Task.EXTRACT_EMPLOYEES.value)
    seal_inputs = SealInputsOperator(task_id=Task.SEAL_INPUTS.value)

    chain(open_run, find_tenants, extract_tenant, extract_employees, seal_inputs)
    judge_and_publish(seal_inputs)
