"""Puts pseudonyms in place of persons whose claims ended long ago, on the record."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine

from certrecon.evidence.pseudonyms import PseudonymNote, write_note
from certrecon.warehouse.chain import installation_id
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.pseudonyms import Pseudonymisation, persons_past, pseudonymise

log = logging.getLogger(__name__)

CLAIMS_A_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Pseudonymised:
    """What was done.

    Attributes:
        persons: How many persons have a pseudonym now.
        claims: How many claims they had.
        batches: In how many transactions, each with its entry on the record.
    """

    persons: int = 0
    claims: int = 0
    batches: int = 0


def pseudonymise_past(engine: Engine, root: Any, today: dt.date, retention_days: int | None) -> Pseudonymised:
    """Pseudonymise who has no open claim and whose last one ended more than `retention_days` before `today`.

    Call it only after a verification that held. Each batch is a transaction with an entry of its own, so what
    a broken-off call did stays, and the next one goes on.

    Args:
        engine: The warehouse, as its writer.
        root: Path-like of the evidence store, for a note of each batch.
        today: The day of the call.
        retention_days: The setting `personal_data.retention_days`; None = nobody.

    Raises:
        IntegrityError: A claim does not give its digest.
        EvidenceError: The evidence store cannot be written.
    """
    if retention_days is None:
        return Pseudonymised()
    before = today - dt.timedelta(days=retention_days)
    reason = f"Kept for {retention_days} days as personal_data.retention_days says."
    done = Pseudonymised()
    with transaction(engine) as reading, closing(persons_past(reading, before)) as found:
        for persons in _batches(found):
            entry = _batch(engine, root, persons, before, reason)
            if entry is not None:
                done = Pseudonymised(done.persons + entry.persons, done.claims + entry.claims, done.batches + 1)
                log.info("Pseudonymised %s claims of %s persons", entry.claims, entry.persons)
    return done


def _batches(found: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Cut tables of persons into such of some ten thousand claims each."""
    for persons in found:
        upto = np.cumsum(persons["claims"].to_numpy())
        ends = np.flatnonzero(np.diff((upto - 1) // CLAIMS_A_BATCH, append=-1)) + 1
        for start, end in zip([0, *ends[:-1]], ends, strict=True):
            yield persons.slice(start, end - start)


def _batch(engine: Engine, root: Any, persons: pa.Table, before: dt.date, reason: str) -> Pseudonymisation | None:
    with transaction(engine) as conn:
        entry = pseudonymise(conn, persons, before, reason)
        if entry is not None:
            # Before the commit: a note of what never was says nothing, an entry without its note is a breach.
            write_note(root, note_of(entry, installation_id(conn)))
    return entry


def note_of(entry: Pseudonymisation, installation: str) -> PseudonymNote:
    """Return what the evidence store says of an entry."""
    return PseudonymNote(
        installation,
        entry.pseudonymisation_id,
        entry.ended_before.isoformat(),
        entry.persons,
        entry.claims,
        entry.sha256,
    )
