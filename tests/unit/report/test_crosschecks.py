from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from certrecon.report import ReportInputs, build_report, render_summary
from certrecon.report.model import LEDGER_AFTER
from tests.unit.report.golden import (
    CLAIMS,
    DRY,
    EMPLOYEES_READ,
    HEAD,
    LEDGER,
    LINKS_READ,
    PERSONS_READ,
    PUBLISHED,
    claim,
    claims,
    holds,
    partly,
)

TOTALS = {
    "Claims to certificates": (11, {"certificates read": 11}),
    "Links to certificates": (11, {"of a certificate": 9, "without their certificate": 2}),
    "4HSE persons to Ditio employees": (10, {"with a Ditio employee": 8, "without one": 2}),
    "Ditio employees to certificates": (9, {"with a certificate": 8, "without any": 1}),
    "Delivered to ledger": (3, {"acknowledged by Ditio with just this content": 3}),
    "Ledger to claims": (
        7,
        {"delivered": 3, "of a winner with newer content that Ditio has not": 1, "withdrawn": 3},
    ),
}


@pytest.mark.parametrize("name", TOTALS)
def test_totals_lead_back(name: str) -> None:
    control = next(one for one in build_report(PUBLISHED).controls if one.name == name)
    assert (control.total, dict(control.parts)) == TOTALS[name]
    assert control.difference == 0


STRANGER = holds(claim("x", None, "7777", "", tenant_id="west"), "acknowledged", "d9", 3)
OUTDATED = [row | {"acknowledged_payload_sha256": "other"} if row["employee_number"] == "1002" else row
            for row in LEDGER.to_pylist()]  # fmt: skip

WRONG = {
    "a delivery that no claim accounts for": (
        replace(PUBLISHED, ledger=partly(LEDGER_AFTER, *LEDGER.to_pylist(), STRANGER)),
        "Ledger to claims",
        1,
    ),
    "a delivery that the ledger has not": (
        replace(PUBLISHED, ledger=LEDGER.slice(1)),
        "Delivered to ledger",
        1,
    ),
    "a delivery with other content": (
        replace(PUBLISHED, ledger=partly(LEDGER_AFTER, *OUTDATED)),
        "Delivered to ledger",
        1,
    ),
    "a certificate without claim": (
        replace(PUBLISHED, claims=claims(*CLAIMS[1:])),
        "Claims to certificates",
        -1,
    ),
    "a link that nobody counts": (replace(PUBLISHED, links=LINKS_READ.slice(1)), "Links to certificates", 1),
    "a person too many": (
        replace(PUBLISHED, persons=pa.concat_tables([PERSONS_READ, PERSONS_READ.slice(0, 1)])),
        "4HSE persons to Ditio employees",
        -1,
    ),
    "an employee too few": (
        replace(PUBLISHED, employees=EMPLOYEES_READ.slice(1)),
        "Ditio employees to certificates",
        1,
    ),
}


@pytest.mark.parametrize(("inputs", "name", "difference"), WRONG.values(), ids=WRONG)
def test_what_does_not_add_up_is_seen(inputs: ReportInputs, name: str, difference: int) -> None:
    report = build_report(inputs)
    control = next(one for one in report.controls if one.name == name)
    assert control.difference == difference
    assert not report.adds_up
    assert "DOES NOT ADD UP" in render_summary(report)


def test_a_limited_run_says_what_it_does_not_speak_of() -> None:
    ledger = partly(LEDGER_AFTER, *LEDGER.to_pylist(), STRANGER)
    head = replace(HEAD, tenants=("north", "south"))
    report = build_report(replace(PUBLISHED, head=head, ledger=ledger))
    control = next(one for one in report.controls if one.name == "Ledger to claims")
    assert control.parts["outside the scope of the run"] == 1
    assert control.difference == 0


def test_what_is_not_known_is_not_judged() -> None:
    blind = replace(PUBLISHED, ledger=None, links=None, persons=None, employees=None)
    assert {one.name for one in build_report(blind).controls} & set(TOTALS) == {"Claims to certificates"}


@pytest.mark.parametrize("inputs", [PUBLISHED, DRY], ids=["published", "dry"])
def test_the_flow_loses_nothing(inputs: ReportInputs) -> None:
    flow = build_report(inputs).flow
    nodes = {node.key: node for node in flow.nodes}
    for key in ("claims", "to_send", "ledger"):
        assert sum(edge.count for edge in flow.edges if edge.target == key) == nodes[key].count
    for key in ("vendor", "claims", "to_send"):
        assert sum(edge.count for edge in flow.edges if edge.source == key) == nodes[key].count
    assert all(nodes[edge.source].column < nodes[edge.target].column for edge in flow.edges)
