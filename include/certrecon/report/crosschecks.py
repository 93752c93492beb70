"""Totals the other way: from claims to certificates, from what Ditio holds to claims, and who is left over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import NONE, Coded
from certrecon.dispositions.inputs import ELIGIBLE
from certrecon.dispositions.winners import keys_of
from certrecon.report.forecast import WINNERS
from certrecon.report.model import Control, DatasetTotal, ReportInputs
from certrecon.report.pieces import (
    KEY,
    Bools,
    Places,
    among,
    coded,
    in_tenant,
    piece,
    places_by_key,
    places_of,
    plain,
)
from certrecon.report.worklist import with_disposition
from certrecon.text import key_column
from certrecon.words import Disposition


def _keys(table: pa.Table) -> pa.Array:
    keys = plain(table.select(list(KEY)))
    return keys_of(piece(keys, KEY[0]), piece(keys, KEY[1]))


def _among(values: pa.Array, known: pa.Array) -> pa.Array:
    return pc.is_in(values, value_set=known, skip_nulls=True)


def _count(mask: pa.Array | pa.ChunkedArray | Bools) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _certificates(certificates: pa.DictionaryArray, extracted: int) -> Control:
    behind = len(certificates.dictionary)
    return Control("Claims to certificates", "certificates behind the claims", behind, {"certificates read": extracted})


def _linked(claims: pa.Table, certificates: pa.DictionaryArray, links: pa.Table) -> int:
    """Return how many links lead to a certificate of their tenant among the claims."""
    read_in, linked_in = Coded.joined(coded(claims, "tenant_id"), coded(links, "tenant_id"))
    tenants = np.full(len(certificates.dictionary) + 1, NONE)
    own = np.asarray(pc.fill_null(certificates.indices, -1))
    tenants[own] = read_in.codes
    tenants[-1] = NONE
    places = places_of(piece(links, "certificate_id"), certificates.dictionary)
    found = (tenants[places] == linked_in.codes) & (linked_in.codes != NONE) & (places >= 0)
    # An id that two tenants have is as good as two certificates.
    shared = np.unique(own[(tenants[own] != read_in.codes) & (own >= 0)])
    if not len(shared):
        return int(found.sum())
    several = np.isin(places, shared)
    ids = certificates.dictionary.take(pa.array(shared))
    theirs, known = (
        plain(table.select(["tenant_id", "certificate_id"]).filter(_among(piece(table, "certificate_id"), ids)))
        for table in (links, claims)
    )
    exact = _among(*(in_tenant(table, "tenant_id", "certificate_id") for table in (theirs, known)))
    return int((found & ~several).sum()) + _count(exact)


def _links(
    claims: pa.Table, certificates: pa.DictionaryArray, inputs: ReportInputs, read: int, dangling: int
) -> Iterator[Control]:
    if inputs.links is not None:
        linked = _linked(claims, certificates, inputs.links)
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
    own = pc.unique(piece(claims, "employee_number").filter(piece(claims, "applicable"))).cast(pa.string())
    holding = _among(theirs, own.drop_null())
    parts = {"with a certificate": _count(holding), "without any": _count(pc.invert(holding))}
    yield Control("Ditio employees to certificates", "employees", read.get("employees", 0), parts)


@dataclass(frozen=True, slots=True)
class _Winners:
    """The claims that won their key, each with the place of its entry in the ledger."""

    claims: pa.Table
    places: Places

    @classmethod
    def of(cls, claims: pa.Table, ledger: pa.Table) -> _Winners:
        winners = claims.select([*KEY, "disposition", "payload_sha256"])
        winners = winners.filter(pa.array(among(claims, "disposition", WINNERS))).combine_chunks()
        return cls(winners, places_by_key(winners, ledger))

    def delivered(self) -> Bools:
        """Return which of them are delivered."""
        return among(self.claims, "disposition", [Disposition.DELIVERED])

    def entries(self, which: Bools, ledger: pa.Table) -> Bools:
        """Return which entries of the ledger are those of some of the winners."""
        found = np.zeros(ledger.num_rows + 1, np.bool_)
        found[self.places[which]] = True
        return found[:-1]


def _delivered_to_ledger(winners: _Winners, ledger: pa.Table) -> Control:
    delivered = winners.delivered()
    places = winners.places[delivered]
    held = piece(ledger, "acknowledged_payload_sha256").take(pa.array(places, mask=places < 0))
    same = _count(pc.equal(held, piece(winners.claims, "payload_sha256").filter(pa.array(delivered))))
    parts = {"acknowledged by Ditio with just this content": same}
    return Control("Delivered to ledger", "delivered", int(delivered.sum()), parts)


def _outside(entries: pa.Table, claims: pa.Table, inputs: ReportInputs) -> int:
    """Return how many entries a limited run says nothing of: not read in it, or held by a claim outside it."""
    read = piece(claims, "certificate_id")
    unread = pc.invert(_among(piece(entries, "acknowledged_certificate_id"), read))
    if inputs.previous_claims is None:
        return _count(unread)
    others = with_disposition(inputs.previous_claims, *ELIGIBLE)
    others = others.filter(pc.invert(_among(others.column("certificate_id"), read)))
    return _count(pc.or_(unread, _among(_keys(entries), _keys(others))))


def _ledger_to_claims(winners: _Winners, claims: pa.Table, ledger: pa.Table, inputs: ReportInputs) -> Control:
    held = np.asarray(pc.is_valid(piece(ledger, "acknowledged_payload_sha256")))
    is_delivered = winners.delivered()
    delivered, waiting = (winners.entries(which, ledger) & held for which in (is_delivered, ~is_delivered))
    counts = {"delivered": delivered, "of a winner with newer content that Ditio has not": waiting}
    parts = {name: int(entries.sum()) for name, entries in counts.items()}
    supported = delivered | waiting
    if inputs.withdrawn is not None:
        withdrawn = places_by_key(inputs.withdrawn, ledger)
        entries = np.zeros(ledger.num_rows + 1, np.bool_)
        entries[withdrawn] = True
        gone = entries[:-1] & held & ~supported
        parts["withdrawn"] = int(gone.sum())
        supported |= gone
    if inputs.head.limited:
        left = ledger.filter(pa.array(held & ~supported)).combine_chunks()
        parts["outside the scope of the run"] = _outside(left, claims, inputs)
    return Control("Ledger to claims", "deliveries that Ditio acknowledged", int(held.sum()), parts)


def crosschecks(
    claims: pa.Table,
    certificates: pa.DictionaryArray,
    inputs: ReportInputs,
    reading: tuple[DatasetTotal, ...],
    dangling: int,
) -> tuple[Control, ...]:
    """Return the totals that lead back, each only where what it needs is known.

    Args:
        claims: Schema `DECIDED`.
        certificates: Their certificates' ids as codes.
        inputs: Links, persons, employees, ledger and withdrawals.
        reading: What was read, a row a dataset.
        dangling: How many links have no certificate.
    """
    read = {total.dataset: total.rows for total in reading}
    found = [_certificates(certificates, read.get("certificates", 0))]
    found += _links(claims, certificates, inputs, read.get("links", 0), dangling)
    found += _people(claims, inputs, read)
    if inputs.ledger is not None:
        ledger = inputs.ledger.combine_chunks()
        winners = _Winners.of(claims, ledger)
        found += [_delivered_to_ledger(winners, ledger), _ledger_to_claims(winners, claims, ledger, inputs)]
    return tuple(found)
