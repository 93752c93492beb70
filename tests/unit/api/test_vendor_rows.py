"""Rows as the vendors answer them: documented fields by name and type, nothing lost, nothing shown in logs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from certrecon.api.ditio_api.employees import EmployeeRow, UserRow
from certrecon.api.fourhse_api.certificates import CertificateFilter, CertificateRow, NewCertificate
from certrecon.api.fourhse_api.links import CertificateActionRow
from certrecon.api.fourhse_api.people import ActionRow, PersonRow, ProjectRow
from certrecon.api.rows import raw_row
from certrecon.api.vendor_rows import VendorRow, table_of
from certrecon.errors import ResponseFormatError
from tests.data.vendor_documents import example

# Reference on both APIs, 2.4: the shortened row of the older document.
LINK = {
    "certificate_action_id": "ca-1", "certificate_id": "cert-1", "action_id": "act-1", "date_expire": "2024-12-31",
    "tenant_id": "ten-1", "action_name": "Safety Training", "action_code": "A001", "action_type": "TRAINING",
    "resource_id": "res-1", "is_date_inherited": 0, "date_release": "2024-01-01", "office_name": "Main Office",
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A number that Python would write in another form."""

    text: str


def read(kind: type[Any], row: dict[str, Any]) -> Any:
    written = (f"{json.dumps(name)}: {_json(value)}" for name, value in row.items())
    return kind.read(raw_row(f"{{{', '.join(written)}}}".encode(), "a row"))


def _json(value: Any) -> str:
    return value.text if isinstance(value, Written) else json.dumps(value)


def given(row: VendorRow) -> dict[str, Any]:
    """Return the documented fields that have a value."""
    return {name: value for name in row.columns() if (value := getattr(row, name)) is not None}


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        pytest.param(CertificateRow, row, id=name)
        for name in (
            "index answer",
            "view answer",
            "create answer",
            "update answer",
            "webhook created",
            "webhook deleted",
        )
        for value in [example("4hse_certificate", name)]
        for row in (value if isinstance(value, list) else [value])
    ]
    + [pytest.param(CertificateActionRow, LINK, id="link")],
)
def test_the_documents_answers_are_read_whole(kind: type[VendorRow], row: dict[str, Any]) -> None:
    read_row = read(kind, row)
    assert given(read_row) == row
    assert read_row.other == {}


def test_the_documents_requests_are_what_our_types_send() -> None:
    asked = example("4hse_certificate", "index request")
    assert CertificateFilter.from_mapping(asked["filter"]).as_json() == asked["filter"]
    created = example("4hse_certificate", "create request")
    assert NewCertificate.from_mapping(created).as_json() == created


CASES = [
    pytest.param(CertificateRow, "validity", "5", 5, id="a number as text"),
    pytest.param(CertificateRow, "validity", "", None, id="a blank number"),
    pytest.param(CertificateRow, "validity", 1.0, 1, id="a whole number with a point"),
    pytest.param(CertificateRow, "validity", -2e1, -20, id="a negative one"),
    pytest.param(CertificateRow, "validity", Written("1e2"), 100, id="a whole number with an exponent"),
    pytest.param(CertificateRow, "validity", Written("9007199254740993.0"), 9007199254740993, id="exactly"),
    pytest.param(CertificateRow, "warning", 1.0, 1, id="a flag with a point"),
    pytest.param(CertificateRow, "warning", True, 1, id="a flag as true"),
    pytest.param(CertificateRow, "date_expire", "31/12/2024", "31/12/2024", id="a malformed day stays"),
    pytest.param(CertificateRow, "name", 7, "7", id="a number where text is documented"),
    pytest.param(CertificateRow, "data", [], None, id="PHP's empty object"),
    pytest.param(CertificateRow, "data", {"a": [1, None]}, {"a": [1, None]}, id="an object"),
    pytest.param(PersonRow, "code", "0042 ", "0042 ", id="an employee number as it is"),
    pytest.param(PersonRow, "owned_active", 0, False, id="historicised"),
    pytest.param(ProjectRow, "status", "archived", "archived", id="an unknown status"),
    pytest.param(ActionRow, "expire_interval", None, None, id="null"),
    pytest.param(EmployeeRow, "employment", {"endDate": None}, {"endDate": None}, id="one employment"),
    pytest.param(EmployeeRow, "employment", [{"endDate": None}], [{"endDate": None}], id="a history of employments"),
    pytest.param(EmployeeRow, "employment", "none", "none", id="an employment in words"),
    pytest.param(EmployeeRow, "employment", False, False, id="an employment as a flag"),
    pytest.param(EmployeeRow, "employment", None, None, id="no employment"),
]


@pytest.mark.parametrize(("kind", "field", "received", "expected"), CASES)
def test_values_as_received(kind: type[VendorRow], field: str, received: Any, expected: Any) -> None:
    assert getattr(read(kind, {field: received}), field) == expected


@pytest.mark.parametrize(
    ("kind", "field", "received", "words"),
    [
        (CertificateRow, "validity", "hush", "4HSE certificate c-1: validity is not a whole number"),
        (CertificateRow, "validity", 1.5, "validity is not a whole number"),
        (CertificateRow, "validity", Written("1e999999999"), "validity is not a whole number"),
        (CertificateRow, "validity", "Infinity", "validity is not a whole number"),
        (CertificateRow, "validity", "NaN", "validity is not a whole number"),
        (CertificateRow, "data", "hush", "data is not an object"),
        (PersonRow, "owned_active", "hush", "4HSE person without id: owned_active is not true or false"),
    ],
)
def test_a_value_of_another_kind_names_row_and_field(kind: Any, field: str, received: Any, words: str) -> None:
    with pytest.raises(ResponseFormatError) as raised:
        read(kind, {"certificate_id": "c-1", field: received})
    assert words in str(raised.value)
    assert "hush" not in str(raised.value)
    assert raised.value.__context__ is None


DITIO_NAMES = [
    (EmployeeRow, "employeeNumber", "Ditio employee 1042"),
    (EmployeeRow, "EmployeeNumber", "Ditio employee 1042"),
    (UserRow, "companyProfileId", "Ditio user 1042"),
    (UserRow, "COMPANYPROFILEID", "Ditio user 1042"),
    (UserRow, "firstName", "Ditio user without id"),
]


@pytest.mark.parametrize(("kind", "name", "told"), DITIO_NAMES)
def test_a_row_of_ditio_is_named_however_its_id_is_spelt(kind: type[VendorRow], name: str, told: str) -> None:
    with pytest.raises(ResponseFormatError) as raised:
        read(kind, {name: 1042, "IsDisabled": "hush"})
    assert str(raised.value) == f"{told}: IsDisabled is not true or false, as it should be"


def test_what_is_not_documented_is_kept_beside() -> None:
    row = read(CertificateRow, {"certificate_id": "c", "permission": "write", "x": {"y": 1}})
    assert row.other == {"permission": "write", "x": {"y": 1}}
    assert row == CertificateRow(certificate_id="c")


@pytest.mark.parametrize("kind", [EmployeeRow, UserRow])
def test_ditio_writes_names_with_and_without_capitals(kind: Any) -> None:
    names = {"EmployeeNumber": "1042", "FIRSTNAME": "Kari", "isdisabled": True, "Tags": ["a"]}
    row = read(kind, names)
    assert (row.employee_number, row.first_name, row.is_disabled, row.other) == ("1042", "Kari", True, {"Tags": ["a"]})


def test_a_log_shows_the_id_alone() -> None:
    row = read(
        CertificateRow, {"certificate_id": "c-1", "name": "hush", "data": {"hush": 1}, "note": "hush", "x": "hush"}
    )
    assert repr(row) == "CertificateRow(certificate_id='c-1')"


def test_a_frame_has_the_stated_columns_and_no_private_ones_unasked() -> None:
    rows = [
        CertificateRow(certificate_id="c-1", validity=5, data={"a": 1}, note="n"),
        CertificateRow(certificate_id="c-2"),
    ]
    table = table_of(CertificateRow, rows)
    assert table.column_names == [name for name in CertificateRow.columns() if name not in {"data", "note"}]
    assert [str(one) for one in table.schema.types].count("int64") == 2
    named = table_of(CertificateRow, rows, ["note", "data", "certificate_id"])
    assert named.to_pylist()[0] == {"note": "n", "data": '{"a":1}', "certificate_id": "c-1"}
    assert table_of(CertificateRow, []).num_rows == 0
    with pytest.raises(ValueError, match="'certificate' is no column of 4HSE certificate"):
        table_of(CertificateRow, rows, ["certificate"])


def test_a_number_that_no_column_holds_names_row_and_field() -> None:
    row = read(CertificateRow, {"certificate_id": "c-2", "validity": 2**63})
    assert row.validity == 2**63, "the row itself has it"
    rows = [CertificateRow(certificate_id="c-1", validity=2**63 - 1), row]
    with pytest.raises(ResponseFormatError) as raised:
        table_of(CertificateRow, rows)
    assert str(raised.value) == (
        "4HSE certificate c-2: validity is a number of more than 64 bits, which no column can hold. "
        "Read rows, or other columns"
    )
    assert raised.value.__context__ is None
    assert table_of(CertificateRow, rows, ["certificate_id"]).num_rows == 2


def test_objects_and_lists_are_json_in_a_table() -> None:
    rows = [read(CertificateRow, {"data": {"ø": 2**64}}), read(CertificateRow, {"data": None})]
    assert table_of(CertificateRow, rows, ["data"]).to_pylist() == [
        {"data": '{"ø":18446744073709551616}'},
        {"data": None},
    ]
    employees = [read(EmployeeRow, {"employment": value}) for value in ([{"a": 1}], {"b": 2}, "c", True, None)]
    table = table_of(EmployeeRow, employees, ["employment"])
    assert table["employment"].to_pylist() == ['[{"a":1}]', '{"b":2}', "c", "true", None]


def test_rows_of_bytes_that_are_no_text_are_read() -> None:
    received = raw_row(b'{"certificate_id": "c\xff", "name": "\\ud83d"}', "a row")
    assert CertificateRow.read(received).certificate_id == "c\ufffd"
    assert isinstance(received["name"], msgspec.Raw)
