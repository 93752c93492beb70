"""Totals the other way: from claims to certificates, from what Ditio holds to claims, and who is left over."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.columns import in_tenant
from certrecon.dispositions.inputs import ELIGIBLE
from certrecon.dispositions.winners import keys_of
from certrecon.report.forecast import WINNERS
from certrecon.report.model import Control, DatasetTotal, ReportInputs
from certrecon.report.worklist import with_disposition
from certrecon.text import key_column
from certrecon.words import Disposition


def _keys(table: pa.Table) -> pa.Array:
    return keys_of(table.column("employee_number"), table.column("certificate_type"))


def _among(values: pa.Array, known: pa.Array) -> pa.Array:
    return pc.is_in(values, value_set=known, skip_nulls=True)


def _count(mask: pa.Array | pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _certificates(claims: pa.Table, extracted: int) -> Control:
    behind = pc.count_distinct(claims.column("certificate_id")).as_py()
    return Control("Claims to certificates", "certificates behind the claims", behind, {"certificates read": extracted})


def _links(claims: pa.Table, inputs: ReportInputs, read: int, dangling: int) -> Iterator[Control]:
    if inputs.links is not None:
        known = in_tenant(claims, "tenant_id", "certificate_id")
        linked = _count(_among(in_tenant(inputs.links, "tenant_id", "certificate_id"), known))
        parts = {"of a certificate": linked, "without their certificate": dangling}
        yield Control("Links to certificates", "links", read, parts)


def _numbers(persons: pa.Table, settings_text: str) -> pa.Array:
    """Return each person's number: the crosswalk's, else 4HSE's own."""
    own = key_column(persons.column("number"))
    crosswalk = json.loads(settings_text).get("crosswalk") if settings_text else None
    if not crosswalk:
        return own
    place = pc.index_in(persons.column("person_id").combine_chunks(), value_set=pa.array(crosswalk.keys(), pa.string()))
    return pc.coalesce(pa.array(crosswalk.values(), pa.string()).take(place), own)


def _people(claims: pa.Table, inputs: ReportInputs, read: dict[str, int]) -> Iterator[Control]:
    if inputs.persons is None or inputs.employees is None:
        return
    theirs = key_column(inputs.employees.column("employee_number"))
    matched = _among(_numbers(inputs.persons, inputs.head.settings_text), theirs.drop_null())
    parts = {"with a Ditio employee": _count(matched), "without one": _count(pc.invert(matched))}
    yield Control("4HSE persons to Ditio employees", "persons", read.get("persons", 0), parts)
    own = claims.filter(claims.column("applicable")).column("employee_number").combine_chunks()
    holding = _among(theirs, own.drop_null())
    parts = {"with a certificate": _count(holding), "without any": _count(pc.invert(holding))}
    yield Control("Ditio employees to certificates", "employees", read.get("employees", 0), parts)


def _delivered_to_ledger(claims: pa.Table, ledger: pa.Table) -> Control:
    delivered = with_disposition(claims, Disposition.DELIVERED)
    place = pc.index_in(_keys(delivered), value_set=_keys(ledger), skip_nulls=True)
    held = ledger.column("acknowledged_payload_sha256").combine_chunks().take(place)
    same = _count(pc.equal(held, delivered.column("payload_sha256").combine_chunks()))
    parts = {"acknowledged by Ditio with just this content": same}
    return Control("Delivered to ledger", "delivered", delivered.num_rows, parts)


def _outside(entries: pa.Table, claims: pa.Table, inputs: ReportInputs) -> int:
    """Return how many entries a limited run says nothing of: not read in it, or held by a claim outside it."""
    read = claims.column("certificate_id").combine_chunks()
    unread = pc.invert(_among(entries.column("acknowledged_certificate_id").combine_chunks(), read))
    if inputs.previous_claims is None:
        return _count(unread)
    others = with_disposition(inputs.previous_claims, *ELIGIBLE)
    others = others.filter(pc.invert(_among(others.column("certificate_id"), read)))
    return _count(pc.or_(unread, _among(_keys(entries), _keys(others))))


def _ledger_to_claims(claims: pa.Table, ledger: pa.Table, inputs: ReportInputs) -> Control:
    held = ledger.filter(pc.is_valid(ledger.column("acknowledged_payload_sha256"))).combine_chunks()
    keys = _keys(held)
    delivered = _among(keys, _keys(with_disposition(claims, Disposition.DELIVERED)))
    waiting = _among(
        keys, _keys(with_disposition(claims, *(name for name in WINNERS if name != Disposition.DELIVERED)))
    )
    parts = {"delivered": _count(delivered), "of a winner with newer content that Ditio has not": _count(waiting)}
    supported = pc.or_(delivered, waiting)
    if inputs.withdrawn is not None:
        withdrawn = _among(keys, _keys(inputs.withdrawn))
        parts["withdrawn"] = _count(pc.and_(withdrawn, pc.invert(supported)))
        supported = pc.or_(supported, withdrawn)
    if inputs.head.limited:
        parts["outside the scope of the run"] = _outside(held.filter(pc.invert(supported)), claims, inputs)
    return Control("Ledger to claims", "deliveries that Ditio acknowledged", held.num_rows, parts)


def crosschecks(
    claims: pa.Table, inputs: ReportInputs, reading: tuple[DatasetTotal, ...], dangling: int
) -> tuple[Control, ...]:
    """Return the totals that lead back, each only where what it needs is known.

    Args:
        claims: Schema `DECIDED`.
        inputs: Links, persons, employees, ledger and withdrawals.
        reading: What was read, a row a dataset.
        dangling: How many links have no certificate.
    """
    read = {total.dataset: total.rows for total in reading}
    found = [_certificates(claims, read.get("certificates", 0))]
    found += _links(claims, inputs, read.get("links", 0), dangling)
    found += _people(claims, inputs, read)
    if inputs.ledger is not None:
        ledger = inputs.ledger.combine_chunks()
        found += [_delivered_to_ledger(claims, ledger), _ledger_to_claims(claims, ledger, inputs)]
    return tuple(found)
