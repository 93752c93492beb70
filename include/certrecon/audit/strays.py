"""Rows that name a run which does not exist: no record of a run speaks of them."""

from __future__ import annotations

from sqlalchemy import Connection, text

from certrecon.audit.breach import Breach, added
from certrecon.warehouse.records import run_columns
from certrecon.warehouse.tables import SCHEMA

_STRAYS = """
    SELECT rows.{column} AS run_seq, count(*) AS found FROM {schema}.{table} AS rows
     WHERE rows.{column} IS NOT NULL
       AND NOT EXISTS (SELECT FROM {schema}.run WHERE run.run_seq = rows.{column})
     GROUP BY rows.{column} ORDER BY rows.{column}"""


def check_strays(conn: Connection) -> list[Breach]:
    """Look for rows of the tables that only grow whose run there is not."""
    breaches = []
    for table, column in run_columns():
        query = text(_STRAYS.format(schema=SCHEMA, table=table, column=column))
        for run_seq, found in conn.execute(query):
            words = f"{found} rows of {table} name run {run_seq} ({column}), which does not exist: rows were added."
            breaches.append(added(f"{table}, run {run_seq}", words))
    return breaches
