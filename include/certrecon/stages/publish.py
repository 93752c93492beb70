"""Task: send the plan to Ditio, once the guards have passed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from certrecon.errors import CertreconError, GuardTrippedError, PublishingStoppedError, RowsUndeliveredError
from certrecon.publishing.batches import ROWS, batches_of
from certrecon.publishing.guards import TrippedGuard
from certrecon.publishing.sender import CertificatesApi, Sent, send_all
from certrecon.stages.approval import consent_of, needs_consent, stopping_guards, withholds
from certrecon.stages.plan import Planned
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.answers import record_attempts
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.ledger import KEY, PLAN, mark_undelivered, write_outbox
from certrecon.warehouse.sending import only_sender

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing came to.

    Attributes:
        planned: Rows of the plan.
        acknowledged: Rows acknowledged by this task.
        rejected: Rows rejected by this task.
        requests: Requests sent.
    """

    planned: int
    acknowledged: int = 0
    rejected: int = 0
    requests: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return {name: getattr(self, name) for name in self.__slots__}


def _refuse(rows: int, guards: tuple[TrippedGuard, ...]) -> GuardTrippedError:
    if not guards:
        return GuardTrippedError(
            f"Nothing of {rows} rows was sent: the run was started with approval 'always', and nobody can be asked. "
            "Look at the report, then run again with approval 'auto'."
        )
    names = ", ".join(f'"{guard.guard}"' for guard in guards)
    words = " ".join(f"{guard.guard}: {guard.words}" for guard in guards)
    return GuardTrippedError(
        f"Nothing of {rows} rows was sent, because nobody could be asked about the guards that tripped. {words} "
        f'If this is right, run again with {{"accept": [{names}]}}.'
    )


async def _send(place: Workplace, plan: pa.Table, api: CertificatesApi) -> Sent:
    run = place.run
    settings = place.settings().settings

    def commit(rows: pa.Table) -> None:
        with transaction(place.engine) as conn:
            record_attempts(conn, run.run_seq, run.target, rows)

    try:
        return await send_all(batches_of(plan, settings.ditio.batch_size), api, commit, settings.ditio, settings.guards)
    except ExceptionGroup as group:
        known = group.subgroup(CertreconError)
        raise (_leaf(known) if known else group) from None


def _leaf(error: BaseException) -> BaseException:
    return _leaf(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _close(place: Workplace, sent: Sent, planned: int) -> int:
    """Mark what is still pending as undelivered; return how many rows that is."""
    if sent.answered == planned:
        return 0
    keys = pa.Table.from_batches(sent.in_doubt, ROWS).select(KEY.names)
    with transaction(place.engine) as conn:
        return mark_undelivered(conn, place.run.run_seq, place.run.target, keys)


def _raise_unless_delivered(sent: Sent, undelivered: int, planned: int) -> None:
    if not undelivered:
        # What the last answer would have stopped has nothing left to stop; every row has an answer of its own.
        if sent.stopped:
            log.warning("%s Nothing was left to send.", sent.stopped)
        return
    if sent.stopped:
        message = (
            f"Publishing stopped with {undelivered} of {planned} rows undelivered: {sent.stopped} "
            "They go out with the next run."
        )
        raise PublishingStoppedError(message)
    message = (
        f"{undelivered} of {planned} rows got no answer from Ditio within all retries"
        f"{f' ({sent.given_up})' if sent.given_up else ''}. They go out with the next run."
    )
    raise RowsUndeliveredError(message)


def outbox(place: Workplace, planned: Planned) -> pa.Table:
    """Put the plan into the ledger and return what of it this run has still to send (schema `ROWS`).

    Raises:
        RunTakenOverError: The run is no longer the running one of its target.
    """
    plan = place.read(planned.plan, PLAN)
    looked = RunInputs(place.evidence).context.certificates
    with transaction(place.engine) as conn:
        scope = list(place.run.parameters.tenant_ids) or None
        queued = write_outbox(conn, place.run.run_seq, place.run.target, plan, scope, looked)
    return queued.left.select(ROWS.names)


def may_send(place: Workplace, planned: Planned) -> bool:
    """Return whether the plan goes out; somebody's answer about this very plan may withhold it.

    Raises:
        GuardTrippedError: Somebody must agree, and nobody was asked.
    """
    if not needs_consent(place, planned):
        return True
    answered = consent_of(place, planned)
    if answered is None:
        raise _refuse(planned.plan.rows, stopping_guards(place, planned))
    return not withholds(answered)


async def run_publish(place: Workplace, planned: Planned, api: CertificatesApi) -> Published:
    """Send the plan, or what of it an earlier try of the task left over.

    Raises:
        GuardTrippedError: Somebody must agree, and nobody could be asked.
        PublishingError: Rows are left that Ditio has not acknowledged.
        RunTakenOverError: The run is no longer the running one of its target.
        StillSendingError: Another process sends to the same target.
    """
    rows = planned.plan.rows
    if not place.run.publishes:
        log.info("Dry run: %s rows would be sent", rows)
        return Published(rows)
    if not may_send(place, planned):
        log.info("Nothing of %s rows is sent: the plan was refused", rows)
        return Published(rows)
    with only_sender(place.engine, place.run.target):
        left = outbox(place, planned)
        if not left.num_rows:
            return Published(rows)
        sent = await _send(place, left, api)
        undelivered = _close(place, sent, left.num_rows)
    log.info("%s acknowledged, %s rejected, %s undelivered", sent.acknowledged, sent.rejected, undelivered)
    _raise_unless_delivered(sent, undelivered, rows)
    return Published(rows, sent.acknowledged, sent.rejected, sent.requests)
