"""The part of the story that all runs share: from sealed inputs to the finalised run."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import BaseOperator, TriggerRule, chain

from certrecon_plugin.operators.approving import ApproveOperator
from certrecon_plugin.operators.base import Task
from certrecon_plugin.operators.concluding import FinaliseOperator, ReportOperator
from certrecon_plugin.operators.judging import VALIDATIONS, BuildClaimsOperator, PlanOperator, ValidateOperator
from certrecon_plugin.operators.publishing import LoadOperator, PublishOperator
from certrecon_plugin.telling.assets import EVIDENCE


def judge_and_publish(seal_inputs: BaseOperator) -> None:
    """Add the tasks that judge what was sealed, ask, send, load and report it, whatever was read and why.

    Args:
        seal_inputs: The task that they follow.
    """
    build_claims = BuildClaimsOperator(task_id=Task.BUILD_CLAIMS.value, inlets=[EVIDENCE])
    validations = [
        ValidateOperator(task_id=task.value, subject=subject, inlets=[EVIDENCE])
        for task, subject in VALIDATIONS.items()
    ]
    plan = PlanOperator(task_id=Task.PLAN.value, inlets=[EVIDENCE])
    # A worker lost at the moment of the answer lets the question be asked again, whatever other tasks do.
    seconds = timedelta(seconds=10)
    approve = ApproveOperator(task_id=Task.APPROVE.value, retries=2, retry_delay=seconds, inlets=[EVIDENCE])
    publish = PublishOperator(task_id=Task.PUBLISH.value)
    load = LoadOperator(task_id=Task.LOAD.value, trigger_rule=TriggerRule.ALL_DONE)
    report = ReportOperator(task_id=Task.REPORT.value, trigger_rule=TriggerRule.ALL_DONE)
    finalise = FinaliseOperator(task_id=Task.FINALISE.value, trigger_rule=TriggerRule.ALL_DONE)
    chain(seal_inputs, build_claims, validations, plan, approve, publish, load, report, finalise)
