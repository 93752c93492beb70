"""What all tasks of a run share: how they find each other's results, and how they fail."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseOperator

from certrecon.errors import CertreconError, IntegrityError
from certrecon_plugin.telling.closing import closing
from certrecon_plugin.telling.lineage import Traced

if TYPE_CHECKING:
    from airflow.sdk import Context

    from certrecon.stages.handle import RunHandle

T = TypeVar("T")

log = logging.getLogger(__name__)

FAILURE = "failure"
"""The XCom key under which a failed task leaves its one sentence for the last task."""


class Task(StrEnum):
    """The tasks of `certificate_reconciliation` and `certificate_events`, in the order of the story."""

    WAIT_FOR_TURN = "wait_for_turn"
    OPEN_RUN = "open_run"
    FIND_TENANTS = "find_tenants"
    EXTRACT_TENANT = "extract_tenant"
    READ_HINTED = "read_hinted"
    EXTRACT_EMPLOYEES = "extract_employees"
    SEAL_INPUTS = "seal_inputs"
    BUILD_CLAIMS = "build_claims"
    VALIDATE_DATES = "validate_dates"
    VALIDATE_EMPLOYEE_MATCHES = "validate_employee_matches"
    FLAG_UNLINKED_CERTIFICATES = "flag_unlinked_certificates"
    PLAN = "plan"
    APPROVE = "approve"
    PUBLISH = "publish"
    LOAD = "load"
    REPORT = "report"
    FINALISE = "finalise"


def result_of(context: Context, task: StrEnum) -> Any:
    """Return what a task returned, None where it did not get that far."""
    return context["ti"].xcom_pull(task_ids=str(task))


def results_of(context: Context, task: StrEnum, key: str = "return_value") -> list[Any]:
    """Return what every mapped instance of a task left under a key, in their order."""
    found = context["ti"].xcom_pull(task_ids=[str(task)], key=key)
    return [value for value in found or [] if value is not None]


def run_of(context: Context) -> RunHandle:
    """Return the run that the first task opened.

    Raises:
        IntegrityError: It opened none.
    """
    from certrecon.stages.handle import RunHandle

    values = result_of(context, Task.OPEN_RUN)
    if values is None:
        message = "The run was never opened: clear the whole run."
        raise IntegrityError(message)
    return RunHandle.from_json(values)


@contextmanager
def keeping_failure(context: Context) -> Iterator[None]:
    """Keep the sentence of what fails in a block for the run's last task."""
    try:
        yield
    except CertreconError as error:
        log.error("%s", error)  # noqa: TRY400 - the traceback is Airflow's to print
        context["ti"].xcom_push(key=FAILURE, value=str(error))
        raise


class StageOperator(BaseOperator, Traced):
    """A task that runs one stage; when it fails it says why in one sentence."""

    @abstractmethod
    def run_stage(self, context: Context) -> Any:
        """Run the stage and return addresses and counts."""

    def execute(self, context: Context) -> Any:
        """Run the stage; keep the sentence of a failure for the run's last task."""
        return self.telling(context, lambda: self.run_stage(context))

    def telling(self, context: Context, step: Callable[[], T]) -> T:
        """Run a step and log what it came to; when it fails keep its sentence for the run's last task."""
        with closing(self.task_id) as end, keeping_failure(context):
            result = end.result = step()
        return result
