"""Who may send to a target, or create links in 4HSE: one process at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from certrecon.errors import StillSendingError
from certrecon.warehouse.engine import session

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.2

_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))")


@contextmanager
def only_sender(engine: Engine, target: str, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Be the only process that sends to a target, for the length of a block.

    A run that was taken over notices it when it commits its next answer, and a scheduler that dies alone
    leaves its task at work beside the one that the next scheduler starts. Neither may put an older row
    over one that Ditio has acknowledged meanwhile.

    Args:
        engine: The warehouse.
        target: The target's digest.
        wait: Seconds to wait for another process to end.

    Raises:
        StillSendingError: Another process still sends after that time.
    """
    other = (
        "Another process still sends to the same Ditio company: an earlier run that was taken over, or an earlier try "
        "of this task. Nothing was sent; try again when it has ended."
    )
    with _alone(engine, f"certrecon sends to {target}", wait, other):
        yield


@contextmanager
def only_linker(engine: Engine, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Be the only process that creates links in 4HSE, for the length of a block.

    Of two that look for a link and then create it, both would find none.

    Args:
        engine: The warehouse.
        wait: Seconds to wait for another process to end.

    Raises:
        StillSendingError: Another process still creates links after that time.
    """
    other = (
        "Another process still creates links in 4HSE: an earlier try of this task, or another run of "
        "link_certificates. This one created nothing; try again when it has ended."
    )
    with _alone(engine, "certrecon links certificates", wait, other):
        yield


@contextmanager
def _alone(engine: Engine, key: str, wait: float, other: str) -> Iterator[None]:
    """Hold a lock that belongs to a session of PostgreSQL, so that it ends with the process that holds it."""
    end = time.monotonic() + wait
    with session(engine) as conn:
        while not conn.execute(_TRY, {"key": key}).scalar_one():
            if time.monotonic() > end:
                raise StillSendingError(other)
            time.sleep(LOOK_SECONDS)
        yield
