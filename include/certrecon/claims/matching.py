"""Whose each claim is: its person and what is known of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.columns import column, in_tenant
from certrecon.claims.dates import Bools, Ints
from certrecon.claims.persons import Births, PersonFacts


def person_rows(certificates: pa.Table, persons: pa.Table) -> Ints:
    """Return each certificate's person: the row with its tenant and `resource_id`, -1 without one."""
    among = in_tenant(persons, "project_id", "person_id")
    found = pc.index_in(in_tenant(certificates, "tenant_id", "resource_id"), value_set=among, skip_nulls=True)
    return np.asarray(pc.fill_null(found.cast(pa.int64()), -1))


def _padded(values: Bools) -> Bools:
    """Return `values` with a false one that position -1, nobody, takes."""
    return np.append(values, False)


def match_facts(person: Ints, persons: pa.Table, facts: PersonFacts) -> dict[str, pa.Array]:
    """Return the columns of `MATCH_FACTS` and who it is; `person` is each claim's row of `persons`, -1 for nobody."""
    nobody = pa.array(person, mask=person < 0)
    return {
        "person_id": column(persons, "person_id").take(nobody),
        "person_name": facts.full.take(nobody),
        "given_name": facts.given.take(nobody),
        "family_name": facts.family.take(nobody),
        "employee_number": facts.number.take(nobody),
        "ditio_employee_number": facts.ditio_number.take(nobody),
        "person_known": pa.array(person >= 0),
        "historicised": pa.array(_padded(facts.historicised)[person]),
        "number_known": pc.is_valid(facts.number.take(nobody)),
        "number_shared": pa.array(_padded(facts.shared)[person]),
        "employees": pa.array(np.append(facts.employees, 0)[person].astype(np.int32)),
        "inactive": pa.array(_padded(facts.inactive)[person]),
        "names_agree": pa.array(np.append(facts.names_agree, True)[person]),
        "births": pa.array(np.append(facts.births, np.int8(Births.UNKNOWN))[person]),
        "number_reused": pa.array(_padded(facts.reused)[person]),
    }
