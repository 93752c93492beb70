"""How a measured program tells what it needed: one line of JSON, the last that it prints.

Nothing but the standard library is imported here, since the peers run in an environment of their own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

STATUS = Path("/proc/self/status")


def memory_mib(name: str = "VmHWM") -> float:
    """Return what this process has resident now (`VmRSS`) or had at most (`VmHWM`), in MiB (Linux)."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Do the work; return its seconds and what it gave."""
    begun = time.perf_counter()
    done = work()
    return time.perf_counter() - begun, done


def tell(seconds: float, **facts: Any) -> None:
    """Print seconds, facts and the peak of this process for the program that measures."""
    print(json.dumps({"seconds": seconds, "peak_mib": memory_mib(), **facts}), flush=True)
