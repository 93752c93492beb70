"""The life of a token: fetched once, renewed in time, and once on a 401."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from certrecon.api.endpoint import AccessToken, FourHseEndpoint, PasswordGrant
from certrecon.api.fourhse import FourHseClient
from certrecon.api.loop import run
from certrecon.api.redaction import Redactor
from certrecon.api.tokens import BearerToken, password_grant
from certrecon.api.wire import Answer, Request
from certrecon.errors import CertreconError, CredentialsError, VendorUnavailableError
from tests.unit.api.scripted import (
    CLIENT_SECRET,
    PASSWORD,
    QUICK,
    TOKENS,
    Reply,
    Vendor,
    fake_clock,
    fourhse_endpoint,
    token_answer,
    vendor,
)

PATH = "/4hse/v2/person/index"


def forms(scripted: Vendor) -> list[dict[str, str]]:
    return [
        {name: values[0] for name, values in parse_qs(one.body.decode()).items()} for one in scripted.asked("/token")
    ]


def bearers(scripted: Vendor) -> list[str]:
    return [one.headers["Authorization"].removeprefix("Bearer ") for one in scripted.asked(PATH)]


def test_many_requests_ask_for_one_token() -> None:
    async def main() -> Vendor:
        async with vendor() as scripted, FourHseClient(fourhse_endpoint(scripted.url), retry=QUICK) as client:
            scripted.script(PATH, Reply())
            await asyncio.gather(*(client.index("person") for _ in range(12)))
            return scripted

    scripted = run(main())
    assert forms(scripted) == [
        {
            "grant_type": "password",
            "client_id": "the-client",
            "client_secret": CLIENT_SECRET,
            "username": "user",
            "password": PASSWORD,
        }
    ]
    assert bearers(scripted) == [TOKENS[0]] * 12


def test_many_refused_requests_renew_the_token_once() -> None:
    async def main() -> Vendor:
        endpoint = fourhse_endpoint
        async with (
            vendor() as scripted,
            FourHseClient(endpoint(scripted.url), retry=QUICK, concurrency=4) as client,
        ):
            scripted.refused_tokens.add(TOKENS[0])
            scripted.script(PATH, Reply())
            await asyncio.gather(*(client.index("person") for _ in range(4)))
            return scripted

    scripted = run(main())
    assert len(forms(scripted)) == 2
    assert sorted(bearers(scripted)) == [TOKENS[0]] * 4 + [TOKENS[1]] * 4


def test_the_access_token_goes_into_the_query_alone() -> None:
    async def main() -> Vendor:
        async with vendor() as scripted:
            endpoint = FourHseEndpoint(f"{scripted.url}/4hse", AccessToken("tö ken&x=1"))
            async with FourHseClient(endpoint, retry=QUICK) as client:
                scripted.script(PATH, Reply(), Reply(401))
                await client.index("person")
                with pytest.raises(CredentialsError):
                    await client.index("person")
            return scripted

    scripted = run(main())
    assert [one.query for one in scripted.asked(PATH)] == [{"access-token": "tö ken&x=1"}] * 2
    assert "Authorization" not in scripted.seen[0].headers
    assert not scripted.asked("/token")


REFUSALS: list[tuple[str, Reply, type[CertreconError], str]] = [
    ("bad password", Reply(400, {"error": "invalid_grant"}), CredentialsError, "invalid_grant"),
    ("bad client", Reply(401, {"error": "invalid_client"}), CredentialsError, "invalid_client"),
    ("bad scope", Reply(400, {"error": "invalid_scope"}), CredentialsError, "scope"),
    (
        "echo",
        Reply(400, {"error_description": f"no {PASSWORD} {CLIENT_SECRET}"}),
        CredentialsError,
        "no *** ***",
    ),
    ("down", Reply(503, b"later"), VendorUnavailableError, "later"),
    ("no token", Reply(200, {"expires_in": 5}), CredentialsError, "access_token"),
    ("not a header", Reply(200, {"access_token": "a\r\nX-Evil: 1"}), CredentialsError, "access_token"),
    ("html", Reply(200, b"<html>"), CredentialsError, "/token"),
    ("redirect", Reply(302, headers={"Location": "https://evil.example/"}), CertreconError, "evil.example"),
]


@pytest.mark.parametrize(("reply", "error", "words"), [one[1:] for one in REFUSALS], ids=[one[0] for one in REFUSALS])
def test_token_endpoints_that_refuse(reply: Reply, error: type[CertreconError], words: str) -> None:
    async def main() -> None:
        async with vendor() as scripted, FourHseClient(fourhse_endpoint(scripted.url), retry=QUICK) as client:
            scripted.script("/token", reply)
            await client.index("person")

    with pytest.raises(error) as raised:
        run(main())
    assert words in str(raised.value)
    assert PASSWORD not in str(raised.value)


class Endpoint:
    """A token endpoint without a wire: answers in turn, and remembers the forms."""

    def __init__(self, *answers: dict[str, Any] | CertreconError) -> None:
        self.answers = list(answers)
        self.grants: list[str] = []

    async def send(self, request: Request) -> Answer:
        self.grants.append(parse_qs((request.body or b"").decode())["grant_type"][0])
        answer = self.answers.pop(0)
        if isinstance(answer, CertreconError):
            raise answer
        return Answer(200, {}, json.dumps(answer).encode())


GRANT = password_grant(PasswordGrant("https://t", "c", "u", "p"))
LIVES = [
    ("300 s", 300, [(239.9, False), (240.1, True)]),
    ("30 min", 1800, [(1739.9, False), (1740.1, True)]),
    ("10 s", 10, [(7.9, False), (8.1, True)]),
    ("a word", "soon", [(239.9, False), (240.1, True)]),
    ("as text", "300", [(239.9, False), (240.1, True)]),
    ("missing", None, [(239.9, False), (240.1, True)]),
    ("negative", -1, [(239.9, False), (240.1, True)]),
]


@pytest.mark.parametrize(("lifetime", "moments"), [one[1:] for one in LIVES], ids=[one[0] for one in LIVES])
def test_a_token_is_renewed_before_it_ends(lifetime: Any, moments: list[tuple[float, bool]]) -> None:
    async def renewed_at(moment: float) -> bool:
        now = [0.0]
        answers = [token_answer("first", expires_in=lifetime), token_answer("second")]
        endpoint = Endpoint(*answers)
        source = BearerToken(GRANT, Redactor(), clock=fake_clock(now))
        before = await source.credential(endpoint.send)
        now[0] = moment
        return await source.credential(endpoint.send) is not before

    assert [(moment, run(renewed_at(moment))) for moment, _ in moments] == moments


def test_a_refresh_token_is_used_and_its_refusal_falls_back_to_the_password() -> None:
    async def main() -> tuple[list[str], str, list[str]]:
        told: list[str] = []
        endpoint = Endpoint(
            token_answer("one", refresh_token="refresh-1", id_token="id-1"),
            token_answer("two", refresh_token="refresh-2"),
            CredentialsError("refused"),
            token_answer("three"),
        )
        redactor = Redactor()
        source = BearerToken(GRANT, redactor, on_secret=told.append)
        for _ in range(3):
            source.discard(await source.credential(endpoint.send))
        return endpoint.grants, redactor.show("one refresh-1 id-1 two refresh-2 three"), told

    grants, shown, told = run(main())
    assert grants == ["password", "refresh_token", "refresh_token", "password"]
    assert shown == "*** *** *** *** *** ***"
    assert set(told) == {"one", "refresh-1", "id-1", "two", "refresh-2", "three"}


def test_discarding_an_old_token_keeps_the_new_one() -> None:
    async def main() -> bool:
        endpoint = Endpoint(token_answer("one"), token_answer("two"))
        source = BearerToken(GRANT, Redactor())
        first = await source.credential(endpoint.send)
        source.discard(first)
        second = await source.credential(endpoint.send)
        source.discard(first)
        return await source.credential(endpoint.send) is second

    assert run(main())
