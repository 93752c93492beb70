"""Tables of what was measured, as Markdown: `python -m benchmarks.tables` puts them into docs/performance.md.

Everything between the marks is made from `var/bench/*.json`; nothing there is typed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.choices import STAGES
from benchmarks.goals import goals_table
from benchmarks.markdown import markdown
from benchmarks.results import FOLDER, Measurement, read_machine, read_results

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
MARKS = re.compile(r"(<!-- measured: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
NONE = "-"
BESIDE = ("goals", "tasks")
"""What a document may show that is no stage: goals, and the tasks that `python -m benchmarks.scale measure` keeps."""


def _seconds(one: Measurement | None) -> str:
    if one is None or not one.seconds:
        return NONE
    return f"{one.median:.3g}" if one.median < 100 else f"{one.median:.0f}"


def _ratio(ours: Measurement | None, one: Measurement | None) -> str:
    """Return how many times as long ours took."""
    if ours is None or one is None or not ours.seconds or not one.seconds or ours is one or not one.median:
        return NONE
    return f"{ours.median / one.median:.2f}"


def _parts(measured: Iterable[Measurement]) -> dict[str, list[str]]:
    """Return the variants of every part, in the order in which they were measured."""
    found: dict[str, list[str]] = {}
    for one in measured:
        variants = found.setdefault(one.part, [])
        if one.variant not in variants:
            variants.append(one.variant)
    return found


def comparison(measured: list[Measurement]) -> str:
    """Return seconds and ratios of every part: a row a variant, two columns a size."""
    sizes = sorted({one.size for one in measured})
    known = {(one.part, one.variant, one.size): one for one in measured}
    head = ["seconds, median", *(cell for size in sizes for cell in (f"{size:,}", "ours / it")), "peak MiB", "load"]
    rows = [head]
    for part, variants in _parts(measured).items():
        rows.append([f"**{part}**", *[""] * (len(head) - 1)])
        for variant in variants:
            cells, last = [variant], None
            for size in sizes:
                one = known.get((part, variant, size))
                last = one if one is not None and one.seconds else last
                cells += [_seconds(one), _ratio(known.get((part, variants[0], size)), one)]
            about = (f"{last.peak_mib:,.0f}" if last.peak_mib else NONE, f"{last.load:.1f}") if last else (NONE, NONE)
            rows.append([*cells, *about])
    return markdown(rows) + _left_out(measured)


def _left_out(measured: Iterable[Measurement]) -> str:
    lines = [f"{one.variant}, {one.size:,}: left out, {one.left_out}" for one in measured if one.left_out]
    return "".join(f"\n\n{line}" for line in lines)


def nights(measured: list[Measurement]) -> str:
    """Return whole runs: seconds, the vendors' own time in them, memory, rows, evidence."""
    head = (
        "certificates", "night", "seconds", "of these the vendors'", "pipeline MiB", "PostgreSQL MiB", "sandbox MiB",
        "rows written: claims", "ledger", "attempts", "evidence bytes a certificate", "load",
    )  # fmt: skip
    rows: list[Sequence[str]] = [head]
    for one in measured:
        peaks, facts = one.facts["peaks"], one.facts
        rows.append(
            (
                f"{one.size:,}", one.variant, f"{one.median:.1f}",
                f"{facts['fourhse_seconds'] + facts['ditio_seconds']:.1f}",
                *(f"{peaks.get(kind, 0):,.0f}" for kind in ("pipeline", "postgres", "sandbox")),
                *(f"{count:,}" for count in facts["written"]),
                f"{facts['evidence_bytes'] / one.size:,.0f}", f"{one.load:.1f}",
            )
        )  # fmt: skip
    return markdown(rows)


def pages(measured: list[Measurement]) -> str:
    """Return server time of every page, in milliseconds."""
    rows = [(f"page, {measured[0].size:,} claims", "median ms", "first ms", "most ms")]
    for one in measured:
        figures = (1000 * one.median, 1000 * one.seconds[0], 1000 * max(one.seconds))
        rows.append((one.variant, *(f"{figure:,.0f}" for figure in figures)))  # type: ignore[arg-type]
    return markdown(rows)


def report(measured: list[Measurement]) -> str:
    """Return the seconds of every part of the report, and the memory of the whole."""
    rows = [(f"{measured[0].part}, {measured[0].size:,} claims", "seconds", "MiB above its inputs")]
    for one in measured:
        above = one.facts.get("above_inputs_mib")
        rows.append((one.variant, f"{one.median:.2f}", NONE if above is None else f"{above:,.0f}"))
    return markdown(rows)


def profiles(measured: list[Measurement]) -> str:
    """Return where the time of each profile goes, in shares; of the largest size that was sampled."""
    sampled = [one for one in measured if one.seconds]
    largest = {part: max(one.size for one in sampled if one.part == part) for part in _parts(sampled)}
    rows = [("the main thread was in", "share", "seconds")]
    for part, size in largest.items():
        rows.append((f"**{part}, {size:,} certificates**", "", ""))
        rows += [
            (one.variant, f"{one.facts['share']:.0%}", f"{one.median:.2f}")
            for one in sampled
            if (one.part, one.size) == (part, size)
        ]
    return markdown(rows) + _left_out(measured)


def tasks(measured: list[Measurement]) -> str:
    """Return every task of a first and an unchanged night alone: seconds at each size, memory at the largest."""
    sizes = sorted({one.size for one in measured})
    known = {(one.part, one.variant, one.size): one for one in measured}
    rows = [("seconds", *(f"{size:,}" for size in sizes), f"MiB at {sizes[-1]:,}")]
    for part, names in _parts(measured).items():
        found = [[known.get((part, name, size)) for size in sizes] for name in names]
        total = [sum(one.median for one in column if one) for column in zip(*found, strict=True)]
        most = max(one.peak_mib for one in filter(None, (row[-1] for row in found)))
        rows.append((f"**{part}, all tasks**", *(f"**{seconds:.3g}**" for seconds in total), f"**{most:,.0f}**"))
        for name, row in zip(names, found, strict=True):
            rows.append((name, *map(_seconds, row), f"{row[-1].peak_mib:,.0f}" if row[-1] else NONE))
    return markdown(rows)


def stage_table(stage: str, measured: list[Measurement]) -> str:
    """Return the table of a stage."""
    special = {"nights": nights, "profiles": profiles, "report": report, "pages": pages, "tasks": tasks}
    return special.get(stage, comparison)(measured)


def section(name: str, folder: Path = FOLDER) -> str:
    """Return what belongs between a pair of marks."""
    if name == "goals":
        return goals_table(folder)
    measured = read_results(name, folder)
    if not measured:
        return "Not measured yet."
    known = read_machine(name, folder)
    machine = f"{known['cores']} cores, {known['memory_gib']} GiB, Python {known['python']}"
    on = f"{machine}, {known['measured_at'][:10]}, code {known['code']}."
    return f"{on}\n\n{stage_table(name, measured)}"


def filled(document: str, folder: Path = FOLDER) -> str:
    """Return a document with everything between its marks made anew.

    Raises:
        KeyError: A mark names no stage.
    """

    def fill(match: re.Match[str]) -> str:
        if match[2] not in {*STAGES, *BESIDE}:
            raise KeyError(match[2])
        return f"{match[1]}\n{section(match[2], folder)}\n\n{match[3]}"

    return MARKS.sub(fill, document)


def main() -> None:
    """Print every table, or write them into the document with `--write`."""
    text = filled(DOCUMENT.read_text(encoding="utf-8"))
    if "--print" in sys.argv[1:]:
        print(text)
    else:
        DOCUMENT.write_text(text, encoding="utf-8")
        print(f"{DOCUMENT.name} has the figures of {FOLDER.name}/*.json")


if __name__ == "__main__":
    main()
