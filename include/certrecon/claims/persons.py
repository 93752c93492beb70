"""What is known of each 4HSE person: number, Ditio employee, names, birth dates (design, *Findings*)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import Bools, Coded
from certrecon.claims.columns import column
from certrecon.claims.dates import DateState, Ints, day_number, parse_loose_days
from certrecon.claims.inputs import ClaimInputs
from certrecon.names import Name, names_agree
from certrecon.text import key_column, trimmed_column


class Births(IntEnum):
    """How two birth dates compare."""

    UNKNOWN = 0
    EQUAL = 1
    DIFFERENT = 2


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """One row a person of the run.

    Attributes:
        number: Employee number, trimmed and in NFC; null without one.
        ditio_number: The one matching employee's number as Ditio spells it, else null.
        given: Given name, trimmed. family: Family name, trimmed. full: Both, with a space between.
        historicised: The person or a parent is no longer active in 4HSE.
        shared: Several persons of the run carry the number, and their names do not all agree.
        employees: How many Ditio employees carry the number.
        inactive: The one matching employee is disabled or has left before `as_of`.
        names_agree: The person's name and that employee's agree; true where there is not exactly one.
        births: `Births` of the two; UNKNOWN where there is not exactly one employee.
        reused: The number's last acknowledged delivery was for another person, whose name is not the employee's.
    """

    number: pa.Array
    ditio_number: pa.Array
    given: pa.Array
    family: pa.Array
    full: pa.Array
    historicised: Bools
    shared: Bools
    employees: Ints
    inactive: Bools
    names_agree: Bools
    births: npt.NDArray[np.int8]
    reused: Bools


def _flag(column: pa.Array, *texts: str) -> Bools:
    lowered = pc.utf8_lower(pc.utf8_trim_whitespace(column))
    return np.asarray(pc.fill_null(pc.is_in(lowered, value_set=pa.array(texts)), False))


def _positions(values: pa.Array, among: pa.Array) -> Ints:
    found = pc.index_in(values, value_set=among, skip_nulls=True)
    return np.asarray(pc.fill_null(found.cast(pa.int64()), -1))


def person_numbers(persons: pa.Table, crosswalk: Mapping[str, str]) -> pa.Array:
    """Return each person's number: the crosswalk's, else 4HSE's own.

    Args:
        persons: Columns `person_id` and `number` of schema `PERSONS`.
        crosswalk: Person id -> employee number.
    """
    own = key_column(persons.column("number"))
    if not crosswalk:
        return own
    known = _positions(column(persons, "person_id"), pa.array(crosswalk.keys(), pa.string()))
    given = pa.array(crosswalk.values(), pa.string()).take(pa.array(known, mask=known < 0))
    return pc.coalesce(given, own)


def _names(given: Iterable[str | None], family: Iterable[str | None]) -> list[Name]:
    return list(map(Name, given, family))


def _agreement(left: pd.DataFrame, right: pd.DataFrame) -> Bools:
    """Return whether the names of two frames (`given`, `family`) agree, each distinct pair judged once."""
    pairs = pd.concat([left.reset_index(drop=True), right.reset_index(drop=True).add_prefix("other_")], axis=1)
    codes = pairs.groupby(list(pairs.columns), dropna=False, sort=False).ngroup().to_numpy()
    distinct = (
        pairs.iloc[np.unique(codes, return_index=True)[1]].astype(object).where(lambda frame: frame.notna(), None)
    )
    ours, theirs = (
        _names(distinct["given"], distinct["family"]),
        _names(distinct["other_given"], distinct["other_family"]),
    )
    verdicts = np.fromiter(map(names_agree, ours, theirs), np.bool_, len(distinct))
    return verdicts[codes] if len(codes) else np.zeros(0, np.bool_)


def _name_frame(table: pa.Table, given: str, family: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"given": column(table, given).to_pandas(), "family": column(table, family).to_pandas()},
        dtype=object,
    )


def _group_disagrees(names: set[Name]) -> bool:
    """Return whether the names of several persons do not all agree; a name may agree with none, itself included."""
    return any(not names_agree(one, other) for one, other in combinations_with_replacement(names, 2))


def _shared(numbers: pa.Array, names: pd.DataFrame) -> Bools:
    """Return which persons carry a number that several persons carry whose names do not all agree."""
    frame = names.assign(number=numbers.to_pandas().astype(object).to_numpy())
    several = frame[frame["number"].notna() & frame["number"].duplicated(keep=False)]
    rows = several.astype(object).where(several.notna(), None)
    named: dict[str, set[Name]] = {}
    for number, name in zip(rows["number"], _names(rows["given"], rows["family"]), strict=True):
        named.setdefault(number, set()).add(name)
    clashing = [number for number, carriers in named.items() if _group_disagrees(carriers)]
    return frame["number"].isin(clashing).to_numpy(np.bool_)


def _matches(numbers: pa.Array, employees: pa.Table) -> tuple[Ints, Ints]:
    """Return how many employees carry each person's number, and the row of the first (-1 = none)."""
    theirs = key_column(employees.column("employee_number"))
    distinct = theirs.dictionary_encode()
    codes = np.asarray(pc.fill_null(distinct.indices.cast(pa.int64()), -1))
    present, first, counts = np.unique(codes, return_index=True, return_counts=True)
    places = _positions(numbers, distinct.dictionary)
    by_code = np.zeros(len(distinct.dictionary) + 1, np.int64)
    first_row = np.full(len(distinct.dictionary) + 1, -1, np.int64)
    known = present >= 0
    by_code[present[known]], first_row[present[known]] = counts[known], first[known]
    return by_code[places], first_row[places]


def _inactive(employees: pa.Table, as_of: int) -> Bools:
    """Return which employees are disabled or have left before `as_of`; an unreadable end counts as left."""
    ends = parse_loose_days(column(employees, "end_date"))
    left = (ends.valid & (ends.day < as_of)) | (ends.state == DateState.INVALID)
    open_again = _flag(column(employees, "ended_open"), "true")
    return np.asarray(_flag(column(employees, "disabled"), "true", "1") | (left & ~open_again))


def _births(persons: pa.Table, employees: pa.Table, rows: Ints) -> npt.NDArray[np.int8]:
    ours = parse_loose_days(column(persons, "birth_date"))
    theirs = parse_loose_days(column(employees, "birth_date")).take(rows)
    known = ours.valid & theirs.valid
    return np.where(known, np.where(ours.day == theirs.day, Births.EQUAL, Births.DIFFERENT), Births.UNKNOWN).astype(
        np.int8
    )


_DELIVERED_TO = (
    "employee_number", "acknowledged_person_id", "acknowledged_given_name", "acknowledged_family_name"
)  # fmt: skip


def _last_deliveries(ledger: pa.Table) -> pa.Table:
    """Return for whom each employee number was last acknowledged, each person once (columns `_DELIVERED_TO`).

    They are several where one answer took entries of several persons.
    """
    moments = ledger.column("acknowledged_at")
    known = pc.and_(pc.is_valid(ledger.column("acknowledged_payload_sha256")), pc.is_valid(moments))
    rows = np.flatnonzero(np.asarray(known))
    moment = np.asarray(moments.cast(pa.int64()).fill_null(0))[rows]
    columns = {name: Coded.of(ledger.column(name)).take(rows) for name in _DELIVERED_TO}
    number = columns["employee_number"]
    latest = np.full(len(number.texts), np.iinfo(np.int64).min)
    np.maximum.at(latest, number.codes, moment)
    last = np.flatnonzero(moment == latest[number.codes])
    codes = pa.table({name: one.codes[last] for name, one in columns.items()})
    distinct = codes.group_by(list(_DELIVERED_TO)).aggregate([])
    texts = {name: Coded(np.asarray(distinct[name]), one.texts).to_arrow() for name, one in columns.items()}
    return pa.table(texts).cast(pa.schema([(name, pa.string()) for name in texts]))


def _reused(inputs: ClaimInputs, numbers: pa.Array, employee_names: pd.DataFrame, single: Bools) -> Bools:
    last = _last_deliveries(inputs.ledger)
    persons = pd.DataFrame({"person": np.flatnonzero(single)})
    persons["number"] = numbers.to_pandas().to_numpy(object)[single]
    entries = pd.DataFrame({"entry": np.arange(last.num_rows)})
    entries["number"] = column(last, "employee_number").to_pandas().to_numpy(object)
    pairs = persons.merge(entries, on="number")
    own = column(inputs.persons, "person_id").take(pa.array(pairs["person"].to_numpy(np.int64)))
    then = column(last, "acknowledged_person_id").take(pa.array(pairs["entry"].to_numpy(np.int64)))
    suspects = pairs[np.asarray(pc.fill_null(pc.not_equal(then, own), False))]
    names_then = _name_frame(last, "acknowledged_given_name", "acknowledged_family_name")
    agree = _agreement(names_then.iloc[suspects["entry"]], employee_names.iloc[suspects["person"]])
    reused = np.zeros(len(numbers), np.bool_)
    reused[suspects["person"].to_numpy(np.int64)[~agree]] = True
    return reused


def _full_names(given: pa.Array, family: pa.Array) -> pa.Array:
    """Return given and family name with a space between; null where there is neither."""
    return trimmed_column(pc.binary_join_element_wise(pc.fill_null(given, ""), pc.fill_null(family, ""), " "))


def person_facts(inputs: ClaimInputs) -> PersonFacts:
    """Compute what rules need to know of each person of the run, in the order of `inputs.persons`."""
    persons, employees = inputs.persons, inputs.employees
    numbers = person_numbers(inputs.persons, inputs.settings.crosswalk.numbers)
    counts, rows = _matches(numbers, employees)
    single = counts == 1
    employee_rows = np.where(single, rows, -1)
    matched = employees.take(pa.array(employee_rows, mask=~single))
    names = _name_frame(persons, "first_name", "last_name")
    employee_names = _name_frame(matched, "first_name", "last_name")
    agree = np.ones(len(numbers), np.bool_)
    agree[single] = _agreement(names[single], employee_names[single])
    inactive = np.append(_inactive(employees, day_number(inputs.as_of)), False)
    given, family = (trimmed_column(persons.column(name)) for name in ("first_name", "last_name"))
    return PersonFacts(
        number=numbers,
        ditio_number=column(matched, "employee_number"),
        given=given,
        family=family,
        full=_full_names(given, family),
        historicised=_flag(column(persons, "owned_active"), "false", "0")
        | _flag(column(persons, "parent_active"), "false", "0"),
        shared=_shared(numbers, names),
        employees=counts,
        inactive=inactive[employee_rows],
        names_agree=agree,
        births=_births(persons, employees, employee_rows),
        reused=_reused(inputs, numbers, employee_names, single),
    )
