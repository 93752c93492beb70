"""Runs variants side by side: each in a process of its own, one after the other, round after round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import watching
from benchmarks.results import Measurement

ROOT = Path(__file__).parents[1]
SLOWEST = 3_600.0
"""Seconds after which a peer is given up."""


def nothing() -> None:
    """Prepare nothing."""


def ignored(_told: Mapping[str, Any]) -> None:
    """Look at nothing."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to do the work.

    Attributes:
        name: What the table calls it.
        module: The program, as `python -m` wants it.
        arguments: Its arguments.
        rounds: How often it runs.
        python: Whose interpreter runs it; None = it cannot run here.
        prepare: Is called before each run, outside of what is timed.
        ours: Whether a failure ends the benchmark; a peer that fails is left out with its reason.
        check: Is given what every run told; what it raises says that the variants did not do the same work.
        watched: A process that works for the variant, such as PostgreSQL: its peak and its children's are kept too.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    rounds: int
    python: str | None = sys.executable
    prepare: Callable[[], None] = nothing
    check: Callable[[Mapping[str, Any]], None] = ignored
    ours: bool = False
    watched: int | None = None


def run_once(variant: Variant) -> dict[str, Any]:
    """Run a variant once and return what it told.

    Raises:
        RuntimeError: It failed; the message is the end of what it printed.
    """
    assert variant.python is not None
    command = [variant.python, "-m", variant.module, *variant.arguments]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=SLOWEST,
        )
    except subprocess.TimeoutExpired:
        message = f"{variant.name}: given up after {SLOWEST:.0f} s"
        raise RuntimeError(message) from None
    if done.returncode:
        message = f"{variant.name}: {(done.stderr or done.stdout).strip()[-2000:]}"
        raise RuntimeError(message)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _measure_round(variant: Variant, measured: Measurement) -> None:
    variant.prepare()
    measured.load = measured.load or round(os.getloadavg()[0], 2)
    if variant.watched is None:
        told = run_once(variant)
    else:
        with watching(variant.watched) as peaks:
            told = run_once(variant)
        told |= {f"{kind}_mib": round(peak, 1) for kind, peak in peaks.items()}
    variant.check(told)
    measured.seconds.append(round(told.pop("seconds"), 4))
    measured.peak_mib = max(measured.peak_mib, round(told.pop("peak_mib"), 1))
    measured.facts = told


def side_by_side(part: str, size: int, variants: Sequence[Variant]) -> list[Measurement]:
    """Run all variants in turns (A B C, A B C, ...) and return a measurement each.

    Raises:
        RuntimeError: A variant of our own failed.
    """
    measured = [Measurement(part, size, variant.name) for variant in variants]
    for number in range(max(variant.rounds for variant in variants)):
        for variant, one in zip(variants, measured, strict=True):
            if number >= variant.rounds or one.left_out:
                continue
            if variant.python is None:
                one.left_out = "not installed (PEERS=0, or the bench environment could not be made)"
                continue
            try:
                _measure_round(variant, one)
            except RuntimeError as error:
                if variant.ours:
                    raise
                one.left_out = str(error)[-300:]
            _say(part, size, one)
    return measured


def _say(part: str, size: int, one: Measurement) -> None:
    said = f"left out: {one.left_out}" if one.left_out else f"{one.seconds[-1]:.3f} s, {one.peak_mib:,.0f} MiB"
    print(f"  {size:,} {part}: {one.variant}: {said}", flush=True)
