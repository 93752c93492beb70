"""What a dlt user would load with: `python -m benchmarks.peers.dlt_load ADDRESS CLAIMS.parquet FOLDER append|merge`.

From Arrow batches through CSV. `merge` loads all rows first, outside of the time, and then merges all of them with
one in a hundred changed, as dlt's documentation shows for rows that exist.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import dlt  # type: ignore[import-not-found]  # only in the environment of the peers
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.telling import tell, timed

KEYS = ("certificate_id", "certificate_type")
EVERY = 100


def rows_of(path: str) -> pa.Table:
    """Return the rows without nulls in their key, which a merge could not match, and lists as text."""
    table = pq.read_table(path)
    for name in ("certificate_type", "findings"):
        place = table.schema.get_field_index(name)
        column = table.column(name)
        text = pc.binary_join(column, ",") if pa.types.is_list(column.type) else pc.fill_null(column, "")
        table = table.set_column(place, name, text)
    return table


def with_changes(table: pa.Table) -> pa.Table:
    """Return the rows with every hundredth one changed."""
    chosen = pa.array([number % EVERY == 0 for number in range(table.num_rows)])
    names = pc.if_else(chosen, "changed", table.column("certificate_name"))
    return table.set_column(table.schema.get_field_index("certificate_name"), "certificate_name", names)


def main() -> None:
    """Load once and tell seconds and rows."""
    address, path, folder, how = sys.argv[1:]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    table = rows_of(path)
    pipeline = dlt.pipeline(
        "certrecon_load", pipelines_dir=folder, destination=dlt.destinations.postgres(address), dataset_name="by_dlt"
    )
    shape: dict[str, Any] = {"table_name": "claims", "loader_file_format": "csv", "primary_key": KEYS}

    def load(rows: pa.Table, disposition: Any) -> None:
        pipeline.run(rows, write_disposition=disposition, **shape).raise_on_failed_jobs()

    if how == "merge":
        load(table, "append")
        table = with_changes(table)
    seconds, _ = timed(lambda: load(table, how))
    tell(seconds, rows=table.num_rows)


if __name__ == "__main__":
    main()
