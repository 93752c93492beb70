"""Which failures Airflow tries again: the project's typed errors, asked of the policy of every task of every DAG."""

from __future__ import annotations

import datetime as dt
from typing import Final

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, RetryAction
from airflow.sdk.definitions.retry_policy import RetryDecision

from certrecon import errors
from certrecon_quickstart.project import Project

DAGS: Final = sorted(path.stem for path in Project.of_checkout().dags.glob("*.py"))
FIVE_MINUTES: Final = dt.timedelta(seconds=300)
RETRY, FAIL, DEFAULT = RetryAction.RETRY, RetryAction.FAIL, RetryAction.DEFAULT
POLICY: Final[dict[type[Exception], RetryAction]] = {
    errors.SettingsError: FAIL,
    errors.ParameterError: FAIL,
    errors.ConnectionSettingsError: FAIL,
    errors.CredentialsError: FAIL,
    errors.RequestRefusedError: FAIL,
    errors.RequirementError: FAIL,
    errors.GuardTrippedError: FAIL,
    errors.LinksRefusedError: FAIL,
    errors.VendorUnavailableError: RETRY,
    errors.RateLimitedError: RETRY,
    errors.WarehouseUnavailableError: RETRY,
    errors.StillSendingError: RETRY,
    errors.TargetBusyError: RETRY,
    errors.LinksUnfinishedError: RETRY,
    errors.NotToldError: RETRY,
    errors.IncompleteReadError: FAIL,
    errors.ResponseFormatError: FAIL,
    errors.NoticeError: FAIL,
    errors.AccountingError: FAIL,
    errors.RuleEvaluationError: FAIL,
    errors.EvidenceError: FAIL,
    errors.LinkDiffersError: FAIL,
    errors.RunTakenOverError: FAIL,
    errors.UnknownOutcomeError: FAIL,
    errors.PublishingStoppedError: FAIL,
    errors.RowsUndeliveredError: FAIL,
    ConnectionError: DEFAULT,
    MemoryError: DEFAULT,
}
"""What Airflow does after each failure; what is none of ours it tries again as for any task."""
ARGUMENTS: Final[dict[type[Exception], tuple[object, ...]]] = {
    errors.RequestRefusedError: (400,),
    errors.RequirementError: (("name",),),
}
"""What an error is made with beside its message."""


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    bags = {name: DagBag(str(Project.of_checkout().dags / f"{name}.py")) for name in DAGS}
    return {name: bag.dags[name] for name, bag in bags.items()}


def decisions(dag: DAG, error: type[Exception]) -> list[RetryDecision]:
    """What the policy of each task says to its first failure, with two tries left."""
    found = []
    for task in dag.tasks:
        assert task.retry_policy is not None, task.task_id
        found.append(task.retry_policy.evaluate(error("what happened", *ARGUMENTS.get(error, ())), 1, 2))
    return found


@pytest.mark.parametrize("error", POLICY, ids=lambda error: error.__name__)
@pytest.mark.parametrize("name", DAGS)
def test_an_error_decides_whether_a_task_is_tried_again(
    dags: dict[str, DAG], name: str, error: type[Exception]
) -> None:
    found = decisions(dags[name], error)
    assert {one.action for one in found} == {POLICY[error]}
    wait = FIVE_MINUTES if POLICY[error] is RETRY else None
    assert {one.retry_delay for one in found} == {wait}, "also after 429: the client has waited as long as it was told"


def leaves(group: type[Exception]) -> set[type[Exception]]:
    """Every error of a group that something raises: those without errors below them."""
    below = group.__subclasses__()
    return {leaf for one in below for leaf in leaves(one)} if below else {group}


def test_the_table_has_every_error_of_the_project() -> None:
    """Whoever adds an error decides here whether it is tried again."""
    ours = {error for error in leaves(errors.CertreconError) if error.__module__ == errors.__name__}
    assert ours == {error for error in POLICY if error.__module__ == errors.__name__}


@pytest.mark.parametrize("name", DAGS)
def test_there_are_tries_left_for_the_policy_to_take_away(dags: dict[str, DAG], name: str) -> None:
    """Only the first task of a night and of a linking is never tried again: it has read nothing yet."""
    without = {task.task_id for task in dags[name].tasks if not task.retries}
    assert without == {"certificate_reconciliation": {"open_run"}, "link_certificates": {"check"}}.get(name, set())
