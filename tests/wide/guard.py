"""Ends everything that has to do with a folder once whoever started it is gone, however that came about."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.wide.compose import ROOT

SWEEPS = 40


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Leave no process of a folder behind, even where this process is killed within the block."""
    command = [sys.executable, "-m", "tests.wide.guard", str(folder)]
    # It notices our end because only we hold the other end of its input.
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True) as guard:
        try:
            yield
        finally:
            assert guard.stdin is not None
            guard.stdin.close()
            guard.wait()


def left_behind(folder: str) -> dict[int, str]:
    """Return the processes that still have something to do with a folder; the guard itself is none."""
    found = {}
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        if folder in f"{words} {process.info['cwd']}" and "tests.wide.guard" not in words:
            found[process.info["pid"]] = " ".join(words)
    return found


def main(folder: str) -> None:
    """Wait for the end of the input, then sweep the folder."""
    sys.stdin.read()
    for _ in range(SWEEPS):
        if not (found := left_behind(folder)):
            break
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
