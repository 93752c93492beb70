"""How PostgreSQL plans the queries of pages: by indexes, whatever the statistics say of a table just filled."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

LOOKED_AT: Final = 5_000
"""Claims looked at in order before those wanted are looked up as rare ones."""

LOOKED_AT_IN_THE_PAST: Final = 2_000
"""The same as a run left them: two indexes are read side by side."""

FEW_ENDED: Final = 50_000
"""So many claims that ended since are sorted; more are read in the order of their index."""

_TUNE = text("""
    SELECT set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true),
           set_config('random_page_cost', '1.1', true), set_config('work_mem', '64MB', true),
           set_config('max_parallel_workers_per_gather', '0', true)""")


def tune(conn: Connection) -> None:
    """Set what the queries of pages need, until the transaction ends."""
    conn.execute(_TUNE)
