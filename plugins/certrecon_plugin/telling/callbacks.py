"""What Airflow calls when a run or a task ends badly, or does not end in time.

The last task tells of a run by itself. These are for what it cannot tell: that it never came to its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from certrecon_plugin.deadlines import deadline_hours
from certrecon_plugin.telling.links import dag_run_link
from certrecon_plugin.telling.tell import AUDITOR, never_failing, tell

if TYPE_CHECKING:
    from airflow.sdk import Context

LAST_TASK: Final = "finalise"
_ENDED = frozenset({"success", "failed"})


@never_failing
def tell_of_broken_run(context: Context) -> None:
    """Tell of a failed DAG run that the warehouse still has as running: its last task was killed, or never began.

    To be a DAG's `on_failure_callback`. A run that the last task recorded, or refused to record, was told of there.
    """
    from certrecon.telling.messages import of_run_without_end

    run_id = str(context["run_id"]) if "run_id" in context else context["dag_run"].run_id
    dag_id = context["dag"].dag_id
    found = _openings(run_id)
    if found and found[0].status != "running":
        return
    failing = context.get("ti")
    if not found and failing is not None and failing.task_id == LAST_TASK:
        return  # it failed before it was opened, and its last task said so
    tell(of_run_without_end(found[0].run_seq if found else None, dag_run_link(dag_id, run_id)), context)


def _openings(run_id: str) -> tuple[Any, ...]:
    """Return the runs of the warehouse that an Airflow run opened, the newest first."""
    from certrecon.browse.runs import runs_of
    from certrecon.warehouse.engine import transaction
    from certrecon_plugin.resources import warehouse

    with warehouse(AUDITOR) as engine, transaction(engine) as conn:
        return runs_of(conn, run_id)


@never_failing
def tell_of_failed_linking(context: Context) -> None:
    """Tell of a failed run of `link_certificates`; to be that DAG's `on_failure_callback`."""
    from certrecon.telling.messages import of_linking_that_failed

    run_id = str(context["run_id"]) if "run_id" in context else context["dag_run"].run_id
    tell(of_linking_that_failed(run_id, dag_run_link(context["dag"].dag_id, run_id)), context)


@never_failing
def tell_of_missed_deadline(context: Mapping[str, Any]) -> None:
    """Tell of a run that has not ended in time; Airflow calls it also for one that failed long before.

    To be the callback of a `DeadlineAlert`: it gets Airflow's description of the run as plain values.
    """
    from certrecon.telling.messages import of_deadline

    dag_run = context["dag_run"]
    if dag_run.get("state") in _ENDED:
        return
    run_id = dag_run.get("dag_run_id") or dag_run["run_id"]
    tell(of_deadline(run_id, deadline_hours(), dag_run_link(dag_run["dag_id"], run_id)), dict(context))
