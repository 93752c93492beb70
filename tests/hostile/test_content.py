"""Hostile content through the whole pipeline: over HTTP in, into warehouse, files and report, over HTTP out."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.contract import warehouse as sql
from tests.contract.pipeline import Night
from tests.hostile.clients import assert_fit_to_show
from tests.hostile.hostile_world import RAW, ROWS, TEXTS, VALUES, HostileServer, no_object, raw
from tests.hostile.outputs import assert_harmless, assert_quiet
from tests.oracle.base import CERTIFICATE, EMPLOYEE, LINK, PAYLOAD, PERSON, base_world
from tests.oracle.world import Row, World

Run = Callable[[World], Night]
CALM_ELEMENTS = 6
"""The page's own `meta` elements: all that could load or run something."""
LARGE = {"10 MB", "10 MB of tags"}
FILLED = {name: text for name, text in TEXTS.items() if text.strip()}


@pytest.fixture(autouse=True)
def _lines(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert_quiet(caplog.records)


class Crowd:
    """A world of many small cases, each a person, an employee, a certificate and a link of its own.

    Attributes:
        world: The world; certificate and person of case `n` are `c<n>` and `p<n>`, its number is `100<n>`.
        names: The cases' names.
    """

    def __init__(self) -> None:
        self.world = base_world()
        self.names: list[str] = []
        for rows in (*self._tables().values(),):
            rows.clear()

    def _tables(self) -> dict[str, list[Row]]:
        world = self.world
        return {
            "certificates": world.certificates["t1"],
            "links": world.links["t1"],
            "persons": world.persons["t1"],
            "employees": world.employees,
        }

    def add(self, name: str, **changes: Row) -> None:
        """Add a case: what differs from a calm one, by table."""
        one = len(self.names) + 1
        rows = {
            "certificates": CERTIFICATE | {"certificate_id": f"c{one}", "resource_id": f"p{one}"},
            "links": LINK | {"certificate_action_id": f"l{one}", "certificate_id": f"c{one}"},
            "persons": PERSON | {"person_id": f"p{one}", "code": f"100{one}", "birth_date": None},
            "employees": EMPLOYEE | {"employeeId": f"e{one}", "employeeNumber": f"100{one}", "birthDate": None},
        }
        for table, rows_of in self._tables().items():
            rows_of.append(rows[table] | changes.get(table, {}))
        self.names.append(name)

    def outcomes(self, night: Night) -> dict[str, tuple[str, list[str]]]:
        """Return disposition and findings by case, of cases that kept their certificate's id."""
        rows = {row["certificate_id"]: row for row in sql.claims(night.pipeline.engine)}
        found = {name: rows[f"c{one}"] for one, name in enumerate(self.names, 1)}
        return {name: (row["disposition"], row["findings"]) for name, row in found.items()}


DELIVERED: tuple[str, list[str]] = ("delivered", [])


def succeeded(night: Night) -> Night:
    """Hold a night against a whole success whose outputs are harmless."""
    assert night.errors == {}, {task: str(error)[:300] for task, error in night.errors.items()}
    assert night.status == "succeeded"
    assert_harmless(night, CALM_ELEMENTS)
    return night


def test_a_calm_night_to_compare_with(night_of: Run, hostile_server: HostileServer) -> None:
    night = succeeded(night_of(base_world()))
    [claim] = sql.claims(night.pipeline.engine)
    assert (claim["disposition"], claim["findings"]) == DELIVERED
    assert hostile_server.received == [PAYLOAD]


def in_every_name(text: str) -> dict[str, Row]:
    """Return a case whose names are that text, also those that are dropped and those of undocumented fields."""
    undocumented = text[:50] or "x"
    return {
        "certificates": {
            "name": f"A {text}",
            "resource_name": text,
            "project_name": text,
            "note": text,
            undocumented: text,
        },
        "links": {"action_name": f"{text} B", "certificate_name": text},
        "persons": {"last_name": f"Nordmann {text}", "birth_place": text},
        "employees": {"lastName": f"{text} Nordmann", "email": text, undocumented: text},
    }


def test_a_text_in_every_name(night_of: Run, hostile_server: HostileServer) -> None:
    """Names decide nothing here but whether they agree on both sides: every claim is delivered as it would be."""
    crowd = Crowd()
    for name, text in TEXTS.items():
        if name not in LARGE:
            crowd.add(name, **in_every_name(text))
    night = succeeded(night_of(crowd.world))
    assert crowd.outcomes(night) == dict.fromkeys(crowd.names, DELIVERED)
    numbers = {f"100{one}" for one in range(1, len(crowd.names) + 1)}
    assert {row["employeeNumber"] for row in hostile_server.received} == numbers
    assert {frozenset(row) for row in hostile_server.received} == {frozenset(PAYLOAD)}


@pytest.mark.parametrize("name", sorted(LARGE))
def test_a_large_text_in_every_name(night_of: Run, hostile_server: HostileServer, name: str) -> None:
    crowd = Crowd()
    crowd.add(name, **in_every_name(TEXTS[name]))
    assert crowd.outcomes(succeeded(night_of(crowd.world))) == {name: DELIVERED}
    assert len(hostile_server.received) == 1


NO_NUMBER = {"NUL", "every control character", "blanks", "nothing", "10 MB", "10 MB of tags", "marks without end"}
"""Texts that can be no employee number: blank, longer than 255 characters, or with a NUL."""
HALF = {"half a character", "both halves, turned round"}
"""Texts that nobody can send back as they came: U+FFFD stands in their place, and Ditio does not know that number."""


def test_a_text_as_employee_number(night_of: Run, hostile_server: HostileServer) -> None:
    """A number is whatever text both sides agree on (From certificates to claims, 4); what can be none is none."""
    crowd = Crowd()
    for name, text in TEXTS.items():
        crowd.add(name, persons={"code": text}, employees={"employeeNumber": text})
    night = night_of(crowd.world)
    assert (night.errors, night.status) == ({}, "succeeded_with_rejects")
    assert_harmless(night, CALM_ELEMENTS)
    expected = dict.fromkeys(TEXTS, DELIVERED) | dict.fromkeys(HALF, ("rejected", []))
    expected |= dict.fromkeys(NO_NUMBER, ("blocked", ["EMPLOYEE_NUMBER_MISSING"]))
    assert crowd.outcomes(night) == expected
    sent = {row["certificateNumber"]: row["employeeNumber"] for row in hostile_server.received}
    wanted = {f"c{one}": storable(TEXTS[name]) for one, name in enumerate(crowd.names, 1) if name not in NO_NUMBER}
    assert sent == wanted, "the number goes out as Ditio wrote it"


def storable(text: str) -> str:
    """Return a text as it can be kept anywhere: NUL and half a character are U+FFFD."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)


def test_a_text_as_id(night_of: Run, hostile_server: HostileServer) -> None:
    crowd = Crowd()
    for text in FILLED.values():
        crowd.add(text, certificates={"certificate_id": text, "resource_id": text}, persons={"person_id": text},
                  links={"certificate_id": text, "certificate_action_id": text})  # fmt: skip
    night = succeeded(night_of(crowd.world))
    claims = sql.claims(night.pipeline.engine)
    assert len(claims) == len(FILLED), "every id is another one, shortened or not"
    assert {(row["disposition"], *row["findings"]) for row in claims} == {("delivered",)}
    assert {row["certificateNumber"] for row in hostile_server.received} == set(map(storable, FILLED.values()))


@dataclass(frozen=True)
class Plant:
    """A field, and what comes of a claim when it holds a value of another kind.

    Attributes:
        table: Where the row is.
        field: Which field of it.
        disposition: Of the claim.
        finding: How the finding begins that says why: a number of 400 digits is no number, a short one is unknown.
    """

    table: str
    field: str
    disposition: str
    finding: str


PLANTS = [
    Plant("certificates", "date_release", "blocked", "ISSUED_INVALID"),
    Plant("certificates", "date_expire", "blocked", "EXPIRY_INVALID"),
    Plant("links", "date_expire", "blocked", "EXPIRY_INVALID"),
    Plant("certificates", "resource_id", "blocked", "PERSON_UNKNOWN"),
    Plant("certificates", "action_type", "not_applicable", "ACTION_TYPE_NOT_PUBLISHED"),
    Plant("certificates", "resource_type", "not_applicable", "RESOURCE_NOT_PERSON"),
    Plant("links", "action_code", "blocked", "TYPE_UNMAPPED"),
    Plant("persons", "code", "blocked", "EMPLOYEE_"),
    Plant("employees", "employeeNumber", "blocked", "EMPLOYEE_UNKNOWN"),
    Plant("persons", "last_name", "blocked", "NAME_MISMATCH"),
    Plant("employees", "lastName", "blocked", "NAME_MISMATCH"),
]
BROKEN = {"a leading zero", "a hexadecimal number", "not a number", "infinity", "minus infinity", "nested lists", "nested objects"}  # fmt: skip
"""Literals that are no JSON, or JSON that nobody can read: the whole answer is refused."""
ODD = {
    **{name: raw(name) for name in RAW if name not in BROKEN},
    **{name: value for name, value in VALUES.items() if value is not None},
}


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.table}.{plant.field}")
def test_another_kind_of_value_claims_nothing(night_of: Run, hostile_server: HostileServer, plant: Plant) -> None:
    """A value of another kind than text is the text that JSON writes, which no rule takes for what it should be."""
    crowd = Crowd()
    for name, value in ODD.items():
        crowd.add(name, **{plant.table: {plant.field: value}})
    outcomes = crowd.outcomes(succeeded(night_of(crowd.world)))
    assert {name: disposition for name, (disposition, _) in outcomes.items()} == dict.fromkeys(ODD, plant.disposition)
    unsaid = [name for name, (_, found) in outcomes.items() if not any(one.startswith(plant.finding) for one in found)]
    assert unsaid == []
    assert hostile_server.received == []


@pytest.mark.parametrize("table", ["certificates", "links", "persons", "employees"])
@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_is_no_json_fails_the_run_by_name(
    night_of: Run, hostile_server: HostileServer, name: str, table: str
) -> None:
    plant = next(plant for plant in PLANTS if plant.table == table)
    crowd = Crowd()
    crowd.add(name, **{table: {plant.field: raw(name)}})
    failed_by_name(night_of(crowd.world), table)
    assert hostile_server.received == []


def failed_by_name(night: Night, dataset: str) -> None:
    """Hold a night against a failure of the read that names the dataset and repeats nothing at length."""
    assert list(night.errors) == ["extract"]
    assert night.status == "failed"
    assert dataset in night.failure
    assert_fit_to_show(night.failure, 1_500)


@pytest.mark.parametrize("table", ["certificates", "links", "persons", "employees"])
@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_is_no_object_fails_the_run_by_name(
    night_of: Run, hostile_server: HostileServer, table: str, name: str
) -> None:
    world = base_world()
    rows: list[Row] = world.employees if table == "employees" else getattr(world, table)["t1"]
    rows.append(no_object(name))
    failed_by_name(night_of(world), table)
    assert hostile_server.received == []


INVALID = [
    "0000-00-00", "2024-02-30", "2024-13-01", "2023-02-29", "2024-00-10", "2024-01-00", "२०२४-०१-०१", "２０２４-01-01",
    "2024-1-1", "24-01-01", "2024/01/01", "01.01.2024", "20240101", "2024-W01-1", "2024-001", "2024-01-01T00:00:00Z",
    "2024-01-01 00:00:00", "2024-01-01x", "+2024-01-01", "-2024-01-01", "10000-01-01", "12024-01-01", "2024-01-01\x00",
    "2024\u201101\u201101", "\u200e2024-01-01", "now", "infinity", "'2024-01-01'", "2024-01-01; DROP TABLE x",
    " 2024-01-01", "2024-01-01 ", "2024-01-01\n", *(text for name, text in FILLED.items() if name not in LARGE),
]  # fmt: skip
MISSING = ["", "   ", "\t\n", "\u00a0"]


@pytest.mark.parametrize(("field", "what"), [("date_release", "ISSUED"), ("date_expire", "EXPIRY")])
def test_what_is_no_calendar_date_blocks(night_of: Run, hostile_server: HostileServer, field: str, what: str) -> None:
    crowd = Crowd()
    crowd.add("a neighbour")
    expected = {"a neighbour": DELIVERED}
    for text in INVALID + MISSING:
        crowd.add(text, certificates={field: text})
        expected[text] = ("blocked", [f"{what}_{'INVALID' if text in INVALID else 'MISSING'}"])
    assert crowd.outcomes(succeeded(night_of(crowd.world))) == expected
    assert [row["certificateNumber"] for row in hostile_server.received] == ["c1"]


FAR_DATES: dict[tuple[str, str], tuple[str, list[str]]] = {
    ("2025-01-15", "9999-12-31"): ("blocked", ["DATE_IMPLAUSIBLE"]),
    ("0001-01-01", "2028-01-15"): ("blocked", ["DATE_IMPLAUSIBLE"]),
    ("1949-12-31", "2028-01-15"): ("blocked", ["DATE_IMPLAUSIBLE"]),
    ("9999-12-31", "9999-12-31"): ("blocked", ["EXPIRY_NOT_AFTER_ISSUE", "ISSUED_IN_FUTURE"]),
    ("2024-02-29", "2028-02-29"): ("delivered", []),
}


@pytest.mark.parametrize("dates", FAR_DATES, ids=" to ".join)
def test_dates_at_the_ends_of_time(night_of: Run, dates: tuple[str, str]) -> None:
    world = base_world()
    world.certificates["t1"][0] |= {"date_release": dates[0], "date_expire": dates[1]}
    [claim] = sql.claims(succeeded(night_of(world)).pipeline.engine)
    assert (claim["disposition"], claim["findings"]) == FAR_DATES[dates]
