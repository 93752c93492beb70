"""The life of a ledger entry: planned, sent, answered, in doubt, and back."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from sqlalchemy import Engine, text

from certrecon.errors import IntegrityError, RunTakenOverError
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.ledger import (
    LEDGER,
    mark_undelivered,
    read_ledger,
    settle_acknowledged,
    write_outbox,
)
from tests.integration.warehouse.samples import (
    NOON,
    TARGET,
    answer,
    keys,
    one,
    opened_seq,
    plan,
    query,
    queue,
    sha,
)

A, B = {"version": "A"}, {"version": "B"}
REFUSED = {"http_status": 400, "message": "Unknown type", "state": "rejected"}
SILENCE = {"answered_at": None, "http_status": None, "message": "no answer", "state": None, "in_doubt": True}
BUSY = {"http_status": 429, "message": "later", "state": None}
LATER = NOON + dt.timedelta(days=1)


def _entry(engine: Engine, *names: str) -> tuple[Any, ...]:
    row = one(engine, "SELECT * FROM reconciliation.ditio_upsert WHERE employee_number = '1'")
    return tuple(row[name] for name in names)


def _acknowledged(engine: Engine) -> tuple[Any, ...]:
    names = ("payload_sha256", "certificate_id", "person_id", "tenant_id", "given_name", "family_name")
    return _entry(engine, *(f"acknowledged_{name}" for name in names))


def _version(name: str) -> tuple[str, ...]:
    return sha(name), f"c{name}", f"p{name}", f"t{name}", f"Given {name}", f"Family {name}"


def _undelivered(engine: Engine, run_seq: int, *doubted: tuple[str, str]) -> int:
    with transaction(engine) as conn:
        return mark_undelivered(conn, run_seq, TARGET, keys(*doubted))


def _settle(engine: Engine, run_seq: int, *rows: dict[str, Any]) -> int:
    with transaction(engine) as conn:
        return settle_acknowledged(conn, run_seq, TARGET, plan(*rows))


def test_the_outbox_holds_the_plan_before_anything_is_sent(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    assert queue(warehouse, run_seq, A | {"payload": '{"n": "ø\\u0000", "e": ""}'}) == 1
    row = one(warehouse, "SELECT * FROM reconciliation.ditio_upsert")
    assert row["payload"] == {"n": "ø\ufffd", "e": ""}
    assert (row["target"], row["state"], row["attempts"], row["in_doubt"], row["run_seq"]) == (
        TARGET,
        "pending",
        0,
        False,
        run_seq,
    )
    assert _acknowledged(warehouse) == (None,) * 6


def test_acknowledged(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    queue(warehouse, run_seq, A)
    answer(warehouse, run_seq, A)
    assert _acknowledged(warehouse) == _version("A")
    names = ("state", "acknowledged_at", "first_acknowledged_at", "attempts", "http_status", "in_doubt")
    assert _entry(warehouse, *names) == ("acknowledged", NOON, NOON, 1, 200, False)


def test_from_a_to_b_refused_and_back_to_a(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    queue(warehouse, first, A)
    answer(warehouse, first, A)

    second = opened_seq(warehouse, "second")
    queue(warehouse, second, B)
    assert _entry(warehouse, "state", "payload_sha256", "http_status", "in_doubt") == (
        "pending",
        sha("B"),
        None,
        False,
    )
    assert _acknowledged(warehouse) == _version("A")

    answer(warehouse, second, B | REFUSED)
    names = ("state", "certificate_id", "http_status", "message", "in_doubt", "attempts", "acknowledged_at")
    assert _entry(warehouse, *names) == ("rejected", "cB", 400, "Unknown type", False, 2, NOON)
    assert _acknowledged(warehouse) == _version("A")

    third = opened_seq(warehouse, "third")
    assert _settle(warehouse, third, A) == 1
    assert _entry(warehouse, *names[:5]) == ("acknowledged", "cA", None, None, False)
    assert _entry(warehouse, "payload_sha256", "run_seq", "payload") == (sha("A"), third, {"v": "A"})
    assert _acknowledged(warehouse) == _version("A")
    assert _settle(warehouse, third, A) == 0


def test_the_first_acknowledgement_is_kept(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    for version, when in ((A, NOON), (B, LATER)):
        queue(warehouse, run_seq, version)
        answer(warehouse, run_seq, version | {"answered_at": when})
    assert _entry(warehouse, "acknowledged_at", "first_acknowledged_at") == (LATER, NOON)
    assert _acknowledged(warehouse) == _version("B")


@pytest.mark.parametrize(
    ("answers", "state", "in_doubt", "attempts", "status"),
    [
        pytest.param([SILENCE], "pending", True, 1, None, id="no answer"),
        pytest.param([SILENCE, BUSY], "pending", True, 2, 429, id="no answer, then a refusal of no row"),
        pytest.param([BUSY], "pending", False, 1, 429, id="not taken"),
        pytest.param([SILENCE, REFUSED], "rejected", True, 2, 400, id="no answer, then rejected"),
        pytest.param([SILENCE, {}], "acknowledged", False, 2, 200, id="no answer, then acknowledged"),
        pytest.param([BUSY, {}], "acknowledged", False, 2, 200, id="later, then acknowledged"),
        pytest.param([REFUSED, {}], "acknowledged", False, 2, 200, id="rejected, then acknowledged"),
    ],
)
@pytest.mark.parametrize("together", [False, True], ids=["one call each", "one call"])
def test_answers(
    warehouse: Engine,
    answers: list[dict[str, Any]],
    state: str,
    in_doubt: bool,
    attempts: int,
    status: int | None,
    together: bool,
) -> None:
    run_seq = opened_seq(warehouse)
    queue(warehouse, run_seq, A)
    for call in [answers] if together else [[each] for each in answers]:
        answer(warehouse, run_seq, *call)
    assert _entry(warehouse, "state", "in_doubt", "attempts", "http_status") == (
        state,
        in_doubt,
        attempts,
        status,
    )
    assert query(warehouse, "SELECT count(*) FROM reconciliation.ditio_attempt") == [(len(answers),)]


def test_answers_of_every_kind_in_one_call(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    queue(warehouse, run_seq, *({"employee_number": number} for number in "123456"))
    given = [SILENCE, REFUSED, {}, BUSY, {"answered_at": LATER}, REFUSED | {"message": "Other"}]
    answer(warehouse, run_seq, *(kind | {"employee_number": str(place)} for place, kind in enumerate(given, 1)))
    rows = query(
        warehouse,
        """
        SELECT employee_number, state, in_doubt, http_status, message, acknowledged_at
          FROM reconciliation.ditio_upsert ORDER BY 1""",
    )
    assert rows == [
        ("1", "pending", True, None, "no answer", None),
        ("2", "rejected", False, 400, "Unknown type", None),
        ("3", "acknowledged", False, 200, None, NOON),
        ("4", "pending", False, 429, "later", None),
        ("5", "acknowledged", False, 200, None, LATER),
        ("6", "rejected", False, 400, "Other", None),
    ]


def test_b_without_an_answer_leaves_a_in_doubt(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    queue(warehouse, first, A)
    answer(warehouse, first, A)
    second = opened_seq(warehouse, "second")
    queue(warehouse, second, B)
    answer(warehouse, second, B | SILENCE)
    assert _undelivered(warehouse, second) == 1
    assert _entry(warehouse, "state", "in_doubt") == ("undelivered", True)
    third = opened_seq(warehouse, "third")
    assert _settle(warehouse, third, A) == 0
    queue(warehouse, third, A)
    assert _entry(warehouse, "state", "in_doubt") == ("pending", True)
    answer(warehouse, third, A)
    assert _entry(warehouse, "state", "in_doubt") == ("acknowledged", False)
    assert _acknowledged(warehouse) == _version("A")


def test_attempts_are_kept_in_order_as_they_came(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    queue(warehouse, run_seq, A, {"employee_number": "2"})
    answer(warehouse, run_seq, BUSY | {"batch_id": "b0"}, BUSY | {"batch_id": "b0", "employee_number": "2"})
    answer(warehouse, run_seq, {"batch_id": "b1", "employee_number": "2", "message": "o\0k"})
    rows = query(
        warehouse,
        """
        SELECT run_seq, batch_id, target, employee_number, payload_sha256, sent_at, answered_at, http_status,
               message, state
          FROM reconciliation.ditio_attempt ORDER BY attempt_id""",
    )
    assert rows == [
        (run_seq, "b0", TARGET, "1", sha("A"), NOON, NOON, 429, "later", None),
        (run_seq, "b0", TARGET, "2", sha("A"), NOON, NOON, 429, "later", None),
        (run_seq, "b1", TARGET, "2", sha("A"), NOON, NOON, 200, "o\ufffdk", "acknowledged"),
    ]


def test_attempts_are_never_rewritten(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    queue(warehouse, run_seq, A)
    answer(warehouse, run_seq, SILENCE)
    before = query(warehouse, "SELECT ctid::text, xmin::text, xmax::text FROM reconciliation.ditio_attempt")
    answer(warehouse, run_seq, A)
    _undelivered(warehouse, run_seq)
    queue(warehouse, opened_seq(warehouse, "next"), B)
    after = query(warehouse, "SELECT ctid::text, xmin::text, xmax::text FROM reconciliation.ditio_attempt")
    assert after[:1] == before


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"employee_number": "9"}, id="another key"),
        pytest.param(B, id="another payload"),
    ],
)
def test_an_answer_to_what_is_not_in_the_outbox_is_refused(warehouse: Engine, row: dict[str, Any]) -> None:
    run_seq = opened_seq(warehouse)
    queue(warehouse, run_seq, A)
    with pytest.raises(IntegrityError, match="only 1 of them"):
        answer(warehouse, run_seq, {"employee_number": "1"}, row | {"certificate_type": "Brannvern"})
    with pytest.raises(IntegrityError):
        answer(warehouse, run_seq, row)
    assert query(warehouse, "SELECT FROM reconciliation.ditio_attempt") == []


def test_what_a_dead_run_left_pending_is_in_doubt(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    queue(warehouse, first, A, {"employee_number": "2"}, {"employee_number": "3"})
    answer(warehouse, first, {"employee_number": "3"})
    second = opened_seq(warehouse, "second")
    with transaction(warehouse) as conn:
        seen = read_ledger(conn, TARGET).select(["state", "in_doubt"]).to_pylist()
    assert [tuple(row.values()) for row in seen] == [
        ("pending", True),
        ("pending", True),
        ("acknowledged", False),
    ]
    assert queue(warehouse, second, B) == 2
    rows = query(
        warehouse,
        "SELECT employee_number, state, in_doubt, run_seq FROM reconciliation.ditio_upsert ORDER BY 1",
    )
    assert rows == [
        ("1", "pending", True, second),
        ("2", "undelivered", True, second),
        ("3", "acknowledged", False, first),
    ]


def test_a_retry_of_the_same_run_sends_only_what_is_not_settled(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    whole = (A, {"employee_number": "2"}, {"employee_number": "3"})
    queue(warehouse, run_seq, *whole)
    answer(warehouse, run_seq, A)
    answer(warehouse, run_seq, REFUSED | {"employee_number": "2"})
    assert queue(warehouse, run_seq, *whole) == 1
    with transaction(warehouse) as conn:
        queued = write_outbox(conn, run_seq, TARGET, plan(*whole))
    assert (queued.changed, queued.left.to_pylist()) == (0, plan({"employee_number": "3"}).to_pylist())
    third = one(warehouse, "SELECT state, in_doubt FROM reconciliation.ditio_upsert WHERE employee_number = '3'")
    assert tuple(third.values()) == ("pending", True)


def test_what_is_sent_is_what_the_ledger_holds(warehouse: Engine) -> None:
    """PostgreSQL stores no U+0000 and indexes no endless key: neither may Ditio get what the ledger does not know."""
    run_seq = opened_seq(warehouse)
    odd = {"employee_number": "7" * 300, "payload": '{"n": "\\u0000"}'}
    with transaction(warehouse) as conn:
        left = write_outbox(conn, run_seq, TARGET, plan(odd)).left.to_pylist()
    held = one(warehouse, "SELECT * FROM reconciliation.ditio_upsert")
    assert [(row["employee_number"], json.loads(row["payload"])) for row in left] == [
        (held["employee_number"], {"n": "\ufffd"})
    ]
    assert held["payload"] == {"n": "\ufffd"}
    answer(warehouse, run_seq, {"employee_number": "7" * 300})
    assert one(warehouse, "SELECT state FROM reconciliation.ditio_upsert") == {"state": "acknowledged"}


def test_new_and_known_rows_in_one_plan(warehouse: Engine) -> None:
    """A first plan is copied as it is; a later one merges what the ledger knows and copies the rest."""
    first, second = opened_seq(warehouse, "first"), opened_seq(warehouse, "second", target="target-b")
    numbers = [{"employee_number": number} for number in "123"]
    queue(warehouse, first, *numbers[:2])
    answer(warehouse, first, numbers[0])
    with transaction(warehouse) as conn:
        other = write_outbox(conn, second, "target-b", plan(*numbers))
    assert (other.changed, other.left.num_rows) == (3, 3)
    later = opened_seq(warehouse, "later")
    assert queue(warehouse, later, *(row | B for row in numbers)) == 3
    rows = query(
        warehouse,
        "SELECT target, employee_number, state, in_doubt, run_seq FROM reconciliation.ditio_upsert ORDER BY 1, 2",
    )
    assert rows == [
        (TARGET, "1", "pending", False, later),
        (TARGET, "2", "pending", True, later),
        (TARGET, "3", "pending", False, later),
        *(("target-b", number, "pending", False, second) for number in "123"),
    ]


def test_a_plan_with_a_key_twice_is_refused(warehouse: Engine) -> None:
    """On an empty ledger and on another one: nothing of the plan is kept."""
    run_seq = opened_seq(warehouse)
    for known in ((), ({"employee_number": "9"},)):
        queue(warehouse, run_seq, *known)
        with pytest.raises(IntegrityError):
            queue(warehouse, run_seq, A, B)
        assert len(query(warehouse, "SELECT FROM reconciliation.ditio_upsert")) == len(known)


def test_an_answer_stays_on_the_page_of_its_entry(warehouse: Engine) -> None:
    """Every entry is written twice; the second time no index is, since its page has room for it."""
    run_seq = opened_seq(warehouse)
    identity = "40fbc279-ad3b-4c11-a25e-28bb09661e63"
    payload = {
        "employeeNumber": "0001", "certificateType": "Byggekort", "issuedDateTime": "2026-01-31T00:00:00Z",
        "validUntilDateTime": "2028-01-31T00:00:00Z", "certificateNumber": identity,
    }  # fmt: skip
    usual = {"certificate_id": identity, "person_id": identity, "tenant_id": identity, "payload": json.dumps(payload)}
    rows = [{"employee_number": f"{number:04}"} for number in range(500)]
    queue(warehouse, run_seq, *(row | usual for row in rows))
    places = "SELECT employee_number, (ctid::text::point)[0] FROM reconciliation.ditio_upsert ORDER BY 1"
    before = query(warehouse, places)
    answer(warehouse, run_seq, *rows)
    assert query(warehouse, places) == before


def test_a_resend_by_a_later_run_queues_what_is_acknowledged(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    queue(warehouse, first, A)
    answer(warehouse, first, A)
    assert queue(warehouse, opened_seq(warehouse, "second"), A) == 1
    assert _entry(warehouse, "state", "acknowledged_payload_sha256", "in_doubt") == (
        "pending",
        sha("A"),
        False,
    )


def test_undelivered_rows_know_whether_they_were_sent(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    queue(warehouse, run_seq, *({"employee_number": number} for number in "1234"))
    answer(warehouse, run_seq, {"employee_number": "4"})
    assert _undelivered(warehouse, run_seq, ("2", "Byggekort"), ("3", "Other"), ("4", "Byggekort")) == 3
    rows = query(warehouse, "SELECT employee_number, state, in_doubt FROM reconciliation.ditio_upsert ORDER BY 1")
    assert rows == [
        ("1", "undelivered", False),
        ("2", "undelivered", True),
        ("3", "undelivered", False),
        ("4", "acknowledged", False),
    ]


def test_nothing_to_write_writes_nothing(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    queue(warehouse, first, A)
    answer(warehouse, first, A)
    physical = "SELECT ctid::text, xmin::text FROM reconciliation.ditio_upsert"
    before, second = query(warehouse, physical), opened_seq(warehouse, "second")
    assert queue(warehouse, second) == 0
    assert _settle(warehouse, second) == 0
    assert _settle(warehouse, second, A) == 0
    assert _undelivered(warehouse, second) == 0
    answer(warehouse, second)
    assert query(warehouse, physical) == before


def test_reading_the_ledger_of_one_target(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    queue(warehouse, run_seq, A | {"employee_number": '0"1,', "given_name": "", "person_id": None})
    with transaction(warehouse) as conn:
        found = read_ledger(conn, TARGET)
        assert found.schema.equals(LEDGER)
        row = found.to_pylist()[0]
        assert (row["employee_number"], row["given_name"], row["person_id"]) == ('0"1,', "", None)
        assert json.loads(read_ledger(conn, TARGET, with_payload=True).column("payload")[0].as_py()) == {"v": "A"}
        assert read_ledger(conn, "target-b").num_rows == 0


def test_a_run_that_was_taken_over_writes_no_ledger(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    queue(warehouse, first, A)
    opened_seq(warehouse, "second")
    before = query(warehouse, "SELECT * FROM reconciliation.ditio_upsert")
    for write in (
        lambda: queue(warehouse, first, B),
        lambda: answer(warehouse, first, A),
        lambda: _undelivered(warehouse, first),
        lambda: _settle(warehouse, first, A),
    ):
        with pytest.raises(RunTakenOverError):
            write()
    assert query(warehouse, "SELECT * FROM reconciliation.ditio_upsert") == before
    assert query(warehouse, "SELECT FROM reconciliation.ditio_attempt") == []


def test_the_states_are_a_closed_vocabulary(warehouse: Engine) -> None:
    queue(warehouse, opened_seq(warehouse), A)
    with pytest.raises(IntegrityError, match="ditio_upsert_state"), transaction(warehouse) as conn:
        conn.execute(text("UPDATE reconciliation.ditio_upsert SET state = 'sent'"))
