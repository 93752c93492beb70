"""The sender with a scripted Ditio in this process: order, splitting, concurrency, stopping, doubt."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa
import pytest

from certrecon.api.delays import RetryPolicy
from certrecon.api.loop import run as run_async
from certrecon.errors import CredentialsError, WarehouseUnavailableError
from certrecon.publishing.batches import ROWS, Batch, batches_of
from certrecon.publishing.recorder import MOST_ROWS
from certrecon.publishing.sender import Sent, send_all
from certrecon.settings.model import DitioSettings, GuardSettings

QUICK = RetryPolicy(attempts=3, rate_limited_attempts=4, base=0.0001, cap=0.0002, total=5.0)
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Reply:
    """One answer of Ditio (a `certrecon.publishing.sender.PostAnswer`)."""

    http_status: int | None
    message: str | None = None
    retry_after: float | None = None
    sent_at: dt.datetime = NOW

    @property
    def answered_at(self) -> dt.datetime | None:
        return None if self.http_status is None else NOW


Answering = Callable[[list[str]], "Reply | Exception"]


@dataclass
class Ditio:
    """Ditio's certificates API, answering what a function says (a `certrecon.publishing.sender.CertificatesApi`)."""

    answer: Answering
    retry: RetryPolicy = QUICK
    asked: list[list[str]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def post_certificates(self, body: bytes) -> Reply:
        numbers = [row["n"] for row in json.loads(body)]
        self.asked.append(numbers)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.002)
        self.under_way -= 1
        answer = self.answer(numbers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def batches(*sizes: int) -> list[Batch]:
    """Return batches of rows numbered through."""
    numbers = iter(range(sum(sizes)))
    plans = (pa.Table.from_pylist([_row(str(next(numbers))) for _ in range(size)], ROWS) for size in sizes)
    return [batch for plan in plans for batch in batches_of(plan, plan.num_rows)]


def _row(number: str) -> dict[str, str]:
    return {
        "employee_number": number,
        "certificate_type": "A",
        "payload": json.dumps({"n": number}),
        "payload_sha256": f"digest of {number}",
    }


@dataclass
class Outcome:
    """What was sent and what was recorded."""

    sent: Sent
    recorded: pa.Table
    ditio: Ditio

    def states(self) -> dict[str, str | None]:
        """Return the last state of each row."""
        names = self.recorded["employee_number"].to_pylist()
        return dict(zip(names, self.recorded["state"].to_pylist(), strict=True))


def send(
    answer: Answering,
    *sizes: int,
    concurrency: int = 1,
    guards: GuardSettings | None = None,
    retry: RetryPolicy = QUICK,
) -> Outcome:
    """Send batches of these sizes."""
    ditio, tables = Ditio(answer, retry), []
    settings = DitioSettings(concurrency=concurrency)
    sent = run_async(send_all(batches(*sizes), ditio, tables.append, settings, guards or GuardSettings()))
    return Outcome(sent, pa.concat_tables(tables) if tables else pa.table({}), ditio)


def fine(_numbers: list[str]) -> Reply:
    return Reply(201)


def refusing(*wrong: str, status: int = 400) -> Answering:
    return lambda numbers: Reply(status, "no") if set(wrong) & set(numbers) else Reply(201)


def in_turn(*replies: Reply | Exception) -> Answering:
    left = list(replies)
    return lambda _numbers: left.pop(0) if left else Reply(201)


def test_nothing_to_send() -> None:
    outcome = send(fine)
    assert (outcome.sent, outcome.ditio.asked) == (Sent(), [])


def test_every_batch_once() -> None:
    outcome = send(fine, 3, 3, 2)
    assert outcome.ditio.asked == [["0", "1", "2"], ["3", "4", "5"], ["6", "7"]]
    assert (outcome.sent.acknowledged, outcome.sent.rejected, outcome.sent.requests) == (8, 0, 3)
    assert set(outcome.states().values()) == {"acknowledged"}
    assert len(set(outcome.recorded["batch_id"].to_pylist())) == 3


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_as_many_at_once_as_allowed(concurrency: int) -> None:
    outcome = send(fine, *[1] * 12, concurrency=concurrency)
    assert outcome.ditio.most == concurrency
    assert outcome.sent.acknowledged == 12


@pytest.mark.parametrize("wrong", ["0", "3", "7"])
@pytest.mark.parametrize("concurrency", [1, 3])
def test_the_row_at_fault_is_found(wrong: str, concurrency: int) -> None:
    outcome = send(refusing(wrong), 8, 4, concurrency=concurrency)
    assert (outcome.sent.acknowledged, outcome.sent.rejected, outcome.sent.stopped) == (11, 1, None)
    states = outcome.states()
    assert states.pop(wrong) == "rejected"
    assert set(states.values()) == {"acknowledged"}
    assert outcome.sent.in_doubt == []


def test_all_rows_at_fault() -> None:
    outcome = send(refusing("0", "1", "2", "3"), 4, guards=GuardSettings(min_rejected_sample=99))
    assert (outcome.sent.acknowledged, outcome.sent.rejected, outcome.sent.requests) == (0, 4, 7)


def test_halves_go_out_before_fresh_batches() -> None:
    outcome = send(refusing("0"), 2, 2)
    assert outcome.ditio.asked == [["0", "1"], ["0"], ["1"], ["2", "3"]]


def test_tried_again_until_it_answers() -> None:
    outcome = send(in_turn(Reply(503), Reply(None, "broke off")), 2)
    assert outcome.recorded["http_status"].to_pylist() == [503, 503, None, None, 201, 201]
    assert outcome.recorded["in_doubt"].to_pylist() == [True] * 4 + [False] * 2
    assert outcome.sent.acknowledged == 2


@pytest.mark.parametrize("status", [408, 425, 429])
def test_a_refusal_of_the_moment_leaves_no_doubt(status: int) -> None:
    outcome = send(in_turn(Reply(status)), 1)
    assert outcome.recorded["in_doubt"].to_pylist() == [False, False]


def test_a_try_too_many() -> None:
    outcome = send(in_turn(*[Reply(500)] * 3), 1, 1)
    assert outcome.recorded["state"].to_pylist() == [None, None, None, "acknowledged"]
    assert (outcome.sent.acknowledged, outcome.sent.stopped) == (1, None)


def test_after_three_batches_without_answer_it_stops() -> None:
    outcome = send(lambda _numbers: Reply(None), *[1] * 9)
    assert len(outcome.ditio.asked) == 9, "three batches, three tries each"
    assert "3 batches in a row got no answer" in (outcome.sent.stopped or "")


def test_an_answer_between_starts_the_count_anew() -> None:
    def answer(numbers: list[str]) -> Reply:
        return Reply(201) if numbers == ["2"] else Reply(500)

    outcome = send(answer, *[1] * 9)
    assert sorted({numbers[0] for numbers in outcome.ditio.asked}) == list("012345")
    assert outcome.sent.acknowledged == 1


@pytest.mark.parametrize("status", [403, 404, 405, 409])
def test_a_refusal_of_no_row_stops_at_once(status: int) -> None:
    outcome = send(in_turn(Reply(201), Reply(status, "not for you")), 2, 2, 2)
    assert len(outcome.ditio.asked) == 2
    assert f"{status} (not for you)" in (outcome.sent.stopped or "")
    assert outcome.states() == {"0": "acknowledged", "1": "acknowledged", "2": None, "3": None}


def test_a_stop_leaves_the_halves_of_a_split_batch_in_doubt() -> None:
    """Rows of a refused batch may have been saved before the one at fault; nobody said which."""
    outcome = send(in_turn(Reply(400), Reply(201), Reply(403)), 4)
    assert [number for rows in outcome.sent.in_doubt for number in rows["employee_number"].to_pylist()] == ["2", "3"]


def test_a_401_is_tried_once_more() -> None:
    outcome = send(in_turn(Reply(401)), 1)
    assert (outcome.sent.acknowledged, outcome.sent.requests) == (1, 2)
    outcome = send(in_turn(Reply(401), Reply(401, "expired")), 1, 1)
    assert (outcome.sent.acknowledged, outcome.sent.requests) == (0, 2)
    assert "401" in (outcome.sent.stopped or "")


def test_no_credential_to_be_had_stops() -> None:
    """Nothing was sent, so nothing is recorded."""
    outcome = send(in_turn(CredentialsError("Ditio refused the client")), 1, 1)
    assert outcome.sent.stopped == "Ditio refused the client"
    assert outcome.recorded.num_rows == 0
    assert len(outcome.ditio.asked) == 1


@pytest.mark.parametrize(
    ("limit", "sample", "wrong", "stopped"),
    [
        (0.2, 5, 2, False),
        (0.2, 5, 3, True),
        (0.2, 50, 9, False),
        (0.0, 1, 1, True),
        (1.0, 0, 10, False),
    ],
    ids=["exactly the share", "more than the share", "below the sample", "none allowed", "all allowed"],
)
def test_the_breaker(limit: float, sample: int, wrong: int, stopped: bool) -> None:
    """Rejected rows of the answered rows: the last of ten are wrong."""
    numbers = [str(number) for number in range(10 - wrong, 10)]
    guards = GuardSettings(max_rejected_share=limit, min_rejected_sample=sample)
    outcome = send(refusing(*numbers), *[1] * 10, guards=guards)
    answered = outcome.sent.acknowledged + outcome.sent.rejected
    assert (outcome.sent.stopped is not None) is stopped
    assert stopped or answered == 10


def test_a_wait_that_ditio_asks_for_is_kept() -> None:
    outcome = send(in_turn(Reply(429, retry_after=0.05)), 1)
    assert outcome.sent.acknowledged == 1
    refused = send(in_turn(Reply(429, retry_after=60.0)), 1, retry=RetryPolicy(total=0.2))
    assert (refused.sent.acknowledged, refused.sent.requests) == (0, 1)


def test_when_recording_fails_sending_stops() -> None:
    """What cannot be put on the record must not go on being sent."""
    ditio = Ditio(fine)

    def broken(_rows: pa.Table) -> None:
        raise WarehouseUnavailableError("PostgreSQL is gone")

    with pytest.raises(ExceptionGroup) as raised:
        run_async(send_all(batches(*[1] * 200), ditio, broken, DitioSettings(concurrency=1), GuardSettings()))
    assert raised.group_contains(WarehouseUnavailableError)
    assert len(ditio.asked) < 200


@pytest.mark.parametrize("size", [100, 1000])
def test_sending_waits_for_recording(size: int) -> None:
    """However fast Ditio answers and however large a batch is, few answered rows are not on the record yet."""
    ditio, tables, workers = Ditio(fine), list[pa.Table](), 5
    asked_meanwhile: list[int] = []

    def slow(rows: pa.Table) -> None:
        tables.append(rows)
        time.sleep(0.5 if len(tables) == 1 else 0.0)
        asked_meanwhile.append(len(ditio.asked))

    settings = DitioSettings(concurrency=workers)
    sent = run_async(send_all(batches(*[size] * (60_000 // size)), ditio, slow, settings, GuardSettings()))
    may_wait = len(set(tables[0]["batch_id"].to_pylist())) + MOST_ROWS // size
    assert may_wait <= asked_meanwhile[0] <= may_wait + workers
    assert (sent.acknowledged, sum(table.num_rows for table in tables)) == (60_000, 60_000)
    assert tables[1].num_rows == MOST_ROWS, "all that wait go into one transaction"
