"""The catalogue of findings in the warehouse, so that views can say a finding in words."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, or_
from sqlalchemy.dialects.postgresql import insert

from certrecon.findings import CATALOGUE, Finding
from certrecon.warehouse.tables import finding_catalogue


def write_catalogue(conn: Connection, findings: Iterable[Finding] = tuple(CATALOGUE.values())) -> int:
    """Bring the catalogue up to date and return how many rows changed.

    Codes that a newer version dropped stay: earlier claims still carry them.
    """
    rows = [
        {
            "code": finding.code, "severity": finding.severity.value, "owner": finding.owner.value,
            "title": finding.title, "advice": finding.advice, "overridable": not finding.fixed,
        }
        for finding in findings
    ]  # fmt: skip
    if not rows:
        return 0
    statement = insert(finding_catalogue).values(rows)
    given = {column.name: statement.excluded[column.name] for column in finding_catalogue.c if column.name != "code"}
    differs = or_(*(finding_catalogue.c[name].is_distinct_from(value) for name, value in given.items()))
    changed = statement.on_conflict_do_update(index_elements=["code"], set_=given, where=differs)
    return len(conn.execute(changed.returning(finding_catalogue.c.code)).all())
