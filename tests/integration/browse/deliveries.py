"""A delivery of employee 1, Byggekort, over its life: acknowledged, withdrawn, noted as removed."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import Engine

from certrecon.warehouse.engine import transaction
from certrecon.warehouse.removals import Removal, add_removal
from certrecon.warehouse.withdrawals import WITHDRAWN, write_withdrawn
from tests.integration.warehouse.samples import TARGET, answer, finalise, opened_seq, query, queue


def deliver(engine: Engine, version: str) -> None:
    """Let a run deliver certificate `cA` of version `A`, or another one."""
    run_seq = opened_seq(engine)
    queue(engine, run_seq, {"version": version})
    ((now,),) = query(engine, "SELECT clock_timestamp()")
    answer(engine, run_seq, {"version": version, "sent_at": now, "answered_at": now})
    _end(engine, run_seq, [])


def withdraw(engine: Engine, version: str, reason: str = "deleted") -> None:
    """Let a run find nothing that supports what was delivered."""
    key = {"employee_number": "1", "certificate_type": "Byggekort", "certificate_id": f"c{version}", "reason": reason}
    _end(engine, opened_seq(engine), [key])


def note(engine: Engine, version: str, *, done: bool = True) -> None:
    """Note that it is removed in Ditio, or a remark."""
    with transaction(engine) as conn:
        add_removal(conn, Removal(TARGET, "1", "Byggekort", f"c{version}", "kari", done, "a note"))


def _end(engine: Engine, run_seq: int, withdrawn: list[dict[str, str]]) -> None:
    with transaction(engine) as conn:
        write_withdrawn(conn, run_seq, TARGET, pa.Table.from_pylist(withdrawn, WITHDRAWN), None)
    finalise(engine, run_seq)
