"""What there is to tell of, in the words that the setting `when` of a notifier takes."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Occasion(StrEnum):
    """Why a message is sent."""

    RUN_FAILED = "run_failed"
    APPROVAL_WAITING = "approval_waiting"
    NEW_REJECTIONS = "new_rejections"
    NEW_WITHDRAWALS = "new_withdrawals"
    DEADLINE_MISSED = "deadline_missed"
    NO_SUCCESS = "no_success"
    VERIFICATION_FAILED = "verification_failed"
    ALIVE = "alive"
    TEST = "test"


ON_REQUEST: Final = frozenset({Occasion.ALIVE})
"""Told only to notifiers that name it: a sign of life, hourly, for a monitor that misses it when it stays away."""
