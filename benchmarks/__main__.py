"""`make bench`: whole runs on the sandbox with peak memory, then pages and report of many claims.

SIZES (default "10000 100000") are the numbers of certificates of the whole runs, first night and unchanged
night; "" leaves them out. CLAIMS (default 1000000) is the number of claims for pages and report; 0 leaves
them out. Each part has a warehouse, evidence and sandbox of its own below a temporary folder, so the
checkout's own runs are not touched. What is printed is one run each on this machine: compare figures of
one table, not of two machines.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pages import page_rows
from benchmarks.processes import PeakWatch
from benchmarks.report import report_rows

NIGHTS = ("first night", "unchanged night")
HEAD = (
    "certificates",
    "night",
    "seconds",
    "pipeline MiB",
    "sandbox MiB",
    "postgres MiB",
    "claims",
    "ledger",
    "attempts",
    "evidence MB",
)


@dataclass(frozen=True)
class Night:
    """One measured run.

    Attributes:
        size: How many certificates there are.
        name: Which night.
        seconds: From the command to its end, services started included.
        peaks: Most memory that each kind of process had resident, MiB.
        rows: Rows of claim, ledger and attempts afterwards.
        evidence: Bytes of evidence that the run wrote.
    """

    size: int
    name: str
    seconds: float
    peaks: dict[str, float]
    rows: list[int]
    evidence: int

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table."""
        memory = (f"{self.peaks.get(kind, 0):,.0f}" for kind in ("pipeline", "sandbox", "postgres"))
        counts = (f"{count:,}" for count in self.rows)
        return (f"{self.size:,}", self.name, f"{self.seconds:.1f}", *memory, *counts, f"{self.evidence / 1e6:.1f}")


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


def measure(size: int, name: str, folder: Path) -> Night:
    """Run one night."""
    environment = os.environ | {"CERTIFICATES": str(size), "CERTRECON_SETTINGS": str(settings_below(folder))}
    before, watch = bytes_below(folder / "evidence"), PeakWatch()
    code, printed = watch.run([sys.executable, "-m", "benchmarks.night", str(folder)], environment)
    if code:
        raise SystemExit(printed)
    told = json.loads(printed.splitlines()[-1])
    written = bytes_below(folder / "evidence") - before
    return Night(size, name, told["seconds"], watch.peaks, told["rows"], written)


def table(rows: list[tuple[str, ...]]) -> str:
    """Return rows as text columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def main() -> None:
    """Measure every size and print the table."""
    sizes = [int(size) for size in os.environ.get("SIZES", "10000 100000").split()]
    claims = int(os.environ.get("CLAIMS", "1000000"))
    rows: list[tuple[str, ...]] = [HEAD]
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="certrecon-bench-") as folder:
            for name in NIGHTS:
                print(f"measuring {size:,} certificates, {name} ...", flush=True)
                rows.append(measure(size, name, Path(folder)).cells())
    if sizes:
        print(table(rows))
    for name, part in {"report": report_rows, "pages": page_rows}.items() if claims else ():
        print(f"\nmeasuring {name} with {claims:,} claims ...", flush=True)
        print(table(part(claims)))


if __name__ == "__main__":
    main()
