"""What is sent meets the documented requirements, or is not made: the field is named, the value never."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from typing import Any

import msgspec
import pytest

from certrecon.api.ditio_api.certificates import DitioCertificate, stated
from certrecon.api.fourhse_api.certificates import CertificateChange, CertificateFilter, NewCertificate
from certrecon.api.fourhse_api.entities import CERTIFICATE_ACTIONS, CERTIFICATES, PERSONS, PROJECTS, AnyListed
from certrecon.api.fourhse_api.links import CertificateActionChange, CertificateActionFilter, NewCertificateAction
from certrecon.api.fourhse_api.people import ActionFilter, PersonFilter, ProjectFilter
from certrecon.api.fourhse_api.words import ActionType, ValidityUnit
from certrecon.api.requirements import Stated
from certrecon.errors import FixableError, RequirementError

ID = "e3a1f5d2-8c4b-4e7a-9f6d-2b1c3d4e5f6a"
GOOD = {"date_release": "2024-01-15", "name": "Fire", "action_type": "TRAINING", "resource_id": ID, "tenant_id": ID}
LINK = {"certificate_id": ID, "action_id": "act-1", "tenant_id": ID}
DITIO = {
    "employeeNumber": "1042", "certificateType": "Byggekort",
    "issuedDateTime": "2026-01-15T00:00:00Z", "validUntilDateTime": "2028-01-15T00:00:00Z",
}  # fmt: skip
PERIOD = {"validity": 5, "validity_unit": "YEAR"}
HUSH = "hush-medical"


class TextOfItsOwn(str):
    """A text of a caller's own class."""

    __slots__ = ()


class OldEnum(str, Enum):  # noqa: UP042 - whose text is not its value
    """Words of a caller's own."""

    TRAINING = "TRAINING"


def case(kind: type[Stated], base: dict[str, Any], field: str, value: Any, words: str) -> Any:
    """One field of a body that is otherwise good."""
    return pytest.param(kind, {**base, field: value}, field, words, id=f"{kind.__name__}.{field}={str(value)[:18]}")


FILTERS: list[type[Stated]] = [CertificateFilter, CertificateActionFilter, PersonFilter, ProjectFilter, ActionFilter]

BREACHES = [
    *(
        case(kind, {}, name, None, "found nothing, needs ")  # such as an XCom that was empty: it would list everything
        for kind in FILTERS
        for name in (one.name for one in fields(kind))
    ),
    *(case(NewCertificate, GOOD, name, None, "is missing") for name in GOOD),
    *(case(NewCertificateAction, LINK, name, None, "is missing") for name in LINK),
    *(case(DitioCertificate, DITIO, name, None, "is missing") for name in DITIO),
    case(NewCertificate, GOOD, "name", " \t", "found a blank text, needs a text that is not blank, of at most 255"),
    case(NewCertificate, GOOD, "name", HUSH + "x" * 250, "found a text of 262 characters, needs"),
    case(NewCertificate, GOOD, "name", 5, "found a number"),
    case(NewCertificate, GOOD, "name", "half \ud83d", "needs a text"),
    case(NewCertificate, GOOD, "date_release", "15.01.2024", "found a text of 10 characters, needs a date"),
    case(NewCertificate, GOOD, "date_release", "2024-02-30", "YYYY-MM-DD that is one"),
    case(NewCertificate, GOOD, "date_release", "2024-1-5", "YYYY-MM-DD"),
    case(NewCertificate, GOOD, "date_release", "٢٠٢٤-٠١-١٥", "YYYY-MM-DD"),
    case(NewCertificate, GOOD, "date_release", dt.datetime(2024, 1, 15, tzinfo=dt.UTC), "found a moment"),
    case(NewCertificate, GOOD, "date_expire", HUSH, "found a text of 12 characters, needs a date"),
    case(NewCertificate, GOOD, "action_type", "training", "needs one of TRAINING, MAINTENANCE, HEALTH, CHECK, PER"),
    case(NewCertificate, GOOD, "action_type", ["TRAINING"], "found a list"),
    case(NewCertificate, GOOD, "resource_id", "e3a1f5d2", "needs a UUID"),
    case(NewCertificate, GOOD, "resource_id", ID + "\n", "needs a UUID"),
    case(NewCertificate, GOOD, "tenant_id", 7, "found a number, needs a UUID"),
    case(NewCertificate, GOOD, "certificate_id", "new", "needs a UUID"),
    case(NewCertificate, GOOD, "warning", 2, "needs a whole number from 0 to 1"),
    case(NewCertificate, GOOD, "warning", True, "found true or false"),
    case(NewCertificate, GOOD, "warning", 1.0, "found a number"),
    case(NewCertificate, GOOD, "data", [HUSH], "found a list, needs an object that JSON can write"),
    case(NewCertificate, GOOD, "data", {HUSH: float("nan")}, "found an object, needs an object that JSON can write"),
    case(NewCertificate, GOOD, "data", {HUSH: {1, 2}}, "needs an object that JSON can write"),
    case(NewCertificate, GOOD, "data", {HUSH: {None: 1}}, "needs an object that JSON can write"),
    case(NewCertificate, GOOD, "data", {HUSH: {(1, 2): 1}}, "needs an object that JSON can write"),
    case(NewCertificate, GOOD, "data", {HUSH: [TextOfItsOwn("x")]}, "needs an object that JSON can write"),
    case(NewCertificate, GOOD | PERIOD, "validity", "5", "found a text"),
    case(NewCertificate, GOOD | PERIOD, "validity_unit", "WEEK", "needs one of YEAR, MONTH, DAY"),
    case(NewCertificate, GOOD | PERIOD, "validity_unit", None, "validity and validity_unit are used together"),
    case(NewCertificate, GOOD | PERIOD, "validity", None, "validity and validity_unit are used together"),
    case(NewCertificate, GOOD, "resource_type", "PERSON", "is no documented field"),
    case(CertificateChange, {}, "name", None, "is missing"),
    case(CertificateChange, {}, "name", "", "found a blank text"),
    case(CertificateChange, {}, "date_expire", "never", "needs a date"),
    case(CertificateChange, {"name": "n"}, "certificate_id", "mine", "needs a UUID"),
    case(CertificateChange, {}, "resource_type", "PERSON", "is no documented field"),
    case(CertificateFilter, {}, "tenant_id", "", "found a blank text"),
    case(CertificateFilter, {}, "name", " ", "found a blank text"),
    case(
        CertificateFilter, {}, "data", {}, "found an object, needs an object that JSON can write and that is not empty"
    ),
    case(CertificateFilter, {}, "resource_type", "PPE", "needs one of PERSON, MATERIAL_ITEM"),
    case(CertificateFilter, {}, "updated_at", "2024-01-01", "is no documented field"),
    case(NewCertificateAction, LINK, "certificate_id", "cert-1", "needs a UUID"),
    case(NewCertificateAction, LINK, "date_expire", "2024-13-01", "needs a date"),
    case(CertificateActionChange, {}, "action_id", None, "is missing"),
    case(DitioCertificate, DITIO, "employeeNumber", 1042, "found a number, needs a text"),
    case(DitioCertificate, DITIO, "certificateType", "  ", "found a blank text"),
    case(DitioCertificate, DITIO, "issuedDateTime", "2026-01-15", "needs a moment with its time zone"),
    case(DitioCertificate, DITIO, "issuedDateTime", "2026-01-15T00:00:00", "needs a moment with its time zone"),
    case(DitioCertificate, DITIO, "issuedDateTime", dt.datetime(2026, 1, 15), "found a moment without a time zone"),  # noqa: DTZ001
    case(DitioCertificate, DITIO, "validUntilDateTime", "2026-02-30T00:00:00Z", "needs a moment"),
    case(DitioCertificate, DITIO, "issuedDateTime", "2028-01-15T00:00:00Z", "is not before validUntilDateTime"),
    case(DitioCertificate, DITIO, "issuedDateTime", "2028-01-15T01:00:00+01:00", "is not before validUntilDateTime"),
    case(DitioCertificate, DITIO, "employee_number", "1042", "is no documented field"),
]


@pytest.mark.parametrize(("kind", "body", "field", "words"), BREACHES)
def test_a_breach_names_the_field_and_what_it_needs(
    kind: type[Stated], body: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(RequirementError) as raised:
        kind.from_mapping(body)
    assert isinstance(raised.value, FixableError)
    assert raised.value.fields == (field,)
    assert f"{field}: " in str(raised.value)
    assert words in str(raised.value)
    assert "nothing was sent" in str(raised.value)
    assert "hush" not in str(raised.value)


def test_every_breach_is_told_at_once() -> None:
    with pytest.raises(RequirementError) as raised:
        NewCertificate.from_mapping({"name": "x" * 256, "action_type": "COURSE", "colour": "red"})
    expected = ("colour", "date_release", "name", "action_type", "resource_id", "tenant_id")
    assert raised.value.fields == expected


@pytest.mark.parametrize(
    "change",
    [
        CertificateChange,
        lambda: CertificateChange.from_mapping({"certificate_id": ID}),
        lambda: CertificateActionChange(certificate_action_id=ID),
    ],
    ids=["nothing", "the row's own id", "the link's own id"],
)
def test_a_change_that_changes_nothing_is_none(change: Callable[[], Stated]) -> None:
    with pytest.raises(RequirementError, match="at least one field to change"):
        change()


@pytest.mark.parametrize(
    ("made", "sent"),
    [
        (NewCertificate(**GOOD), GOOD),
        (NewCertificate(**GOOD | {"date_release": dt.date(2024, 1, 15)}), GOOD),
        (NewCertificate(**GOOD | {"action_type": ActionType.TRAINING}), GOOD),
        (NewCertificate(**GOOD, validity=5, validity_unit=ValidityUnit.YEAR), GOOD | PERIOD),
        (NewCertificate(**GOOD | {"name": "å" * 255}, note=""), GOOD | {"name": "å" * 255, "note": ""}),
        (NewCertificate.from_mapping(GOOD | {"date_expire": None}), GOOD),
        (CertificateChange(date_expire=None), {"date_expire": None}),
        (CertificateChange.from_mapping({"note": None, "warning": 1}), {"note": None, "warning": 1}),
        (CertificateChange(validity=3), {"validity": 3}),
        (CertificateFilter(), {}),
        (CertificateFilter(tenant_id=None, name="Fire"), {"name": "Fire"}),
        (NewCertificate.from_mapping(GOOD | PERIOD | {"validity": 2**64}), GOOD | PERIOD | {"validity": 2**64}),
        (NewCertificate(**GOOD | {"name": TextOfItsOwn("Fire"), "action_type": OldEnum.TRAINING}), GOOD),
        (NewCertificate(**GOOD | {"date_release": TextOfItsOwn("2024-01-15")}), GOOD),
        (CertificateFilter(date_expire=dt.date(995, 3, 4)), {"date_expire": "0995-03-04"}),
        (DitioCertificate.from_mapping(DITIO), DITIO),
        (
            DitioCertificate(
                employee_number="1042", certificate_type="Byggekort",
                issued=dt.date(2026, 1, 15), valid_until=dt.datetime(2028, 1, 15, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))),
            ),
            DITIO,
        ),
    ],
)  # fmt: skip
def test_what_is_sent_has_the_vendors_names_and_forms(made: Stated, sent: dict[str, Any]) -> None:
    assert made.as_json() == sent
    assert all(type(value) is str or not isinstance(value, str) for value in made.as_json().values())
    assert msgspec.json.decode(msgspec.json.encode(made.as_json())) == sent, "it can be written"


LISTINGS = [
    (CERTIFICATES, {"page": 0}, "page: found a number, needs a whole number of at least 1"),
    (CERTIFICATES, {"per_page": -1}, "per-page: "),
    (CERTIFICATES, {"page": True}, "page: found true or false"),
    (CERTIFICATES, {"sort": "resource_name"}, "sort: is no documented field, needs one of date_release, date_expire"),
    (CERTIFICATES, {"sort": "--name"}, "sort: "),
    (CERTIFICATES, {"history": True}, "history: is not documented"),
    (CERTIFICATE_ACTIONS, {"sort": "tenant_id"}, "sort: "),
    (PERSONS, {"sort": "entity_id"}, "sort: "),
    (PROJECTS, {"sort": "name"}, "sort: is no documented field, needs none"),
]


@pytest.mark.parametrize(("entity", "asked", "words"), LISTINGS)
def test_a_listing_keeps_to_the_documents(entity: AnyListed, asked: dict[str, Any], words: str) -> None:
    good: dict[str, Any] = {"page": 1, "per_page": 1, "sort": None, "history": False}
    entity.check_listing(**good)
    with pytest.raises(RequirementError) as raised:
        entity.check_listing(**good | asked)
    assert words in str(raised.value)


def test_two_rows_for_one_key_are_not_sent_to_ditio() -> None:
    with pytest.raises(RequirementError, match="rows 1 and 3 have the same"):
        stated([DITIO, DITIO | {"certificateType": "byggekort"}, DITIO | {"notes": "newer"}])


def test_a_row_at_fault_is_named_by_its_place() -> None:
    with pytest.raises(RequirementError, match=r"Row 2 of the certificates for Ditio .*certificateType: is missing"):
        stated([DITIO, DITIO | {"certificateType": None}])
    with pytest.raises(RequirementError, match=r"Row 1 .*\(row\): is no certificate"):
        stated(["1042"])  # type: ignore[list-item]


def test_neither_a_log_nor_a_traceback_shows_what_is_personal() -> None:
    new = NewCertificate(**GOOD | {"name": HUSH}, note=HUSH, data={"result": HUSH})
    assert HUSH not in repr(new)
    assert repr(new) == f"NewCertificate(certificate_id=None, tenant_id='{ID}')"
