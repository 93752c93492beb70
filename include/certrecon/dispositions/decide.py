"""Decides every claim before publishing, and what publishing would send (design, *Dispositions*)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.dates import DateState
from certrecon.dispositions.inputs import DecisionInputs
from certrecon.dispositions.payloads import digests, payload_texts
from certrecon.dispositions.verdicts import Verdicts
from certrecon.dispositions.winners import CONTENDERS, keys_of, outside_contenders, winners
from certrecon.errors import AccountingError
from certrecon.settings import Settings
from certrecon.words import Disposition, LedgerState, Unlinked

Bools = npt.NDArray[np.bool_]

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

RESTORED = "restored"
"""The `reason` of rows that are not sent, since Ditio holds just this, while the ledger shows another try."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules make of a run's claims before anything is sent.

    Attributes:
        claims: Schema `DECIDED`.
        plan: Schema `PLAN`.
        restored: Schema `PLAN`: winners that went back to what Ditio acknowledged last, after something else
            was refused or never sent; nothing is to be sent, but the ledger must say so.
        supported: The keys (`keys_of`) that an eligible claim supports, outside claims included.
    """

    claims: pa.Table
    plan: pa.Table
    restored: pa.Table
    supported: pa.Array


def _held(facts: pa.Table, settings: Settings) -> Bools:
    linked, typed = (facts.column(name).to_numpy() for name in ("linked", "typed"))
    return np.asarray(~linked if settings.unlinked is Unlinked.HOLD else ~linked & ~typed)


def _days(facts: pa.Table, name: str) -> pa.Array:
    day = facts.column(f"{name}_day").to_numpy()
    unreadable = facts.column(f"{name}_state").to_numpy() != DateState.VALID
    return pa.array(day, pa.int32(), mask=unreadable).cast(pa.date32())


def _won(facts: pa.Table, eligible: Bools, issued: pa.Array, until: pa.Array, outside: pa.Table) -> Bools:
    rows = np.flatnonzero(eligible)
    taken = facts.select(["employee_number", "certificate_type", "certificate_id"]).take(pa.array(rows))
    own = taken.append_column("valid_until", until.take(pa.array(rows)))
    own = own.append_column("issued_on", issued.take(pa.array(rows)))
    won = np.zeros(facts.num_rows, np.bool_)
    won[rows] = winners(pa.concat_tables([own.select(CONTENDERS.names), outside]))[: len(rows)]
    return won


def _ledger_rows(ledger: pa.Table, keys: pa.Array) -> pa.Table:
    """Return the ledger entry of each key; all null where there is none."""
    among = keys_of(ledger.column("employee_number"), ledger.column("certificate_type"))
    return ledger.take(pc.index_in(keys, value_set=among))


def _reasons(entries: pa.Table, digest: pa.Array, *, resend: bool) -> pa.Array:
    """Return why each winner is to be sent; null where Ditio has acknowledged just this."""
    acknowledged = entries.column("acknowledged_payload_sha256").combine_chunks()
    state = entries.column("state").combine_chunks()
    doubtful = pc.or_kleene(
        pc.fill_null(entries.column("in_doubt").combine_chunks(), False),
        pc.fill_null(pc.equal(state, str(LedgerState.PENDING)), False),
    )
    held = pc.and_(pc.fill_null(pc.equal(acknowledged, digest), False), pc.invert(doubtful))
    waiting = pc.fill_null(pc.not_equal(state, str(LedgerState.ACKNOWLEDGED)), False)
    unsent = pa.scalar("resend") if resend else pc.if_else(waiting, RESTORED, pa.scalar(None, pa.string()))
    return pc.case_when(
        pc.make_struct(held, pc.or_(waiting, doubtful), pc.is_valid(acknowledged)),
        unsent,
        "unacknowledged",
        "changed",
        "new",
    )


def _is_sent(reasons: pa.Array | pa.ChunkedArray) -> pa.Array:
    return pc.fill_null(pc.not_equal(reasons, RESTORED), False)


def _plan(facts: pa.Table, rows: pa.Array, payloads: pa.Array, digest: pa.Array, reasons: pa.Array) -> pa.Table:
    """Return what is to be sent or restored, schema `PLAN`."""
    names = [name for name in PLAN.names if name not in {"payload", "payload_sha256", "reason"}]
    plan = facts.select(names).take(rows)
    for name, column in (("payload", payloads), ("payload_sha256", digest), ("reason", reasons)):
        plan = plan.append_column(name, column)
    kept = plan.filter(pc.is_valid(plan.column("reason")))
    return kept.select(PLAN.names).sort_by([("employee_number", "ascending"), ("certificate_type", "ascending")])


def _dispositions(first_three: list[Bools], won: Bools, to_send: Bools) -> pa.Array:
    names = [Disposition.NOT_APPLICABLE, Disposition.BLOCKED, Disposition.HELD]
    chosen = np.select([*first_three, ~won, to_send], [*names, Disposition.SUPERSEDED, Disposition.PLANNED], "")
    return pa.array(np.where(chosen == "", Disposition.DELIVERED, chosen).astype(object), pa.string())


def _account(claims: pa.Table, certificates: int) -> None:
    behind = pc.count_distinct(claims.column("certificate_id")).as_py()
    undecided = claims.column("disposition").null_count
    if behind != certificates or undecided:
        message = (
            f"{certificates} certificates were extracted, but the claims are of {behind}; "
            f"{undecided} claims have no disposition. Nothing was published."
        )
        raise AccountingError(message)


def decide(facts: pa.Table, verdicts: Verdicts, inputs: DecisionInputs, settings: Settings) -> Decision:
    """Give every claim its one disposition, and plan what to send.

    Args:
        facts: Schema `CLAIM_FACTS`.
        verdicts: Which claims have which findings.
        inputs: Ledger, warehouse knowledge and scope.
        settings: The run's settings.

    Raises:
        AccountingError: The claims do not account for every certificate.
    """
    not_applicable = verdicts.has("RESOURCE_NOT_PERSON") | verdicts.has("ACTION_TYPE_NOT_PUBLISHED")
    first_three = [not_applicable, verdicts.blocked, _held(facts, settings)]
    eligible = ~np.logical_or.reduce(first_three)
    issued, until = _days(facts, "issued"), _days(facts, "expiry")
    outside = outside_contenders(inputs, facts.column("certificate_id").combine_chunks())
    won = _won(facts, eligible, issued, until, outside)
    rows = pa.array(np.flatnonzero(won))
    winning = facts.take(rows)
    payloads = payload_texts(
        employee_number=winning.column("ditio_employee_number").combine_chunks(),
        certificate_type=winning.column("certificate_type").combine_chunks(),
        certificate_id=winning.column("certificate_id").combine_chunks(),
        issued=issued.take(rows),
        until=until.take(rows),
    )
    digest = digests(payloads)
    entries = _ledger_rows(
        inputs.ledger, keys_of(winning.column("employee_number"), winning.column("certificate_type"))
    )
    reasons = _reasons(entries, digest, resend=inputs.resend)
    to_send = np.zeros(len(won), np.bool_)
    to_send[np.flatnonzero(won)[np.asarray(_is_sent(reasons))]] = True
    place = pc.index_in(pa.array(np.arange(len(won))), value_set=rows)
    columns = {
        "issued_on": issued,
        "valid_until": until,
        "findings": verdicts.lists(),
        "disposition": _dispositions(first_three, won, to_send),
        "payload_sha256": digest.take(place),
    }
    decided = [columns[name] if name in columns else facts.column(name) for name in DECIDED.names]
    claims = pa.table(decided, schema=DECIDED)
    _account(claims, inputs.certificates)
    supporting = facts.filter(pa.array(eligible))
    supported = pa.concat_arrays(
        [keys_of(table.column("employee_number"), table.column("certificate_type")) for table in (supporting, outside)]
    )
    rows_of_plan = _plan(facts, rows, payloads, digest, reasons)
    sent = _is_sent(rows_of_plan.column("reason"))
    return Decision(claims, rows_of_plan.filter(sent), rows_of_plan.filter(pc.invert(sent)), supported)
