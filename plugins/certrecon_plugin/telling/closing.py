"""The one line with which a task ends: how it ended, how long it took, and the counts of what it returned."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from airflow.sdk.exceptions import (
    AirflowRescheduleException,
    AirflowSkipException,
    DownstreamTasksSkipped,
    TaskAwaitingInput,
)

log = logging.getLogger(__name__)

ENDED: Final = "ended"
_BY_EXCEPTION: Final = (
    (AirflowSkipException, "skipped"),
    (DownstreamTasksSkipped, ENDED),
    (TaskAwaitingInput, "waits for a person"),
    (AirflowRescheduleException, "waits for its turn"),
)


@dataclass(slots=True)
class Ending:
    """What a task came to.

    Attributes:
        result: What it returns; its counts are in the closing line.
    """

    result: Any = None


@contextmanager
def closing(task: str) -> Iterator[Ending]:
    """Log the closing line of a task when the block ends, however it ends.

    Args:
        task: The task's id.
    """
    ending, began, how = Ending(), time.monotonic(), "failed"
    try:
        yield ending
        how = ENDED
    except BaseException as error:
        how = next((word for kind, word in _BY_EXCEPTION if isinstance(error, kind)), how)
        raise
    finally:
        result = ending.result if how == ENDED else None
        log.info("%s", closing_line(task, time.monotonic() - began, result, how=how))


def closing_line(task: str, seconds: float, result: Any = None, *, how: str = ENDED) -> str:
    """Return the line; only whole numbers of the result are in it, no addresses and no texts."""
    counts = ", ".join(f"{name} {count:,}" for name, count in counts_of(result).items())
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
