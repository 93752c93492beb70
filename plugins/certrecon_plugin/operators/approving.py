"""The task that asks a person on Airflow's page of required actions, where somebody has to agree."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import TaskAwaitingInput

from certrecon_plugin.operators.base import StageOperator, run_of
from certrecon_plugin.operators.publishing import planned_of
from certrecon_plugin.resources import workplace
from certrecon_plugin.telling.tell import never_failing, tell_of_question

if TYPE_CHECKING:
    from airflow.sdk import Context

    from certrecon.stages.approval import Answer, Waiting
    from certrecon.words import Answered

APPROVE: Final = "Approve"
REFUSE: Final = "Refuse"
OPTIONS: Final = [APPROVE, REFUSE]

REASON: Final = "reason"
_FORM = ParamsDict(
    {
        REASON: Param(
            "",
            type="string",
            title="Reason",
            description="Why you approve or refuse. It goes on the record and onto the report.",
        )
    }
)


def can_ask() -> bool:
    """Return whether a scheduler stands behind the task, which alone can wait for a person and end the wait."""
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.supervisor import InProcessSupervisorComms

    return not isinstance(task_runner.SUPERVISOR_COMMS, InProcessSupervisorComms)


class AskingOperator(StageOperator):
    """Asks a person where somebody has to agree; else it ends at once.

    It is no `ApprovalOperator`, since that one always asks, and skips what follows a refusal.
    """

    @abstractmethod
    def question(self, context: Context) -> Waiting | None:
        """Return what has to be asked, None where nobody has to agree or somebody has answered already."""

    @abstractmethod
    def record(self, context: Context, answer: Answer) -> Answered:
        """Put an answer on the record and return what it comes to."""

    @abstractmethod
    def tell(self, context: Context, waiting: Waiting) -> None:
        """Tell people that a question waits."""

    @abstractmethod
    def nobody(self) -> None:
        """Take note that somebody has to agree, and nobody can be asked."""

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return whether somebody was asked.

        Raises:
            TaskAwaitingInput: Somebody is asked now; `answered` goes on with the answer.
        """
        waiting = self.question(context)
        if waiting is None:
            return {"asked": False}
        if not can_ask():
            self.nobody()
            return {"asked": False}
        asked_at = dt.datetime.now(dt.UTC)
        _put(context, waiting)
        self.tell(context, waiting)
        return self._wait(waiting.timeout, asked_at)

    def _wait(self, left: dt.timedelta, asked_at: dt.datetime) -> dict[str, Any]:
        kwargs = {"asked_at": asked_at.isoformat()}
        raise TaskAwaitingInput(method_name="answered", timeout=max(left, dt.timedelta(seconds=1)), kwargs=kwargs)

    def answered(self, context: Context, event: dict[str, Any], asked_at: str) -> dict[str, Any]:
        """Put the answer on the record; ask again where it does not count.

        Raises:
            TaskAwaitingInput: The answer does not count.
        """
        return self.telling(context, lambda: self._conclude(context, event, dt.datetime.fromisoformat(asked_at)))

    def _conclude(self, context: Context, event: dict[str, Any], asked_at: dt.datetime) -> dict[str, Any]:
        from certrecon.words import Answered

        answered = self.record(context, answer_of(event, asked_at))
        waiting = self.question(context) if answered is Answered.NOT_COUNTED else None
        if waiting is None:
            return {"asked": True, "decision": str(answered)}
        self.log.warning("The answer does not count, so the question stays open.")
        _put(context, waiting)
        return self._wait(asked_at + waiting.timeout - dt.datetime.now(dt.UTC), asked_at)


class ApproveOperator(AskingOperator):
    """Asks a person to approve the plan; on every other night it ends at once."""

    def question(self, context: Context) -> Waiting | None:
        """Return what has to be asked of the plan."""
        from certrecon.stages.approval import prepare_question

        with workplace(run_of(context)) as place:
            return prepare_question(place, planned_of(context))

    def record(self, context: Context, answer: Answer) -> Answered:
        """Put an answer about the plan on the record."""
        from certrecon.stages.approval import record_answer

        with workplace(run_of(context)) as place:
            return record_answer(place, planned_of(context), answer)

    def tell(self, context: Context, waiting: Waiting) -> None:
        """Tell people that the plan waits."""
        _tell(context, waiting)

    def nobody(self) -> None:
        """Say so in the log; publishing decides what that means."""
        self.log.warning("Somebody has to approve the plan, and nobody can be asked outside the scheduler.")


@never_failing
def _tell(context: Context, waiting: Waiting) -> None:
    with workplace(run_of(context)) as place:
        tell_of_question(context, place, planned_of(context), waiting)


def answer_of(event: Mapping[str, Any], asked_at: dt.datetime) -> Answer:
    """Return what Airflow says of an answer; nobody's answer is one that the scheduler gave when time ran out."""
    from certrecon.stages.approval import Answer

    user = event.get("responded_by_user") or {}
    return Answer(
        approves=event.get("chosen_options") == [APPROVE],
        asked_at=asked_at,
        answered_at=event.get("responded_at") or dt.datetime.now(dt.UTC),
        user_id=user.get("id"),
        user_name=user.get("name"),
        reason=str((event.get("params_input") or {}).get(REASON) or ""),
    )


def _put(context: Context, waiting: Waiting) -> None:
    """Put the question onto Airflow's page, or open it again without the answer that does not count."""
    from airflow.sdk.execution_time.hitl import upsert_hitl_detail

    upsert_hitl_detail(
        ti_id=context["ti"].id,
        options=OPTIONS,
        subject=waiting.question.subject,
        body=waiting.question.body,
        defaults=[REFUSE],
        multiple=False,
        params={name: _FORM.get_param(name).serialize() for name in _FORM},
        assigned_users=[{"id": one, "name": one} for one in waiting.approvers] or None,
    )
