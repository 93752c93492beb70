"""What Ditio may answer while a plan is sent, and what the ledger makes of it, in this night and the next."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from certrecon.api.delays import RetryPolicy
from certrecon.errors import (
    PublishingStoppedError,
    RowsUndeliveredError,
    RunTakenOverError,
    WarehouseUnavailableError,
)
from certrecon.stages.publish import outbox
from tests.contract import warehouse as sql
from tests.contract.crowd import crowd, renew
from tests.contract.pipeline import QUICK, Night, Pipeline
from tests.contract.world_server import Fault, WorldServer
from tests.oracle.base import AS_OF
from tests.oracle.world import Row

KEY = ("100", "Byggekort")
DITIO_SAYS = {"code": "Whatever", "message": "This is what Ditio says."}


@dataclasses.dataclass
class Sending:
    """A crowd, the server that shows it, and the pipeline between server and warehouse."""

    server: WorldServer
    pipeline: Pipeline

    @property
    def engine(self) -> Engine:
        """The warehouse."""
        return self.pipeline.engine

    def night(self, *faults: Fault, **conf: Any) -> Night:
        """Run a night in which Ditio's next answers are these."""
        self.server.posts.clear()
        self.server.faults = list(faults)
        return self.pipeline.run(AS_OF, **conf)

    @property
    def statuses(self) -> list[int | None]:
        """What Ditio answered in the night, one a request."""
        return [post.status for post in self.server.posts]

    @property
    def sizes(self) -> list[int]:
        """How many rows each request of the night had."""
        return [len(post.rows) for post in self.server.posts]

    def entry(self, key: tuple[str, str] = KEY) -> Row:
        """Return a ledger entry."""
        return sql.ledger(self.engine)[key]

    def dispositions(self) -> Counter[str]:
        """Count the open claims by disposition."""
        return Counter(row["disposition"] for row in sql.claims(self.engine))


@pytest.fixture
def sending_of(server: WorldServer, pipeline_of: Callable[..., Pipeline]) -> Callable[..., Sending]:
    """A function that prepares a crowd of some size, with settings of Ditio and the guards."""

    def prepare(size: int, guards: dict[str, Any] | None = None, **ditio: Any) -> Sending:
        world = crowd(size)
        server.show(world)
        server.max_per_page = 50
        settings = {**world.settings, "ditio": {"concurrency": 1, **ditio}, "guards": guards or {}}
        return Sending(server, pipeline_of(settings))

    return prepare


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


# --- A, B and A again ----------------------------------------------------------------------------------

A, B = "2028-01-15", "2028-02-01"


def test_a_then_b_unanswered_then_a_is_sent_again(sending_of: Callable[..., Sending]) -> None:
    """Nobody knows whether Ditio has A or B, so A is sent though it was acknowledged last."""
    sending = sending_of(1)
    sending.night()
    acknowledged = sending.entry()["acknowledged_payload_sha256"]
    renew(sending.server.world, until=B)
    sending.night(*[Fault(saves=True)] * QUICK.attempts)
    assert (sending.entry()["in_doubt"], sending.entry()["acknowledged_payload_sha256"]) == (True, acknowledged)
    renew(sending.server.world, until=A)
    night = sending.night()
    assert sending.sizes == [1]
    assert night.status == "succeeded"
    assert sending.server.saved[KEY]["validUntilDateTime"] == f"{A}T00:00:00Z"
    assert (sending.entry()["in_doubt"], sending.entry()["acknowledged_payload_sha256"]) == (False, acknowledged)


def test_a_then_b_rejected_then_a_is_delivered_without_sending(sending_of: Callable[..., Sending]) -> None:
    """Ditio answered B with a refusal, so it has A: nothing to send, and the ledger says so again."""
    sending = sending_of(1)
    sending.night()
    before = sending.entry()
    renew(sending.server.world, until=B)
    sending.server.refuses = lambda _row: "no"
    assert sending.night().status == "succeeded_with_rejects"
    renew(sending.server.world, until=A)
    night = sending.night()
    assert (night.status, sending.sizes, sending.dispositions()) == ("succeeded", [], {"delivered": 1})
    entry = sending.entry()
    assert (entry["state"], entry["payload_sha256"]) == ("acknowledged", before["payload_sha256"])
    assert entry["acknowledged_at"] == before["acknowledged_at"]
    sending.night()
    assert sending.sizes == []


def test_a_then_b_stopped_before_it_was_sent_then_a(sending_of: Callable[..., Sending]) -> None:
    """B never left: Ditio has A for certain."""
    sending = sending_of(1)
    sending.night()
    renew(sending.server.world, until=B)
    sending.night(Fault(403))
    assert (sending.entry()["state"], sending.entry()["in_doubt"]) == ("undelivered", False)
    renew(sending.server.world, until=A)
    night = sending.night()
    assert (night.status, sending.sizes, sending.dispositions()) == ("succeeded", [], {"delivered": 1})
    assert sending.entry()["state"] == "acknowledged"


def test_a_doubt_outlives_a_refusal(sending_of: Callable[..., Sending]) -> None:
    """B without answer, then B refused: the first B may have been saved, so A is sent again."""
    sending = sending_of(1)
    sending.night()
    renew(sending.server.world, until=B)
    sending.night(*[Fault(saves=True)] * QUICK.attempts)
    sending.night(Fault(400))
    assert sending.entry()["state"] == "rejected"
    renew(sending.server.world, until=A)
    sending.night()
    assert sending.sizes == [1]
    assert sending.server.saved[KEY]["validUntilDateTime"] == f"{A}T00:00:00Z"


def test_a_doubtful_row_that_loses_its_certificate(sending_of: Callable[..., Sending]) -> None:
    """Acknowledged A is withdrawn, the doubt about B stays with the entry."""
    sending = sending_of(2)
    sending.night()
    renew(sending.server.world, "100", until=B)
    sending.night(*[Fault()] * QUICK.attempts)
    sending.server.world.links["t1"] = [
        row for row in sending.server.world.links["t1"] if row["certificate_id"] != "c100"
    ]
    night = sending.night()
    assert (night.status, sending.sizes) == ("succeeded", [])
    assert sql.withdrawn(sending.engine) == [(*KEY, "unlinked")]
    assert sending.entry()["in_doubt"]


# --- broken off, repeated, taken over ------------------------------------------------------------------


def test_killed_between_outbox_and_sending(sending_of: Callable[..., Sending]) -> None:
    """The task is tried again: the whole plan goes out once."""
    sending = sending_of(4, batch_size=2)
    night = sending.pipeline.night(AS_OF)
    night.open()
    night.decide()
    assert night.planned is not None
    outbox(night.workplace, night.planned)
    assert sql.states(sending.engine) == {"pending": 4}
    night.publish()
    assert sending.sizes == [2, 2]
    night.conclude()
    assert (night.status, sending.dispositions()) == ("succeeded", {"delivered": 4})


def test_killed_in_the_middle_of_sending(sending_of: Callable[..., Sending]) -> None:
    """The warehouse goes away after the first answer; a retry sends what is not acknowledged, and no more."""
    sending = sending_of(6, batch_size=2)
    night = sending.pipeline.night(AS_OF)
    night.open()
    night.decide()
    _break_off_after_one_commit(sending.engine)
    with pytest.raises(WarehouseUnavailableError):
        night.publish()
    sql.execute(sending.engine, "DROP TRIGGER break_off ON reconciliation.ditio_attempt")
    sent_before = len(sending.server.received)
    acknowledged = sql.states(sending.engine)["acknowledged"]
    assert acknowledged == 2
    night.publish()
    again = [row["employeeNumber"] for row in sending.server.received[sent_before:]]
    assert sorted(again) == [str(number) for number in range(102, 106)]
    night.conclude()
    assert (night.status, sending.dispositions()) == ("succeeded", {"delivered": 6})
    assert sql.run_row(sending.engine, night.run_seq)["sent"] == 6


def _break_off_after_one_commit(engine: Engine) -> None:
    """Let the warehouse end the connection that appends attempts for the second time."""
    sql.execute(engine, "CREATE SEQUENCE commits")
    sql.execute(
        engine,
        """CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF nextval('commits') > 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
           RETURN NULL; END $$""",
    )
    sql.execute(
        engine,
        """CREATE TRIGGER break_off BEFORE INSERT ON reconciliation.ditio_attempt
           FOR EACH STATEMENT EXECUTE FUNCTION break_off()""",
    )


def test_killed_for_good_and_the_next_night(sending_of: Callable[..., Sending]) -> None:
    """A run that died with its outbox written: the next one takes over, what was pending is in doubt and sent."""
    sending = sending_of(3)
    dead = sending.pipeline.night(AS_OF)
    dead.open()
    dead.decide()
    assert dead.planned is not None
    outbox(dead.workplace, dead.planned)
    night = sending.night()
    assert (night.status, sending.sizes, sending.dispositions()) == ("succeeded", [3], {"delivered": 3})
    died = sql.run_row(sending.engine, dead.run_seq)
    assert died["status"] == "failed"
    assert f"run {night.run_seq} took the target over" in died["failure"]


def test_a_run_that_was_taken_over_stops(sending_of: Callable[..., Sending]) -> None:
    """Its next task, whichever it is, says so and changes nothing."""
    sending = sending_of(3)
    slow = sending.pipeline.night(AS_OF)
    slow.open()
    slow.decide()
    quick = sending.night()
    assert quick.status == "succeeded"
    before = sql.fingerprint(sending.engine, without=())
    slow.deliver()
    assert {name for name, error in slow.errors.items() if isinstance(error, RunTakenOverError)} >= {
        "publish", "load", "finalise",
    }  # fmt: skip
    assert (slow.reported, slow.ended) == (None, None)
    assert "clear the whole run" in str(slow.errors["finalise"])
    assert sql.fingerprint(sending.engine, without=()) == before
    assert len(sending.server.posts) == 1


def test_taken_over_while_sending(sending_of: Callable[..., Sending]) -> None:
    """Another run opens between two batches: the first one's next commit is refused and it stops."""
    rows = 400  # far more than are answered while the other run opens
    sending = sending_of(rows, batch_size=1)
    slow = sending.pipeline.night(AS_OF)
    slow.open()
    slow.decide()
    taker = sending.pipeline.night(AS_OF)

    def take_over(row: Row) -> str | None:
        if row["employeeNumber"] == "105" and taker.handle is None:
            taker.open()
        return None

    sending.server.refuses = take_over
    with pytest.raises(RunTakenOverError):
        slow.publish()
    assert len(sending.server.posts) < rows
    states = sql.states(sending.engine)
    assert states["acknowledged"] + states["pending"] == rows
    sending.server.posts.clear()
    taker.go_on()
    assert (taker.status, sending.dispositions()) == ("succeeded", {"delivered": rows})
    assert len(sending.server.received) == states["pending"], "only what was never acknowledged"


def test_a_dry_run_takes_nothing_over(sending_of: Callable[..., Sending]) -> None:
    sending = sending_of(2)
    publishing = sending.pipeline.night(AS_OF)
    publishing.open()
    dry = sending.night(mode="dry_run")
    assert dry.status == "succeeded"
    publishing.go_on()
    assert publishing.status == "succeeded"


def test_the_same_airflow_run_cleared(sending_of: Callable[..., Sending]) -> None:
    """A second opening of one Airflow run id is its second attempt, and ends the first."""
    sending = sending_of(2)
    first = sending.pipeline.night(AS_OF, run_id="manual__one")
    first.open()
    second = sending.pipeline.night(AS_OF, run_id="manual__one").run()
    assert second.status == "succeeded"
    runs = sql.rows(sending.engine, "SELECT attempt, status FROM reconciliation.run ORDER BY run_seq")
    assert [tuple(row.values()) for row in runs] == [(1, "failed"), (2, "succeeded")]


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
