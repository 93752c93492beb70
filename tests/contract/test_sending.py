"""What Ditio may answer while a plan is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from certrecon.api.delays import RetryPolicy
from certrecon.errors import (
    PublishingStoppedError,
    RowsUndeliveredError,
)
from tests.contract import warehouse as sql
from tests.contract.crowd import renew
from tests.contract.pipeline import QUICK
from tests.contract.sending import DITIO_SAYS, Sending
from tests.contract.world_server import Fault

# --- refusals that are no row's fault ------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 404, 405, 409, 410, 415, 302])
def test_a_refusal_of_no_row_stops(sending_of: Callable[..., Sending], status: int) -> None:
    """The first such answer ends publishing: one request, every row undelivered, everything else on the record."""
    sending = sending_of(6, batch_size=2)
    night = sending.night(Fault(status, body=DITIO_SAYS))
    assert sending.statuses == [status]
    error = night.errors["publish"]
    assert isinstance(error, PublishingStoppedError)
    assert str(status) in str(error)
    assert "This is what Ditio says." in str(error)
    assert (night.status, night.failure) == ("failed", str(error))
    assert sending.dispositions() == {"undelivered": 6}
    assert sql.states(sending.engine) == {"undelivered": 6}
    run = sql.run_row(sending.engine, night.run_seq)
    assert (run["claims"], run["sent"], run["dispositions"]) == (6, 0, {"undelivered": 6})
    again = sending.night()
    assert (again.status, sending.sizes) == ("succeeded", [2, 2, 2])
    assert sending.dispositions() == {"delivered": 6}


def test_401_twice_stops(sending_of: Callable[..., Sending]) -> None:
    """A 401 renews the token once; a second one says that the client may not do this."""
    sending = sending_of(4, batch_size=2)
    night = sending.night(Fault(401), Fault(401, body=DITIO_SAYS))
    assert sending.statuses == [401, 401]
    assert isinstance(night.errors["publish"], PublishingStoppedError)
    assert sql.states(sending.engine) == {"undelivered": 4}
    assert not sending.entry()["in_doubt"]


def test_401_once_goes_on(sending_of: Callable[..., Sending]) -> None:
    sending = sending_of(4, batch_size=2)
    night = sending.night(Fault(401))
    assert (night.errors, sending.statuses) == ({}, [401, 201, 201])
    assert sending.server.asked["/ditio/token"] >= 2
    assert sending.dispositions() == {"delivered": 4}


def test_what_was_acknowledged_before_a_stop_stays(sending_of: Callable[..., Sending]) -> None:
    sending = sending_of(6, batch_size=2)
    sending.night()
    renew(sending.server.world, until="2028-02-01")
    stopped = sending.night(Fault(201, saves=True), Fault(403))
    assert sending.statuses == [201, 403]
    assert sending.dispositions() == {"delivered": 2, "undelivered": 4}
    assert "4 of 6 rows" in stopped.failure
    sending.night()
    assert sending.sizes == [2, 2], "what was acknowledged is not sent again"


# --- rows at fault -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_is_split_down_to_the_row_at_fault(sending_of: Callable[..., Sending], status: int) -> None:
    """Ditio refuses whole batches in which one row is wrong: that row is rejected, the others arrive."""
    sending = sending_of(8, batch_size=8)
    night = sending.night(*(Fault(status, body=DITIO_SAYS) for _ in range(4)))
    assert night.errors == {}
    assert sending.sizes == [8, 4, 2, 1, 1, 2, 4]
    assert sending.statuses == [status] * 4 + [201] * 3
    assert night.status == "succeeded_with_rejects"
    assert sending.dispositions() == {"delivered": 7, "rejected": 1}
    entry = sending.entry()
    assert (entry["state"], entry["http_status"], entry["attempts"]) == ("rejected", status, 4)
    assert "This is what Ditio says." in entry["message"]
    report = sql.rows(
        sending.engine, "SELECT * FROM reconciliation.reconciliation_report WHERE disposition = 'rejected'"
    )
    assert [(row["employee_number"], row["http_status"]) for row in report] == [("100", status)]
    summary = night.file(night.reported and night.reported.summary)
    assert "1 rejected" in summary


def test_the_row_at_fault_is_in_the_middle(sending_of: Callable[..., Sending]) -> None:
    """The upsert is not atomic: rows saved before the refusal are sent again in halves, and arrive once each."""
    sending = sending_of(9, batch_size=9)
    sending.server.refuses = lambda row: "no such course" if row["employeeNumber"] == "104" else None
    night = sending.night()
    assert night.status == "succeeded_with_rejects"
    assert sending.entry(("104", "Byggekort"))["state"] == "rejected"
    assert "no such course" in sending.entry(("104", "Byggekort"))["message"]
    assert sending.dispositions() == {"delivered": 8, "rejected": 1}
    assert set(sending.server.saved) == {(str(number), "Byggekort") for number in range(100, 109) if number != 104}
    run = sql.run_row(sending.engine, night.run_seq)
    assert (run["sent"], run["status"]) == (8, "succeeded_with_rejects")


def test_a_rejected_row_is_tried_again(sending_of: Callable[..., Sending]) -> None:
    """Next night it alone is sent; refused again it is rejected still, accepted it is delivered."""
    sending = sending_of(5)
    sending.server.refuses = lambda row: "not yet" if row["employeeNumber"] == "100" else None
    sending.night()
    before = sql.fingerprint(sending.engine, without=("run", "ditio_upsert", "ditio_attempt"))
    again = sending.night()
    assert (again.status, sending.sizes) == ("succeeded_with_rejects", [1])
    assert sql.fingerprint(sending.engine, without=("run", "ditio_upsert", "ditio_attempt")) == before
    sending.server.refuses = lambda _row: None
    fine = sending.night()
    assert (fine.status, sending.sizes) == ("succeeded", [1])
    assert [row["reason"] for row in fine.plan_rows()] == ["unacknowledged"]
    assert sending.dispositions() == {"delivered": 5}
    assert sending.entry()["attempts"] == 5


def test_the_runner_up_is_not_sent_for_a_rejected_winner(sending_of: Callable[..., Sending]) -> None:
    sending = sending_of(1)
    world = sending.server.world
    world.certificates["t1"].append(
        world.certificates["t1"][0] | {"certificate_id": "older", "date_expire": "2027-01-15"}
    )
    world.links["t1"].append(world.links["t1"][0] | {"certificate_action_id": "l-older", "certificate_id": "older"})
    sending.server.refuses = lambda _row: "no"
    sending.night()
    assert sending.dispositions() == {"rejected": 1, "superseded": 1}
    assert [row["certificateNumber"] for row in sending.server.received] == ["c100"]


def test_too_many_rejected_rows_stop(sending_of: Callable[..., Sending]) -> None:
    """The breaker: after the sample more than the share is rejected, so the rest is not sent."""
    limits = {"max_rejected_share": 0.2, "min_rejected_sample": 5}
    sending = sending_of(20, guards=limits, batch_size=1)
    sending.server.refuses = lambda row: "wrong type" if int(row["employeeNumber"]) >= 104 else None
    night = sending.night()
    assert sending.statuses == [201] * 4 + [400] * 2
    error = night.errors["publish"]
    assert isinstance(error, PublishingStoppedError)
    assert "rejected 2 of 6 answered rows, more than 20%" in str(error)
    assert sending.dispositions() == {"delivered": 4, "rejected": 2, "undelivered": 14}
    assert night.status == "failed"


def test_after_the_last_answer_there_is_nothing_to_stop(sending_of: Callable[..., Sending]) -> None:
    """The row with which too many are rejected is the last one: each has its answer, and the run did what it could."""
    limits = {"max_rejected_share": 0.2, "min_rejected_sample": 5}
    sending = sending_of(5, guards=limits, batch_size=1)
    sending.server.refuses = lambda row: "wrong type" if int(row["employeeNumber"]) >= 103 else None
    night = sending.night()
    assert sending.statuses == [201] * 3 + [400] * 2
    assert (night.errors, night.status) == ({}, "succeeded_with_rejects")
    assert sending.dispositions() == {"delivered": 3, "rejected": 2}


def test_few_rejected_rows_stop_nothing(sending_of: Callable[..., Sending]) -> None:
    limits = {"max_rejected_share": 0.2, "min_rejected_sample": 5}
    sending = sending_of(20, guards=limits, batch_size=1)
    sending.server.refuses = lambda row: "wrong type" if int(row["employeeNumber"]) % 5 == 4 else None
    night = sending.night()
    assert (night.errors, night.status) == ({}, "succeeded_with_rejects")
    assert sending.dispositions() == {"delivered": 16, "rejected": 4}


# --- no useful answer ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault(500), Fault(503, headers={"Retry-After": "0"}), Fault(599), Fault(), Fault(saves=True), Fault(429)],
                         ids=["500", "503", "599", "no-answer", "no-answer-but-saved", "429"])  # fmt: skip
def test_a_fault_that_passes(sending_of: Callable[..., Sending], fault: Fault) -> None:
    """Tried again within the night, delivered; every try is on the record."""
    sending = sending_of(3)
    night = sending.night(fault)
    assert (night.errors, night.status) == ({}, "succeeded")
    assert sending.statuses == [fault.status, 201]
    assert sending.dispositions() == {"delivered": 3}
    assert not sending.entry()["in_doubt"]
    attempts = sql.rows(sending.engine, "SELECT * FROM reconciliation.ditio_attempt ORDER BY attempt_id")
    assert [row["http_status"] for row in attempts] == [fault.status] * 3 + [201] * 3
    assert all((row["answered_at"] is None) == (row["http_status"] is None) for row in attempts)


@pytest.mark.parametrize("fault", [Fault(500), Fault()], ids=["500", "no-answer"])
def test_a_fault_that_lasts(sending_of: Callable[..., Sending], fault: Fault) -> None:
    """Given up after all tries: undelivered and in doubt, loaded as such, sent again the next night."""
    sending = sending_of(3)
    night = sending.night(*[fault] * QUICK.attempts)
    assert sending.statuses == [fault.status] * QUICK.attempts
    assert isinstance(night.errors["publish"], RowsUndeliveredError)
    assert "3 of 3 rows" in night.failure
    assert (night.status, sending.dispositions()) == ("failed", {"undelivered": 3})
    entry = sending.entry()
    assert (entry["state"], entry["in_doubt"], entry["attempts"]) == ("undelivered", True, QUICK.attempts)
    again = sending.night()
    assert (again.status, sending.sizes) == ("succeeded", [3])
    assert (sending.entry()["state"], sending.entry()["in_doubt"]) == ("acknowledged", False)


def test_one_batch_without_answer_does_not_hold_the_others(sending_of: Callable[..., Sending]) -> None:
    sending = sending_of(6, batch_size=2)
    night = sending.night(*[Fault(500)] * QUICK.attempts)
    assert isinstance(night.errors["publish"], RowsUndeliveredError)
    assert "2 of 6 rows" in night.failure
    assert sending.dispositions() == {"delivered": 4, "undelivered": 2}


def test_a_vendor_that_is_down_is_not_asked_for_every_batch(sending_of: Callable[..., Sending]) -> None:
    """After three batches in a row without any answer publishing stops."""
    sending = sending_of(20, batch_size=2)
    night = sending.night(*[Fault(502)] * 40)
    assert len(sending.server.posts) == 3 * QUICK.attempts
    assert isinstance(night.errors["publish"], PublishingStoppedError)
    assert sending.dispositions() == {"undelivered": 20}


def test_a_vendor_that_keeps_limiting(sending_of: Callable[..., Sending]) -> None:
    """429 is waited for longer than a 5xx; that nothing was saved is certain."""
    sending = sending_of(1)
    night = sending.night(*[Fault(429)] * QUICK.rate_limited_attempts)
    assert sending.statuses == [429] * QUICK.rate_limited_attempts
    assert isinstance(night.errors["publish"], RowsUndeliveredError)
    assert not sending.entry()["in_doubt"]


# --- batches -------------------------------------------------------------------------------------------


def test_batches_and_concurrency(sending_of: Callable[..., Sending]) -> None:
    sending = sending_of(25, batch_size=4, concurrency=3)
    night = sending.night()
    assert night.status == "succeeded"
    assert sorted(sending.sizes) == [1, 4, 4, 4, 4, 4, 4]
    numbers = [row["employeeNumber"] for row in sending.server.received]
    assert sorted(numbers) == sorted(set(numbers))
    assert night.published is not None
    assert (night.published.requests, night.published.acknowledged) == (7, 25)
    ids = sql.rows(sending.engine, "SELECT count(DISTINCT batch_id) AS n FROM reconciliation.ditio_attempt")
    assert ids[0]["n"] == 7


def test_a_rate_is_kept(sending_of: Callable[..., Sending]) -> None:
    """The total time of a call is bounded also where Ditio asks to wait for longer."""
    sending = sending_of(1)
    sending.pipeline.retry = RetryPolicy(attempts=3, rate_limited_attempts=4, base=0.001, cap=0.004, total=0.5)
    night = sending.night(Fault(429, headers={"Retry-After": "3600"}))
    assert isinstance(night.errors["publish"], RowsUndeliveredError)
    assert sending.statuses == [429]
