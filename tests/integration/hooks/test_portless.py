"""The button's port 0 is taken out of tests of our connections, over real HTTP, and of nothing else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
import requests
from fastapi import FastAPI, Request, Response

from certrecon_plugin.portless import MOST_BYTES, PATH, PortlessTests
from certrecon_plugin_entry import CertreconPlugin
from certrecon_sandbox.server import build_server, listen


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server behind the middleware that repeats the body it got."""
    app = FastAPI()
    app.add_middleware(PortlessTests)

    @app.api_route("/{path:path}", methods=["POST", "PATCH"])
    async def repeat(request: Request) -> Response:
        return Response(await request.body())

    socket = listen()
    server = build_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)


def body(conn_type: str, port: object) -> bytes:
    return json.dumps({"connection_id": "c", "conn_type": conn_type, "password": "***", "port": port}).encode()


LONG = json.dumps({"conn_type": "ditio", "port": 0, "extra": "x" * MOST_BYTES}).encode()
CASES = [
    ("4HSE without a port", "POST", PATH, body("fourhse", 0), body("fourhse", None)),
    ("Ditio without a port", "POST", PATH, body("ditio", 0), body("ditio", None)),
    ("below another address", "POST", f"/airflow{PATH}", body("ditio", 0), body("ditio", None)),
    ("a port", "POST", PATH, body("ditio", 8443), body("ditio", 8443)),
    ("no port named", "POST", PATH, b'{"conn_type": "ditio"}', b'{"conn_type": "ditio"}'),
    ("another type", "POST", PATH, body("postgres", 0), body("postgres", 0)),
    ("another request", "POST", "/api/v2/connections", body("ditio", 0), body("ditio", 0)),
    ("another method", "PATCH", PATH, body("ditio", 0), body("ditio", 0)),
    ("no JSON", "POST", PATH, b"{not json", b"{not json"),
    ("no object", "POST", PATH, b"[0]", b"[0]"),
    ("nothing", "POST", PATH, b"", b""),
    ("too long to look at", "POST", PATH, LONG, LONG),
]


@pytest.mark.parametrize(
    ("method", "path", "sent", "arrived"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_only_the_zero_of_our_tests_is_taken_out(url: str, method: str, path: str, sent: bytes, arrived: bytes) -> None:
    assert requests.request(method, url + path, data=sent, timeout=30).content == arrived


def test_a_body_in_pieces_is_looked_at_as_a_whole(url: str) -> None:
    sent = body("ditio", 0)
    pieces = (sent[at : at + 7] for at in range(0, len(sent), 7))
    assert requests.post(url + PATH, data=pieces, timeout=30).content == body("ditio", None)


def test_airflow_gets_it_from_the_plugin() -> None:
    assert [one["middleware"] for one in CertreconPlugin().fastapi_root_middlewares] == [PortlessTests]
