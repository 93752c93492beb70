"""Whose each claim is: its person and what is known of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import Bools, Coded, pair_numbers
from certrecon.claims.dates import Ints
from certrecon.claims.persons import Births, PersonFacts


def person_rows(certificates: pa.Table, persons: pa.Table) -> Ints:
    """Return each certificate's person: the row with its tenant and `resource_id`, -1 without one."""
    wanted, among = pair_numbers(
        (Coded.of(certificates["tenant_id"]), Coded.of(certificates["resource_id"])),
        (Coded.of(persons["project_id"]), Coded.of(persons["person_id"])),
    )
    found = pc.index_in(wanted, value_set=among, skip_nulls=True)
    return np.asarray(pc.fill_null(found, -1)).astype(np.int64)


def _padded(values: Bools) -> Bools:
    """Return `values` with a false one that position -1, nobody, takes."""
    return np.append(values, False)


def match_facts(person: Ints, persons: pa.Table, facts: PersonFacts) -> dict[str, pa.Array]:
    """Return the columns of `MATCH_FACTS` and who it is; `person` is each claim's row of `persons`, -1 for nobody."""
    texts = {
        "person_id": persons["person_id"],
        "person_name": facts.full,
        "given_name": facts.given,
        "family_name": facts.family,
        "employee_number": facts.number,
        "ditio_employee_number": facts.ditio_number,
    }
    return {name: Coded.of(column).take(person).to_arrow() for name, column in texts.items()} | {
        "person_known": pa.array(person >= 0),
        "historicised": pa.array(_padded(facts.historicised)[person]),
        "number_known": pa.array(_padded(np.asarray(pc.is_valid(facts.number)))[person]),
        "number_shared": pa.array(_padded(facts.shared)[person]),
        "employees": pa.array(np.append(facts.employees, 0)[person].astype(np.int32)),
        "inactive": pa.array(_padded(facts.inactive)[person]),
        "names_agree": pa.array(np.append(facts.names_agree, True)[person]),
        "births": pa.array(np.append(facts.births, np.int8(Births.UNKNOWN))[person]),
        "number_reused": pa.array(_padded(facts.reused)[person]),
    }
