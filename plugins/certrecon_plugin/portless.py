"""Lets Airflow's button *Test Connection* work for 4HSE and Ditio, whose connections have no port.

Airflow 3.3.2's page sends port 0 for a connection without one. Its API takes that for another destination than the
stored one and answers 400 before our hook is asked (apache/airflow#73298 mends it in a later release). Port 0 and no
port are the same to everybody, so this middleware takes the zero out. It touches no other request, and no test of
another connection type.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

PATH = "/api/v2/connections/test"
TYPES = frozenset({"fourhse", "ditio"})
MOST_BYTES = 2**20
"""A longer body goes on as it came."""


class PortlessTests:
    """ASGI middleware of Airflow's API server."""

    def __init__(self, app: App) -> None:
        """Keep the application behind it."""
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, without the port 0 where it tests a connection of ours."""
        wanted = scope["type"] == "http" and scope["method"] == "POST" and str(scope["path"]).endswith(PATH)
        await self._app(scope, _without_zero(receive) if wanted else receive, send)


def _without_zero(receive: Receive) -> Receive:
    """Return a `receive` that gives the body in one piece, changed where it has to be."""
    ready: list[Message] = []
    asked = False

    async def changed() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            ready.extend(await _first_messages(receive))
        return ready.pop(0) if ready else await receive()

    return changed


async def _first_messages(receive: Receive) -> list[Message]:
    messages: list[Message] = []
    size = 0
    while True:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or size > MOST_BYTES:
            return messages
        if not message.get("more_body", False):
            body = b"".join(one.get("body", b"") for one in messages)
            return [{"type": "http.request", "body": without_zero(body), "more_body": False}]


def without_zero(body: bytes) -> bytes:
    """Return the body of a test without its port 0; anything else as it is."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(asked, dict) or asked.get("conn_type") not in TYPES or asked.get("port", 1) != 0:
        return body
    return json.dumps({**asked, "port": None}).encode()
