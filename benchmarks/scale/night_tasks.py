"""A first and an unchanged night, task by task: `python -m benchmarks.scale.night_tasks FOLDER VENDORS`.

All tasks run in this one process, each after the memory of the ones before it was given back, so that the peak of
each is its own with everything imported. Tenants are read one after the other.
"""

from __future__ import annotations

import datetime as dt
import gc
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.databases import Databases, postgres
from benchmarks.prepared_nights import Kind, pipeline_on
from benchmarks.telling import memory_mib, tell, timed
from benchmarks.vendor_pages import DAY
from benchmarks.vendor_server import Serving, vendor_server
from certrecon.stages.validate import run_validate
from certrecon.warehouse.migrate import migrate
from certrecon.words import Subject
from tests.contract.pipeline import Night, Pipeline

NIGHTS = {Kind.FIRST: "first night", Kind.UNCHANGED: "unchanged night"}


@dataclass(slots=True)
class Watched:
    """Seconds and peak MiB of each task of a night."""

    seconds: dict[str, float] = field(default_factory=dict)
    mib: dict[str, float] = field(default_factory=dict)

    def task(self, name: str, work: Callable[[], None]) -> None:
        """Run a task and keep what it took."""
        gc.collect()
        pa.default_memory_pool().release_unused()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self.seconds[name], _ = timed(work)
        self.mib[name] = memory_mib()


def _validate(night: Night) -> None:
    """Run Great Expectations, whose results the tests' own night would keep from one night to the next."""
    built = night.built
    assert built is not None
    for subject in Subject:
        with night.place() as place:
            night.validations[subject] = run_validate(place, subject, built)


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def watch_night(pipeline: Pipeline, day: dt.date) -> dict[str, Any]:
    """Run one night; return its tasks' seconds and MiB, and what it wrote."""
    night, watched = pipeline.night(day), Watched()
    evidence = pipeline.folder / "evidence"
    before = _bytes_below(evidence)
    night.open()
    tasks: dict[str, Callable[[], None]] = {
        "find tenants": night.find_tenants,
        "extract": night.extract,
        "seal": night.seal,
        "build claims": night.build,
        "validate": lambda: _validate(night),
        "plan": night.plan,
        "publish": night.publish,
        "load": night.load,
        "report": night.report,
        "finalise": night.finalise,
    }
    for name, work in tasks.items():
        watched.task(name, work)
    assert night.planned is not None
    return {
        **asdict(watched),
        "claims": night.planned.claims.rows,
        "sent": night.published.acknowledged if night.published else 0,
        "evidence": _bytes_below(evidence) - before,
    }


def watch_nights(folder: Path, databases: Databases, server: Serving) -> dict[str, Any]:
    """Run both nights in a fresh warehouse."""
    pipeline = pipeline_on(server.url, databases.empty(), folder)
    migrate(pipeline.engine)
    pa.array(["imports pandas"], pa.string())
    told = {}
    for number, kind in enumerate(NIGHTS):
        told[NIGHTS[kind]] = watch_night(pipeline, DAY + dt.timedelta(days=number))
    pipeline.engine.dispose()
    return told


def main() -> None:
    """Run and tell."""
    folder = Path(sys.argv[1])
    with postgres(folder) as databases, vendor_server(Path(sys.argv[2])) as server:
        seconds, nights = timed(lambda: watch_nights(folder, databases, server))
    tell(seconds, nights=nights)


if __name__ == "__main__":
    main()
