"""Runs the clients' coroutines from ordinary code, on uvloop where it is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not everywhere
    except ImportError:  # it is not made for Windows
        return None
    return uvloop.new_event_loop


def new_runner() -> asyncio.Runner:
    """Return an event loop for several coroutines, one after the other; a context manager."""
    return asyncio.Runner(loop_factory=_loop_factory())


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run one coroutine to its end in an event loop of its own and return its result."""
    with new_runner() as runner:
        return runner.run(main)
