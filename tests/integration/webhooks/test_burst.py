"""How quickly the receiver answers, measured at its own server, and that what it acknowledged is stored."""

from __future__ import annotations

import pytest

from tests.integration.webhooks.conftest import Server
from tests.integration.webhooks.crowd import tell

CALLS = [(1, 300), (64, 3_000)]
"""Connections and calls."""
MOST_MS = {1: 100, 64: 1_500}
"""What 99 of 100 calls must keep to, far above what is measured on a machine that does nothing else."""


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
    assert telling.slowest(0.99) < MOST_MS[connections]
