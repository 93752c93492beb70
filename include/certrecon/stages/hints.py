"""Which hints wait, whether a run may follow them now, and what settles them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from enum import StrEnum

import pyarrow as pa
from sqlalchemy import Connection, Engine

from certrecon.errors import TargetBusyError
from certrecon.extract.hinted import Wanted
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import hints_wait, settle_hints, settle_hints_before
from certrecon.warehouse.runs import baseline, hints_may_be_followed, require_free
from certrecon.words import ChangeEvent

log = logging.getLogger(__name__)


class Turn(StrEnum):
    """Whether a run may follow the hints."""

    NOTHING = "no hint waits"
    TOO_EARLY = "no night has published to this Ditio company yet: the first one reads everything"
    HELD_BACK = "the last night was held back or not delivered: the next good one looks at everything"
    BUSY = "another run works on the same Ditio company"
    NOW = "hints wait"


def look_for_turn(engine: Engine, target: str) -> Turn:
    """Return whether hints wait, and whether it is their turn.

    Args:
        engine: The warehouse.
        target: The target's digest.
    """
    with transaction(engine) as conn:
        if not hints_wait(conn):
            return Turn.NOTHING
        if baseline(conn, target) is None:
            return Turn.TOO_EARLY
        if not hints_may_be_followed(conn, target):
            return Turn.HELD_BACK
        try:
            require_free(conn, target)
        except TargetBusyError:
            return Turn.BUSY
    return Turn.NOW


def wanted_of(hints: pa.Table) -> Wanted:
    """Return what hints (schema `HINT`) point at, each thing once."""

    def ids(*events: ChangeEvent) -> Iterator[str]:
        names = {event.value for event in events}
        return (one["entity_id"] for one in hints.to_pylist() if one["event"] in names)

    tied: Iterable[str] = (one for ids in hints.column("certificate_ids").to_pylist() for one in ids)
    certificates = (event for event in ChangeEvent if event.entity == "CERTIFICATE")
    links = (event for event in ChangeEvent if event.entity == "CERTIFICATE_ACTION")
    persons = (event for event in ChangeEvent if event.entity == "PERSON")
    return Wanted(frozenset(ids(*certificates)) | frozenset(tied), frozenset(ids(*links)), frozenset(ids(*persons)))


def settle_hints_of(conn: Connection, place: Workplace) -> None:
    """Settle what a run that ends well has looked at: its own hints, or all that came before a full run began."""
    run = place.run
    if not run.publishes:
        return
    if run.by_hints:
        ids = RunInputs(place.evidence).hints().column("hint_id").to_pylist()
        settled = settle_hints(conn, run.run_seq, ids)
    elif not run.limited:
        settled = settle_hints_before(conn, run.run_seq)
    else:
        return
    log.info("%s hints are settled", settled)
