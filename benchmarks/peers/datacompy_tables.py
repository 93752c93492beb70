"""What a user would compare two tables with: datacompy, source against target, its report included.

    python -m benchmarks.peers.datacompy_tables PLAN.parquet pandas|polars

The source is what a first night would send; the target is the same with every hundredth row changed, as a
target system might hold it. It finds added, gone and changed rows and nothing else: no joins, no rules.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import datacompy  # type: ignore[import-not-found]  # only in the environment of the peers
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.telling import tell, timed

KEYS = ["employeeNumber", "certificateType"]
EVERY = 100


def tables(path: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return source and target."""
    payloads = pq.read_table(path, columns=["payload"])["payload"].to_pylist()
    source = pd.DataFrame([json.loads(payload) for payload in payloads])
    target = source.copy()
    target.loc[target.index % EVERY == 0, "validUntilDateTime"] = "1999-12-31T00:00:00Z"
    return source, target


def compare(source: Any, target: Any, kind: str) -> str:
    """Compare and return the report."""
    comparison = datacompy.PolarsCompare if kind == "polars" else datacompy.PandasCompare
    return str(comparison(source, target, join_columns=KEYS).report())


def main() -> None:
    """Compare once and tell the seconds."""
    path, kind = sys.argv[1:]
    source, target = tables(path)
    if kind == "polars":
        import polars as pl  # type: ignore[import-not-found]  # noqa: PLC0415 - only one of the two is measured

        source, target = pl.from_pandas(source), pl.from_pandas(target)
    seconds, report = timed(lambda: compare(source, target, kind))
    tell(seconds, rows=len(source), report_characters=len(report))


if __name__ == "__main__":
    main()
