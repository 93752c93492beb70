"""What was measured, kept as JSON below `var/bench/`: the tables and goals are made from these files alone."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certrecon.code_version import code_version

FOLDER = Path(__file__).parents[1] / "var" / "bench"


@dataclass(slots=True)
class Measurement:
    """One variant of one part of a stage at one size.

    Attributes:
        part: What is done, such as `0 ms` or `all rows new`; variants of one part do the same work.
        size: How many certificates there are.
        variant: Who does it.
        seconds: One figure a round, without imports; empty where the variant could not run.
        peak_mib: Most memory that its process ever had resident.
        load: The machine's load (1 minute) when it began: above its own work, the figures are disturbed.
        facts: What else it told.
        left_out: Why there are no figures.
    """

    part: str
    size: int
    variant: str
    seconds: list[float] = field(default_factory=list)
    peak_mib: float = 0.0
    load: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    left_out: str | None = None

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.seconds)


def machine() -> dict[str, Any]:
    """Return what the figures were measured on: the machine, and the code as `code_version` names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "python": platform.python_version(),
        "code": code_version(),
    }


def result_path(stage: str, folder: Path = FOLDER) -> Path:
    """Return where a stage's measurements lie."""
    return folder / f"{stage}.json"


def read_results(stage: str, folder: Path = FOLDER) -> list[Measurement]:
    """Return what was measured of a stage; nothing where it never was."""
    path = result_path(stage, folder)
    if not path.exists():
        return []
    return [Measurement(**one) for one in json.loads(path.read_text(encoding="utf-8"))["measurements"]]


def read_machine(stage: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Return the machine and the time of a stage's last measurement."""
    path = result_path(stage, folder)
    return {} if not path.exists() else dict(json.loads(path.read_text(encoding="utf-8"))["machine"])


def keep_results(stage: str, measured: Iterable[Measurement], folder: Path = FOLDER) -> Path:
    """Keep measurements, in place of earlier ones of the same sizes; return the file."""
    fresh = list(measured)
    sizes = {one.size for one in fresh}
    kept = [one for one in read_results(stage, folder) if one.size not in sizes]
    everything = sorted([*kept, *fresh], key=lambda one: one.size)
    document = {
        "machine": machine() | {"measured_at": datetime.now(UTC).isoformat(timespec="seconds")},
        "measurements": [asdict(one) for one in everything],
    }
    path = result_path(stage, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
