"""What of the winners is to be sent, as rows of a plan (design, *Dispositions*: Payload; *Publishing*)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import CODED, NONE, Bools, Coded, coded_schema, pair_numbers
from certrecon.claims.columns import column
from certrecon.dispositions.payloads import digests, payload_texts
from certrecon.words import LedgerState

Ints = npt.NDArray[np.int64]

PLAN = pa.schema(
    [
        ("employee_number", pa.string()),
        ("certificate_type", pa.string()),
        ("certificate_id", pa.string()),
        ("person_id", pa.string()),
        ("tenant_id", pa.string()),
        ("given_name", pa.string()),
        ("family_name", pa.string()),
        ("payload", pa.string()),
        ("payload_sha256", pa.string()),
        ("reason", pa.string()),
    ]
)
"""Rows to send, ordered by key; `reason` is `new`, `changed`, `unacknowledged` or `resend`."""

CODED_PLAN = coded_schema(PLAN, "certificate_id", "payload", "payload_sha256")
"""`PLAN` as it is made."""

RESTORED = "restored"
"""The `reason` of rows that are not sent, since Ditio holds just this, while the ledger shows another try."""

_REASONS = ("new", "changed", "unacknowledged", "resend", RESTORED)
_NEW, _CHANGED, _UNACKNOWLEDGED, _RESEND, _RESTORED = range(len(_REASONS))

_BATCH = 1 << 16
"""How many winners have their payloads in memory at a time, where they need not be sent."""


@dataclass(frozen=True, slots=True)
class Winners:
    """The claims that win their keys.

    Attributes:
        rows: The claim of each, ordered by key.
        facts: All claims' facts (schema `certrecon.claims.facts.CLAIM_FACTS`).
        issued: Every claim's issue date.
        until: Every claim's expiry.
    """

    rows: Ints
    facts: pa.Table
    issued: pa.Array
    until: pa.Array

    @classmethod
    def of(cls, won: Bools, facts: pa.Table, issued: pa.Array, until: pa.Array) -> Winners:
        """Order the claims that won by their keys."""
        rows = np.flatnonzero(won)
        number, kind = (Coded.of(facts[name]).take(rows).ranks() for name in ("employee_number", "certificate_type"))
        return cls(rows[np.lexsort((kind, number))], facts, issued, until)

    def coded(self, name: str) -> Coded:
        """Return a text column of the winners."""
        return Coded.of(self.facts[name]).take(self.rows)


@dataclass(frozen=True, slots=True)
class Sending:
    """What each winner would send, and why it is sent.

    Attributes:
        digests: The digest of each winner's payload.
        reasons: Why each is to be sent or restored; null where Ditio has acknowledged just this.
        payloads: The payload of those with a reason.
    """

    digests: pa.Array
    reasons: Coded
    payloads: pa.ChunkedArray

    @property
    def sent(self) -> Bools:
        """Which winners are to be sent."""
        return self.reasons.having(pc.not_equal(self.reasons.texts, RESTORED))

    @property
    def restored(self) -> Bools:
        """Which winners the ledger must show as acknowledged again."""
        return self.reasons.having(pc.equal(self.reasons.texts, RESTORED))


class _Held:
    """What the ledger holds of each winner's key; nothing where it has no entry."""

    def __init__(self, winners: Winners, ledger: pa.Table) -> None:
        keys, among = pair_numbers(
            (winners.coded("employee_number"), winners.coded("certificate_type")),
            (Coded.of(ledger["employee_number"]), Coded.of(ledger["certificate_type"])),
        )
        place = pc.index_in(keys, value_set=among, skip_nulls=True)
        self._digests, self._place = column(ledger, "acknowledged_payload_sha256"), place
        state = Coded.of(ledger["state"]).take(np.asarray(pc.fill_null(place, NONE)))
        in_doubt = np.asarray(pc.fill_null(column(ledger, "in_doubt").take(place), False))
        self._doubtful = in_doubt | state.having(pc.equal(state.texts, str(LedgerState.PENDING)))
        self._waiting = state.having(pc.not_equal(state.texts, str(LedgerState.ACKNOWLEDGED)))

    def reasons(self, part: slice, payload_digests: pa.Array, *, resend: bool) -> npt.NDArray[np.int32]:
        """Return why each winner of a part is to be sent, as places in `_REASONS`."""
        acknowledged = self._digests.take(self._place[part])
        doubtful, waiting = self._doubtful[part], self._waiting[part]
        held = np.asarray(pc.fill_null(pc.equal(acknowledged, payload_digests), False)) & ~doubtful
        known = np.asarray(pc.is_valid(acknowledged))
        unsent = np.full(len(held), _RESEND) if resend else np.where(waiting, _RESTORED, NONE)
        chosen = np.select([held, waiting | doubtful, known], [unsent, _UNACKNOWLEDGED, _CHANGED], _NEW)
        return np.asarray(chosen.astype(np.int32))


def weigh(winners: Winners, ledger: pa.Table, *, resend: bool) -> Sending:
    """Make every winner's payload and hold it against the ledger.

    Args:
        winners: The claims that win their keys.
        ledger: The columns of `certrecon.dispositions.inputs.DECISION_LEDGER`.
        resend: Send every winner, also what is acknowledged.
    """
    held = _Held(winners, ledger)
    numbers, types = winners.coded("ditio_employee_number"), winners.coded("certificate_type")
    found, reasons, payloads = [], [np.zeros(0, np.int32)], []
    for start in range(0, len(winners.rows), _BATCH):
        part = slice(start, start + _BATCH)
        texts = _payloads(winners, part, numbers, types)
        found.append(digests(texts))
        reasons.append(held.reasons(part, found[-1], resend=resend))
        payloads.append(texts.filter(pa.array(reasons[-1] != NONE)))
    return Sending(
        pa.chunked_array(found, pa.string()).combine_chunks(),
        Coded(np.concatenate(reasons), pa.array(_REASONS, pa.string())),
        pa.chunked_array(payloads, pa.string()),
    )


def _payloads(winners: Winners, part: slice, numbers: Coded, types: Coded) -> pa.Array:
    places = pa.array(winners.rows[part])
    return payload_texts(
        employee_number=numbers.part(part).to_arrow(),
        certificate_type=types.part(part).to_arrow(),
        certificate_id=winners.facts["certificate_id"].take(places).combine_chunks(),
        issued=winners.issued.take(places),
        until=winners.until.take(places),
    )


def plan_of(winners: Winners, sending: Sending, chosen: Bools) -> pa.Table:
    """Return the winners that are `chosen`, each of which has a reason, as rows of a plan (schema `CODED_PLAN`)."""
    there = np.flatnonzero(chosen)
    rows = winners.rows[there]
    columns = {
        "certificate_id": winners.facts["certificate_id"].take(pa.array(rows)),
        "payload": sending.payloads.filter(pa.array(chosen[sending.reasons.codes != NONE])),
        "payload_sha256": sending.digests.take(pa.array(there)),
        "reason": sending.reasons.take(there).to_arrow(),
    } | {
        field.name: Coded.of(winners.facts[field.name]).take(rows).to_arrow()
        for field in CODED_PLAN
        if field.type == CODED and field.name != "reason"
    }
    return pa.table([columns[name] for name in CODED_PLAN.names], schema=CODED_PLAN)
