"""What a line of the worklist says beside its claim: what Ditio said of it, and how old it is."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Engine

from certrecon.browse.worklist import WorkFilter, WorkLine, list_work
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.ledger import mark_undelivered
from certrecon.warehouse.runmodel import BY_HINTS
from tests.integration.warehouse.samples import (
    DAY,
    TARGET,
    answer,
    claims,
    finalise,
    keys,
    opened_seq,
    queue,
    write,
)

STATUS = {"acknowledged": 200, "rejected": 400, "undelivered": 503}


def lines(engine: Engine) -> list[WorkLine]:
    with transaction(engine) as conn:
        return list(list_work(conn, WorkFilter(TARGET)).rows)


def send(engine: Engine, run_seq: int, state: str) -> None:
    queue(engine, run_seq, {})
    final = None if state == "undelivered" else state
    answer(engine, run_seq, {"state": final, "http_status": STATUS[state], "message": f"run {run_seq}"})
    with transaction(engine) as conn:
        mark_undelivered(conn, run_seq, TARGET, keys())


# For each run, what became of what it sent (null where it sent nothing) and of the claim; and what Ditio said of that.
ANSWERS: dict[str, tuple[list[tuple[str | None, str]], str | None]] = {
    "rejected": ([("rejected", "rejected")], "HTTP 400: run 1"),
    "rejected twice": ([("rejected", "rejected")] * 2, "HTTP 400: run 2"),
    "not delivered": ([("undelivered", "undelivered")], "HTTP 503: run 1"),
    "acknowledged, then stopped": ([("acknowledged", "delivered"), (None, "undelivered")], None),
    "rejected, then stopped": ([("rejected", "rejected"), (None, "undelivered")], None),
    "the same outcome with something between": (
        [("undelivered", "undelivered"), (None, "blocked"), (None, "undelivered")],
        None,
    ),
}


@pytest.mark.parametrize(("runs", "said"), ANSWERS.values(), ids=ANSWERS)
def test_ditio_said_it_of_this_outcome(warehouse: Engine, runs: list[tuple[str | None, str]], said: str | None) -> None:
    for state, disposition in runs:
        run_seq = opened_seq(warehouse)
        if state is not None:
            send(warehouse, run_seq, state)
        write(warehouse, run_seq, claims({"employee_number": "1", "disposition": disposition}))
        finalise(warehouse, run_seq, dispositions={disposition: 1})
    assert [line.ditio_message for line in lines(warehouse)] == [said]


# The day of each run, whether hints started it, and the age in runs and days of what it began.
RUNS = [
    (0, False, (2, 3)),
    (0, True, (2, 3)),
    (1, True, (2, 2)),
    (1, False, (1, 2)),
    (3, True, (1, 0)),
]


def test_ages_count_nights_and_the_run_that_began_it(warehouse: Engine) -> None:
    begun = [{"certificate_id": f"c{number}", "disposition": "blocked"} for number in range(len(RUNS))]
    for number, (day, by_hints, _) in enumerate(RUNS, 1):
        scope = BY_HINTS if by_hints else None
        run_seq = opened_seq(warehouse, f"run {number}", run_day=DAY + dt.timedelta(days=day), scope=scope)
        write(warehouse, run_seq, claims(*begun[:number]))
        finalise(warehouse, run_seq, dispositions={"blocked": number})
    ages = {line.claim.certificate_id: (line.age_runs, line.age_days) for line in lines(warehouse)}
    assert ages == {f"c{number}": age for number, (_, _, age) in enumerate(RUNS)}
