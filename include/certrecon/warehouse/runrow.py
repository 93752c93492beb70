"""Reading a run's row."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import Connection, RowMapping, select

from certrecon.warehouse import tables
from certrecon.warehouse.runmodel import RunRecord


def read_run(conn: Connection, run_seq: int) -> RunRecord | None:
    """Return a run, or null where there is none of that number."""
    row = conn.execute(select(tables.run).where(tables.run.c.run_seq == run_seq)).mappings().one_or_none()
    return None if row is None else run_record(row)


def run_record(row: RowMapping) -> RunRecord:
    """Return a row of table `run` as a record."""
    return RunRecord(**{each.name: row[each.name] for each in fields(RunRecord)})
