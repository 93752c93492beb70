"""From when the deadline of a run counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.deadline import BaseDeadlineReference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class RunMade(BaseDeadlineReference):
    """The moment at which Airflow makes a run, and queues it.

    `DeadlineReference.DAGRUN_QUEUED_AT` means the same. But in Airflow 3.3.2 no task of a run can be cleared whose
    deadline of that kind has not passed: the new deadline is reckoned from the kept interval as if it were a number,
    which it is not, and the API answers 500.
    """

    def _evaluate_with(self, *, session: Session, **_: Any) -> datetime:  # noqa: ARG002 - Airflow's signature
        return datetime.now(tz=UTC)
