"""What lists say beyond their rows: that there are more, and which note was on an earlier delivery."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from certrecon_plugin.pages.app import create_app
from tests.integration.browse.deliveries import deliver, note, withdraw
from tests.integration.pages.conftest import CONNECTION, PREFIX, as_connection
from tests.integration.warehouse.samples import claims, finalise, opened_seq, write

EARLIER = "before the last delivery"


@pytest.fixture
def reader(viewer: TestClient, pages: FastAPI, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A viewer of a warehouse of the test's own."""
    monkeypatch.setenv(CONNECTION, as_connection(warehouse_url))
    monkeypatch.setitem(pages.state._state, "warehouse", create_app().state.warehouse)
    return viewer


@pytest.mark.parametrize(("groups", "shown", "more"), [(1, 1, False), (100, 100, False), (101, 100, True)])
def test_types_that_are_too_many_to_list_are_said_to_be_more(
    reader: TestClient, warehouse: Engine, groups: int, shown: int, more: bool
) -> None:
    unmapped = {"certificate_type": None, "disposition": "blocked", "findings": ["TYPE_UNMAPPED"]}
    rows = [unmapped | {"certificate_id": f"c{one}", "certificate_name": f"Card {one}"} for one in range(groups)]
    run_seq = opened_seq(warehouse)
    write(warehouse, run_seq, claims(*rows))
    finalise(warehouse, run_seq, dispositions={"blocked": groups})
    page = reader.get(f"{PREFIX}/unmapped").text
    assert (page.count('<th scope="row"'), "And more" in page) == (shown, more)


def test_a_note_on_an_earlier_delivery_is_marked(reader: TestClient, warehouse: Engine) -> None:
    deliver(warehouse, "A")
    withdraw(warehouse, "A")
    note(warehouse, "A")
    page = reader.get(f"{PREFIX}/removals", params={"state": "done"}).text
    assert ("by kari" in page, "noted as removed" in page, EARLIER in page) == (True, True, False)
    deliver(warehouse, "B")
    withdraw(warehouse, "B")
    page = reader.get(f"{PREFIX}/removals").text
    assert ("by kari" in page, "noted as removed" in page, EARLIER in page) == (True, False, True)
