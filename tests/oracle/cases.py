"""The table of cases: worlds and what the contract says comes of them, written by hand.

Nothing here depends on the oracle; any implementation can be run against it. A case compares all claims of
its run, all withdrawals, and the totals and columns it names. Left out of the table, since nothing of it is
decided before publishing: rejected, undelivered and refused rows, guards, the rejected share, 401 and its
like on the POST, `approval: always`, and exit codes.
"""

from __future__ import annotations

from tests.oracle import (
    cases_dates,
    cases_ledger,
    cases_names,
    cases_outcome,
    cases_people,
    cases_run,
    cases_types,
)
from tests.oracle.base import Case, Expect

__all__ = ["CASES", "Case", "Expect"]

CASES: tuple[Case, ...] = (
    cases_dates.CASES
    + cases_people.CASES
    + cases_names.CASES
    + cases_types.CASES
    + cases_run.CASES
    + cases_outcome.CASES
    + cases_ledger.CASES
)
