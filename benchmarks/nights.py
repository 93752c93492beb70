"""Stage nights: whole runs as `make run` makes them, with the peak of every process and what they leave behind."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.choices import Choices
from benchmarks.names import Nights
from benchmarks.processes import PeakWatch
from benchmarks.results import Measurement

KINDS = {
    "first": "first night",
    "idle": "a DAG of idle tasks",
    "unchanged": "unchanged night",
    "changed": "1 % changed",
}
MANY = 10_000
"""Above this size each night is measured `SLOW_ROUNDS` times."""
ACCEPTED = {"accept": ["withdrawn", "upserts", "drop"]}
"""What a night with many changes would ask a person about."""


def settings_below(folder: Path) -> Path:
    """Write the default settings with the evidence below a folder of its own."""
    default = Path(__file__).parents[1] / "include" / "config" / "reconciliation.yaml"
    text = default.read_text(encoding="utf-8")
    changed = text.replace("  root: null", f"  root: {folder / 'evidence'}")
    if changed == text:
        message = "the default settings have no 'root: null' to replace"
        raise SystemExit(message)
    path = folder / "reconciliation.yaml"
    path.write_text(changed, encoding="utf-8")
    return path


def bytes_below(folder: Path) -> int:
    """Return how many bytes the files below a folder have."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def night_environment(size: int, folder: Path) -> dict[str, str]:
    """Return the environment of a night whose evidence lies below a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CERTRECON"))}
    return kept | {
        "CERTIFICATES": str(size),
        "CERTRECON_SETTINGS": str(settings_below(folder)),
        "CONF": json.dumps(ACCEPTED),
    }


def run_night(size: int, kind: str, folder: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """Run one night in a process of its own; return what it told and the peak of every process, in MiB."""
    environment = night_environment(size, folder)
    watch, server = PeakWatch(), folder / "var" / "postgres" / "postmaster.pid"
    code, printed = watch.run([sys.executable, "-m", "benchmarks.night", str(folder), kind], environment, server)
    if code:
        raise SystemExit(printed)
    return json.loads(printed.splitlines()[-1]), watch.peaks


def measure_night(size: int, kind: str, folder: Path, measured: Measurement) -> None:
    """Run one night and add its figures."""
    before = bytes_below(folder / "evidence")
    measured.load = measured.load or round(os.getloadavg()[0], 2)
    told, peaks = run_night(size, kind, folder)
    written = bytes_below(folder / "evidence") - before
    seconds = told.pop("seconds")
    measured.seconds.append(round(seconds, 3))
    measured.peak_mib = max(measured.peak_mib, round(peaks.get("pipeline", 0.0), 1))
    measured.facts = told | {"peaks": {name: round(peak, 1) for name, peak in peaks.items()}, "evidence_bytes": written}
    said = f"{seconds:.1f} s, pipeline {peaks.get('pipeline', 0):,.0f} MiB"
    print(f"  {size:,} {measured.variant}: {said}", flush=True)


def measure(size: int, choices: Choices, data: Path) -> list[Measurement]:
    """Measure every kind of night of a size, the rounds each in a folder of their own."""
    data.mkdir(parents=True, exist_ok=True)
    found = {kind: Measurement(Nights.PART, size, name) for kind, name in Nights.KINDS.items()}
    for _ in range(choices.rounds if size <= MANY else choices.slow_rounds):
        with tempfile.TemporaryDirectory(prefix="nights-", dir=data, ignore_cleanup_errors=True) as folder:
            for kind in Nights.KINDS:
                measure_night(size, kind, Path(folder), found[kind])
    return list(found.values())
