"""The addresses of webhooks: who sees them, who makes and revokes them, and that a token is shown one time."""

from __future__ import annotations

import json
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from starlette.routing import Mount

from certrecon.warehouse.addresses import WebhookAddress, read_addresses, token_digest
from certrecon.warehouse.engine import connect_engine, transaction
from certrecon.words import ChangeEvent
from tests.integration.pages.conftest import PREFIX
from tests.integration.pages.rows import EVIL

PAGE = f"{PREFIX}/webhooks"
REVOKE = f"{PAGE}/revocations"
RECEIVER = "/certrecon-webhooks"
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
EVENT = ChangeEvent.CERTIFICATE_DELETE
MADE = re.compile(rf'value="(http://127\.0\.0\.1:8080{RECEIVER}/fourhse/([A-Za-z0-9_-]{{43}}))"')


def addresses(url: str) -> list[WebhookAddress]:
    engine = connect_engine(url)
    with transaction(engine) as conn:
        found = read_addresses(conn)
    engine.dispose()
    return found


def made(admin: TestClient, event: str = EVENT.value) -> str:
    """Make an address on the page and return its token."""
    answer = admin.post(PAGE, data={"event": event}, headers=OWN)
    assert answer.status_code == 200, answer.text
    found = MADE.search(answer.text)
    assert found, answer.text
    return found[2]


def test_the_whole_address_is_shown_one_time_and_only_its_digest_is_kept(admin: TestClient, filled_url: str) -> None:
    token = made(admin)
    newest = addresses(filled_url)[0]
    assert (newest.event, newest.token_sha256, newest.made_by) == (EVENT, token_digest(token), "admin")
    shown = admin.get(PAGE).text
    assert EVENT.value in shown
    assert token not in shown
    assert token_digest(token) not in shown


def test_the_page_says_what_to_enter_in_4hse(admin: TestClient) -> None:
    said = admin.post(PAGE, data={"event": EVENT.value}, headers=OWN).text
    for word in ("Menu &gt; Administration &gt; Configuration &gt; Webhooks", "Enabled", "Name", "Event", "Endpoint"):
        assert word in said


def test_an_address_that_was_made_here_takes_what_4hse_tells(
    airflow: FastAPI, admin: TestClient, anonymous: TestClient, filled_url: str
) -> None:
    path = f"{RECEIVER}/fourhse/{made(admin)}"
    assert anonymous.post(path, content=json.dumps({"certificate_id": "c-told"})).status_code == 200
    shown = admin.get(PAGE).text
    assert '<td class="keep" data-label="Told in 24 hours">1<' in shown
    assert "Hints that wait for a run</span><b>1</b>" in shown
    assert "c-told" not in shown


def test_a_revoked_address_answers_nobody_and_stays_in_the_list(
    admin: TestClient, anonymous: TestClient, filled_url: str
) -> None:
    path = f"{RECEIVER}/fourhse/{made(admin)}"
    number = addresses(filled_url)[0].address_id
    done = admin.post(REVOKE, data={"address": number, "sure": "yes"}, headers=OWN)
    assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}?revoked=yes")
    assert anonymous.post(path, content=b'{"certificate_id": "c1"}').status_code == 404
    one = next(one for one in addresses(filled_url) if one.address_id == number)
    assert (one.revoked_at is not None, one.revoked_by) == (True, "admin")
    assert f"address {number}" in admin.get(PAGE).text
    again = admin.post(REVOKE, data={"address": number, "sure": "yes"}, headers=OWN)
    assert again.status_code == 400
    assert "revoked it before" in again.text


@pytest.mark.parametrize("path", [PAGE, REVOKE])
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}], ids=str)
def test_another_site_cannot_write_with_somebodys_cookie(
    admin: TestClient, filled_url: str, path: str, headers: dict[str, str]
) -> None:
    made(admin)
    before = addresses(filled_url)
    form = {"event": EVENT.value, "address": before[0].address_id, "sure": "yes"}
    assert admin.post(path, data=form, headers=headers).status_code == 403
    assert addresses(filled_url) == before


@pytest.mark.parametrize("path", [PAGE, REVOKE])
def test_who_may_only_look_sees_the_list_and_cannot_write(viewer: TestClient, filled_url: str, path: str) -> None:
    before = addresses(filled_url)
    seen = viewer.get(PAGE)
    assert seen.status_code == 200
    assert "<form" not in seen.text
    form = {"event": EVENT.value, "address": before[0].address_id if before else 1, "sure": "yes"}
    assert viewer.post(path, data=form, headers=OWN).status_code == 403
    assert addresses(filled_url) == before


WRONG = [
    ("no event", PAGE, {}), ("another event", PAGE, {"event": "RISK::CREATE"}), ("an event in its code", PAGE, {"event": EVIL}),
    ("not confirmed", REVOKE, {"address": "1"}), ("no address", REVOKE, {"sure": "yes"}),
    ("no number", REVOKE, {"address": "1; DROP", "sure": "yes"}), ("never made", REVOKE, {"address": "999999", "sure": "yes"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "form"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_does_not_fit_is_refused_in_words(admin: TestClient, filled_url: str, path: str, form: dict[str, str]) -> None:  # fmt: skip
    before = addresses(filled_url)
    answer = admin.post(path, data=form, headers=OWN)
    assert answer.status_code == 400
    assert "<h1>" in answer.text
    assert addresses(filled_url) == before


def test_the_receiver_asks_for_no_sign_in_and_gives_a_stranger_nothing(airflow: FastAPI, anonymous: TestClient) -> None:
    mounted = [route for route in airflow.routes if isinstance(route, Mount) and route.path == RECEIVER]
    assert [[route.path for route in one.app.routes] for one in mounted] == [["/fourhse/{token}"]]
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        for path in ("/fourhse/forged", "/fourhse", "/fourhse/a/b", "/", "/docs", "/openapi.json", "/webhooks"):
            answer = anonymous.request(method, RECEIVER + path, content=b'{"certificate_id": "c1"}')
            assert (answer.status_code, answer.content) == (404, b""), (method, path)


def test_airflows_own_log_of_requests_shows_no_token(
    admin: TestClient, anonymous: TestClient, filled_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    token = made(admin)
    for path in (f"/fourhse/{token}", f"/elsewhere/{token}", f"/fourhse?token={token}"):
        anonymous.post(f"{RECEIVER}{path}", content=b'{"certificate_id": "c1"}')
    said = "".join(capfd.readouterr())
    assert f"{RECEIVER}/***" in said
    assert token not in said


@pytest.fixture(autouse=True)
def without_addresses(filled_url: str) -> None:
    """No address and no hint is left of the test before."""
    engine = connect_engine(filled_url)
    with transaction(engine) as conn:
        conn.execute(text("TRUNCATE reconciliation.webhook_address, reconciliation.change_hint"))
    engine.dispose()
