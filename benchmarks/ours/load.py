"""Our load of a prepared night: `python -m benchmarks.ours.load NIGHTS SCRATCH KIND ADDRESS task|claims`.

`task` is the whole task: read back what was planned, settle it against the ledger, keep the settled claims as
evidence, load. `claims` is `write_claims` alone, from settled claims in memory to the commit.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.ours.night import PreparedNight
from benchmarks.telling import tell, timed
from certrecon.dispositions.decide import DECIDED
from certrecon.dispositions.inputs import PREVIOUS_CLAIMS
from certrecon.dispositions.outcome import settle, warehouse_claims
from certrecon.dispositions.since import since_runs
from certrecon.schemas import LEDGER_STATES
from certrecon.stages.load import run_load
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.history import HistoryChange, write_claims
from certrecon.warehouse.ledger import read_ledger


def settled_rows(place: Workplace, night: PreparedNight) -> pa.Table:
    """Return the night's settled claims as the warehouse keeps them."""
    with transaction(place.engine) as conn:
        ledger = read_ledger(conn, place.run.target).select(LEDGER_STATES.names).cast(LEDGER_STATES)
    claims = settle(place.read(night.planned.claims, DECIDED), ledger, place.run.run_seq)
    previous = RunInputs(place.evidence).table("previous_claims", PREVIOUS_CLAIMS)
    return warehouse_claims(claims).append_column("since_run_seq", since_runs(claims, previous, place.run.run_seq))


def write(place: Workplace, rows: pa.Table) -> HistoryChange:
    """Write the claims in a transaction of their own."""
    with transaction(place.engine) as conn:
        return write_claims(conn, place.run.run_seq, place.run.target, rows, None)


def main() -> None:
    """Load once and tell seconds and rows."""
    folder, scratch, kind, address, what = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]
    night = PreparedNight.read(folder, kind)
    place = night.place(scratch, address)
    pa.array(["imports pandas"], pa.string())
    with place.engine.connect():
        pass
    told: dict[str, Any]
    if what == "task":
        seconds, loaded = timed(lambda: run_load(place, night.planned, night.built))
        told = {"opened": loaded.opened, "ended": loaded.ended}
    else:
        rows = settled_rows(place, night)
        seconds, change = timed(lambda: write(place, rows))
        told = asdict(change)
    tell(seconds, **told)


if __name__ == "__main__":
    main()
