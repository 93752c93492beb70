"""After how long a run that has not ended is told of, and from when that counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.deadline import BaseDeadlineReference

from certrecon_plugin.environment import positive_number

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def deadline_hours() -> float:
    """Return after how many hours a run that has not ended is told of; it may wait for an approval.

    A function, so that a mistake takes away the DAG that has the deadline and no other one.

    Raises:
        SettingsError: `CERTRECON_DEADLINE_HOURS` is no number above 0, or longer than a year.
    """
    return positive_number("CERTRECON_DEADLINE_HOURS", 3, most=8_760, unit="hours")


class RunMade(BaseDeadlineReference):
    """The moment at which Airflow makes a run, and queues it.

    `DeadlineReference.DAGRUN_QUEUED_AT` means the same. But in Airflow 3.3.2 no task of a run can be cleared whose
    deadline of that kind has not passed: the new deadline is reckoned from the kept interval as if it were a number,
    which it is not, and the API answers 500.
    """

    def _evaluate_with(self, *, session: Session, **_: Any) -> datetime:  # noqa: ARG002 - Airflow's signature
        return datetime.now(tz=UTC)
