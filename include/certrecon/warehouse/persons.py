"""The names under which claims of a target were ever seen, for the search by a part of a name."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, text

from certrecon.warehouse.bulk import stage
from certrecon.words import Disposition

_PERSON = ("resource_id", "person_name", "employee_number")
# With four bytes a character, these and the other columns still fit an entry of the index.
_LONGEST = 160
_APPEND = text("""
    INSERT INTO reconciliation.claim_person (target, resource_id, person_name, employee_number)
    SELECT :target, resource_id, person_name, employee_number FROM incoming_person
     ORDER BY person_name, resource_id, employee_number
        ON CONFLICT DO NOTHING""")


def persons_of(claims: pa.Table) -> pa.Table:
    """Return each person of `claims` once (columns of schema `CLAIM`, of which four are looked at).

    A person is (`resource_id`, `person_name`, `employee_number`), the first two cut to 160 characters.
    Claims without a name, and those that are not applicable, count for nobody.
    """
    speaks = pc.and_(
        pc.is_valid(claims.column("person_name")),
        pc.not_equal(claims.column("disposition"), Disposition.NOT_APPLICABLE.value),
    )
    persons = claims.select(_PERSON).filter(speaks).group_by(list(_PERSON)).aggregate([])
    for name in ("resource_id", "person_name"):
        place = persons.column_names.index(name)
        persons = persons.set_column(place, name, pc.utf8_slice_codeunits(persons.column(name), 0, _LONGEST))
    return persons


def add_persons(conn: Connection, target: str, persons: pa.Table) -> int:
    """Append the persons (`persons_of`) that the target has not seen, and return how many those are."""
    if not persons.num_rows:
        return 0
    stage(conn, "incoming_person", "claim_person", persons)
    return conn.execute(_APPEND, {"target": target}).rowcount
