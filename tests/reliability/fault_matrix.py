"""`make fault-matrix`: run the matrix, print it as a table, and write table and figures into docs/reliability.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.reliability.matrix import CELLS, COLUMNS, ROWS
from tests.reliability.trial import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- fault-matrix -->", "<!-- /fault-matrix -->"
HEADS = (
    "4HSE token",
    "projects",
    "certificates",
    "links",
    "persons",
    "view",
    "Ditio token",
    "employees v5",
    "users v4",
    "upsert",
)
"""What the table calls the endpoints of `COLUMNS`."""
WORDS = {"ok": "calm", "fails": "says why", "rejects": "rejects", "blocks": "blocks"}


def main() -> int:
    """Run, print and write; return pytest's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.jsonl"
        began = time.monotonic()
        code = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-n",
                "2",
                "--dist",
                "load",
                "-k",
                "not shows_this_matrix and not every_kind",
                str(Path(__file__).parent),
            ],
            env={**os.environ, RESULTS: str(file)},
            check=False,
        ).returncode
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        results = [json.loads(line) for line in lines]
    text = rendered(results, time.monotonic() - began)
    sys.stdout.write(text + "\n")
    write(text, PAGE)
    return code


def rendered(results: list[dict[str, Any]], seconds: float) -> str:
    """Return figures and table as Markdown; a cell without a result did not hold."""
    found = {(one["fault"], one["endpoint"]): one["outcome"] for one in results}
    wanted = {(cell.row.name, cell.endpoint) for cell in CELLS}
    lines = [*_figures(results, seconds), "", "| fault | " + " | ".join(HEADS) + " |", "|---" * (len(HEADS) + 1) + "|"]
    for row in ROWS:
        cells = [_cell(found.get((row.name, one)), (row.name, one) in wanted) for one in COLUMNS]
        lines.append(f"| {row.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(outcome: str | None, wanted: bool) -> str:  # noqa: FBT001
    return WORDS[outcome] if outcome else "**does not hold**" if wanted else ""


def _figures(results: list[dict[str, Any]], seconds: float) -> list[str]:
    outcomes = [one["outcome"] for one in results]
    figures = {
        "faults": len(ROWS),
        "endpoints": len(COLUMNS),
        "faults x endpoints tried": len(CELLS),
        "ended in the calm state at once (calm)": outcomes.count("ok"),
        "failed aloud (says why)": outcomes.count("fails"),
        "succeeded but for rows that Ditio refused (rejects)": outcomes.count("rejects"),
        "succeeded, whom Ditio did not list clearly blocked (blocks)": outcomes.count("blocks"),
        "did not hold": len(CELLS) - len(results),
        "rows lost": sum(one["lost"] for one in results),
        "rows sent twice without need": sum(one["needless"] for one in results),
        "secrets found in messages": sum(one["secrets"] for one in results),
        "seconds it took": round(seconds),
    }
    return ["| figure | |", "|---|---|", *(f"| {name} | {value} |" for name, value in figures.items())]


def write(text: str, page: Path) -> None:
    """Put the text between the page's markers."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
