"""Ditio's employees from rows of either API."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pytest

from certrecon.api.ditio import DitioClient
from certrecon.api.loop import run
from certrecon.errors import IncompleteReadError
from certrecon.extract.datasets import DatasetFacts
from certrecon.extract.employees import KnownEmployees, extract_employees
from certrecon.extract.fields import EMPLOYEES
from certrecon.words import EmployeeSource
from tests.unit.api.scripted import QUICK, Reply, ditio_endpoint, vendor

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/ditio/api/v5/integration/employees"


class Kept:
    """Keeps datasets in memory."""

    def __init__(self) -> None:
        self.tables: dict[str, pa.Table] = {}

    @contextmanager
    def open_dataset(self, name: str, schema: pa.Schema) -> Iterator[KeptFile]:
        file = KeptFile(name)
        yield file
        self.tables[name] = pa.concat_tables([schema.empty_table(), *file.parts])


class KeptFile:
    """One dataset in memory."""

    def __init__(self, name: str) -> None:
        self.address = f"memory:{name}"
        self.parts: list[pa.Table] = []

    def write(self, table: pa.Table) -> None:
        self.parts.append(table)


def extracted(rows: Any, company_id: str | None = None, **headers: str) -> tuple[list[dict[str, Any]], DatasetFacts]:
    """Return the dataset's rows and facts for what Ditio answers."""

    async def main() -> tuple[list[dict[str, Any]], DatasetFacts]:
        kept = Kept()
        async with vendor() as scripted, DitioClient(ditio_endpoint(scripted.url), retry=QUICK) as client:
            scripted.script(PATH, Reply(body=rows, headers=headers))
            facts = await extract_employees(client, EmployeeSource.EMPLOYEES_V5, company_id, kept)
        table = kept.tables["employees"]
        assert table.schema == EMPLOYEES
        return table.to_pylist(), facts

    return run(main())


def one(row: dict[str, Any]) -> dict[str, Any]:
    """Return what is not null of the one row that comes of `row`."""
    ((only,), _) = extracted([row])
    return {name: value for name, value in only.items() if value is not None}


ROWS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    (
        "v5",
        {
            "id": "e1",
            "employeeNumber": " 0042 ",
            "firstName": "Å",
            "lastName": "B",
            "birthDate": "1990-01-02",
        },
        {
            "employee_id": "e1",
            "employee_number": " 0042 ",
            "first_name": "Å",
            "last_name": "B",
            "birth_date": "1990-01-02",
        },
    ),
    (
        "v4 in PascalCase",
        {
            "CompanyProfileId": "p",
            "IdentityId": "i",
            "EmployeeNumber": "7",
            "CompanyId": "c",
            "IsDisabled": False,
        },
        {"employee_id": "p", "employee_number": "7", "company_id": "c", "disabled": "false"},
    ),
    ("numbers", {"employeeId": 5, "employeeNumber": 42}, {"employee_id": "5", "employee_number": "42"}),
    ("two spellings", {"employeeNumber": None, "EmployeeNumber": "1"}, {"employee_number": "1"}),
    ("the first spelling counts", {"employeeNumber": "1", "EMPLOYEENUMBER": "2"}, {"employee_number": "1"}),
    ("profile before id", {"id": "a", "companyProfileId": "b"}, {"employee_id": "b"}),
    ("disabled", {"isDisabled": True}, {"disabled": "true"}),
    ("disabled as text", {"disabled": "True"}, {"disabled": "true"}),
    ("disabled as number", {"disabled": 0}, {"disabled": "false"}),
    ("disabled by an unknown word", {"disabled": "partly"}, {"disabled": "true"}),
    ("active", {"isActive": True}, {"disabled": "false"}),
    ("not active", {"isActive": False, "isDisabled": False}, {"disabled": "true"}),
    ("no active employment", {"isActiveEmployment": "false"}, {"disabled": "true"}),
    ("active by an unknown word", {"isActive": "perhaps"}, {"disabled": "true"}),
    ("nothing known of it", {"isActive": None, "isDisabled": ""}, {}),
    ("end", {"endDate": "2026-01-31T00:00:00"}, {"end_date": "2026-01-31T00:00:00"}),
    ("end of employment", {"employmentEndDate": "31.01.2026"}, {"end_date": "31.01.2026"}),
    (
        "end inside",
        {"employment": {"startDate": "2020-01-01", "endDate": "2026-01-31"}},
        {"end_date": "2026-01-31"},
    ),
    ("no end inside", {"employment": {"startDate": "2020-01-01", "endDate": None}}, {}),
    (
        "the latest end",
        {"endDate": "2024-05-01", "employmentEndDate": "01.06.2024", "employment": {"EndDate": "2024-04-01"}},
        {"end_date": "01.06.2024"},
    ),
    (
        "malformed ends count last",
        {"endDate": "soon", "employmentEndDate": "2020-01-01"},
        {"end_date": "2020-01-01"},
    ),
    ("only a malformed end", {"endDate": "2024-02-30"}, {"end_date": "2024-02-30"}),
    (
        "history, closed",
        {"employmentHistory": [{"endDate": "2020-01-01"}, {"endDate": "2022-01-01"}]},
        {"end_date": "2022-01-01"},
    ),
    (
        "history, one open",
        {"employmentHistory": [{"endDate": "2020-01-01"}, {"startDate": "2021-01-01"}]},
        {"end_date": "2020-01-01", "ended_open": "true"},
    ),
    ("employments in a list", {"employment": [{"endDate": None}]}, {"ended_open": "true"}),
    ("an empty list", {"employment": []}, {}),
    ("an object as end inside", {"employment": {"endDate": {"day": 1}}}, {"end_date": '{"day":1}'}),
    ("an empty object as end inside", {"employment": {"endDate": {}}}, {"end_date": "{}"}),
    ("a list as end inside", {"employmentHistory": [{"endDate": []}]}, {"end_date": "[]"}),
    ("a number as end inside", {"employment": {"endDate": 20260131}}, {"end_date": "20260131"}),
    ("no as end inside", {"employment": {"endDate": False}}, {"end_date": "false"}),
    ("a blank end inside", {"employmentHistory": [{"endDate": " "}]}, {"ended_open": "true"}),
    (
        "an odd end beside a date",
        {"employmentHistory": [{"endDate": {}}, {"endDate": "2022-01-01"}]},
        {"end_date": "2022-01-01"},
    ),
    ("an odd employment", {"employment": "permanent", "employmentHistory": [1, None]}, {}),
    ("an object where text should be", {"firstName": {"a": 1}}, {"first_name": '{"a":1}'}),
    ("half a character", {"lastName": "a\ud800"}, {"last_name": "a\ufffd"}),
]


@pytest.mark.parametrize(("row", "expected"), [case[1:] for case in ROWS], ids=[case[0] for case in ROWS])
def test_rows(row: dict[str, Any], expected: dict[str, str]) -> None:
    assert one(row) == expected


def test_what_is_not_used_is_dropped_and_what_nobody_documents_is_named() -> None:
    rows, facts = extracted([{"id": "1", "email": "a@b", "Phone": "1", "Shoes": 1}, {"id": "2", "tags": [], "hat": 5}])
    assert facts.undocumented_fields == ("Shoes", "hat")
    assert "a@b" not in json.dumps(rows)
    assert (facts.name, facts.rows, facts.vendor_total, facts.reads) == ("employees", 2, None, 1)
    assert facts.read_from <= facts.read_to
    assert msgspec.json.decode(msgspec.json.encode(facts.as_record()))["rows"] == 2


@pytest.mark.parametrize(
    ("company_id", "numbers", "foreign"), [(None, "1234", 0), ("c", "12", 2), (" c ", "12", 2), ("x", "", 4)]
)
def test_only_the_company_counts(company_id: str | None, numbers: str, foreign: int) -> None:
    companies = ["c", " c ", "d", None]
    rows = [{"employeeNumber": str(number), "companyId": one} for number, one in enumerate(companies, 1)]
    kept, facts = extracted(rows, company_id)
    assert "".join(row["employee_number"] for row in kept) == numbers
    assert (facts.rows, facts.foreign_rows) == (len(numbers), foreign)


def test_a_row_that_comes_twice_stays_two_rows() -> None:
    """Whoever has two rows is ambiguous; the extraction does not choose one of them."""
    rows, facts = extracted([{"id": "1", "employeeNumber": "7"}] * 2)
    assert len(rows) == facts.rows == 2


def test_no_employees() -> None:
    assert extracted([])[0] == []


def test_the_facts_say_whether_it_is_the_sandbox() -> None:
    assert not extracted([])[1].sandbox
    assert extracted([], **{"X-Certrecon-Sandbox": "1"})[1].sandbox


# --- lists that may not be whole -----------------------------------------------------------------------

ONE, TWO, ODD = {"id": "a", "employeeNumber": "1"}, {"id": "b", "employeeNumber": " 2 "}, {"id": "c"}
LISTS: list[tuple[str, list[list[dict[str, Any]]], list[str] | int, int, int]] = [
    ("everybody is there", [[ONE, TWO]], ["1", "2"], 1, 2),
    ("nobody is known yet", [[ONE]], [], 1, 1),
    ("somebody new", [[ONE, TWO]], ["1"], 1, 2),
    ("somebody is missing once", [[ONE], [ONE, TWO]], ["1", "2"], 2, 2),
    ("somebody is missing twice in a row", [[ONE], [ONE]], ["1", "2"], 2, 1),
    ("the same rows in another order", [[ONE, ODD], [ODD, ONE]], ["2"], 2, 2),
    ("fewer rows than before, once", [[ONE], [ONE, TWO]], 2, 2, 2),
    ("fewer rows than before, twice in a row", [[ONE], [ONE]], 2, 2, 1),
    ("more rows than before", [[ONE, TWO]], 1, 1, 2),
    ("a row twice once", [[ONE, ONE], [ONE]], [], 2, 1),
    ("a row twice, twice in a row", [[ONE, ONE], [ONE, ONE]], [], 2, 2),
    ("missing in two ways, then whole", [[ONE], [TWO], [ONE, TWO]], ["1", "2"], 3, 2),
    ("two rows with one number are no doubt", [[ONE, ONE | {"id": "z"}]], ["1"], 1, 2),
]


def read_again(lists: list[list[dict[str, Any]]], known: list[str] | int) -> tuple[int, int]:
    """Return how many reads it took and how many rows there were, of answers that follow one another.

    `known` are the numbers that the last run found, or how many rows it read.
    """
    before = KnownEmployees(rows=known) if isinstance(known, int) else KnownEmployees(known)

    async def main() -> tuple[int, int]:
        async with vendor() as scripted, DitioClient(ditio_endpoint(scripted.url), retry=QUICK) as client:
            scripted.script(PATH, *(Reply(body=rows) for rows in lists))
            facts = await extract_employees(client, EmployeeSource.EMPLOYEES_V5, None, Kept(), before)
        return facts.reads, facts.rows

    return run(main())


@pytest.mark.parametrize(("lists", "known", "reads", "rows"), [one[1:] for one in LISTS], ids=[one[0] for one in LISTS])
def test_a_list_in_doubt_is_read_again(
    lists: list[list[dict[str, Any]]], known: list[str] | int, reads: int, rows: int
) -> None:
    assert read_again(lists, known) == (reads, rows)


def test_a_list_that_is_different_each_time_fails() -> None:
    with pytest.raises(IncompleteReadError, match="read 3: 1 employees who were known are not in it"):
        read_again([[ONE], [TWO], [ONE, ODD]], ["1", "2"])
