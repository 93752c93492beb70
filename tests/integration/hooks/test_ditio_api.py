"""Every documented operation of Ditio through `DitioHook`, over HTTP against the sandbox."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest

from certrecon.api.ditio_api.certificates import DitioCertificate
from certrecon.api.ditio_api.employees import Include
from certrecon.errors import CredentialsError, RequestRefusedError, RequirementError
from certrecon_plugin.hooks.ditio import DitioHook
from certrecon_sandbox.ditio.employees import OWN, SUBSIDIARY
from certrecon_sandbox.faults.wanted import parse_fault
from certrecon_sandbox.server import SandboxServer
from tests.data.vendor_documents import example

UPSERT = example("ditio_certificates", "upsert request")


def own_numbers(vendors: SandboxServer) -> list[str]:
    """Return the employee numbers that certificates may be sent for."""
    return sorted({row["employeeNumber"] for row in vendors.world.employees if row["kind"] == OWN})


def certificates(numbers: list[str]) -> list[DitioCertificate]:
    """Return one certificate for each of these employees."""
    issued, until = dt.date(2026, 1, 15), dt.date(2028, 1, 15)
    return [
        DitioCertificate(employee_number=number, certificate_type="Byggekort", issued=issued, valid_until=until)
        for number in numbers
    ]


def sent(vendors: SandboxServer) -> list[list[dict[str, Any]]]:
    """Return the bodies of the upserts that came in."""
    return [json.loads(bytes(write.body)) for write in vendors.sandbox.journal.writes]


@pytest.fixture
def known(vendors: SandboxServer) -> SandboxServer:
    """The sandbox, with the employee of Ditio's document."""
    somebody = next(row for row in vendors.world.employees if row["kind"] == OWN)
    vendors.world.employees.change(somebody["companyProfileId"], {"employeeNumber": "1042"})
    return vendors


# --- certificates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["upsert request", "python example"])
def test_the_documents_certificates_are_sent_letter_by_letter(
    ditio: DitioHook, known: SandboxServer, name: str
) -> None:
    rows = example("ditio_certificates", name)
    assert ditio.upsert_certificates(rows) == len(rows)
    assert sent(known) == [rows]
    stored = {key: {field: value for field, value in row.items() if value} for key, row in known.world.upserts.items()}
    assert stored == {(row["employeeNumber"], row["certificateType"]): row for row in rows}


def test_the_same_key_is_updated_not_doubled(ditio: DitioHook, known: SandboxServer) -> None:
    ditio.upsert_certificates(UPSERT)
    later = UPSERT[0] | {"validUntilDateTime": "2030-01-15T00:00:00Z"}
    assert ditio.upsert_certificates([later]) == 1
    assert len(known.world.upserts) == 2
    assert known.world.upserts["1042", "Byggekort"]["validUntilDateTime"] == "2030-01-15T00:00:00Z"


def test_many_are_sent_in_batches(ditio: DitioHook, vendors: SandboxServer) -> None:
    numbers = own_numbers(vendors)[:7]
    assert ditio.upsert_certificates(certificates(numbers), batch_size=3) == 7
    assert [len(rows) for rows in sent(vendors)] == [3, 3, 1]
    assert {number for number, _ in vendors.world.upserts} == set(numbers)
    assert ditio.upsert_certificates([]) == 0


@pytest.mark.parametrize("shape", ["simple", "v5", "older", "aspnet", "text"])
def test_a_refused_row_says_what_was_saved(ditio: DitioHook, vendors: SandboxServer, shape: str) -> None:
    vendors.options.ditio_error_shape = shape
    numbers = own_numbers(vendors)[:4]
    rows = certificates([*numbers[:3], "hush-nobody", numbers[3]])
    with pytest.raises(RequestRefusedError) as raised:
        ditio.upsert_certificates(rows, batch_size=2)
    assert raised.value.status == 400
    assert "Rows 1 to 2 of 5 were saved" in str(raised.value)
    assert "of rows 3 to 4" in str(raised.value)
    assert "hush" not in str(raised.value)
    assert {number for number, _ in vendors.world.upserts} == set(numbers[:3])


@pytest.mark.parametrize(
    "kind", ["lost_answer:times=1", "reset:times=1", "status:status=500,times=2", "rate_limited:times=1"]
)
def test_an_upsert_without_an_answer_is_sent_again(ditio: DitioHook, known: SandboxServer, kind: str) -> None:
    known.sandbox.faults.add(parse_fault(f"ditio.certificates={kind}"))
    assert ditio.upsert_certificates(UPSERT) == 2
    assert len(known.world.upserts) == 2
    assert all(rows == UPSERT for rows in sent(known) if rows)


Work = Callable[[DitioHook], Any]
BEFORE: list[tuple[str, Work, str]] = [
    ("no number", lambda hook: hook.upsert_certificates([UPSERT[0] | {"employeeNumber": ""}]), "employeeNumber"),
    ("no type", lambda hook: hook.upsert_certificates([UPSERT[0] | {"certificateType": None}]), "certificateType"),
    ("a day alone", lambda hook: hook.upsert_certificates([UPSERT[0] | {"issuedDateTime": "2026-01-15"}]), "issuedDateTime"),
    ("no end", lambda hook: hook.upsert_certificates([UPSERT[0] | {"validUntilDateTime": None}]), "validUntilDateTime"),
    ("swapped days", lambda hook: hook.upsert_certificates([UPSERT[0] | {"issuedDateTime": "2029-01-01T00:00:00Z"}]), "issuedDateTime"),
    ("the last of many", lambda hook: hook.upsert_certificates([*UPSERT, {}], batch_size=1), "employeeNumber"),
    ("one key twice", lambda hook: hook.upsert_certificates([*UPSERT, UPSERT[0]]), "employeeNumber"),
    ("no batch", lambda hook: hook.upsert_certificates(UPSERT, batch_size=0), "batch_size"),
    ("a blank number", lambda hook: hook.employee(" "), "employeeNumber"),
    ("a blank search", lambda hook: hook.search_employees(""), "query"),
    ("an unknown include", lambda hook: hook.employees(["salary"]), "include"),
    ("a moment without a zone", lambda hook: hook.users("2026-01-01T00:00:00"), "changedSince"),
    ("no profile", lambda hook: hook.user_by_profile_id(""), "companyProfileId"),
]  # fmt: skip


@pytest.mark.parametrize(("work", "field"), [row[1:] for row in BEFORE], ids=[row[0] for row in BEFORE])
def test_requirements_are_checked_before_any_request(
    ditio: DitioHook, vendors: SandboxServer, work: Work, field: str
) -> None:
    with pytest.raises(RequirementError) as raised:
        work(ditio)
    assert field in raised.value.fields
    assert vendors.sandbox.journal.endpoints == {}, "not even a token was asked for"


# --- employees and users ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["array", "envelope"])
@pytest.mark.parametrize("casing", ["camel", "pascal"])
def test_employees_and_users_in_every_form(ditio: DitioHook, vendors: SandboxServer, shape: str, casing: str) -> None:
    vendors.options.change({"ditio_employees_shape": shape, "ditio_casing": casing, "ditio_employees_page_size": 7})
    everybody = list(vendors.world.employees)
    nearer = [row for row in everybody if row["kind"] != SUBSIDIARY]
    profiles = {row["companyProfileId"] for row in everybody}
    assert {row.company_profile_id for row in ditio.employees()} == {row["companyProfileId"] for row in nearer}
    assert {row.company_profile_id for row in ditio.employees(subsidiaries=True)} == profiles
    users = ditio.users()
    assert {row.company_profile_id for row in users} == profiles
    stored = vendors.world.employees.rows[users[0].company_profile_id or ""]
    assert (users[0].employee_number, users[0].last_name) == (stored["employeeNumber"], stored["lastName"])
    assert users[0].is_disabled is bool(stored["isDisabled"])
    assert sum(row.is_disabled is True for row in users) == sum(bool(row["isDisabled"]) for row in everybody) > 0


def test_one_employee_with_what_is_asked_for_beside(ditio: DitioHook, vendors: SandboxServer) -> None:
    number = own_numbers(vendors)[0]
    plain = ditio.employee(number)
    assert plain is not None
    assert (plain.employee_number, plain.other) == (number, {})
    full = ditio.employee(number, include=list(Include))
    assert full is not None
    assert set(full.other) == {"tags", "employmentHistory", "workTimeArrangements"}
    assert ditio.employee("no/such number?") is None


def test_numbers_with_odd_letters_are_found(ditio: DitioHook, vendors: SandboxServer) -> None:
    somebody = next(row for row in vendors.world.employees if row["kind"] == OWN)
    vendors.world.employees.change(somebody["companyProfileId"], {"employeeNumber": "Å 42?#&"})
    found = ditio.employee("Å 42?#&")
    assert found is not None
    assert found.company_profile_id == somebody["companyProfileId"]


def test_searching(ditio: DitioHook, vendors: SandboxServer) -> None:
    somebody = next(row for row in vendors.world.employees if row["kind"] == OWN)
    found = ditio.search_employees(somebody["lastName"].upper(), include="tags")
    assert somebody["employeeNumber"] in {row.employee_number for row in found}
    assert all("tags" in row.other for row in found)
    assert ditio.search_employees("no such person & nobody") == []


def test_users_since_a_moment_and_one_by_one(ditio: DitioHook, vendors: SandboxServer) -> None:
    somebody = next(row for row in vendors.world.employees if row["kind"] == OWN)
    vendors.world.employees.change(somebody["companyProfileId"], {"modified": "2099-01-01T00:00:00Z"})
    for since in ("2098-01-01T00:00:00+01:00", dt.date(2098, 1, 1), dt.datetime(2098, 1, 1, tzinfo=dt.UTC)):
        assert [row.company_profile_id for row in ditio.users(changed_since=since)] == [somebody["companyProfileId"]]
    by_profile = ditio.user_by_profile_id(somebody["companyProfileId"])
    assert by_profile is not None
    assert by_profile.employee_number == somebody["employeeNumber"]
    by_number = ditio.user_by_employee_number(own_numbers(vendors)[0])
    assert by_number is not None
    assert ditio.user_by_profile_id("nobody") is None
    assert ditio.user_by_employee_number("nobody") is None


def test_a_client_without_the_scope_is_told_so(vendors: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = vendors.connection_variables()["AIRFLOW_CONN_DITIO_DEFAULT"]
    monkeypatch.setenv("AIRFLOW_CONN_DITIO_DEFAULT", variable.replace("ditioapiv3", "reportingapiv1"))
    for work in (lambda hook: hook.users(), lambda hook: hook.upsert_certificates(UPSERT)):
        with pytest.raises(CredentialsError, match="403 Forbidden"):
            work(DitioHook())
    assert vendors.world.upserts == {}
