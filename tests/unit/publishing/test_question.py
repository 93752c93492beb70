"""What a person is told of a plan before it is sent."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from certrecon.dispositions.decide import PLAN
from certrecon.publishing.question import EARLIER, biggest_changes

TRIED = "2030-06-01"


def payload(until: str | None) -> str:
    """Return a payload that ends on a day, spelled as it is sent."""
    fields = {} if until is None else {"validUntilDateTime": f"{until}T00:00:00Z"}
    return json.dumps(fields, separators=(",", ":"))


def changes(*rows: tuple[str, str, str | None, str | None]) -> list[dict[str, Any]]:
    """Return the biggest changes of rows given as number, reason, what the ledger's payload says, what is planned."""
    key = [{"employee_number": number, "certificate_type": "Byggekort"} for number, *_ in rows]
    plan = [key[at] | {"reason": row[1], "payload": payload(row[3])} for at, row in enumerate(rows)]
    earlier = [key[at] | {"payload": payload(row[2])} for at, row in enumerate(rows)]
    empty = dict.fromkeys(PLAN.names)
    found = biggest_changes(
        pa.Table.from_pylist([empty | row for row in plan], PLAN), pa.Table.from_pylist(earlier, EARLIER)
    )
    return list(found.select(["employee_number", "was", "becomes", "days"]).to_pylist())


def test_the_farthest_comes_first() -> None:
    found = changes(
        ("1", "changed", "2027-01-01", "2027-01-02"),
        ("2", "changed", "2027-01-01", "2026-01-01"),
        ("3", "changed", "2027-01-01", "2027-01-01"),
        ("4", "changed", None, "2027-01-01"),
    )
    assert found == [
        {"employee_number": "2", "was": "2027-01-01", "becomes": "2026-01-01", "days": 365},
        {"employee_number": "1", "was": "2027-01-01", "becomes": "2027-01-02", "days": 1},
    ]


@pytest.mark.parametrize("reason", ["new", "unacknowledged", "resend"])
def test_what_was_only_tried_is_no_change_of_what_ditio_has(reason: str) -> None:
    """Of such a row the ledger's payload is the last try, which Ditio refused or never answered."""
    assert changes(("1", reason, TRIED, "2026-07-01")) == []
