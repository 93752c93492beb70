"""Pseudonymised claims against the entries on the record, and those against the notes in the evidence store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Row, text

from certrecon.audit.breach import Breach, added, changed, missing
from certrecon.audit.pseudonymise import note_of
from certrecon.audit.stores import Stores
from certrecon.errors import EvidenceError
from certrecon.evidence.pseudonyms import PseudonymNote, read_note
from certrecon.warehouse.chain import installation_id
from certrecon.warehouse.history import CLAIM
from certrecon.warehouse.pseudonyms import Pseudonymisation, read_pseudonymisations

_MARKED = text("""
    SELECT c.pseudonymisation_id AS number, count(*) AS claims,
           count(DISTINCT (c.target, c.resource_id)) AS persons,
           encode(sha256(string_agg(int8send(c.claim_id) || c.pseudonym_sha256, ''::bytea ORDER BY c.claim_id)), 'hex')
               AS sha256,
           max((r.finished_at AT TIME ZONE 'UTC')::date) AS ended_on, count(r.finished_at) AS ended
      FROM reconciliation.claim AS c
      LEFT JOIN reconciliation.run AS r ON r.run_seq = c.ended_run_seq
     WHERE c.pseudonymisation_id IS NOT NULL
     GROUP BY c.pseudonymisation_id
     ORDER BY c.pseudonymisation_id""")


def check_pseudonyms(conn: Connection, stores: Stores, addresses: Sequence[str]) -> tuple[int, list[Breach]]:
    """Hold the marks on claims against the entries, and the entries against the notes of the evidence stores.

    Args:
        conn: A connection in a transaction that sees one moment, begun after `addresses` were read.
        stores: The evidence stores.
        addresses: Those in which a note may lie.

    Returns:
        How many claims are pseudonymised, and what does not hold.
    """
    marked = {row.number: row for row in conn.execute(_MARKED)}
    entries = {entry.pseudonymisation_id: entry for entry in read_pseudonymisations(conn)}
    installation = installation_id(conn)
    breaches = [_without_entry(row) for number, row in marked.items() if number not in entries]
    for number, entry in entries.items():
        breaches += _claims_of(entry, marked.get(number))
        breaches += _note_of(entry, installation, [stores.root(address) for address in addresses])
    return sum(row.claims for row in marked.values()), breaches


def comparable(left: pa.Table, again: pa.Table) -> tuple[pa.Table, pa.Table, int]:
    """Take out of two tables of a run's claims those that were pseudonymised since.

    Args:
        left: The claims as the run left them in the warehouse (schema `AS_LEFT`).
        again: The claims as they are made again (schema `CLAIM`).

    Returns:
        Both (schema `CLAIM`) without those, and how many of `again` are not compared.
    """
    gone = _keys(left.filter(left["pseudonymised"]))
    stays = pc.invert(pc.is_in(_keys(again), value_set=gone))
    kept = again.filter(stays)
    return left.filter(pc.invert(left["pseudonymised"])).select(CLAIM.names), kept, again.num_rows - kept.num_rows


def _keys(claims: pa.Table) -> pa.Array:
    columns = (claims[name].cast(pa.string()).combine_chunks() for name in ("certificate_id", "certificate_type"))
    return pc.binary_join_element_wise(*columns, "\x1f", null_handling="replace", null_replacement="\x00")


def _without_entry(row: Row[tuple[int, ...]]) -> Breach:
    words = (
        f"{row.claims} claims are marked as pseudonymised (number {row.number}), and no entry says so: the entry was "
        "deleted, or the marks were added."
    )
    return missing(f"pseudonymisation {row.number}", words)


def _claims_of(entry: Pseudonymisation, row: Row[tuple[int, ...]] | None) -> list[Breach]:
    where = f"pseudonymisation {entry.pseudonymisation_id}"
    found = row.claims if row else 0
    said = f"Pseudonymisation {entry.pseudonymisation_id} was of {entry.claims} claims"
    if found < entry.claims:
        words = f"{said}, and {found} have its mark: claims were deleted or lost their marks, or the entry was added."
        return [missing(where, words)]
    if row is None:
        return [added(where, f"{said}: the entry was added.")]
    if found > entry.claims:
        return [added(where, f"{said}, and {found} have its mark: marks were added.")]
    if (row.persons, row.sha256) != (entry.persons, entry.sha256):
        return [changed(where, f"{said}, which no longer give its digest: they, or the entry, were changed.")]
    if row.ended < row.claims or row.ended_on >= entry.ended_before:
        return [changed(where, f"{said}, of which some had not ended before {entry.ended_before}: they were changed.")]
    return []


def _note_of(entry: Pseudonymisation, installation: str, roots: Iterable[object]) -> list[Breach]:
    number = entry.pseudonymisation_id
    where = f"pseudonymisation {number}, note"
    try:
        notes = [note for root in roots if (note := read_note(root, installation, number)) is not None]
    except EvidenceError:
        return [changed(where, f"The evidence store's note of pseudonymisation {number} is not readable any more.")]
    if not notes:
        words = (
            f"The warehouse says that claims were pseudonymised (number {number}), but no evidence store has a note of "
            "that: the entry was added, or the note was deleted."
        )
        return [added(where, words)]
    return [] if _says(notes, note_of(entry, installation)) else [changed(where, _differs(number))]


def _says(notes: Iterable[PseudonymNote], wanted: PseudonymNote) -> bool:
    return all(note == wanted for note in notes)


def _differs(number: int) -> str:
    return f"Pseudonymisation {number} is not what the evidence store's note of it says: one of the two was changed."
