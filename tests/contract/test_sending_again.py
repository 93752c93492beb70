"""What the ledger makes of answers that came, or did not, in the next try and in the next night."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from certrecon.errors import (
    EvidenceError,
    RunTakenOverError,
    WarehouseUnavailableError,
)
from certrecon.stages.publish import outbox
from tests.contract import warehouse as sql
from tests.contract.crowd import renew
from tests.contract.pipeline import QUICK
from tests.contract.sending import KEY, Sending
from tests.contract.world_server import Fault
from tests.oracle.base import AS_OF
from tests.oracle.world import Row

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


def test_claims_are_not_loaded_without_their_evidence(sending_of: Callable[..., Sending]) -> None:
    """The settled claims find no room in the evidence: the warehouse is as it was, and the next try loads them."""
    sending = sending_of(4)
    night = sending.pipeline.night(AS_OF)
    night.open()
    night.decide()
    night.publish()
    before = sql.fingerprint(sending.engine, without=())
    with _no_room(), pytest.raises(EvidenceError, match=r"Cannot write evidence file .*claims"):
        night.load()
    assert sql.fingerprint(sending.engine, without=()) == before
    night.conclude()
    assert (night.errors, night.status, sending.dispositions()) == ({}, "succeeded", {"delivered": 4})


@contextmanager
def _no_room() -> Iterator[None]:
    """Let this process write nothing into files; what it sends to PostgreSQL goes through."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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
    taker, opened = sending.pipeline.night(AS_OF), threading.Event()

    def take_over(row: Row) -> str | None:
        if row["employeeNumber"] == "105" and taker.handle is None:
            taker.open()
            opened.set()
        return None

    sending.server.refuses = take_over
    with pytest.raises(RunTakenOverError):
        slow.publish()
    assert opened.wait(30), "the other run hears of its own opening a moment after the first one does"
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
