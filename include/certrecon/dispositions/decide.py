"""Decides every claim before publishing, and what publishing would send (design, *Dispositions*)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import NONE, Bools, Coded, coded_schema
from certrecon.claims.columns import column
from certrecon.claims.dates import DateState
from certrecon.claims.facts import CLAIM_FACTS
from certrecon.dispositions.inputs import DecisionInputs
from certrecon.dispositions.planning import PLAN, Sending, Winners, plan_of, weigh
from certrecon.dispositions.verdicts import Verdicts
from certrecon.dispositions.winners import CONTENDERS, outside_contenders, winners
from certrecon.errors import AccountingError
from certrecon.settings import Settings
from certrecon.words import Disposition, Unlinked

__all__ = ["CODED_DECIDED", "DECIDED", "DECISION_FACTS", "PLAN", "Decision", "decide"]

DECIDED = pa.schema(
    [
        ("certificate_id", pa.string()),
        ("certificate_type", pa.string()),
        ("tenant_id", pa.string()),
        ("certificate_name", pa.string()),
        ("action_type", pa.string()),
        ("resource_type", pa.string()),
        ("resource_id", pa.string()),
        ("person_id", pa.string()),
        ("person_name", pa.string()),
        ("given_name", pa.string()),
        ("family_name", pa.string()),
        ("employee_number", pa.string()),
        ("ditio_employee_number", pa.string()),
        ("issued_on", pa.date32()),
        ("valid_until", pa.date32()),
        ("issued_received", pa.string()),
        ("expiry_received", pa.string()),
        ("expiry_source", pa.int8()),
        ("employees", pa.int32()),
        ("applicable", pa.bool_()),
        ("linked", pa.bool_()),
        ("findings", pa.list_(pa.string())),
        ("disposition", pa.string()),
        ("payload_sha256", pa.string()),
    ]
)
"""Decided claims, in the order of `CLAIM_FACTS`; only winners have a `payload_sha256`. A winner that
would be sent is `planned` until publishing says what came of it."""

CODED_DECIDED = coded_schema(DECIDED, "certificate_id", "payload_sha256")
"""`DECIDED` as it is made."""

DECISION_FACTS = pa.schema(
    [field for field in CLAIM_FACTS if field.name in DECIDED.names]
    + [CLAIM_FACTS.field(name) for name in ("issued_state", "issued_day", "expiry_state", "expiry_day", "typed")]
)
"""The facts that decisions rest on."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules make of a run's claims before anything is sent.

    Attributes:
        claims: Schema `CODED_DECIDED`.
        plan: Schema `CODED_PLAN`.
        restored: Schema `CODED_PLAN`: winners that went back to what Ditio acknowledged last, after something else
            was refused or never sent; nothing is to be sent, but the ledger must say so.
        supported: Schema `CONTENDERS`: every eligible claim, outside claims included.
    """

    claims: pa.Table
    plan: pa.Table
    restored: pa.Table
    supported: pa.Table


def _held(facts: pa.Table, settings: Settings) -> Bools:
    linked, typed = (facts.column(name).to_numpy() for name in ("linked", "typed"))
    return np.asarray(~linked if settings.unlinked is Unlinked.HOLD else ~linked & ~typed)


def _days(facts: pa.Table, name: str) -> pa.Array:
    day = facts.column(f"{name}_day").to_numpy()
    unreadable = facts.column(f"{name}_state").to_numpy() != DateState.VALID
    return pa.array(day, pa.int32(), mask=unreadable).cast(pa.date32())


def _contenders(facts: pa.Table, rows: pa.Array, issued: pa.Array, until: pa.Array, outside: pa.Table) -> pa.Table:
    """Return the eligible claims, those outside a limited run's scope after its own."""
    names = ("employee_number", "certificate_type", "certificate_id")
    columns = {name: facts.column(name) for name in names} | {"valid_until": until, "issued_on": issued}
    own = [columns[name].take(rows) for name in CONTENDERS.names]
    return pa.concat_tables([pa.table(own, schema=CONTENDERS), outside])


def _dispositions(first_three: list[Bools], won: Bools, to_send: Bools) -> pa.Array:
    names = list(Disposition)
    conditions = [*first_three, ~won, to_send]
    chosen = (
        Disposition.NOT_APPLICABLE, Disposition.BLOCKED, Disposition.HELD, Disposition.SUPERSEDED, Disposition.PLANNED
    )  # fmt: skip
    codes = np.select(
        conditions, [np.int32(names.index(one)) for one in chosen], np.int32(names.index(Disposition.DELIVERED))
    )
    return Coded(codes, pa.array([str(one) for one in names], pa.string())).to_arrow()


def _account(claims: pa.Table, certificates: int) -> None:
    behind = pc.count_distinct(claims.column("certificate_id")).as_py()
    undecided = claims.column("disposition").null_count
    if behind != certificates or undecided:
        message = (
            f"{certificates} certificates were extracted, but the claims are of {behind}; "
            f"{undecided} claims have no disposition. Nothing was published."
        )
        raise AccountingError(message)


def _digests(winners: Winners, sending: Sending, claims: int) -> pa.Array:
    """Return the digest of every claim that won, null of the others."""
    place = np.full(claims, NONE, np.int64)
    place[winners.rows] = np.arange(len(winners.rows))
    return sending.digests.take(pa.array(place, mask=place == NONE))


def decide(facts: pa.Table, verdicts: Verdicts, inputs: DecisionInputs, settings: Settings) -> Decision:
    """Give every claim its one disposition, and plan what to send.

    Args:
        facts: The columns of `DECISION_FACTS`.
        verdicts: Which claims have which findings.
        inputs: Ledger, warehouse knowledge and scope.
        settings: The run's settings.

    Raises:
        AccountingError: The claims do not account for every certificate.
    """
    not_applicable = verdicts.has("RESOURCE_NOT_PERSON") | verdicts.has("ACTION_TYPE_NOT_PUBLISHED")
    first_three = [not_applicable, verdicts.blocked, _held(facts, settings)]
    eligible = np.flatnonzero(~np.logical_or.reduce(first_three))
    issued, until = _days(facts, "issued"), _days(facts, "expiry")
    outside = outside_contenders(inputs, column(facts, "certificate_id"))
    contenders = _contenders(facts, pa.array(eligible), issued, until, outside)
    won = np.zeros(facts.num_rows, np.bool_)
    won[eligible] = winners(contenders)[: len(eligible)]
    winning = Winners.of(won, facts, issued, until)
    sending = weigh(winning, inputs.ledger, resend=inputs.resend)
    to_send = np.zeros(len(won), np.bool_)
    to_send[winning.rows[sending.sent]] = True
    columns = {
        "issued_on": issued,
        "valid_until": until,
        "findings": verdicts.lists(),
        "disposition": _dispositions(first_three, won, to_send),
        "payload_sha256": _digests(winning, sending, len(won)),
    }
    decided = [columns[name] if name in columns else facts.column(name) for name in DECIDED.names]
    claims = pa.table(decided, schema=CODED_DECIDED)
    _account(claims, inputs.certificates)
    plan, restored = (plan_of(winning, sending, chosen) for chosen in (sending.sent, sending.restored))
    return Decision(claims, plan, restored, contenders)
