"""Compares what is rendered with a file; `CERTRECON_REGEN_SNAPSHOTS=1` writes the file instead."""

from __future__ import annotations

import os
from itertools import zip_longest
from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"
SWITCH = "CERTRECON_REGEN_SNAPSHOTS"


def first_difference(expected: str, found: str) -> str:
    """Return where two texts differ first; empty where they do not."""
    lines = zip_longest(expected.splitlines(keepends=True), found.splitlines(keepends=True))
    for number, (left, right) in enumerate(lines, 1):
        if left != right:
            return f"line {number}\n  expected {left!r}\n  found    {right!r}"
    return ""


def assert_snapshot(name: str, found: bytes) -> None:
    """Fail naming the first line that differs from the snapshot."""
    path = FOLDER / name
    if os.environ.get(SWITCH) == "1":
        path.write_bytes(found)
    assert path.exists(), f"{name} does not exist; {SWITCH}=1 writes it"
    difference = first_difference(path.read_bytes().decode(), found.decode())
    assert not difference, f"{name} differs first in {difference}\n{SWITCH}=1 accepts what was found"
