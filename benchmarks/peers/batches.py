"""The batches of a plan, as every sender gets them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

BATCH = 100


def payload_batches(plan: Path, rows: int) -> list[list[str]]:
    """Return the payloads of the first rows of a plan as JSON texts, a list a request."""
    payloads: list[str] = pq.read_table(plan, columns=["payload"])["payload"].slice(0, rows).to_pylist()
    return [payloads[start : start + BATCH] for start in range(0, len(payloads), BATCH)]
