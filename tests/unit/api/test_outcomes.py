"""One table: what a vendor answers, and what comes of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from certrecon.api.fourhse import FourHseClient
from certrecon.api.loop import run
from certrecon.api.outcomes import Reaction, reaction_to
from certrecon.api.wire import Timeouts
from certrecon.errors import (
    CertreconError,
    CredentialsError,
    RateLimitedError,
    RequestRefusedError,
    ResponseFormatError,
    VendorUnavailableError,
)
from tests.unit.api.scripted import QUICK, TOKENS, Reply, fourhse_endpoint, vendor

PATH = "/4hse/v2/certificate/index"
YII = {"name": "Forbidden", "message": "You may not.", "code": 0, "status": 403}


@dataclass(frozen=True)
class Case:
    """Answers in turn, and what the caller gets after how many requests."""

    name: str
    replies: list[Reply]
    raises: type[CertreconError] | None = None
    words: list[str] = field(default_factory=list)
    requests: int = 1


OK = Reply(200, [{"certificate_id": "c1"}])
CASES = [
    Case("200", [OK]),
    Case("201", [Reply(201, [])]),
    Case("503 passes", [Reply(503), OK], requests=2),
    Case("500 stays", [Reply(500, {"message": "Oops"})], VendorUnavailableError, ["Oops", "3 times"], 3),
    Case("521 is no status of HTTP", [Reply(521, b"down")], VendorUnavailableError, ["521"], 3),
    Case("502 with html", [Reply(502, b"<h1>Bad gateway</h1>")], VendorUnavailableError, ["Bad gateway"], 3),
    Case("429 passes", [Reply(429, headers={"Retry-After": "0.01"}), OK], requests=2),
    Case("429 by reset", [Reply(429, headers={"X-Rate-Limit-Reset": "0.01"}), OK], requests=2),
    Case("429 without a word", [Reply(429), Reply(429), OK], requests=3),
    Case("429 stays", [Reply(429)], RateLimitedError, ["requests_per_second"], 4),
    Case("429 for too long", [Reply(429, headers={"Retry-After": "9999"})], RateLimitedError, requests=1),
    Case("503 with Retry-After", [Reply(503, headers={"Retry-After": "0.01"}), OK], requests=2),
    Case("401 once", [Reply(401), OK], requests=2),
    Case("401 twice", [Reply(401, YII)], CredentialsError, ["401", "credentials"], 2),
    Case("401 after 503", [Reply(503), Reply(401), OK], requests=3),
    Case("403", [Reply(403, YII)], CredentialsError, ["Forbidden: You may not."]),
    Case("400", [Reply(400, {"message": "Bad filter"})], RequestRefusedError, ["Bad filter", PATH]),
    Case("404", [Reply(404, b"")], RequestRefusedError, ["404 Not Found"]),
    Case("408", [Reply(408)], RequestRefusedError, ["408"]),
    Case("422", [Reply(422, [{"field": "page", "message": "small"}])], RequestRefusedError, ["page: small"]),
    Case(
        "redirect elsewhere",
        [Reply(302, headers={"Location": "https://evil.example/hush?hush"})],
        RequestRefusedError,
        ["redirect (302) to https://evil.example."],
    ),
    Case("redirect here", [Reply(307, headers={"Location": "/other"})], RequestRefusedError, ["same host"]),
    Case("redirect nowhere", [Reply(301, headers={"Location": "http://["})], RequestRefusedError),
    Case("304", [Reply(304, b"")], RequestRefusedError, ["304"]),
    Case("connection reset passes", [Reply(then="reset"), OK], requests=2),
    Case("connection reset stays", [Reply(then="reset")], VendorUnavailableError, ["broke"], 3),
    Case("broken in the body", [Reply(body=b"[{", then="abort"), OK], requests=2),
    Case("cut at its end", [Reply(body=b'[{"certificate_id": "c'), OK], requests=2),
    Case("html with 200", [Reply(body=b"<html>login</html>")], ResponseFormatError, ["JSON array"], 3),
    Case("an object with 200", [Reply(body={"data": []})], ResponseFormatError, requests=3),
    Case("empty with 200", [Reply(body=b"")], ResponseFormatError, requests=3),
    Case("204", [Reply(204, b"")], ResponseFormatError, requests=3),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_index(case: Case) -> None:
    async def main() -> tuple[Any, list[Any]]:
        async with vendor() as scripted, FourHseClient(fourhse_endpoint(scripted.url), retry=QUICK) as client:
            scripted.script(PATH, *case.replies)
            try:
                return await client.index("certificate"), scripted.asked(PATH)
            except CertreconError as error:
                return error, scripted.asked(PATH)

    outcome, asked = run(main())
    assert len(asked) == case.requests
    if case.raises is None:
        assert not isinstance(outcome, Exception), outcome
        return
    assert type(outcome) is case.raises
    assert outcome.__cause__ is None
    assert outcome.__context__ is None
    for words in case.words:
        assert words in str(outcome)
    for hidden in ("hush", *TOKENS):
        assert hidden not in str(outcome)


REACTIONS = [
    (None, Reaction.RETRY), (200, Reaction.ACCEPT), (204, Reaction.ACCEPT), (302, Reaction.FAIL),
    (400, Reaction.FAIL), (401, Reaction.RENEW), (403, Reaction.FAIL), (409, Reaction.FAIL),
    (413, Reaction.FAIL), (422, Reaction.FAIL), (429, Reaction.WAIT), (500, Reaction.RETRY),
    (599, Reaction.RETRY),
]  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), REACTIONS, ids=[str(status) for status, _ in REACTIONS])
def test_reactions(status: int | None, expected: Reaction) -> None:
    assert reaction_to(status) is expected


def test_a_server_that_is_not_there() -> None:
    async def main() -> None:
        async with FourHseClient(fourhse_endpoint("http://127.0.0.1:9"), retry=QUICK) as client:
            await client.index("certificate")

    with pytest.raises(VendorUnavailableError, match=r"127\.0\.0\.1:9 could not be connected to"):
        run(main())


def test_a_body_without_end_is_cut_off() -> None:
    async def main() -> int:
        async with vendor() as scripted, FourHseClient(fourhse_endpoint(scripted.url), retry=QUICK) as client:
            scripted.script(PATH, Reply(body=b"[", then="endless"))
            with pytest.raises(ResponseFormatError, match="sent more than"):
                await client.index("certificate")
            scripted.script(PATH, Reply(503, b"[", then="endless"))
            with pytest.raises(VendorUnavailableError):
                await client.index("certificate")
            return len(scripted.asked(PATH))

    assert run(main()) == 1 + QUICK.attempts


def test_no_byte_in_time() -> None:
    async def main() -> None:
        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(hold, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        endpoint = fourhse_endpoint(f"http://127.0.0.1:{port}")
        async with FourHseClient(endpoint, retry=QUICK, timeouts=Timeouts(1.0, 0.05)) as client:
            try:
                await client.index("certificate")
            finally:
                server.close()

    with pytest.raises(VendorUnavailableError, match="gave no answer in time"):
        run(main())
