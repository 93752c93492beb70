"""How quickly the receiver answers, measured at its own server, and that what it acknowledged is stored."""

from __future__ import annotations

import pytest

from tests.integration.webhooks.conftest import Server
from tests.integration.webhooks.crowd import tell

CALLS = [(1, 300), (64, 3_000)]
"""Connections and calls."""
HALF_MS = {1: 40, 64: 500}
"""What every other call must keep to; measured are 2 to 8 ms, and 50 to 95 ms where 64 call at once.

Measured on two cores with two to eleven processes that wanted them, which is what the bounds leave room for.
"""
MOST_MS = {1: 100, 64: 1_500}
"""What 99 of 100 calls must keep to. No tighter: the slowest wait for a core, and 17 to 72 ms (410 to 1,010) are seen."""


@pytest.mark.parametrize(("connections", "calls"), CALLS, ids=["one caller", "a crowd"])
def test_every_call_is_acknowledged_soon_and_stored(
    server: Server, connections: int, calls: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(server.hints())
    ids = [f"c{number}" for number in range(calls)]
    telling = tell(f"{server.url}/fourhse/{server.address()}", ids, connections)
    with capsys.disabled():
        print(f"\n{connections} connections: {telling}")  # noqa: T201
    assert (telling.refused, telling.broken) == (0, 0)
    assert sorted(entity for _, entity, _ in server.hints()[before:]) == sorted(ids)
    assert telling.slowest(0.5) < HALF_MS[connections]
    assert telling.slowest(0.99) < MOST_MS[connections]
