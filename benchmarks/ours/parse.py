"""Seconds to run DAG files once the Task SDK is imported: `python -m benchmarks.ours.parse FILE...`."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterable

from benchmarks.telling import tell, timed


def import_task_sdk() -> None:
    """Import what every DAG file imports first."""
    import airflow.sdk  # noqa: PLC0415 - this is what is timed

    for name in ("DAG", "BaseOperator"):  # the SDK loads its parts when they are asked for
        getattr(airflow.sdk, name)


def run_files(files: Iterable[str]) -> None:
    """Run the files one after the other, as a DAG processor does."""
    for file in files:
        runpy.run_path(file)


if __name__ == "__main__":
    sdk, _ = timed(import_task_sdk)
    seconds, _ = timed(lambda: run_files(sys.argv[1:]))
    tell(seconds, task_sdk=sdk)
