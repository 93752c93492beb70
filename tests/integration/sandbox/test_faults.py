"""What each fault does on the wire, seen by a client that hides nothing: connections and refusals."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from certrecon_sandbox import credentials
from tests.integration.sandbox.raw import CERTIFICATES, EMPLOYEES, INDEX, OTHER, ROW, UPSERT, Raw, Seen

# --- the connection ------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["request", "answer"])
def test_latency(raw: Raw, where: str) -> None:
    raw.switch_on(CERTIFICATES, "latency", seconds=0.15, where=where)
    began = time.monotonic()
    seen = raw.index()
    assert time.monotonic() - began >= 0.15
    assert (seen.status, len(seen.value)) == (200, 5)


def test_reset_before_an_answer(raw: Raw) -> None:
    raw.switch_on("ditio.certificates", "reset")
    assert raw.ask("POST", UPSERT, [ROW]) == Seen(ended="reset")
    assert raw.saved == set()


def test_lost_answer(raw: Raw) -> None:
    """The difference to a reset: Ditio has the row, and the journal says that nothing was answered."""
    raw.switch_on("ditio.certificates", "lost_answer")
    assert raw.ask("POST", UPSERT, [ROW]) == Seen(ended="reset")
    assert raw.saved == {"Byggekort"}
    write = raw.client.control("GET", "/writes")[0]
    assert (write["status"], write["answered"], write["body"]) == (None, False, [ROW])


@pytest.mark.parametrize(("how", "ended"), [("reset", "reset"), ("close", "closed")])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_cut_body(raw: Raw, how: str, ended: str, share: float) -> None:
    raw.switch_on(CERTIFICATES, "cut_body", how=how, share=share)
    seen = raw.index()
    length = int(seen.headers["content-length"])
    assert (seen.status, seen.ended) == (200, ended)
    assert len(seen.body) == min(max(1, int(length * share)), length - 1)
    assert seen.body[:1] == b"["


def test_cut_body_of_an_answer_without_one(raw: Raw) -> None:
    raw.switch_on("ditio.certificates", "cut_body")
    seen = raw.ask("POST", UPSERT, [ROW])
    assert (seen.status, seen.ended, raw.saved) == (201, "reset", {"Byggekort"})
    write = raw.client.control("GET", "/writes")[0]
    assert (write["status"], write["answered"]) == (201, False)


def test_an_answer_to_nobody_is_none(raw: Raw) -> None:
    """A client that has gone has no answer, whatever was sent."""
    raw.switch_on("ditio.certificates", "latency", seconds=0.3, where="answer")
    url = raw.client.server.urls["base_url"] + UPSERT
    with pytest.raises(requests.Timeout):
        requests.post(url, json=[ROW], headers=raw.client.ditio.headers, timeout=0.1)
    time.sleep(0.4)
    write = raw.client.control("GET", "/writes")[0]
    assert (write["body"], write["answered"], raw.saved) == ([ROW], False, {"Byggekort"})


def test_endless_body(raw: Raw) -> None:
    raw.switch_on(CERTIFICATES, "endless_body")
    url = raw.client.server.urls["base_url"] + INDEX
    headers = raw.client.fourhse.headers
    with requests.post(url, json={}, headers=headers, stream=True, timeout=10) as answer:
        read = 0
        for part in answer.iter_content(2**20):
            read += len(part)
            if read > 3 * 2**20:
                break
    assert read > 3 * 2**20
    raw.client.server.sandbox.faults.clear()
    assert raw.index().status == 200


# --- refusals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "path", "said"),
    [
        (CERTIFICATES, INDEX, {"name": "Service Unavailable", "message": "No.", "code": 0, "status": 503}),
        ("ditio.certificates", UPSERT, {"error": "ServiceUnavailable", "message": "No."}),
        ("4hse.token", credentials.FOURHSE_TOKEN_PATH, {"error": "refused", "error_description": "No."}),
        ("ditio.token", credentials.DITIO_TOKEN_PATH, {"error": "refused", "error_description": "No."}),
    ],
)
def test_status(raw: Raw, endpoint: str, path: str, said: dict[str, Any]) -> None:
    """An error is in the form of the endpoint's vendor."""
    raw.switch_on(endpoint, "status", status=503, message="No.")
    seen = raw.ask("POST", path, [])
    assert (seen.status, seen.value) == (503, said)


def test_status_that_echoes_credentials(raw: Raw) -> None:
    raw.switch_on("*", "status", status=403, echo="credentials")
    token = str(raw.client.fourhse.headers["Authorization"])
    assert token in raw.index().value["message"]
    said = raw.ask("POST", credentials.DITIO_TOKEN_PATH, {"client_secret": "s3cret"}).value["error_description"]
    assert "s3cret" in said


def test_rate_limit_in_seconds(raw: Raw) -> None:
    raw.switch_on(CERTIFICATES, "rate_limited", style="seconds", wait=7)
    seen = raw.index()
    assert (seen.status, seen.headers["retry-after"]) == (429, "7")
    assert "x-rate-limit-reset" not in seen.headers


def test_rate_limit_as_a_date(raw: Raw) -> None:
    raw.switch_on(CERTIFICATES, "rate_limited", style="date", wait=7)
    before = dt.datetime.now(dt.UTC)
    seen = raw.index()
    until = parsedate_to_datetime(seen.headers["retry-after"])
    assert seen.headers["retry-after"].endswith(" GMT")
    assert 7 <= (until - before).total_seconds() <= 9


def test_rate_limit_with_a_reset_alone(raw: Raw) -> None:
    raw.switch_on(CERTIFICATES, "rate_limited", style="reset", wait=7)
    seen = raw.index()
    assert (seen.status, seen.headers["x-rate-limit-reset"], "retry-after" in seen.headers) == (429, "7", False)


def test_rate_limit_without_a_word(raw: Raw) -> None:
    raw.switch_on(CERTIFICATES, "rate_limited", style="nothing")
    assert not {"retry-after", "x-rate-limit-reset"} & set(raw.index().headers)


@pytest.mark.parametrize("status", [200, 502])
def test_html(raw: Raw, status: int) -> None:
    raw.switch_on("ditio.certificates", "html", status=status)
    seen = raw.ask("POST", UPSERT, [ROW])
    assert (seen.status, seen.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert seen.body.startswith(b"<!DOCTYPE html>")
    assert raw.saved == set()


def test_redirect(raw: Raw) -> None:
    raw.switch_on(CERTIFICATES, "redirect", to="https://other.invalid/x")
    seen = raw.index()
    assert (seen.status, seen.headers["location"]) == (302, "https://other.invalid/x")


def test_tokens_end(raw: Raw) -> None:
    """The vendor itself answers 401, and the token is of no use any more: not at this endpoint alone."""
    raw.switch_on(CERTIFICATES, "token_ends", times=1)
    assert raw.index().status == 401
    assert raw.index(path="/4hse/v2/person/index").status == 401
    assert raw.ask("GET", EMPLOYEES).status == 200


SHAPES: dict[str, Callable[[Seen], bool]] = {
    "simple": lambda seen: seen.value == {"error": "ArgumentInvalid", "message": "No."},
    "v5": lambda seen: seen.value["errors"][0]["message"] == "No." and seen.value["message"] == "Validation failed",
    "older": lambda seen: seen.value == {"error": {"message": "No."}},
    "aspnet": lambda seen: (
        seen.value["errors"] == {"[1].EmployeeNumber": ["No."]}
        and seen.headers["content-type"] == "application/problem+json"
    ),
    "text": lambda seen: seen.body == b"No." and seen.headers["content-type"].startswith("text/plain"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_ditio_error(raw: Raw, shape: str) -> None:
    """Each of the five shapes, for the batches that hold one employee."""
    raw.switch_on("ditio.certificates", "ditio_error", shape=shape, message="No.", employee="2000")
    seen = raw.ask("POST", UPSERT, [ROW, ROW | {"employeeNumber": "2000"}])
    assert seen.status == 400
    assert SHAPES[shape](seen)
    assert raw.saved == set()
    assert raw.ask("POST", UPSERT, [ROW]).status == 201


def test_partly_saved(raw: Raw) -> None:
    raw.switch_on("ditio.certificates", "partly_saved", share=0.5)
    assert raw.ask("POST", UPSERT, [ROW, OTHER]).status == 400
    assert raw.saved == {"Byggekort"}
