"""No redirect is followed, wherever it leads: what is secret goes to the connection's address alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

import pytest

from certrecon.api.ditio import Attempt
from certrecon.errors import CertreconError, CredentialsError, RequestRefusedError, ResponseFormatError
from tests.hostile.clients import POST, READS, assert_fit_to_show, outcome_of, said, token_from
from tests.hostile.raw_server import RawServer, answer, raw_server, saying
from tests.unit.api.scripted import SECRETS

STATUSES = {"301 Moved Permanently": 301, "302 Found": 302, "303 See Other": 303, "307 Temporary Redirect": 307, "308 Permanent Redirect": 308}  # fmt: skip
CALLS = {**READS, "certificates": POST}
LOCATIONS = {
    "another host": "{other}/v2/certificate/index",
    "another host without a scheme": "//{other_host}/x",
    "another host in odd writing": "http:\\\\{other_host}/x",
    "the same host": "{here}/4hse/v2/elsewhere",
    "the same path": "",
    "a file": "file:///etc/passwd",
    "no address at all": "http://[",
    "an address with a secret": "https://user:hush-1@evil.example/?access-token=hush-2",
}


async def _redirected(
    call: Callable[[str], Awaitable[Any]], status: str, location: str
) -> tuple[CertreconError | Attempt, RawServer, RawServer]:
    """Call a vendor that redirects; return the outcome, the vendor, and the server it points to."""
    async with raw_server(saying(answer(b"[]"))) as other:
        places = {"other": other.url, "other_host": other.url.removeprefix("http://"), "here": "http://127.0.0.1"}
        redirect = answer(
            b"gone", f"Location: {location.format(**places)}", "Refresh: 0; url=" + other.url, status=status
        )
        async with raw_server(saying(redirect)) as vendor:
            return await outcome_of(call(vendor.url)), vendor, other


@pytest.mark.parametrize(("name", "status"), list(product(CALLS, STATUSES)))
def test_no_request_is_redirected_to_another_host(name: str, status: str) -> None:
    outcome, vendor, other = asyncio.run(_redirected(CALLS[name], status, LOCATIONS["another host"]))
    assert other.heads == [], "the other host must not even be asked"
    if isinstance(outcome, Attempt):
        assert (outcome.http_status, outcome.reaction.value) == (STATUSES[status], "fail")
    else:
        assert isinstance(outcome, RequestRefusedError)
        assert f"redirect ({STATUSES[status]}) to http://127.0.0.1" in str(outcome)
    assert len([head for head in vendor.heads if "/token" not in head]) == 1, "a redirect is asked for once"


@pytest.mark.parametrize("where", LOCATIONS)
def test_wherever_it_leads(where: str) -> None:
    outcome, _, other = asyncio.run(_redirected(READS["index"], "307 Temporary Redirect", LOCATIONS[where]))
    assert isinstance(outcome, RequestRefusedError)
    assert other.heads == []
    assert_fit_to_show(str(outcome))
    assert "hush" not in str(outcome)


@pytest.mark.parametrize("status", STATUSES)
def test_the_credentials_of_the_token_request_do_not_follow_either(status: str) -> None:
    async def main() -> tuple[Any, RawServer, RawServer]:
        async with raw_server(saying(answer(b"[]"))) as other:
            redirect = saying(answer(b"", f"Location: {other.url}/token", status=status))
            async with raw_server(saying(answer(b"[]")), token=redirect) as vendor:
                return await outcome_of(token_from(vendor.url, vendor.url)), vendor, other

    outcome, vendor, other = asyncio.run(main())
    assert other.heads == []
    assert "ditio-secret-3" in vendor.received, "the vendor itself is given the secret"
    assert isinstance(outcome, CredentialsError)
    assert "is not followed" in str(outcome)
    assert not any(secret in str(outcome) for secret in SECRETS)


@pytest.mark.parametrize("following", ["{other}/more", "/more", {"href": "{other}"}, 7, True], ids=repr)
def test_a_next_page_elsewhere_is_not_read(following: Any) -> None:
    async def main() -> tuple[Any, RawServer]:
        async with raw_server(saying(answer(b"[]"))) as other:
            body = f'{{"data": [], "links": {{"next": {_json(following, other.url)}}}}}'.encode()
            async with raw_server(saying(answer(body))) as vendor:
                return await outcome_of(READS["employees"](vendor.url)), other

    outcome, other = asyncio.run(main())
    assert isinstance(outcome, ResponseFormatError)
    assert other.heads == []
    assert_fit_to_show(said(outcome))


def _json(value: Any, other: str) -> str:
    if isinstance(value, dict):
        return f'{{"href": "{other}"}}'
    return f'"{value.format(other=other)}"' if isinstance(value, str) else str(value).lower()
