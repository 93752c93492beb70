"""Sends a plan to Ditio: concurrent batches, split down to the row at fault, stopped when it must."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from certrecon.api.delays import Delays, RetryPolicy
from certrecon.errors import CertreconError
from certrecon.publishing.batches import PASSING, Batch, Meaning, meaning_of
from certrecon.publishing.recorder import Answer, Recorder
from certrecon.settings.model import DitioSettings, GuardSettings
from certrecon.words import LedgerState

log = logging.getLogger(__name__)

TOO_MANY = 429
UNAUTHORISED = 401
"""Sent once more with a new token; a second one stops publishing."""

GIVE_UP_AFTER = 3
"""So many batches in a row without any answer stop publishing: Ditio is down, not a row at fault."""


class PostAnswer(Protocol):
    """What one request to Ditio gave."""

    @property
    def sent_at(self) -> dt.datetime: ...  # noqa: D102
    @property
    def answered_at(self) -> dt.datetime | None: ...  # noqa: D102
    @property
    def http_status(self) -> int | None: ...  # noqa: D102
    @property
    def message(self) -> str | None: ...  # noqa: D102
    @property
    def retry_after(self) -> float | None: ...  # noqa: D102


class CertificatesApi(Protocol):
    """Ditio's certificates upsert, one request a call."""

    @property
    def retry(self) -> RetryPolicy:
        """When to try again."""
        ...

    async def post_certificates(self, body: bytes) -> PostAnswer:
        """Send a JSON array once; a vendor's refusal is an answer, not an exception."""
        ...


@dataclass(slots=True)
class Sent:
    """What publishing came to.

    Attributes:
        acknowledged: Rows that Ditio acknowledged.
        rejected: Rows that Ditio refused alone.
        requests: Requests sent.
        stopped: Why publishing stopped before its end; None when it did not.
        in_doubt: Rows (schema `ROWS`) that a refused batch may have saved and that got no answer of their own.
        given_up: What the last batch that was given up got; None when none was.
    """

    acknowledged: int = 0
    rejected: int = 0
    requests: int = 0
    stopped: str | None = None
    in_doubt: list[pa.RecordBatch] = field(default_factory=list)
    given_up: str | None = None

    @property
    def answered(self) -> int:
        """Rows that got an answer of their own."""
        return self.acknowledged + self.rejected


class Sender:
    """Sends batches and counts what comes of them."""

    def __init__(
        self, api: CertificatesApi, recorder: Recorder, settings: DitioSettings, guards: GuardSettings
    ) -> None:
        """Take the API, where answers are recorded, and the limits."""
        self._api = api
        self._recorder = recorder
        self._concurrency = settings.concurrency
        self._guards = guards
        self._fresh: Iterator[Batch] = iter(())
        self._halves: deque[Batch] = deque()
        self._unanswered = 0
        self.sent = Sent()

    async def send(self, batches: Iterable[Batch]) -> Sent:
        """Send all batches, or as many as may be sent.

        Returns:
            The counts, and why it stopped where it did.
        """
        self._fresh = iter(batches)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._concurrency):
                group.create_task(self._work())
        self.sent.in_doubt.extend(half.rows for half in self._halves)
        return self.sent

    def stop(self, why: str) -> None:
        """Send nothing more; the first reason is kept."""
        self.sent.stopped = self.sent.stopped or why

    async def _work(self) -> None:
        while self.sent.stopped is None:
            half = self._halves.popleft() if self._halves else None
            batch = half or next(self._fresh, None)
            if batch is None:
                return
            if not await self._deliver(batch) and half is not None:
                self.sent.in_doubt.append(half.rows)

    async def _deliver(self, batch: Batch) -> bool:
        """Send one batch until its answer decides something; return whether one did."""
        delays, renewed = Delays(self._api.retry), False
        while self.sent.stopped is None:
            answer = await self._post(batch)
            if answer is None:
                return False
            renewing = answer.http_status == UNAUTHORISED and not renewed
            meaning = Meaning.TRY_AGAIN if renewing else meaning_of(answer.http_status, len(batch.rows))
            await self._record(batch, answer, meaning)
            if meaning is not Meaning.TRY_AGAIN:
                self._unanswered = 0
                self._conclude(batch, answer, meaning)
                return meaning is not Meaning.STOP
            renewed = renewed or renewing
            limited = answer.http_status == TOO_MANY
            delay = 0.0 if renewing else delays.next_wait(rate_limited=limited, asked=answer.retry_after)
            if delay is None:
                self._give_up(answer)
                return False
            await asyncio.sleep(delay)
        return False

    async def _post(self, batch: Batch) -> PostAnswer | None:
        """Send a batch once; None where there is no credential to send it with, which stops publishing."""
        try:
            return await self._api.post_certificates(batch.body())
        except CertreconError as error:
            self.stop(str(error))
            return None

    async def _record(self, batch: Batch, answer: PostAnswer, meaning: Meaning) -> None:
        self.sent.requests += 1
        states = {Meaning.ACKNOWLEDGED: LedgerState.ACKNOWLEDGED, Meaning.REJECTED: LedgerState.REJECTED}
        unknown = meaning is Meaning.TRY_AGAIN and answer.http_status not in PASSING | {UNAUTHORISED}
        await self._recorder.record(
            Answer(
                batch,
                answer.sent_at,
                answer.answered_at,
                answer.http_status,
                answer.message,
                states.get(meaning),
                unknown,
            )
        )

    def _conclude(self, batch: Batch, answer: PostAnswer, meaning: Meaning) -> None:
        if meaning is Meaning.ACKNOWLEDGED:
            self.sent.acknowledged += len(batch.rows)
        elif meaning is Meaning.SPLIT:
            self._halves.extendleft(reversed(batch.halves()))
        elif meaning is Meaning.REJECTED:
            self.sent.rejected += 1
            self._check_rejections()
        else:
            self.stop(
                f"Ditio answered {answer.http_status} ({answer.message or 'no message'}), which is no row's fault."
            )

    def _give_up(self, answer: PostAnswer) -> None:
        self._unanswered += 1
        words = f"status {answer.http_status}" if answer.http_status else "no answer"
        self.sent.given_up = f"{words}: {answer.message or 'no message'}"
        log.warning("A batch got %s within all retries (%s)", words, answer.message or "no message")
        if self._unanswered >= GIVE_UP_AFTER:
            self.stop(
                f"{self._unanswered} batches in a row got {words} within all retries "
                f"({answer.message or 'no message'}): Ditio is not available."
            )

    def _check_rejections(self) -> None:
        answered, rejected = self.sent.answered, self.sent.rejected
        allowed = round(self._guards.max_rejected_share * answered, 9)
        if answered >= self._guards.min_rejected_sample and rejected > allowed:
            self.stop(
                f"Ditio rejected {rejected} of {answered} answered rows, more than "
                f"{self._guards.max_rejected_share:.0%}: this points at a setting, not at rows."
            )


async def send_all(
    batches: Iterable[Batch],
    api: CertificatesApi,
    write: Callable[[pa.Table], None],
    settings: DitioSettings,
    guards: GuardSettings,
) -> Sent:
    """Send batches and commit every answer; when committing fails, stop sending.

    Args:
        batches: What to send.
        api: Ditio.
        write: Commits rows of schema `ATTEMPT`.
        settings: Concurrency.
        guards: The breaker's limits.

    Raises:
        ExceptionGroup: What committing raised.
    """
    recorder = Recorder(write)
    sender = Sender(api, recorder, settings, guards)
    async with asyncio.TaskGroup() as group:
        group.create_task(recorder.run())
        sent = await sender.send(batches)
        await recorder.finish()
    return sent
