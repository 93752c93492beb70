"""The claims that need somebody, as rows that a person can work through.

Words are made once for each combination of disposition and findings, never claim by claim.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.findings import CATALOGUE
from certrecon.report.ages import AGES, claim_ages
from certrecon.report.model import ANSWERS, ClaimRow, Excerpt, ReportInputs
from certrecon.report.pieces import Bools, among, piece, places_by_key, plain
from certrecon.report.safe import joined, one_line_table
from certrecon.report.saying import NEEDY, SeverityOf, say
from certrecon.report.wording import URGENCY
from certrecon.words import Disposition, Severity

LISTED = 50
"""How many rows of a list the page shows."""

WORKLIST = pa.schema(
    [AGES.field(one.name) if one.name in AGES.names else (one.name, pa.string()) for one in fields(ClaimRow)]
)


def having(claims: pa.Table, codes: Iterable[str]) -> Bools:
    """Return which claims have at least one of some findings."""
    lists = piece(claims, "findings")
    wanted = pc.is_in(pc.list_flatten(lists), value_set=pa.array(list(codes), pa.string()))
    found = np.zeros(claims.num_rows, np.bool_)
    found[np.asarray(pc.list_parent_indices(lists).filter(wanted))] = True
    return found


def with_disposition(claims: pa.Table, *dispositions: Disposition) -> pa.Table:
    """Return the claims of some dispositions."""
    wanted = pa.array([str(name) for name in dispositions], pa.string())
    return claims.filter(pc.is_in(claims.column("disposition"), value_set=wanted))


def needing(claims: pa.Table, severity_of: SeverityOf) -> pa.Table:
    """Return the claims that need somebody: by their disposition, or by a finding of some weight."""
    heavy = [code for code in CATALOGUE if severity_of(code) is not Severity.INFO]
    needy = pa.array([str(name) for name in NEEDY], pa.string())
    by_disposition = pc.is_in(claims.column("disposition"), value_set=needy)
    return claims.filter(pc.or_(by_disposition, pa.array(having(claims, heavy))))


def in_order(claims: pa.Table) -> pa.Table:
    """Return claims in the order in which they are listed: the most urgent first, then by person."""
    claims = plain(claims)
    ranks = pc.index_in(claims.column("disposition"), value_set=pa.array([str(name) for name in URGENCY]))
    keys = ["rank", "tenant_id", "person_name", "certificate_id", "certificate_type"]
    order = pc.sort_indices(claims.append_column("rank", ranks), [(key, "ascending") for key in keys])
    return claims.take(order)


def _words(claims: pa.Table, severity_of: SeverityOf) -> pa.Table:
    """Return `in_words`, `what_to_do` and `owner` of each claim."""
    codes = pc.binary_join(claims.column("findings").combine_chunks(), " ")
    disposition = claims.column("disposition").combine_chunks()
    encoded = pc.binary_join_element_wise(disposition, codes, "|").dictionary_encode()
    parts = [combination.partition("|") for combination in encoded.dictionary.to_pylist()]
    said = [say(name, codes.split(), severity_of) for name, _, codes in parts]
    columns = {
        "in_words": [one.in_words for one in said],
        "what_to_do": [one.what_to_do for one in said],
        "owner": [", ".join(one.owners) for one in said],
    }
    return pa.table({name: pa.array(texts, pa.string()).take(encoded.indices) for name, texts in columns.items()})


def _day(claims: pa.Table, day: str, received: str) -> pa.ChunkedArray:
    """Return a day as text, or what was received where it is no day."""
    return pc.coalesce(claims.column(day).cast(pa.string()), claims.column(received))


def _personal(claims: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column that says who it is, empty where nothing about the person needs anybody."""
    concerned = pc.not_equal(claims.column("disposition"), str(Disposition.NOT_APPLICABLE))
    return pc.if_else(concerned, claims.column(name), pa.scalar(None, pa.string()))


def _messages(claims: pa.Table, answers: pa.Table) -> pa.Array:
    """Return what Ditio said of the claims that won their key and were not delivered."""
    places = places_by_key(claims, answers)
    failed = among(claims, "disposition", [Disposition.REJECTED, Disposition.UNDELIVERED])
    own = plain(answers.take(pa.array(places, mask=~failed | (places < 0))))
    status = own.column("http_status").cast(pa.string())
    prefixed = pc.binary_join_element_wise("HTTP ", status, "")
    return joined([prefixed, own.column("message")], ": ")


def rows_of(claims: pa.Table, inputs: ReportInputs) -> pa.Table:
    """Return claims (schema `DECIDED`) as rows for people (schema `WORKLIST`), in the order given.

    Args:
        claims: Some of the run's claims.
        inputs: Severities, what Ditio answered, and what is known of the runs before.
    """
    claims = claims.combine_chunks()
    said = _messages(claims, ANSWERS.empty_table() if inputs.answers is None else inputs.answers)
    columns = {
        "person_name": _personal(claims, "person_name"),
        "employee_number": _personal(claims, "employee_number"),
        "issued_on": _day(claims, "issued_on", "issued_received"),
        "valid_until": _day(claims, "valid_until", "expiry_received"),
        "linked": pc.if_else(claims.column("linked"), "yes", "no"),
        "findings": pc.binary_join(claims.column("findings").combine_chunks(), ", "),
        "ditio_message": pc.if_else(pc.equal(said, ""), pa.scalar(None, pa.string()), said),
    }
    for further in (_words(claims, inputs.severity_of), claim_ages(claims, inputs)):
        columns |= {name: further.column(name) for name in further.column_names}
    chosen = [columns[name] if name in columns else claims.column(name) for name in WORKLIST.names]
    return pa.table(chosen, schema=WORKLIST)


def claim_rows(rows: pa.Table, limit: int = LISTED) -> tuple[ClaimRow, ...]:
    """Return the first rows (schema `WORKLIST`), fit to be shown."""
    return tuple(ClaimRow(**row) for row in one_line_table(rows.slice(0, limit)).to_pylist())


def excerpts(rows: pa.Table) -> dict[Disposition, Excerpt[ClaimRow]]:
    """Return the first rows of each disposition that stops a claim on its way to Ditio."""
    shown = (Disposition.REJECTED, Disposition.UNDELIVERED, Disposition.REFUSED, Disposition.BLOCKED)
    lists = {name: with_disposition(rows, name) for name in shown}
    return {name: Excerpt(table.num_rows, claim_rows(table)) for name, table in lists.items()}


def owner_counts(rows: pa.Table) -> dict[str, int]:
    """Return how many rows (schema `WORKLIST`) each owner has."""
    owners = pc.list_flatten(pc.split_pattern(rows.column("owner").combine_chunks(), ", "))
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(owners).to_pylist()}
    return {owner: counts[owner] for owner in sorted(counts) if owner}
