"""Watches what a run says while it runs: every logger at DEBUG, and the arguments of every process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

VENDORS = "world"
"""The thread in which the vendors' servers run: what is logged there is the other side's."""


def _is_ours(record: logging.LogRecord) -> bool:
    return record.threadName != VENDORS


@contextmanager
def everything_logged(file: Path) -> Iterator[None]:
    """Write what any logger says at DEBUG or above into a file, exceptions with their tracebacks."""
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s (%(pathname)s)"))
    handler.addFilter(_is_ours)
    root = logging.getLogger()
    known = [root, *(one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger))]
    before = [(one, one.level, one.disabled) for one in known]
    logging.captureWarnings(capture=True)
    root.addHandler(handler)
    for one in known:
        one.disabled = False
        one.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for one, level, disabled in before:
            one.setLevel(level)
            one.disabled = disabled
        root.removeHandler(handler)
        logging.captureWarnings(capture=False)
        handler.close()


class Arguments:
    """The arguments of every process on the machine, looked at many times a second."""

    def __init__(self, every: float = 0.02) -> None:
        """Look that often."""
        self.seen: set[bytes] = set()
        self.looks = 0
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(self._every):
            self.looks += 1
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(file.read_bytes())
                except OSError:
                    continue  # it ended meanwhile
