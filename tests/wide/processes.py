"""Ends a process with everything that it started, also what has moved to a session of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

GONE_SECONDS = 20


def family(first: int) -> set[int]:
    """Return a process, all its descendants, and whatever shares its session."""
    found = {first}
    table = list(_table())
    while more := {pid for pid, parent, session in table if parent in found or session in found} - found:
        found |= more
    return found


def kill_family(first: int) -> None:
    """SIGKILL a process with all that it started, as when a machine loses its power; again for what was forked."""
    doomed: set[int] = set()
    for _ in range(3):
        doomed |= family(first)
        for pid in doomed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + GONE_SECONDS
    while left := alive(doomed):
        assert time.monotonic() < end, f"{left} outlived SIGKILL"
        time.sleep(0.02)


def alive(pids: Iterable[int]) -> set[int]:
    """Return which of these processes still work; one that has ended and waits to be noticed does not."""
    found = set()
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.add(pid)
    return found


def _table() -> Iterable[tuple[int, int, int]]:
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            yield process.pid, process.ppid(), os.getsid(process.pid)
