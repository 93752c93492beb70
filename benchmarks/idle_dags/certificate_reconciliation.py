"""A DAG of the same tasks as the main one, none of which does anything: what Airflow itself needs.

It has the main DAG's id, so that the quick start's own runner runs it. A test compares its tasks with the main DAG's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import DAG, BaseOperator, TriggerRule, chain

TENANTS = ["one", "two", "three"]
"""As many as the sandbox has."""


class IdleOperator(BaseOperator):
    """Does nothing and returns what the next task maps over, if any."""

    def __init__(self, *, tenant_id: str | None = None, gives: list[str] | None = None, **kwargs: Any) -> None:
        """Take what the main DAG's operators take."""
        super().__init__(**kwargs)
        self.tenant_id = tenant_id
        self.gives = gives

    def execute(self, context: Any) -> list[str] | None:  # noqa: ARG002 - Airflow's signature
        """Return at once."""
        return self.gives


with DAG(
    dag_id="certificate_reconciliation",
    schedule=None,
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - never scheduled
    catchup=False,
):
    find_tenants = IdleOperator(task_id="find_tenants", gives=TENANTS)
    extract_tenant = IdleOperator.partial(task_id="extract_tenant").expand(tenant_id=find_tenants.output)
    validations = [
        IdleOperator(task_id=name)
        for name in ("validate_dates", "validate_employee_matches", "flag_unlinked_certificates")
    ]
    after = [IdleOperator(task_id=name, trigger_rule=TriggerRule.ALL_DONE) for name in ("load", "report", "finalise")]
    chain(
        IdleOperator(task_id="open_run"),
        find_tenants,
        extract_tenant,
        IdleOperator(task_id="extract_employees"),
        IdleOperator(task_id="seal_inputs"),
        IdleOperator(task_id="build_claims"),
        validations,
        IdleOperator(task_id="plan"),
        IdleOperator(task_id="approve"),
        IdleOperator(task_id="publish"),
        *after,
    )
