"""What of an error is shown: the vendor's words, and of a reading request's error none of the values in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from certrecon.api.redaction import Redactor
from certrecon.api.vendor_errors import parse_error
from certrecon.extract.health import is_health_type

SECRET = 'long &"secret"/of+somebody'

READING: list[tuple[str, Any, str]] = [
    ("words stay", {"message": "You may not do this."}, "You may not do this."),
    ("quoted value", {"message": "Unknown value 'Hepatitis' of \"note\"."}, "Unknown value … of …."),
    ("apostrophe in a value", {"message": "Row 'O'Brien, ill' failed"}, "Row … failed"),
    ("apostrophe in a word", {"message": "You can't read the employer's list"}, "You can't read the employer's list"),
    ("open quote", {"message": "Value 'Hepatitis and"}, "Value …"),
    ("row in a message", {"message": 'Failed at {"note": "ill"} twice'}, "Failed at … twice"),
    ("cut row in a message", {"message": 'Failed at [{"note": "il'}, "Failed at …"),
    ("private field in a message", {"message": "Wrong note: is ill"}, "Wrong note: …"),
    ("422 names the field", [{"field": "page", "message": "is small"}], "page: is small"),
    ("undocumented fields", {"message": "Oops", "row": {"note": "ill"}, "stack": ["ill"]}, "Oops"),
    (".NET writes capitals", {"Message": "Oops", "ExceptionMessage": "ill"}, "Oops"),
    ("rows", [{"certificate_id": "c", "name": "ill"}], "JSON of no documented form"),
    ("rows, cut", b'[{"certificate_id": "c", "name": "il', "JSON of no documented form"),
    ("page", b"<html><title>502 Bad Gateway</title><h1>Proxy</h1><p>ill</p>", "502 Bad Gateway Proxy"),
    ("page without a title", b"<p>ill</p>", "an HTML page"),
    ("text", b'upstream "ill" connect error', "upstream … connect error"),
]


@pytest.mark.parametrize(("body", "shown"), [case[1:] for case in READING], ids=[case[0] for case in READING])
def test_an_error_of_a_reading_request_shows_words_and_no_values(body: Any, shown: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert str(parse_error(raw, Redactor(), values=False)) == shown


def test_the_refusal_of_a_row_keeps_its_values() -> None:
    body = json.dumps({"message": "Employee '1042' was not found."}).encode()
    assert str(parse_error(body, Redactor())) == "Employee '1042' was not found."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write to kari.nordmann+x@work.example.no now", "write to *** now"),
        ("call +47 907 14 253", "call ***"),
        ("person 111119 07142", "person ***"),
        ("code RSSMRA80A01H501U", "code ***"),
        ('{"birthDate": "1911-11-13"}', '{"birthDate": "***"}'),
        ("The Phone field is required.", "The Phone field is required."),
        ("Phone: needed", "Phone: needed"),
        ("employee 1042 until 2028-01-15", "employee 1042 until 2028-01-15"),
    ],
)
def test_addresses_of_people_are_masked(text: str, shown: str) -> None:
    assert Redactor().show(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "long &amp;&quot;secret&quot;/of+somebody",
        "long%20%26%22secret%22%2fof%2bsomebody",
        "long \\u0026\\u0022secret\\u0022\\/of\\u002Bsomebody",
        "bG9uZyAmInNlY3JldCIvb2Yrc29tZWJvZHk=",
        "prefix " + SECRET.encode().hex(),
        'sent long &"secret"/o',
        'sent &#108;ong &"secret"/of+somebody',
        "long%2520%2526%2522secret%2522%252fof%252bsomebody",
    ],
)
def test_a_secret_is_masked_in_spellings_of_others(text: str) -> None:
    shown = Redactor([SECRET]).show(text)
    assert "***" in shown
    assert "secret" not in shown
    assert SECRET.encode().hex()[:16] not in shown
    assert "bG9uZy" not in shown


@pytest.mark.parametrize(
    ("action_type", "health"),
    [
        ("HEALTH", True), (" health\t", True), (["HEALTH"], True), ({"type": "Health"}, True), ("HEALTH_CHECK", True),
        ("TRAINING", False), (None, False), (1, False), ("", False),
    ],
)  # fmt: skip
def test_what_counts_as_health(action_type: Any, health: bool) -> None:
    assert is_health_type(action_type) is health
