"""Who may send a run's rows: one process at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from certrecon.errors import StillSendingError
from certrecon.warehouse.engine import session

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.2

_TRY = text("SELECT pg_try_advisory_lock(hashtextextended('certrecon sends run ' || CAST(:run_seq AS text), 0))")


@contextmanager
def only_sender(engine: Engine, run_seq: int, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Be the only process that sends a run's rows, for the length of a block.

    A scheduler that dies alone leaves its task at work, and the next one starts the task again: both would
    read the same outbox, and each send what the other one has got acknowledged. The lock belongs to a
    session of PostgreSQL, so it ends with the process that holds it.

    Args:
        engine: The warehouse.
        run_seq: The run.
        wait: Seconds to wait for another process to end.

    Raises:
        StillSendingError: Another process still sends after that time.
    """
    end = time.monotonic() + wait
    with session(engine) as conn:
        while not conn.execute(_TRY, {"run_seq": run_seq}).scalar_one():
            if time.monotonic() > end:
                raise StillSendingError(f"Another process still sends the rows of run {run_seq}. Try again later.")
            time.sleep(LOOK_SECONDS)
        yield
