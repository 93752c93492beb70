"""Telling that the audit does not hold: the callback of its tasks, when Airflow does not try again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from certrecon_plugin.telling.links import dag_run_link
from certrecon_plugin.telling.memory import remember, told
from certrecon_plugin.telling.tell import never_failing, reaches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

ABOUT: Final = "told_of_audit"


@never_failing
def tell_of_audit(context: Context) -> None:
    """Tell that a task of the audit failed, once as long as it fails for the same reason.

    To be the tasks' `on_failure_callback`; they have the asset that remembers among their inlets.
    """
    from certrecon.telling.messages import of_audit

    ti = context["ti"]
    problem = _problem(ti.task_id, context.get("exception"))
    known = told(_plain(context), ABOUT)
    if problem in known:
        return
    if reaches(of_audit(ti.task_id, dag_run_link(ti.dag_id, ti.run_id)), _plain(context)):
        remember(_plain(context), ABOUT, known | {problem})


@never_failing
def forget_audit(context: Context) -> None:
    """Forget what people were told of a task that ends well now: the tasks' `on_success_callback`."""
    known = told(_plain(context), ABOUT)
    kept = frozenset(one for one in known if not one.startswith(f"{context['ti'].task_id}:"))
    if kept != known:
        remember(_plain(context), ABOUT, kept)


def _problem(task: str, error: Any) -> str:
    digest = hashlib.sha256(f"{type(error).__name__}: {error}".encode()).hexdigest()
    return f"{task}:{digest[:16]}"


def _plain(context: Context) -> Mapping[str, Any]:
    return dict(context)
