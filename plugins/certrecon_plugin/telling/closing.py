"""The one line with which a task ends: how long it took, and the counts of what it returned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def closing_line(task: str, seconds: float, result: Any = None, *, failed: bool = False) -> str:
    """Return the line; only whole numbers of the result are in it, no addresses and no texts."""
    counts = ", ".join(f"{name} {count:,}" for name, count in counts_of(result).items())
    how = "failed" if failed else "ended"
    return f"{task} {how} after {seconds:.1f} s" + (f": {counts}" if counts else "")


def counts_of(result: Any) -> dict[str, int]:
    """Return the counts of a task's result: its numbers, and the rows of the files that it names."""
    if isinstance(result, list):
        return _counts_of_list(result)
    if not isinstance(result, Mapping):
        return {}
    if "address" in result:
        return {"rows": result["rows"]} if _is_table(result) else {}
    counts: dict[str, int] = {}
    for name, value in result.items():
        if _is_count(value):
            counts[str(name)] = value
        elif isinstance(value, Mapping):
            counts |= {str(name): value["rows"]} if _is_table(value) else counts_of(value)
    return counts


def _counts_of_list(result: list[Any]) -> dict[str, int]:
    """Return the rows of listed files by what they hold, or how many there are of anything else."""
    if not result or not all(isinstance(one, Mapping) and "dataset" in one for one in result):
        return {"listed": len(result)}
    return {str(one["dataset"]): one["rows"] for one in result if _is_count(one.get("rows"))}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_table(value: Mapping[str, Any]) -> bool:
    return str(value.get("address", "")).endswith(".parquet") and _is_count(value.get("rows"))
