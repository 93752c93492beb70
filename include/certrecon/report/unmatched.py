"""4HSE persons for whom no Ditio employee could be found, or not with certainty, with suggested employees."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.inputs import EMPLOYEES
from certrecon.findings import CATALOGUE
from certrecon.names import Name
from certrecon.report.ages import AGES, beside, claim_ages
from certrecon.report.model import Excerpt, ReportInputs, UnmatchedRow
from certrecon.report.pieces import plain
from certrecon.report.safe import one_line_table
from certrecon.report.suggesting import suggestions
from certrecon.report.wording import titles
from certrecon.report.worklist import LISTED, having

CODES: Final = ("EMPLOYEE_UNKNOWN", "EMPLOYEE_NUMBER_MISSING", "NAME_MISMATCH")
"""The findings that speak of a person without a certain employee."""

_NUMBERS: Final = {"claims": pa.int64()} | {name: pa.int64() for name in AGES.names}
UNMATCHED: Final = pa.schema([(one.name, _NUMBERS.get(one.name, pa.string())) for one in fields(UnmatchedRow)])
"""Persons; the columns are the attributes of `UnmatchedRow`."""

_IDENTITY: Final = ("tenant_id", "person_id", "person_name", "given_name", "family_name", "employee_number")


def _why(claims: pa.Table) -> pa.Array:
    """Return which of `CODES` each claim has, with spaces between."""
    columns = [pc.if_else(pa.array(having(claims, [code])), code, "") for code in CODES]
    return pc.utf8_trim_whitespace(pc.binary_join_element_wise(*columns, " "))


def _persons(claims: pa.Table, inputs: ReportInputs) -> pa.Table:
    """Return one row a person and reason: how many claims, and the greatest age of any."""
    found = plain(claims.filter(pc.and_(pa.array(having(claims, CODES)), claims.column("applicable"))))
    if not found.num_rows:
        return pa.table({name: pa.array([], pa.string()) for name in (*_IDENTITY, "findings")} | dict.fromkeys(
            _NUMBERS, pa.array([], pa.int64())))  # fmt: skip
    own = beside(found.select(list(_IDENTITY)).append_column("findings", _why(found)), claim_ages(found, inputs))
    keys = [*_IDENTITY, "findings"]
    grouped = own.group_by(keys, use_threads=False).aggregate(
        [("since_run", "min"), ("age_runs", "max"), ("age_days", "max"), ([], "count_all")]
    )
    renamed = {
        "since_run_min": "since_run",
        "age_runs_max": "age_runs",
        "age_days_max": "age_days",
        "count_all": "claims",
    }
    return grouped.rename_columns([renamed.get(name, name) for name in grouped.column_names])


def _words(persons: pa.Table) -> pa.Table:
    encoded = persons.column("findings").combine_chunks().dictionary_encode()
    said = []
    for codes in (text.split() for text in encoded.dictionary.to_pylist()):
        owners = dict.fromkeys(str(CATALOGUE[code].owner) for code in codes)
        said.append((titles(codes), " ".join(CATALOGUE[code].advice for code in codes), ", ".join(owners)))
    columns = [pa.array([row[place] for row in said], pa.string()).take(encoded.indices) for place in range(3)]
    return pa.table(columns, names=["in_words", "what_to_do", "owner"])


def _suggested(persons: pa.Table, employees: pa.Table | None) -> pa.Array:
    given, family, numbers = (
        persons.column(name).to_pylist() for name in ("given_name", "family_name", "employee_number")
    )
    rows = ((Name(first, last), number) for first, last, number in zip(given, family, numbers, strict=True))
    return pa.array(suggestions(rows, EMPLOYEES.empty_table() if employees is None else employees), pa.string())


def unmatched_persons(claims: pa.Table, inputs: ReportInputs) -> pa.Table:
    """Return the persons whose employee is not known with certainty, schema `UNMATCHED`.

    Args:
        claims: Schema `DECIDED`.
        inputs: The employees, and what is known of the runs before.
    """
    persons = _persons(claims, inputs)
    keys = [("claims", "descending"), ("tenant_id", "ascending"), ("person_id", "ascending")]
    persons = persons.sort_by(keys) if persons.num_rows else persons
    full = beside(persons, _words(persons)).append_column("suggestions", _suggested(persons, inputs.employees))
    codes = pc.replace_substring(full.column("findings"), " ", ", ")
    full = full.set_column(full.column_names.index("findings"), "findings", codes)
    return full.select(UNMATCHED.names).cast(UNMATCHED).combine_chunks()


def unmatched_excerpt(table: pa.Table) -> Excerpt[UnmatchedRow]:
    """Return the first persons of a table of schema `UNMATCHED`."""
    rows = one_line_table(table.slice(0, LISTED)).to_pylist()
    return Excerpt(table.num_rows, tuple(UnmatchedRow(**row) for row in rows), "see the CSV of unmatched persons")
