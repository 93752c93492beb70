"""The receiver of 4HSE's webhooks over real HTTP: what it takes, what it refuses, and what it never does."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from certrecon.warehouse.addresses import read_addresses, revoke_address
from certrecon.warehouse.engine import transaction
from certrecon.words import ChangeEvent
from certrecon_plugin.webhooks.app import PREFIX
from tests.data.vendor_documents import example
from tests.integration.webhooks.conftest import Server
from tests.integration.webhooks.raw import drops, pieces, post
from tests.integration.webhooks.serving import BODY_SECONDS

E = ChangeEvent
UPDATE = {"entity_id": "c1", "updated_fields": {"note": {"old": "healthy", "new": "ill"}}}
BODIES: dict[ChangeEvent, tuple[dict[str, Any], str, list[str]]] = {
    E.CERTIFICATE_CREATE: (example("4hse_certificate", "webhook created"), "f6a7b8c9-d0e1-2f3a-4b5c-6d7e8f9a0b1c", []),
    E.CERTIFICATE_UPDATE: (UPDATE, "c1", []),
    E.CERTIFICATE_DELETE: ({"certificate_id": "c2"}, "c2", []),
    E.LINK_CREATE: ({"certificate_action_id": "l1", "certificate_id": "c1"}, "l1", ["c1"]),
    E.LINK_UPDATE: ({"entity_id": "l1", "updated_fields": {"certificate_id": {"old": "c1", "new": "c2"}}}, "l1", ["c1", "c2"]),
    E.LINK_DELETE: ({"certificate_action_id": "l1", "certificate_id": "c1"}, "l1", ["c1"]),
    E.PERSON_CREATE: ({"person_id": "p1"}, "p1", []),
    E.PERSON_UPDATE: ({"entity_id": "p1", "updated_fields": []}, "p1", []),
    E.PERSON_DELETE: ({"person_id": "p1"}, "p1", []),
}  # fmt: skip


def path(token: str) -> str:
    return f"{PREFIX}/fourhse/{token}"


def call(server: Server, token: str, body: Any = None, **options: Any) -> httpx.Response:
    """Post a body as 4HSE would; bytes go as they are."""
    content = body if isinstance(body, bytes) else json.dumps(UPDATE if body is None else body).encode()
    return httpx.post(f"{server.url}/fourhse/{token}", content=content, timeout=30, **options)


@pytest.fixture
def token(server: Server) -> str:
    """The token of an address that takes updates of certificates."""
    return server.address()


@pytest.mark.parametrize("event", ChangeEvent, ids=str)
def test_every_event_is_stored_as_a_hint_and_nothing_else_of_it(server: Server, event: ChangeEvent) -> None:
    body, entity, certificates = BODIES[event]
    before = len(server.hints())
    answer = call(server, server.address(event), body)
    assert (answer.status_code, answer.json()) == (200, {"stored": True})
    assert server.hints()[before:] == [(event.value, entity, certificates)]


def test_the_event_is_that_of_the_address_whatever_the_body_says(server: Server) -> None:
    before = len(server.hints())
    said = {"event": "PERSON::DELETE", "certificate_id": "c1", "person_id": "p1"}
    assert call(server, server.address(E.CERTIFICATE_DELETE), said).status_code == 200
    assert server.hints()[before:] == [("CERTIFICATE::DELETE", "c1", [])]


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "nonsense"}], ids=str)  # fmt: skip
def test_the_content_type_does_not_matter(server: Server, token: str, headers: dict[str, str]) -> None:
    assert call(server, token, headers=headers).status_code == 200


def test_what_is_told_twice_is_stored_twice(server: Server, token: str) -> None:
    before = len(server.hints())
    assert [call(server, token).status_code for _ in range(2)] == [200, 200]
    assert len(server.hints()) == before + 2


@pytest.mark.parametrize("body", [b"", b"c1", b"[]", b"{}", b'{"entity_id": 7}', b'{"entity_id": "a\\u0000b"}', b"[" * 500_000], ids=lambda body: body[:20].decode())  # fmt: skip
def test_a_body_that_names_nothing_is_400(server: Server, token: str, body: bytes) -> None:
    before = server.hints()
    assert call(server, token, body).status_code == 400
    assert server.hints() == before


def strangers(server: Server, token: str) -> dict[str, httpx.Response]:
    """Calls that know no token that answers, a revoked one among them."""
    revoked = server.address()
    with transaction(server.engine) as conn:
        assert revoke_address(conn, read_addresses(conn)[0].address_id, "a test")
    url, body = server.url, json.dumps(UPDATE)
    return {
        "forged": call(server, "x" * 43),
        "revoked": call(server, revoked),
        "one character wrong": call(server, token[:-1] + ("a" if token[-1] != "a" else "b")),
        "the digest of a token": call(server, hashlib.sha256(token.encode()).hexdigest()),
        "the other case": call(server, token.swapcase()),
        "longer": call(server, token + "/"),
        "very long": call(server, "x" * 20_000),
        "no text": call(server, "%00%ff%fe"),
        "forged, with a body that names nothing": call(server, "y" * 43, b"{}"),
        "got": httpx.get(f"{url}/fourhse/{token}"),
        "put": httpx.put(f"{url}/fourhse/{token}", content=body),
        "head": httpx.head(f"{url}/fourhse/{token}"),
        "a method that is rarely used": httpx.request("PROPFIND", f"{url}/fourhse/{token}", content=body),
        "elsewhere": httpx.post(f"{url}/ditio/{token}", content=body),
        "the token as a parameter": httpx.post(f"{url}/fourhse?token={token}", content=body),
        "docs": httpx.get(f"{url}/docs"),
        "schema": httpx.get(f"{url}/openapi.json"),
        "root": httpx.get(f"{url}/"),
    }


def test_whoever_knows_no_token_gets_a_404_that_says_nothing_and_always_the_same(server: Server, token: str) -> None:
    before = server.hints()
    answers = strangers(server, token)
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 404)
    assert {answer.content for answer in answers.values()} == {b""}
    said = {tuple(sorted((name, value) for name, value in answer.headers.items() if name != "date")) for answer in answers.values()}  # fmt: skip
    assert len(said) == 1
    assert server.hints() == before


def test_every_answer_carries_the_headers(server: Server, token: str) -> None:
    for answer in (call(server, token), call(server, "forged"), call(server, token, b"{}")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


HUNDRED = 100 * 2**20
LENGTH = {"Content-Length": str(HUNDRED)}
CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize(
    ("headers", "patience", "most"), [(LENGTH, 10, 0), (CHUNKED, 0, 24 * 2**20)], ids=["its length said", "chunked"]
)  # fmt: skip
def test_a_body_of_100_mb_is_413_without_being_held_or_read_to_its_end(
    server: Server, token: str, headers: dict[str, str], patience: float, most: int
) -> None:
    before, held = server.hints(), server.memory()
    answer = post(server.port, path(token), headers, pieces(HUNDRED, chunked=headers == CHUNKED), patience)
    assert answer.status == 413
    assert answer.sent <= most  # what the two systems' buffers hold is on its way before an answer can be seen
    assert server.memory() - held < 8 * 2**20
    assert server.hints() == before


@pytest.mark.parametrize(("headers", "chunked"), [(LENGTH, False), (CHUNKED, True)], ids=["its length said", "chunked"])
def test_a_forged_call_is_404_before_its_body_is_read(server: Server, headers: dict[str, str], chunked: bool) -> None:
    answer = post(server.port, path("forged"), headers, pieces(HUNDRED, chunked=chunked), 10)
    assert (answer.status, answer.sent) == (404, 0)


@pytest.mark.parametrize(("size", "status"), [(2**20, 200), (2**20 + 1, 413)])
def test_the_limit_is_one_mebibyte(server: Server, token: str, size: int, status: int) -> None:
    body = b'{"entity_id": "c1"'
    assert call(server, token, body + b" " * (size - len(body) - 1) + b"}").status_code == status


@pytest.mark.parametrize("headers", [{"Content-Length": "1000"}, CHUNKED], ids=["its length said", "chunked"])
def test_a_slow_body_is_408(server: Server, token: str, headers: dict[str, str]) -> None:
    answer = post(server.port, path(token), headers, [] if headers == CHUNKED else drops(50, 0.2))
    assert answer.status == 408
    assert BODY_SECONDS <= answer.seconds < BODY_SECONDS + 10


def test_a_caller_that_breaks_off_leaves_nothing_behind(server: Server, token: str) -> None:
    before = server.hints()
    with socket.create_connection(("127.0.0.1", server.port), 5) as connection:
        head = f"POST {path(token)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
        connection.sendall(head.encode() + b'{"entity_id": "c1"')
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(65536) == b""  # it has gone, so nobody is answered
    assert call(server, token).status_code == 200
    assert len(server.hints()) == len(before) + 1


def signed(key: str, body: bytes = json.dumps(UPDATE).encode()) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


NAME = "X-4HSE-Signature"
SIGNATURES = [
    ("right", {NAME: signed("the key")}, 200),
    ("right, with its method", {NAME: f"sha256={signed('the key')}"}, 200),
    ("right, in capitals", {NAME: signed("the key").upper()}, 200),
    ("missing", {}, 401),
    ("empty", {NAME: ""}, 401),
    ("another key's", {NAME: signed("another key")}, 401),
    ("another body's", {NAME: signed("the key", b"{}")}, 401),
    ("cut", {NAME: signed("the key")[:-1]}, 401),
    ("no hexadecimal digits", {NAME: "\u00e6".encode("latin-1").decode("latin-1") * 64}, 401),
    ("in another header", {"X-Hub-Signature-256": signed("the key")}, 401),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "status"), [row[1:] for row in SIGNATURES], ids=[row[0] for row in SIGNATURES])
def test_with_a_key_only_signed_bodies_are_taken(keyed: Server, headers: dict[str, str], status: int) -> None:
    before, raw = len(keyed.hints()), [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert call(keyed, keyed.address(), headers=raw).status_code == status
    assert len(keyed.hints()) == before + (status == 200)


def test_with_a_key_a_forged_token_is_404_all_the_same(keyed: Server) -> None:
    assert call(keyed, "forged", headers={NAME: signed("the key")}).status_code == 404


def test_without_the_warehouse_nothing_is_acknowledged_and_it_recovers_by_itself(server: Server, token: str) -> None:
    before = len(server.hints())
    close(server, open_again=False)
    try:
        assert [call(server, token).status_code for _ in range(2)] == [503, 503]
        assert call(server, "forged").status_code == 503
    finally:
        close(server, open_again=True)
    assert call(server, token).status_code == 200
    assert len(server.hints()) == before + 1


def close(server: Server, *, open_again: bool) -> None:
    """Shut the warehouse to everybody, or open it again."""
    address = make_url(server.database)
    name = sql.Identifier(address.database or "")
    with psycopg.connect(address.set(database="postgres").render_as_string(hide_password=False), autocommit=True) as conn:  # fmt: skip
        conn.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(name, sql.SQL(str(open_again).lower())))
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [address.database])


def test_no_token_is_in_the_servers_log(server: Server, token: str) -> None:
    secrets = [token, "forged-but-perhaps-only-misspelt"]
    for one in secrets:
        call(server, one)
        httpx.get(f"{server.url}/fourhse/{one}")
        httpx.post(f"{server.url}/elsewhere/{one}/x?y={one}")
    said = server.log.read_text(encoding="utf-8")
    assert f"path={PREFIX}/***" in said  # it does log requests, as Airflow does
    assert not [one for one in secrets if one in said]
    assert "healthy" not in said
