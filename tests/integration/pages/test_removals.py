"""Noting that something was removed in Ditio: who may, from where, and that notes are only added."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from certrecon.warehouse.engine import connect_engine, transaction
from tests.integration.pages.conftest import PREFIX
from tests.integration.pages.rows import EVIL, NUMBER
from tests.integration.warehouse.samples import TARGET

REMOVALS = f"{PREFIX}/removals"
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
FORM = {"target": TARGET, "employee_number": NUMBER, "certificate_type": EVIL, "done": "yes", "note": EVIL}


def noted(url: str) -> list[tuple[str, bool, str]]:
    engine = connect_engine(url)
    with transaction(engine) as conn:
        rows = [
            tuple(row)
            for row in conn.execute(text("SELECT noted_by, done, note FROM reconciliation.removal ORDER BY removal_id"))
        ]
    engine.dispose()
    return rows


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost.evil.example"},
    ],
    ids=str,
)  # fmt: skip
def test_another_site_cannot_write_with_somebodys_cookie(
    admin: TestClient, filled_url: str, headers: dict[str, str]
) -> None:
    before = noted(filled_url)
    assert admin.post(REMOVALS, data=FORM, headers=headers).status_code == 403
    assert noted(filled_url) == before


def test_who_may_only_look_cannot_write(viewer: TestClient, filled_url: str) -> None:
    before = noted(filled_url)
    assert '<form method="post"' not in viewer.get(REMOVALS, params={"state": "all"}).text
    assert viewer.post(REMOVALS, data=FORM, headers=OWN).status_code == 403
    assert noted(filled_url) == before


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"done": ""}, 400), ({"done": "perhaps"}, 400), ({"employee_number": ""}, 400), ({"certificate_type": "Unheard of"}, 400),
        ({"done": "no", "note": ""}, 400), ({"note": "x" * 2_001}, 400), ({"note": "x" * 20_000}, 413), ({"target": "other"}, 404),
        ({"note": "a\x00b"}, 400),
    ],
    ids=["nothing chosen", "another choice", "no number", "never withdrawn", "no words", "long", "far too long", "another target", "no text"],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(
    admin: TestClient, filled_url: str, changes: dict[str, str], status: int
) -> None:
    before = noted(filled_url)
    answer = admin.post(REMOVALS, data=FORM | changes, headers=OWN)
    assert answer.status_code == status, answer.text
    assert "<h1>" in answer.text
    assert noted(filled_url) == before


@pytest.mark.parametrize("headers", [OWN, {"Origin": "http://localhost"}], ids=["fetch metadata", "origin alone"])
def test_who_may_change_the_runs_adds_a_note_under_his_own_name(
    admin: TestClient, filled_url: str, headers: dict[str, str]
) -> None:
    before = noted(filled_url)
    answer = admin.post(REMOVALS, data=FORM | {"noted_by": "somebody else"}, headers=headers)
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, REMOVALS)
    assert noted(filled_url) == [*before, ("admin", True, EVIL)]
    shown = admin.get(REMOVALS, params={"state": "all"}).text
    assert "by admin" in shown
    assert '<form method="post"' in shown
    assert EVIL not in shown


def test_the_pages_read_as_the_auditor_who_can_write_nothing(pages: FastAPI, admin: TestClient) -> None:
    assert admin.get(f"{PREFIX}/").status_code == 200  # the pages have their engine now
    with pages.state.warehouse.reading() as conn:
        assert conn.execute(text("SELECT current_user")).scalar_one() == "certrecon_auditor"
        assert conn.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
        assert conn.execute(text("SHOW statement_timeout")).scalar_one() == "5s"
