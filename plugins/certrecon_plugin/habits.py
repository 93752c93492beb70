"""What the project's DAGs have in common: when they are tried again, and whose they are."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import DAG, ExceptionRetryPolicy, RetryAction, RetryRule

from certrecon_plugin.environment import positive_number, whole_number

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

TIME_ZONE: Final = os.environ.get("CERTRECON_TIME_ZONE") or "Europe/Oslo"
_RETRIES = whole_number("CERTRECON_TASK_RETRIES", 2, least=0, most=100)
_WAIT = timedelta(seconds=positive_number("CERTRECON_RETRY_SECONDS", 300, most=86_400, unit="seconds"))

_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="certrecon.errors.PassingError",
            action=RetryAction.RETRY,
            retry_delay=_WAIT,
            reason="A vendor or the warehouse was not available",
        ),
        RetryRule(
            exception="certrecon.errors.CertreconError",
            action=RetryAction.FAIL,
            reason="Trying again would not help",
        ),
    ]
)

TASK_DEFAULTS: Final[dict[str, Any]] = {
    "owner": "hse-integration",
    "retries": _RETRIES,
    "retry_delay": _WAIT,
    "retry_policy": _POLICY,
}
"""`default_args` of the project's DAGs: what passes is tried again, any other failure of ours is not."""


class DeadlineDag(DAG):
    """A DAG with a deadline that `airflow dags test` can run to its end.

    Airflow 3.3.2 looks up the deadlines of a run that succeeded by their ids in its database, where a DAG under test
    has definitions instead, and breaks off with an AttributeError. Nobody waits for a deadline of a test.
    """

    def test(self, *args: Any, **kwargs: Any) -> DagRun:
        """Run the DAG in this process, without its deadline."""
        self.deadline = None
        run: DagRun = super().test(*args, **kwargs)
        return run
