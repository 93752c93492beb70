"""What of a vendor's words is shown: code and message, no secret, no invisible character."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certrecon.api.redaction import Redactor
from certrecon.api.vendor_errors import parse_error
from certrecon.text import visible

SECRET = 'pa ss&"wö/rd'

BODIES: list[tuple[str, Any, str | None, str]] = [
    ("yii", {"name": "Bad Request", "message": "Wrong.", "code": 0, "status": 400}, "Bad Request", "Wrong."),
    ("yii 422", [{"field": "name", "message": "is long"}, {"field": "x"}], None, "name: is long; x"),
    ("oauth", {"error": "invalid_grant", "error_description": "Bad user"}, "invalid_grant", "Bad user"),
    ("oauth code only", {"error": "invalid_client"}, "invalid_client", ""),
    (
        "ditio v5",
        {"message": "Validation failed", "errors": [{"code": "V", "field": "Phone", "message": "needed"}]},
        None,
        "Validation failed (Phone: needed)",
    ),
    ("ditio simple", {"error": "ArgumentIsNull", "message": "No body"}, "ArgumentIsNull", "No body"),
    ("ditio old 5xx", {"error": {"message": "It broke"}}, None, "It broke"),
    (
        "asp.net",
        {
            "title": "One or more errors.",
            "status": 400,
            "errors": {"[0].EmployeeNumber": ["needed", "short"]},
        },
        None,
        "One or more errors. ([0].EmployeeNumber: needed; short)",
    ),
    ("json text", "Ansatt finnes ikke", None, "Ansatt finnes ikke"),
    ("many fields", [{"field": f"f{n}"} for n in range(9)], None, "f0; f1; f2; f3; f4 ..."),
    ("plain text", b"Ansatt  finnes\n ikke", None, "Ansatt finnes ikke"),
    ("html", b"<html><style>b{}</style><h1>502</h1><p>Bad gateway</p>", None, "502 Bad gateway"),
    ("other json", {"data": {"exam": "x"}}, None, '{"data": {"exam": "x"}}'),
    ("nothing", b"", None, ""),
    ("not utf-8", b"\xff\xfe caf\xe9", None, "\ufffd\ufffd caf\ufffd"),
    ("odd types", {"message": ["a"], "error": 5}, "5", ""),
    ("terminal colours", {"message": "\x1b[31mred\x1b[0m\x00 \u202eleft"}, None, "red left"),
    ("deep", b"[" * 5000 + b"]" * 5000, None, "[" * 199 + "…"),
]


@pytest.mark.parametrize(("body", "code", "message"), [case[1:] for case in BODIES], ids=[c[0] for c in BODIES])
def test_error_bodies(body: Any, code: str | None, message: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = parse_error(raw, Redactor())
    assert (said.code, said.message) == (code, message)


def test_a_long_message_is_cut_and_another_body_is_cut_shorter() -> None:
    assert len(parse_error(json.dumps({"message": "x" * 9999}).encode(), Redactor()).message) == 400
    assert len(parse_error(b"x" * 9999, Redactor()).message) == 200


@pytest.mark.parametrize(
    "text",
    [
        f"you sent {SECRET} here",
        json.dumps({"message": f"you sent {SECRET}"}),
        json.dumps({"message": f"you sent {SECRET}"}, ensure_ascii=False),
        "form password=pa%20ss%26%22w%C3%B6%2Frd&x=1",
        "form password=pa+ss%26%22w%C3%B6%2Frd&x=1",
        '<b>pa</b> ss&"w<i>ö/rd</i>',
        "Basic cGEgc3MmIncx9nL3JkAAAA",
        "Authorization: Bearer abcdefghijk.lmn",
        "access-token=abcdefghijk",
        'failed {"client_secret": "abcdefghijk"}',
        "api_key: abcdefghijk",
        "token eyJhbGciOi.eyJzdWIiOiJ.abcdefghijk",
    ],
)
def test_secrets_are_masked_however_they_are_written(text: str) -> None:
    shown = str(parse_error(text.encode(), Redactor([SECRET])))
    for part in (SECRET, "w%C3%B6", "abcdefghijk", "cGEgc3M"):
        assert part not in shown
    assert "***" in shown


def test_a_token_fetched_later_is_masked_too() -> None:
    redactor = Redactor()
    redactor.add("fetched-later")
    assert redactor.show("it was fetched-later") == "it was ***"


@given(st.text(max_size=600), st.integers(min_value=1, max_value=50))
def test_what_is_shown_is_short_and_printable(text: str, limit: int) -> None:
    shown = visible(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()


@given(st.binary(max_size=400))
def test_no_body_breaks_the_parser(body: bytes) -> None:
    said = parse_error(body, Redactor(["secret"]))
    assert "secret" not in str(said)
