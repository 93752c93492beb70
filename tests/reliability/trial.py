"""One cell of the fault matrix: the calm state or a failure that says why, and the calm state a night later."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from certrecon_sandbox.faults.wanted import read_fault
from tests.contract import warehouse as sql
from tests.contract.pipeline import Night
from tests.contract.sandbox_nights import FIRST_DAY
from tests.reliability.matrix import NAMED, Cell, Expected
from tests.reliability.nights import Calm, Stage, quiet_pipeline, said, secrets_in, wanted
from tests.reliability.state import (
    Sendings,
    State,
    differences,
    state_of,
    upserts,
    wrongly_acknowledged,
)

RESULTS = "CERTRECON_FAULT_MATRIX"
"""The environment's name of the file that gets a line of JSON a cell; none is written without it."""


@dataclass
class Result:
    """What came of a cell.

    Attributes:
        fault: The fault's name.
        endpoint: Where it was.
        outcome: What the night with the fault came to.
        lost: Rows that calm nights would have brought to Ditio and that were not there a calm night later.
        needless: Rows sent although Ditio had acknowledged them.
        secrets: Secrets found in messages.
        seconds: How long the night with the fault took.
    """

    fault: str
    endpoint: str
    outcome: str
    lost: int
    needless: int
    secrets: int
    seconds: float

    def keep(self) -> None:
        """Append the result to the file of results, if one is wanted."""
        file = os.environ.get(RESULTS)
        if file:
            with Path(file).open("a", encoding="utf-8") as out:
                out.write(json.dumps(asdict(self)) + "\n")


def run_trial(stage: Stage, cell: Cell) -> None:
    """Run a cell and assert everything that must come of it."""
    calm = stage.calm(cell)
    stage.put_back()
    server, engine = stage.server, stage.new_engine()
    pipeline = quiet_pipeline(server, engine, stage.folder(), cell)
    before, claims_before = upserts(server.world), sql.claims(engine)
    fault = server.sandbox.faults.add(read_fault(wanted(cell, calm.employee)))

    began = time.monotonic()
    night = pipeline.run(FIRST_DAY)
    seconds = time.monotonic() - began
    assert fault.hits > 0, "the fault never happened"
    assert cell.row.times is None or fault.hits == cell.row.times
    assert seconds >= cell.row.at_least
    words, state = said(night, engine), state_of(engine, server.world, night.run_seq)
    secrets = secrets_in(words, server)
    assert secrets == []
    assert outcome_of(night) == (Expected.OK if cell.expected is Expected.BLOCKS else cell.expected), words
    CHECKS[cell.expected](cell, calm, night, state)
    assert set(state.ditio.items()) <= set(before.items()) | set(calm.second.ditio.items()), (
        "Ditio got what no calm run sends"
    )
    assert wrongly_acknowledged(engine, server.world) == []
    assert is_accounted_for(night, calm, sql.claims(engine) == claims_before, state)

    server.sandbox.faults.clear()
    pipeline.read_timeout = 5.0
    following = pipeline.run(FIRST_DAY)
    assert following.errors == {}
    after = state_of(engine, server.world, following.run_seq)
    assert differences(calm.second, after) == []
    sendings = Sendings()
    sendings.take(server.sandbox.journal.writes)
    assert sendings.needless == 0
    engine.dispose()
    lost = len(set(calm.second.ditio.items()) - set(after.ditio.items()))
    Result(cell.row.name, cell.endpoint, str(cell.expected), lost, sendings.needless, len(secrets), seconds).keep()


def outcome_of(night: Night) -> Expected:
    """Return what a night came to."""
    if night.errors:
        return Expected.FAILS
    if night.status == "succeeded_with_rejects":
        return Expected.REJECTS
    assert night.status == "succeeded"
    return Expected.OK


def is_accounted_for(night: Night, calm: Calm, untouched: bool, state: State) -> bool:
    """Tell whether every claim is there when extraction was through, and none was touched when it was not."""
    return state.claims.keys() == calm.first.claims.keys() if night.planned is not None else untouched


def check_calm(_cell: Cell, calm: Calm, _night: Night, state: State) -> None:
    """The state is exactly that of a calm night."""
    assert differences(calm.first, state) == []


def check_failure(cell: Cell, _calm: Calm, night: Night, _state: State) -> None:
    """The run is failed, in words that say where and what."""
    assert (night.status, len(night.errors)) == ("failed", 1)
    assert ("4HSE" if cell.endpoint.startswith("4hse") else "Ditio") in night.failure
    assert any(name in night.failure for name in NAMED[cell.endpoint]), night.failure
    assert all(word in night.failure for word in cell.row.words_at(cell.endpoint)), night.failure
    assert len(night.failure) < 1500


def check_rejects(cell: Cell, calm: Calm, _night: Night, state: State) -> None:
    """Nothing differs but the rows that Ditio refused, each with its words."""
    refused = {key: row for key, row in state.ledger.items() if row["state"] == "rejected"}
    assert refused
    assert all(word in row["message"] for row in refused.values() for word in cell.row.words_at(cell.endpoint))
    rejected = {key: row for key, row in state.claims.items() if row["disposition"] == "rejected"}
    assert {(row["employee_number"], row["certificate_type"]) for row in rejected.values()} == set(refused)
    assert {key: row for key, row in state.claims.items() if key not in rejected} == {
        key: row for key, row in calm.first.claims.items() if key not in rejected
    }


def check_blocks(_cell: Cell, calm: Calm, _night: Night, state: State) -> None:
    """Nothing differs but claims that are blocked because of what Ditio's list said, and reported."""
    differing = [key for key, row in state.claims.items() if row != calm.first.claims[key]]
    assert differing
    reasons = {"EMPLOYEE_UNKNOWN", "EMPLOYEE_AMBIGUOUS"}
    assert all(state.claims[key]["disposition"] == "blocked" for key in differing)
    assert all(reasons & set(state.claims[key]["findings"]) for key in differing)


CHECKS = {
    Expected.OK: check_calm,
    Expected.FAILS: check_failure,
    Expected.REJECTS: check_rejects,
    Expected.BLOCKS: check_blocks,
}
