"""The two clients over real HTTP: what they send, what they give back, and that no secret gets out."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from certrecon.api.ditio import DitioClient
from certrecon.api.fourhse import FourHseClient, Project
from certrecon.api.loop import run
from certrecon.api.outcomes import Reaction
from certrecon.errors import CertreconError, CredentialsError, IncompleteReadError, ResponseFormatError
from certrecon.words import EmployeeSource
from tests.unit.api.scripted import (
    CLIENT_SECRET,
    DITIO_SECRET,
    PASSWORD,
    QUICK,
    SECRETS,
    TOKENS,
    Reply,
    Seen,
    Vendor,
    ditio_endpoint,
    fourhse_endpoint,
    token_answer,
    vendor,
)

VIEW = "/4hse/v2/certificate/view/"
PROJECTS = "/4hse/v2/project/index"
EMPLOYEES = "/ditio/api/v5/integration/employees"
POST = "/ditio/api/v4/integration/certificates"


def fourhse(url: str, **options: Any) -> FourHseClient:
    return FourHseClient(fourhse_endpoint(url), retry=QUICK, **options)


def ditio(url: str, **options: Any) -> DitioClient:
    return DitioClient(ditio_endpoint(url), retry=QUICK, **options)


def page(total: Any = 1, count: Any = 1, number: Any = 1, per: Any = 100) -> dict[str, str]:
    names = ("Total-Count", "Page-Count", "Current-Page", "Per-Page")
    return {f"X-Pagination-{name}": str(value) for name, value in zip(names, (total, count, number, per), strict=True)}


def test_index_sends_what_is_documented_and_reads_the_headers() -> None:
    async def main() -> tuple[Any, Vendor]:
        async with vendor() as scripted, fourhse(scripted.url) as client:
            scripted.script(
                "/4hse/v2/person/index",
                Reply(headers=page(345, 4, 2)),
                Reply(headers=page("x", "-1", "", "٣")),
            )
            known = await client.index("person", {"project_id": "p"}, 2, 50, "-code", history=True)
            odd = await client.index("person")
            return (known, odd), scripted

    (known, odd), scripted = run(main())
    asked = scripted.asked("/4hse/v2/person/index")
    body = {"filter": {"project_id": "p"}, "per-page": 50, "page": 2, "sort": "-code", "history": True}
    assert json.loads(asked[0].body) == body
    assert json.loads(asked[1].body) == {"filter": {}, "per-page": 100, "page": 1}
    assert asked[0].headers["Content-Type"] == "application/json"
    assert (known.current_page, known.page_count, known.per_page, known.total_count) == (2, 4, 100, 345)
    assert (odd.current_page, odd.page_count, odd.per_page, odd.total_count) == (None, None, None, None)


def test_view_gives_a_row_without_its_private_fields_or_nothing() -> None:
    async def main() -> tuple[Any, Any, Vendor]:
        async with vendor() as scripted, fourhse(scripted.url) as client:
            scripted.script(VIEW + "c 1/../x", Reply(body={"certificate_id": "c1", "data": {"a": 1}, "note": "n"}))
            found = await client.view("certificate", "c 1/../x")
            return found, await client.view("certificate", ".."), scripted

    found, missing, scripted = run(main())
    assert found == {"certificate_id": "c1"}
    assert missing is None
    assert scripted.seen[1].path == VIEW + "c 1/../x"


def test_projects_of_all_pages() -> None:
    rows = [
        {"project_id": 7, "name": "N", "status": "active", "project_type": "safety", "icon": {}},
        {"project_id": "b", "name": None, "status": "active", "project_type": "template"},
        {"project_id": "a", "status": "suspended", "project_type": "safety"},
    ]

    async def main() -> list[Project]:
        async with vendor() as scripted, fourhse(scripted.url) as client:
            first = Reply(body=rows[:2], headers=page(3, 2, 1, 2))
            second = Reply(body=rows[2:], headers=page(3, 2, 2, 2))
            scripted.script(PROJECTS, first, second, first, second)
            return await client.projects()

    projects = run(main())
    assert [one.project_id for one in projects] == ["7", "a", "b"]
    assert [one.operational for one in projects] == [True, False, False]


def test_projects_that_never_add_up() -> None:
    async def main() -> None:
        async with vendor() as scripted, fourhse(scripted.url) as client:
            scripted.script(PROJECTS, Reply(body=[{"project_id": "a"}], headers=page(2, 1)))
            await client.projects()

    with pytest.raises(IncompleteReadError, match=r"list of projects .* 3 reads .*counts 2 rows, 1 different"):
        run(main())


ROWS = [{"employeeNumber": "1"}, {"EmployeeNumber": "2"}]
LISTS: list[tuple[str, list[Reply], Any]] = [
    ("array", [Reply(body=ROWS)], 2),
    ("empty array", [Reply(body=[])], 0),
    ("array after a mark", [Reply(body=b"\xef\xbb\xbf" + json.dumps(ROWS).encode())], 2),
    ("envelope", [Reply(body={"data": ROWS})], 2),
    ("pascal envelope", [Reply(body={"Data": ROWS, "ContinuationToken": ""})], 2),
    (
        "two parts",
        [
            Reply(body={"data": ROWS, "continuationToken": "t&1"}),
            Reply(body={"data": ROWS, "continuationToken": None}),
        ],
        4,
    ),
    ("the same part for ever", [Reply(body={"data": ROWS, "continuationToken": "t"})], ResponseFormatError),
    (
        "the same part under new tokens",
        [Reply(body={"data": ROWS, "continuationToken": str(n)}) for n in range(9)],
        ResponseFormatError,
    ),
    ("goes on, but not where", [Reply(body={"data": ROWS, "links": {"next": "/x"}})], ResponseFormatError),
    ("links without next", [Reply(body={"data": ROWS, "links": {"next": None}})], 2),
    ("no list", [Reply(body={"items": ROWS})], ResponseFormatError),
    ("data is no list", [Reply(body={"data": {"a": 1}})], ResponseFormatError),
    ("malformed inside", [Reply(body=b"[{,}]")], ResponseFormatError),
    ("a page of html", [Reply(body=b"<html>")], ResponseFormatError),
    ("forbidden", [Reply(403, {"message": "scope"})], CredentialsError),
]


@pytest.mark.parametrize(("replies", "expected"), [one[1:] for one in LISTS], ids=[one[0] for one in LISTS])
def test_employee_lists(replies: list[Reply], expected: int | type[CertreconError]) -> None:
    async def main() -> tuple[int, Vendor]:
        async with vendor() as scripted, ditio(scripted.url) as client:
            scripted.script(EMPLOYEES, *replies)
            return len(await client.employees(EmployeeSource.EMPLOYEES_V5)), scripted

    if not isinstance(expected, int):
        with pytest.raises(expected):
            run(main())
        return
    count, scripted = run(main())
    assert count == expected
    tokens = [one.query.get("continuationToken") for one in scripted.asked(EMPLOYEES)]
    assert tokens == [None, "t&1"][: len(tokens)]


def test_the_other_source_of_employees() -> None:
    async def main() -> int:
        async with vendor() as scripted, ditio(scripted.url) as client:
            scripted.script("/ditio/api/v4/integration/users", Reply(body=ROWS))
            return len(await client.employees(EmployeeSource.USERS_V4))

    assert run(main()) == 2


NO_EMPLOYEE = {"message": "Validation failed", "errors": [{"field": "employeeNumber", "message": "unknown"}]}
POSTS: list[tuple[str, Reply, int | None, str | None, float | None, Reaction]] = [
    ("200", Reply(200, b""), 200, None, None, Reaction.ACCEPT),
    ("201 with nonsense", Reply(201, b"saved"), 201, None, None, Reaction.ACCEPT),
    (
        "201 with a proxy's page",
        Reply(201, b"\n<html>"),
        None,
        "Ditio answered 201 with something that is no answer of an API",
        None,
        Reaction.RETRY,
    ),
    ("204", Reply(204, b""), 204, None, None, Reaction.ACCEPT),
    ("400", Reply(400, NO_EMPLOYEE), 400, "Validation failed (employeeNumber: unknown)", None, Reaction.FAIL),
    ("400 empty", Reply(400, b""), 400, "HTTP 400", None, Reaction.FAIL),
    ("401", Reply(401, {"error": "x"}), 401, "x", None, Reaction.RENEW),
    ("413", Reply(413, b"too large"), 413, "too large", None, Reaction.FAIL),
    ("429", Reply(429, b"slow", {"Retry-After": "0.5"}), 429, "slow", 0.5, Reaction.WAIT),
    ("500", Reply(500, {"error": {"message": "broke"}}), 500, "broke", None, Reaction.RETRY),
    ("503", Reply(503, b"later", {"Retry-After": "9"}), 503, "later", 9.0, Reaction.RETRY),
    ("redirect", Reply(302, b"", {"Location": "https://e"}), 302, "HTTP 302", None, Reaction.FAIL),
    (
        "reset",
        Reply(then="reset"),
        None,
        "Ditio broke the connection off (ServerDisconnectedError)",
        None,
        Reaction.RETRY,
    ),
    ("endless", Reply(200, b"", then="endless"), 200, None, None, Reaction.ACCEPT),
]


@pytest.mark.parametrize(
    ("reply", "status", "message", "wait", "reaction"),
    [one[1:] for one in POSTS],
    ids=[one[0] for one in POSTS],
)
def test_one_post_is_one_request(
    reply: Reply, status: int | None, message: str | None, wait: float | None, reaction: Reaction
) -> None:
    async def main() -> tuple[Any, Vendor]:
        async with vendor() as scripted, ditio(scripted.url) as client:
            scripted.script(POST, reply)
            return await client.post_certificates(b'[{"employeeNumber":"1"}]'), scripted

    before = datetime.now(UTC)
    attempt, scripted = run(main())
    assert [one.body for one in scripted.asked(POST)] == [b'[{"employeeNumber":"1"}]']
    assert (attempt.http_status, attempt.message, attempt.retry_after) == (status, message, wait)
    assert attempt.reaction is reaction
    assert before <= attempt.sent_at
    assert (attempt.answered_at is None) == (status is None)
    assert attempt.answered_at is None or attempt.sent_at <= attempt.answered_at <= datetime.now(UTC)


def test_a_401_on_a_post_brings_a_new_token_for_the_next() -> None:
    async def main() -> tuple[list[int | None], list[str]]:
        async with vendor() as scripted, ditio(scripted.url) as client:
            scripted.script(POST, Reply(401), Reply(200))
            statuses = [(await client.post_certificates(b"[]")).http_status for _ in range(2)]
            return statuses, [one.headers["Authorization"] for one in scripted.asked(POST)]

    assert run(main()) == ([401, 200], [f"Bearer {TOKENS[0]}", f"Bearer {TOKENS[1]}"])


def test_a_post_without_a_token_is_not_sent() -> None:
    async def main() -> int:
        async with vendor() as scripted, ditio(scripted.url) as client:
            scripted.script("/token", Reply(400, {"error": "invalid_client"}))
            with pytest.raises(CredentialsError):
                await client.post_certificates(b"[]")
            return len(scripted.asked(POST))

    assert run(main()) == 0


@pytest.mark.parametrize(("header", "expected"), [("1", True), (None, False), ("0", False)])
def test_the_sandbox_says_so(header: str | None, expected: bool) -> None:
    async def main() -> tuple[bool, bool]:
        headers = {"X-Certrecon-Sandbox": header} if header else {}
        async with vendor() as scripted, ditio(scripted.url) as client:
            scripted.script(POST, Reply(400, b"", headers))
            return (await client.post_certificates(b"[]")).sandbox, client.is_sandbox

    assert run(main()) == (expected, expected)


def test_a_429_holds_every_request_back_and_the_rate_spaces_them() -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        async with vendor() as scripted, ditio(scripted.url, concurrency=8) as client:
            scripted.script(POST, Reply(429, headers={"Retry-After": "0.2"}), Reply(200))
            await client.post_certificates(b"[]")
            start = loop.time()
            await asyncio.gather(*(client.post_certificates(b"[]") for _ in range(4)))
            held = loop.time() - start
            async with ditio(scripted.url, concurrency=8, requests_per_second=50) as slow:
                start = loop.time()
                await asyncio.gather(*(slow.post_certificates(b"[]") for _ in range(11)))
                return held, loop.time() - start

    held, spaced = run(main())
    assert held >= 0.19
    assert spaced >= 0.19


def test_no_more_requests_at_a_time_than_allowed() -> None:
    running = most = 0

    async def main() -> None:
        async def slow(_request: web.Request) -> web.Response:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.02)
            running -= 1
            return web.json_response(token_answer("t-o-k-e-n") if _request.path == "/token" else [])

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", slow)
        server = TestServer(app)
        await server.start_server()
        async with fourhse(str(server.make_url("")).rstrip("/"), concurrency=3) as client:
            await asyncio.gather(*(client.index("person") for _ in range(12)))
        await server.close()

    run(main())
    assert most == 3


def faults(echo: str) -> list[Reply]:
    """Every kind of fault, with secrets echoed in bodies, headers and redirects."""
    return [
        Reply(503, echo.encode()),
        Reply(429, {"message": echo}, {"Retry-After": "0.01", "X-Echo": TOKENS[0]}),
        Reply(401, {"message": echo}),
        Reply(200, f"<html>{echo}".encode()),
        Reply(then="reset"),
        Reply(400, {"message": echo}),
        Reply(302, headers={"Location": f"https://x/?a={TOKENS[1]}"}),
        Reply(422, [{"field": echo, "message": echo}]),
    ]


def test_secrets_are_only_where_they_belong(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []

    async def ask(scripted: Vendor) -> None:
        one, other = fourhse(scripted.url), ditio(scripted.url)
        async with one, other:
            for reply in faults(f"{PASSWORD} {CLIENT_SECRET} @auth@"):
                scripted.script("/4hse/v2/person/index", reply, Reply(400, reply.body))
                told.append(repr(await outcome(one.index("person"))))
            for reply in faults(f"{DITIO_SECRET} @auth@"):
                scripted.script(EMPLOYEES, reply, Reply(400, reply.body))
                scripted.script(POST, reply)
                told.append(repr(await outcome(other.employees(EmployeeSource.EMPLOYEES_V5))))
                told.append(repr(await other.post_certificates(b"[]")))
            told.append(repr(vars(one)) + repr(vars(other)))

    async def main() -> Vendor:
        async with vendor() as scripted:
            tokens = [token_answer(token, refresh_token="refresh-token-8") for token in TOKENS]
            scripted.script("/token", *(Reply(body=answer) for answer in tokens))
            await ask(scripted)
            return scripted

    scripted = run(main())
    assert len(told) == 3 * 8 + 1
    shown = " ".join(told) + caplog.text + " ".join(str(vars(record)) for record in caplog.records)
    assert "***" in shown
    assert [secret for secret in SECRETS if secret in shown] == []
    for seen in scripted.seen:
        assert carried(seen) == allowed(seen), seen


async def outcome(call: Coroutine[Any, Any, Any]) -> Any:
    """Return what a call gives or raises."""
    try:
        return await call
    except CertreconError as error:
        return error


def carried(seen: Seen) -> set[str]:
    """Return the secrets that a request carried, but for the one in its Authorization header."""
    headers = {name: value for name, value in seen.headers.items() if name != "Authorization"}
    everything = unquote_plus(f"{seen.path} {seen.query} {headers} {seen.body!r}")
    return {secret for secret in SECRETS if secret in everything}


def allowed(seen: Seen) -> set[str]:
    """Return the secrets that belong into a request: a token request's form has those of its grant."""
    if seen.path != "/token":
        assert seen.headers["Authorization"].removeprefix("Bearer ") in TOKENS
        return set()
    assert "Authorization" not in seen.headers
    if b"client_credentials" in seen.body:
        return {DITIO_SECRET}
    return {CLIENT_SECRET, "refresh-token-8" if b"grant_type=refresh_token" in seen.body else PASSWORD}
