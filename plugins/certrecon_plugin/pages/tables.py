"""What the downloads of the pages hold: tables of texts, and how Excel shows their columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.report.sheets import Column
from certrecon.report.wording import OWNERS, titles

if TYPE_CHECKING:
    from certrecon.browse.worklist import WorkLine

_OF_A_CLAIM: Final = (
    Column("certificate_id", "Certificate", 38),
    Column("certificate_type", "Certificate type", 24),
    Column("certificate_name", "Name of the certificate", 34),
    Column("tenant_id", "4HSE project", 38),
    Column("person_name", "Person", 26),
    Column("employee_number", "Employee number", 16),
    Column("issued_on", "Issued", 12, day=True),
    Column("valid_until", "Valid until", 12, day=True),
    Column("linked", "Linked", 8),
    Column("disposition", "Outcome", 16),
    Column("findings", "Findings", 34),
)

CLAIMS: Final = (
    *_OF_A_CLAIM,
    Column("findings_in_words", "Findings in words", 60),
    Column("since_run_seq", "Outcome since run", 10),
    Column("first_run_seq", "Exactly so since run", 10),
    Column("ended_run_seq", "Until run", 10),
)
"""The columns of claims that were searched for."""

WORK: Final = (
    Column("owners", "Who can fix it", 18),
    *_OF_A_CLAIM,
    Column("in_words", "What is the matter", 60),
    Column("what_to_do", "What to do", 60),
    Column("ditio_message", "Ditio's message", 40),
    Column("age_runs", "Age in runs", 10),
    Column("age_days", "Age in days", 10),
    Column("since_run_seq", "Outcome since run", 10),
)
"""The columns of the worklist."""


def claim_texts(claims: pa.Table) -> pa.Table:
    """Return claims (schema `certrecon.browse.claims.CLAIM_TABLE`) as texts, columns `CLAIMS`."""
    findings = pc.binary_join(claims.column("findings"), ", ")
    made = {
        "linked": pc.if_else(claims.column("linked"), "yes", "no"),
        "findings": findings,
        "findings_in_words": _each(findings, lambda codes: titles(codes.split(", ")) if codes else ""),
    }
    columns = [made[one.name] if one.name in made else claims.column(one.name) for one in CLAIMS]
    return pa.table([column.cast(pa.string()) for column in columns], names=[one.name for one in CLAIMS])


def work_texts(lines: Iterable[WorkLine]) -> pa.Table:
    """Return lines of the worklist as texts, columns `WORK`."""
    rows = [_work_row(line) for line in lines]
    arrays = [pa.array([_text(row[one.name]) for row in rows], pa.string()) for one in WORK]
    return pa.table(arrays, names=[one.name for one in WORK])


def _work_row(line: WorkLine) -> dict[str, object]:
    claim = {one.name: getattr(line.claim, one.name) for one in _OF_A_CLAIM}
    return claim | {
        "owners": ", ".join(OWNERS.get(name, name) for name in line.owners),
        "linked": "yes" if line.claim.linked else "no",
        "findings": ", ".join(line.claim.findings),
        "in_words": line.in_words,
        "what_to_do": line.what_to_do,
        "ditio_message": line.ditio_message,
        "age_runs": line.age_runs,
        "age_days": line.age_days,
        "since_run_seq": line.claim.since_run_seq,
    }


def _each(column: pa.ChunkedArray, made: Callable[[str], str]) -> pa.Array:
    """Return what `made` makes of each text; each distinct one is looked at once."""
    encoded = pa.chunked_array(column.chunks, pa.string()).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    words = pa.array([made(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return words.take(encoded.indices)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
