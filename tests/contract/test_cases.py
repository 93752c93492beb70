"""Every case of the oracle through the whole pipeline: over HTTP in, over HTTP out, and into the warehouse."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from certrecon.errors import FixableError
from certrecon.stages.open_run import target_of
from tests.contract import warehouse as sql
from tests.contract.comparing import CLAIM_COLUMNS, decided_claims, oracle_claims
from tests.contract.pipeline import Night, Pipeline
from tests.contract.world_server import WorldServer
from tests.oracle.base import Case, Expect, claim
from tests.oracle.cases import CASES
from tests.oracle.contract import calculate
from tests.oracle.world import Result, Row, World, payload_sha256


@dataclass(frozen=True)
class Difference:
    """Where the project decides otherwise than the oracle, on purpose.

    Attributes:
        why: The reason.
        claims: What comes out here; None = the settings are refused, and `names` is in the message.
        names: What the message of the refusal names.
    """

    why: str
    claims: tuple[Expect, ...] | None
    names: str = ""


BLANK = "a form that was left empty says the same as null: the date is missing, somebody has to enter one"
LOWERED = "settings that ask for what cannot be are refused aloud instead of being ignored in silence"
DIFFERENCES = {
    "issued-blank": Difference(BLANK, (claim("blocked", "ISSUED_MISSING"),)),
    "expiry-blank": Difference(BLANK, (claim("blocked", "EXPIRY_MISSING"),)),
    "number-crosswalk-blank": Difference(
        "a crosswalk row without a number is a mistake in the file, seen before any request",
        None,
        "employee_match.crosswalk",
    ),
    **{
        f"not-lowered-{code.lower().replace('_', '-')}": Difference(LOWERED, None, code)
        for code in ("ISSUED_MISSING", "EXPIRY_MISSING", "PERSON_UNKNOWN", "EMPLOYEE_UNKNOWN")
    },
    "unmapped-not-lowered": Difference(LOWERED, None, "TYPE_UNMAPPED"),
}
REFUSED = [case for case in CASES if case.refused or (case.id in DIFFERENCES and DIFFERENCES[case.id].claims is None)]
JUDGED = [case for case in CASES if case not in REFUSED]
TOTALS = ("certificates", "links", "persons", "employees", "claims")


def _settings(world: World, folder: Path) -> dict[str, Any]:
    """Return the world's settings with what the pipeline needs beside: pages of two rows, the crosswalk's file."""
    settings = {**world.settings, "fourhse": {"page_size": 2, **world.settings.get("fourhse", {})}}
    if world.crosswalk:
        with (folder / "crosswalk.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("person_id", "employee_number"), *world.crosswalk.items()])
        match = {**settings.get("employee_match", {}), "crosswalk": "crosswalk.csv"}
        settings["employee_match"] = match
    return settings


def _conf(world: World) -> dict[str, Any]:
    conf: dict[str, Any] = {"mode": world.mode, "tenant_ids": world.tenant_ids, "resend": world.resend}
    return conf | ({"as_of": world.as_of.isoformat()} if world.run_day else {})


@pytest.fixture
def night_of(server: WorldServer, pipeline_of: Callable[..., Pipeline], tmp_path: Path) -> Callable[[World], Night]:
    """A function that prepares the night of a world: shown by the servers, its past in the warehouse."""

    def prepare(world: World) -> Night:
        server.show(world)
        pipeline = pipeline_of(_settings(world, tmp_path))
        company = world.settings.get("ditio", {}).get("company_id")
        sql.put_in(pipeline.engine, world, target_of(pipeline.ditio, company))
        return pipeline.night(world.run_day or world.as_of, **_conf(world))

    return prepare


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: case.id)
def test_case(case: Case, night_of: Callable[[World], Night], server: WorldServer, warehouse: Engine) -> None:
    world = case.world()
    night = night_of(world)
    before, untouched = sql.ledger(warehouse), sql.fingerprint(warehouse)
    night.run()
    assert (night.errors, night.status) == ({}, "succeeded"), case.rule

    difference = DIFFERENCES.get(case.id)
    _check_case(case, difference.claims if difference else case.claims, night)
    oracle = calculate(world)
    if difference is None:
        _check_oracle(oracle, night)
    if world.mode == "dry_run":
        assert server.posts == []
        assert sql.fingerprint(warehouse) == untouched, "a dry run writes its run row and nothing else"
    else:
        _check_warehouse(case, world, night, warehouse)
        _check_ledger(world, night, before, warehouse, server)
    _check_totals(case, oracle, night, warehouse)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_refused(case: Case, night_of: Callable[[World], Night], server: WorldServer, warehouse: Engine) -> None:
    night = night_of(case.world())
    try:
        night.run()
    except FixableError as error:
        night.errors["open"] = error
        assert not server.asked, "what can be refused without a request is"
        assert not sql.rows(warehouse, "SELECT * FROM reconciliation.run WHERE run_id <> 'earlier'")
    else:
        assert night.status == "failed"
        assert night.failure == str(night.errors["find_tenants"])
    (error,) = night.errors.values()
    assert isinstance(error, FixableError)
    if case.id in DIFFERENCES:
        assert DIFFERENCES[case.id].names in str(error), DIFFERENCES[case.id].why
    assert server.posts == []


def test_the_differences_are_of_cases() -> None:
    assert set(DIFFERENCES) <= {case.id for case in CASES}


# --- what is compared ----------------------------------------------------------------------------------


def _check_case(case: Case, claims: tuple[Expect, ...], night: Night) -> None:
    """The claims before publishing are those that the case was written with."""
    got = sorted(night.decided(), key=_order)
    expected = sorted(claims, key=lambda one: (one.certificate_id, one.certificate_type or ""))
    assert [
        (row["certificate_id"], row["certificate_type"], row["disposition"], tuple(row["findings"])) for row in got
    ] == [(one.certificate_id, one.certificate_type, one.disposition, one.findings) for one in expected], case.rule
    payloads = {row["payload_sha256"] for row in got}
    for row, one in zip(got, expected, strict=True):
        columns = {name: value for name, value in one.columns.items() if name != "payload"}
        assert {name: row[name] for name in columns} == columns, case.rule
        if one.columns.get("payload"):
            assert payload_sha256(one.columns["payload"]) in payloads, case.rule
        elif "payload" in one.columns:
            assert row["payload_sha256"] is None
    withdrawn = [(row["employee_number"], row["certificate_type"], row["reason"]) for row in night.withdrawn_rows()]
    assert withdrawn == sorted(case.withdrawn), case.rule
    assert night.built is not None
    assert night.built.dangling.rows == case.dangling


def _order(row: Row) -> tuple[str, str]:
    return row["certificate_id"], row["certificate_type"] or ""


def _check_oracle(oracle: Result, night: Night) -> None:
    """The claims before publishing are those that the oracle calculates, column by column."""
    assert decided_claims(night) == oracle_claims(oracle)
    withdrawn = [tuple(row.values()) for row in night.withdrawn_rows()]
    assert withdrawn == [
        (one.employee_number, one.certificate_type, one.certificate_id, one.reason) for one in oracle.withdrawn
    ]


def _check_warehouse(case: Case, world: World, night: Night, warehouse: Engine) -> None:
    """`claim_current` has every claim as it ended, what lies outside a limited run is as it was."""
    columns = [*CLAIM_COLUMNS, "findings"]
    decided = {_order(row): row for row in night.decided()}
    outside = {row["certificate_id"] for row in world.outside} | set(world.known)
    outside -= {certificate_id for certificate_id, _ in decided}
    rows = sql.claims(warehouse)
    current = {_order(row): row for row in rows if row["certificate_id"] not in outside or not world.tenant_ids}
    assert len({_order(row) for row in rows}) == len(rows)
    assert set(current) == set(decided)
    for key, row in current.items():
        assert {name: row[name] for name in columns} == {name: decided[key][name] for name in columns}
        was = decided[key]["disposition"]
        assert row["disposition"] == ("delivered" if was == "planned" else was)
        assert (row["first_run_seq"], row["ended_run_seq"]) == (night.run_seq, None)
    if world.tenant_ids:
        _check_outside(world, outside, rows)
    assert sql.withdrawn(warehouse) == sorted(case.withdrawn), case.rule


def _check_outside(world: World, outside: set[str], rows: list[Row]) -> None:
    tenants = {row["certificate_id"]: row["tenant_id"] for row in world.outside} | world.known
    stays = {certificate_id for certificate_id in outside if tenants[certificate_id] not in world.tenant_ids}
    kept = {row["certificate_id"]: row for row in rows if row["certificate_id"] in outside}
    assert set(kept) == stays
    for row in world.outside:
        if row["certificate_id"] in stays:
            assert {name: kept[row["certificate_id"]][name] for name in row} == row


def _check_ledger(
    world: World, night: Night, before: dict[tuple[str, str], Row], warehouse: Engine, server: WorldServer
) -> None:
    """Ditio was sent the plan, once a row; the ledger holds it as acknowledged, everything else as it was."""
    planned = {
        (row["employee_number"], row["certificate_type"]): row
        for row in night.decided()
        if row["disposition"] == "planned"
    }
    sent = Counter(payload_sha256(row) for row in server.received)
    assert sent == Counter(row["payload_sha256"] for row in planned.values())
    assert server.saved.keys() == {(row["employeeNumber"], row["certificateType"]) for row in server.received}
    after = sql.ledger(warehouse)
    delivered = {
        (row["employee_number"], row["certificate_type"])
        for row in night.decided()
        if row["disposition"] == "delivered"
    }
    assert set(after) == set(before) | set(planned)
    for key, entry in after.items():
        if key in planned:
            _check_entry(entry, planned[key], night)
        elif key in delivered and before[key]["state"] != "acknowledged":
            assert entry["state"] == "acknowledged", "Ditio holds just this: the refusal of something else is over"
            assert entry["payload_sha256"] == before[key]["acknowledged_payload_sha256"]
        else:
            assert entry == before[key]
    attempts = sql.rows(warehouse, "SELECT * FROM reconciliation.ditio_attempt")
    assert {(row["employee_number"], row["certificate_type"]) for row in attempts} == set(planned)
    assert {(row["http_status"], row["state"], row["run_seq"]) for row in attempts} <= {
        (201, "acknowledged", night.run_seq)
    }
    assert len(world.ledger) == len(before)


def _check_entry(entry: Row, row: Row, night: Night) -> None:
    assert (entry["state"], entry["run_seq"], entry["in_doubt"]) == ("acknowledged", night.run_seq, False)
    assert entry["payload_sha256"] == entry["acknowledged_payload_sha256"] == row["payload_sha256"]
    assert payload_sha256(entry["payload"]) == row["payload_sha256"]
    for name in ("certificate_id", "person_id", "given_name", "family_name", "tenant_id"):
        assert entry[name] == entry[f"acknowledged_{name}"] == row[name]
    assert entry["acknowledged_at"] is not None
    assert entry["first_acknowledged_at"] <= entry["acknowledged_at"]


def _check_totals(case: Case, oracle: Result, night: Night, warehouse: Engine) -> None:
    run = sql.run_row(warehouse, night.run_seq)
    assert {name: run[name] for name in TOTALS} == {name: oracle.totals[name] for name in TOTALS}
    tenants = run["tenants"].values()
    matched = {name: sum(tenant[name] for tenant in tenants) for name in ("matched", "person_claims")}
    assert matched == {name: oracle.totals[name] for name in matched}
    assert {name: (run | matched)[name] for name in case.totals} == case.totals
    decided = Counter(row["disposition"] for row in night.decided())
    if run["mode"] == "publish":
        decided["delivered"] += decided["planned"]
        assert run["sent"] == decided.pop("planned", 0)
    assert run["dispositions"] == {name: count for name, count in decided.items() if count}
    assert run["findings"] == Counter(code for row in night.decided() for code in row["findings"])
    assert run["withdrawn"] == len(case.withdrawn)
