"""Every route of the pages: who gets in, who does not, and what stands on every answer."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx import Response

from tests.integration.pages.conftest import PREFIX
from tests.integration.pages.rows import EVIL, NUMBER

FILLED = {"run_seq": "1", "path": "no/such/page"}
NAMES = {"/static/{name}": "pages.css", "/runs/{run_seq}/files/{name}": "workbook.xlsx"}
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
NEVER_MADE = ["/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/static/../app.py", "/runs", "/runs/1/"]
ELSEWHERE = [{}, {"dag_id": "other"}, {"dag_id": "~"}]


def calls(pages: FastAPI) -> list[tuple[str, str]]:
    """Every method and address of the application, with something in place of its parameters."""
    made = []
    for route in pages.routes:
        assert isinstance(route, APIRoute), f"{route} is no route that asks who calls"
        path = route.path.replace("{path:path}", FILLED["path"]).replace("{run_seq}", FILLED["run_seq"])
        path = path.replace("{name}", NAMES.get(route.path, ""))
        made += [(method, PREFIX + path) for method in sorted(route.methods)]
    return made


def test_there_are_routes_to_walk(pages: FastAPI) -> None:
    walked = calls(pages)
    assert len(walked) > 20
    assert all("{" not in path for _, path in walked)


@pytest.mark.parametrize("query", ELSEWHERE, ids=str)
def test_an_anonymous_caller_gets_401_and_no_byte_of_data(
    pages: FastAPI, anonymous: TestClient, query: dict[str, str]
) -> None:
    for method, path in calls(pages):
        answer = anonymous.request(method, path, params=query)
        assert answer.status_code == 401, (method, path)
        assert nothing_of_ours(answer), (method, path)


def test_whoever_is_not_signed_in_is_led_to_the_sign_in_and_back(anonymous: TestClient) -> None:
    for path, back in (
        ("/runs/1", "%2Fcertrecon%2Fruns%2F1"),
        ("/claims?q=a%26b", "%2Fcertrecon%2Fclaims%3Fq%3Da%2526b"),
    ):
        assert f'href="/api/v2/auth/login?next={back}"' in anonymous.get(PREFIX + path).text
    hostile = anonymous.get(f'{PREFIX}/%22%3E%3Cscript%3E?"><script>').text
    assert "<script>" not in hostile


@pytest.mark.parametrize("query", ELSEWHERE, ids=str)
def test_a_user_without_the_right_gets_403_and_no_byte_of_data(
    pages: FastAPI, nobody: TestClient, query: dict[str, str]
) -> None:
    for method, path in calls(pages):
        answer = nobody.request(method, path, params=query)
        assert answer.status_code == 403, (method, path)
        assert nothing_of_ours(answer), (method, path)


@pytest.mark.parametrize("query", ELSEWHERE, ids=str)
def test_a_viewer_may_read_and_nothing_else(pages: FastAPI, viewer: TestClient, query: dict[str, str]) -> None:
    for method, path in calls(pages):
        answer = viewer.request(method, path, params=query, headers={"Sec-Fetch-Site": "same-origin"})
        no_such_page = path.endswith(FILLED["path"])
        writes = method == "POST" and not no_such_page
        assert answer.status_code == (404 if no_such_page else 403 if writes else 200), (method, path, answer.text)


@pytest.mark.parametrize("path", NEVER_MADE)
def test_what_was_never_made_is_401_and_404(anonymous: TestClient, viewer: TestClient, path: str) -> None:
    assert anonymous.get(PREFIX + path).status_code == 401
    assert viewer.get(PREFIX + path).status_code == 404


def test_a_token_that_is_none_is_refused(pages: FastAPI, anonymous: TestClient) -> None:
    for method, path in calls(pages):
        answer = anonymous.request(method, path, headers={"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."})
        assert answer.status_code in {401, 403}, (method, path)
        assert nothing_of_ours(answer)


def test_every_answer_carries_the_headers(
    pages: FastAPI, anonymous: TestClient, nobody: TestClient, viewer: TestClient
) -> None:
    for client in (anonymous, nobody, viewer):
        for method, path in calls(pages):
            answer = client.request(method, path)
            found = {name: answer.headers.get(name) for name in HEADERS}
            if path.endswith("/report") and answer.status_code == 200:
                assert re.fullmatch(
                    r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
                    found.pop("content-security-policy"),
                )
            assert found == {name: value for name, value in HEADERS.items() if name in found}, (method, path)


def nothing_of_ours(answer: Response) -> bool:
    """Whether an answer holds nothing that the warehouse or the evidence knows."""
    return not re.search(
        f"{re.escape(EVIL)}|alert|{re.escape(NUMBER)}|Kari|target-a|certificate_id|--paper", answer.text
    )
