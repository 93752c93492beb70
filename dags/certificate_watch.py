"""Hourly: tells people when nothing has succeeded for too long, and finds mistakes in the setting of the notifiers."""

from __future__ import annotations

import os
from datetime import datetime

from airflow.sdk import DAG, CronTriggerTimetable, Param

from certrecon_plugin.habits import TASK_DEFAULTS, TIME_ZONE
from certrecon_plugin.operators.watching import WatchOperator

SCHEDULE = os.environ.get("CERTRECON_WATCH_SCHEDULE") or "7 * * * *"

DOC = """
### Certificate watch

**Purpose.** Looks every hour when a publishing run of all projects last succeeded, for the Ditio company of the last
one. When that is more than 26 hours ago, people are told, once. It also tries whether the configured notifiers can be
made, and gives notifiers that ask for `alive` a sign of life, so that a monitor outside notices when Airflow itself
stands still. It only reads.

**Owner.** The HSE integration team.

**When it fails.** The task *watch* says what is wrong: an entry of `CERTRECON_NOTIFIERS`, a notifier that did not get
through, or the warehouse. Until it works again nobody is told that nights fail to succeed.

**To try out the notifiers** trigger it with *Send a test message*.
"""

with DAG(
    dag_id="certificate_watch",
    schedule=CronTriggerTimetable(SCHEDULE, timezone=TIME_ZONE),
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - the timetable has the zone
    catchup=False,
    allowed_run_types=["scheduled", "manual"],
    max_active_runs=1,
    is_paused_upon_creation=True,
    params={
        "test": Param(
            False,
            type="boolean",
            title="Send a test message",
            description_md="Sends a test message through every configured notifier, and does nothing else.",
        )
    },
    default_args=TASK_DEFAULTS,
    tags=["hse", "certificates", "watch"],
    doc_md=DOC,
):
    WatchOperator(task_id="watch")
