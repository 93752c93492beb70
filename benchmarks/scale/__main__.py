"""The model's tables: `python -m benchmarks.scale` prints them and writes them into docs/scale.md.

`python -m benchmarks.scale measure [SIZES]` first measures what `make bench` does not (default 10000 100000 1000000;
the largest takes minutes). The tables also want `STAGES="extract compute load publish" make bench` of two sizes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.results import FOLDER, read_machine
from benchmarks.scale.costs import costs_from
from benchmarks.scale.fit import UnmeasuredError
from benchmarks.scale.measure import TASKS, measure
from benchmarks.scale.tables import everything

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
BEGIN, END = "<!-- generated: python -m benchmarks.scale -->", "<!-- end of what is generated -->"
SIZES = (10_000, 100_000, 1_000_000)


def write_between(page: Path, text: str) -> None:
    """Put a text between the page's markers, in place of what is there."""
    whole = page.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{page} has no lines '{BEGIN}' and '{END}'")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def told_of_machine() -> str:
    """Return what everything was measured on, in a sentence."""
    known = read_machine(TASKS)
    return f"Measured on {known['cores']} cores, {known['memory_gib']} GiB, Python {known['python']}."


def main(arguments: list[str]) -> None:
    """Measure when asked to, else print and write the tables."""
    if arguments[:1] == ["measure"]:
        measure([int(text) for text in arguments[1:]] or SIZES)
        return
    try:
        costs = costs_from(FOLDER)
    except UnmeasuredError as error:
        raise SystemExit(str(error)) from None
    text = f"{told_of_machine()}\n\n{everything(costs)}"
    print(text)
    write_between(PAGE, text)


if __name__ == "__main__":
    main(sys.argv[1:])
