"""What became of planned rows, why rows are sent, and what the warehouse keeps beside the columns."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from certrecon.dispositions.decide import DECIDED
from certrecon.dispositions.outcome import settle, warehouse_claims
from certrecon.schemas import LEDGER_STATES
from tests.oracle.base import PAYLOAD, base_world, entry
from tests.oracle.edits import cert, employee
from tests.oracle.world import Row
from tests.property.judging import judge

RUN = 7
ACKNOWLEDGED = {"state": "acknowledged"}
OTHER = {**PAYLOAD, "validUntilDateTime": "2029-01-15T00:00:00Z"}
NEVER = {"acknowledged_payload": None, "acknowledged_at": None, "first_acknowledged_at": None}


def decided(disposition: str) -> pa.Table:
    """Return one decided claim."""
    row = {"certificate_id": "c1", "certificate_type": "A", "employee_number": "1042", "disposition": disposition}
    return pa.Table.from_pylist([row], DECIDED)


@pytest.mark.parametrize(
    ("before", "state", "run_seq", "after"),
    [
        ("planned", "acknowledged", RUN, "delivered"),
        ("planned", "rejected", RUN, "rejected"),
        ("planned", "undelivered", RUN, "undelivered"),
        ("planned", "pending", RUN, "undelivered"),
        ("planned", "acknowledged", RUN - 1, "undelivered"),
        ("planned", None, RUN, "undelivered"),
        ("delivered", "rejected", RUN, "delivered"),
        ("superseded", "acknowledged", RUN, "superseded"),
        ("blocked", "acknowledged", RUN, "blocked"),
        ("held", "acknowledged", RUN, "held"),
        ("not_applicable", "acknowledged", RUN, "not_applicable"),
    ],
)
def test_what_became_of_a_claim(before: str, state: str | None, run_seq: int, after: str) -> None:
    entries = (
        [{"employee_number": "1042", "certificate_type": "A", "state": state, "run_seq": run_seq}] if state else []
    )
    settled = settle(decided(before), pa.Table.from_pylist(entries, LEDGER_STATES), RUN)
    assert settled["disposition"].to_pylist() == [after]
    assert settled.schema == DECIDED


@pytest.mark.parametrize(
    ("entries", "resend", "reason", "disposition"),
    [
        pytest.param([], False, "new", "planned", id="never sent"),
        pytest.param([entry(number="7")], False, "new", "planned", id="another number's entry"),
        pytest.param([entry()], False, None, "delivered", id="acknowledged"),
        pytest.param([entry()], True, "resend", "planned", id="acknowledged, sent again on purpose"),
        pytest.param([entry(payload=OTHER, acknowledged_payload=OTHER)], False, "changed", "planned", id="changed"),
        pytest.param([entry(in_doubt=True)], False, "unacknowledged", "planned", id="in doubt"),
        pytest.param([entry(state="pending")], False, "unacknowledged", "planned", id="pending still"),
        pytest.param([entry(state="rejected", **NEVER)], False, "unacknowledged", "planned", id="rejected"),
        pytest.param([entry(state="undelivered", **NEVER)], False, "unacknowledged", "planned", id="undelivered"),
        pytest.param(
            [entry(state="rejected", payload=OTHER)], False, "restored", "delivered", id="refused something else"
        ),
        pytest.param([entry(state="rejected", payload=OTHER)], True, "resend", "planned", id="all again"),
        pytest.param(
            [entry(state="undelivered", payload=OTHER, in_doubt=True)],
            False,
            "unacknowledged",
            "planned",
            id="in doubt of another",
        ),
    ],
)
def test_why_a_row_is_sent(entries: list[Row], resend: bool, reason: str | None, disposition: str) -> None:
    world = base_world()
    world.ledger, world.resend = entries, resend
    decision = judge(world)[0].decision
    rows = pa.concat_tables([decision.plan, decision.restored])
    assert rows["reason"].to_pylist() == ([reason] if reason else [])
    assert decision.claims["disposition"].to_pylist() == [disposition]
    assert decision.plan.num_rows == (disposition == "planned")


def test_what_the_warehouse_keeps() -> None:
    """`detail` has both dates as received, where the expiry came from, and Ditio's own spelling of the number."""
    world = base_world()
    employee(employeeNumber="1042 ")(world)
    claims = warehouse_claims(judge(world)[0].decision.claims)
    (row,) = claims.to_pylist()
    assert json.loads(row["detail"]) == {
        "ditio_employee_number": "1042 ",
        "expiry_received": "2028-01-15",
        "issued_received": "2025-01-15",
        "expiry_source": "certificate",
    }
    assert row["employee_number"] == "1042"


@pytest.mark.parametrize("text", ['say "x"', "back\\slash", "tab\t", "ø", "\u2028", "null", ""])
def test_odd_dates_as_received_are_valid_json(text: str) -> None:
    world = base_world()
    cert(date_release=text)(world)
    (row,) = warehouse_claims(judge(world)[0].decision.claims).to_pylist()
    assert json.loads(row["detail"])["issued_received"] == text


def test_nothing_that_depends_on_the_day_is_kept() -> None:
    """Two days, the same finding codes: the same rows."""
    tables = []
    for day in (15, 16):
        world = base_world()
        world.as_of = world.as_of.replace(day=day)
        tables.append(warehouse_claims(judge(world)[0].decision.claims))
    assert tables[0].equals(tables[1])
    assert not pc.any(pc.equal(tables[0]["detail"], "")).as_py()
