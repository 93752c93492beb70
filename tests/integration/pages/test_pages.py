"""What the pages show: foreign text as text, problems in words, files by name, and links that hold everywhere."""

from __future__ import annotations

import io
import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import quote

import openpyxl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from certrecon_plugin.pages.access import readers
from certrecon_plugin.pages.app import create_app
from certrecon_plugin_entry import CertreconPlugin
from tests.integration.pages.conftest import CONNECTION, PREFIX, as_connection, browser
from tests.integration.pages.rows import EVIL, FORMULA, HINTS_RUN_ID, NUMBER, PURGED_FOR, RUN_ID, STYLE

DAG = "certificate_reconciliation"
EVENTS = "certificate_events"
TAB = f"/dag-run?dag_id={DAG}&run_id="
NO_OUTCOME = "This run sealed no outcome, so it has no report."
NO_REPORT = "This run ended before it had a report."
NO_OUTCOME_YET = "This run has not sealed its outcome yet, so there is no report yet."
SHOWN = {
    "/": "Runs of the reconciliation",
    "/runs/1": "What became of the claims",
    "/runs/2": "Why it failed",
    "/worklist": "Work by who can fix it",
    "/dangling": "Links without a certificate",
    "/unmapped": "Certificates without a type",
    "/claims": "Every field narrows the search",
    "/workers": "Enter an employee number",
    "/removals?state=all": "Notes are only ever added",
}


class Structure(HTMLParser):
    """What a page is made of: its elements with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.mark.parametrize("path", SHOWN, ids=str)
def test_a_page_shows_foreign_text_as_text_and_nothing_inline(viewer: TestClient, path: str) -> None:
    answer = viewer.get(PREFIX + path)
    assert (answer.status_code, SHOWN[path] in answer.text) == (200, True)
    page = Structure(answer.text)
    assert EVIL not in answer.text
    assert page.all("script") == [{"src": f"{PREFIX}/static/theme.js"}]
    assert not page.all("style", "iframe", "object", "embed", "base")
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], (tag, attributes)
    for link in page.all("a", "link", "form", "img"):
        address = link.get("href") or link.get("action") or link.get("src") or ""
        assert address.startswith((PREFIX, "#")), address


@pytest.mark.parametrize("path", SHOWN, ids=str)
def test_a_page_can_be_used_by_keyboard_and_screen_reader(viewer: TestClient, path: str) -> None:
    html = viewer.get(PREFIX + path).text
    page = Structure(html)
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("a")[0]["href"] == "#content"
    assert len(page.all("h1")) == 1
    assert all(cell.get("scope") for cell in page.all("th"))
    assert not [each for each in page.all("a", "input", "select", "button") if int(each.get("tabindex") or 0) > 0]
    unlabelled = re.sub(r"<label.*?</label>", "", html, flags=re.DOTALL)
    assert not [
        field for field in Structure(unlabelled).all("input", "select", "textarea") if field.get("type") != "hidden"
    ]


def test_a_worker_is_found_by_a_number_of_any_characters(viewer: TestClient) -> None:
    answer = viewer.get(f"{PREFIX}/workers", params={"number": NUMBER})
    assert answer.status_code == 200
    assert "What Ditio holds" in answer.text
    assert "&lt;script&gt;" in answer.text
    assert EVIL not in answer.text


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({"dag_id": DAG, "run_id": RUN_ID}, "All of this run"),
        ({"dag_id": DAG, "run_id": "manual__unheard_of"}, "has not opened a reconciliation yet"),
        ({"dag_id": EVENTS, "run_id": HINTS_RUN_ID}, "All of this run"),
        ({"dag_id": EVENTS, "run_id": "manual__unheard_of"}, "no hint waits"),
        ({"dag_id": "other", "run_id": RUN_ID}, "no reconciliation run"),
        ({}, "no reconciliation run"),
    ],
    ids=["its run", "not opened", "a run by hints", "nothing to follow", "another DAG", "nothing"],
)
def test_the_tab_on_a_dag_run(viewer: TestClient, params: dict[str, str], shown: str) -> None:
    answer = viewer.get(f"{PREFIX}/dag-run", params=params)
    assert (answer.status_code, shown in answer.text) == (200, True)


@pytest.mark.parametrize(
    ("run_seq", "scope"),
    [(1, "everything"), (4, 'only the 4HSE projects <span class="code">t1, t2</span>'), (5, "what hints pointed at")],
    ids=["a full run", "some projects", "by hints"],
)
def test_a_run_says_what_it_spoke_of(viewer: TestClient, run_seq: int, scope: str) -> None:
    assert f"<dt>Scope</dt><dd>{scope}</dd>" in viewer.get(f"{PREFIX}/runs/{run_seq}").text


@pytest.mark.parametrize(
    ("path", "offers", "words"),
    [
        ("/runs/1", True, "Open the report"), (TAB + quote(RUN_ID), True, "Open the report"),
        ("/runs/2", False, NO_OUTCOME), (TAB + "scheduled__2", False, NO_OUTCOME),
        ("/runs/4", False, PURGED_FOR), (TAB + "purged", False, PURGED_FOR),
        ("/runs/6", False, NO_OUTCOME), ("/runs/7", False, NO_OUTCOME_YET),
        (TAB + "reopened", False, NO_OUTCOME), (TAB + "reopened", False, NO_OUTCOME_YET),
        ("/runs/8", False, "make verify"), (TAB + "lost", False, "make verify"),
        ("/runs/9", False, NO_REPORT), (TAB + "early", False, NO_REPORT),
    ],
    ids=["sealed", "its tab", "failed", "its tab", "purged", "its tab", "abandoned", "running",
         "tab of the abandoned", "tab of the running", "lost", "its tab", "failed early", "its tab"],
)  # fmt: skip
def test_a_run_offers_what_can_be_opened_and_says_why_there_is_nothing(
    viewer: TestClient, path: str, offers: bool, words: str
) -> None:
    shown = viewer.get(PREFIX + path).text
    links = [link["href"] or "" for link in Structure(shown).all("a")]
    of_evidence = [link for link in links if re.search(r"/runs/\d+/(report|files/)", link)]
    assert (bool(of_evidence), words in shown) == (offers, True)
    assert {viewer.get(link).status_code for link in of_evidence} <= {200}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/runs/99", 404), ("/runs/0", 404), ("/runs/x", 404), ("/runs/99999999999999999999", 404), ("/runs/-1", 404), ("/runs/²", 404),
        ("/?target=unheard", 404), ("/?after=nonsense", 400), ("/claims?after=nonsense", 400), ("/claims?as_of=x", 400),
        ("/claims?as_of=99", 400), ("/claims?finding=NONSENSE", 400), ("/claims?disposition=x", 400), ("/claims?person=" + "x" * 300, 400),
        ("/claims?person=%00", 400), ("/claims.csv?as_of=99", 400), ("/claims.xlsx?finding=x", 400), ("/worklist?owner=me", 400),
        ("/worklist.csv?owner=me", 400), ("/removals?state=x", 400), ("/workers?number=unheard", 404), ("/runs/2/report", 404),
        ("/runs/1/files/claims.parquet", 404), ("/runs/1/files/report.html", 404), ("/runs/1/files/summary.txt", 404),
        ("/runs/1/files/..%2f..%2fmanifest.json", 404), ("/runs/1/files/%2fetc%2fpasswd", 404), ("/static/app.py", 404), ("/static/..%2fapp.py", 404),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_cannot_be_shown_is_said_in_words(viewer: TestClient, path: str, status: int) -> None:
    answer = viewer.get(PREFIX + path)
    assert answer.status_code == status, answer.text
    assert "<h1>" in answer.text
    assert "Traceback" not in answer.text


def test_the_report_is_shown_with_its_seal_and_its_own_policy(viewer: TestClient) -> None:
    answer = viewer.get(f"{PREFIX}/runs/1/report")
    assert answer.status_code == 200
    assert "succeeded_with_rejects" in answer.text
    assert f"style-src {unescape(STYLE)};" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/runs/3/report", 404, "is not what was sealed"),
        ("/runs/4/report", 410, f"{PURGED_FOR}</p>"),
        ("/runs/4/files/workbook.xlsx", 410, f"{PURGED_FOR}</p>"),
    ],
    ids=["changed", "purged", "purged file"],
)
def test_evidence_that_does_not_hold_is_not_shown(viewer: TestClient, path: str, status: int, words: str) -> None:
    answer = viewer.get(PREFIX + path)
    assert (answer.status_code, words in answer.text) == (status, True)
    assert "Retort" not in answer.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/runs/2/report", NO_OUTCOME), ("/runs/2/files/workbook.xlsx", NO_OUTCOME), ("/runs/6/report", NO_OUTCOME),
        ("/runs/7/report", NO_OUTCOME_YET),
    ],
    ids=["failed", "file of a failed run", "abandoned", "running"],
)  # fmt: skip
def test_a_run_without_an_outcome_rouses_no_suspicion(viewer: TestClient, path: str, words: str) -> None:
    answer = viewer.get(PREFIX + path)
    assert (answer.status_code, words in answer.text) == (404, True)
    assert "make verify" not in answer.text


@pytest.mark.parametrize(
    ("name", "content"),
    [("workbook.xlsx", b"PK workbook"), ("worklist_csv.csv", b"a,b\r\n"), ("data_docs.zip", b"PK docs")],
)
def test_files_of_the_outcome_are_given_out_as_they_were_sealed(viewer: TestClient, name: str, content: bytes) -> None:
    answer = viewer.get(f"{PREFIX}/runs/1/files/{name}")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-disposition"] == f'attachment; filename="run-1-{name}"'


@pytest.mark.parametrize("path", ["/claims.csv", "/worklist.csv"])
def test_no_cell_of_a_csv_is_a_formula(viewer: TestClient, path: str) -> None:
    answer = viewer.get(PREFIX + path)
    assert answer.headers["content-disposition"].startswith("attachment")
    text = answer.content.decode("utf-8-sig")
    assert "'=HYPERLINK" in text
    cells = [cell.strip('"') for line in text.splitlines() for cell in line.split(",")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("path", ["/claims.xlsx", "/worklist.xlsx"])
def test_no_cell_of_a_workbook_is_a_formula(viewer: TestClient, path: str) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(viewer.get(PREFIX + path).content)).active
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert FORMULA in [cell.value for cell in cells]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref is not None) == ("A2", True)


def test_a_csv_without_rows_has_its_head(viewer: TestClient) -> None:
    answer = viewer.get(f"{PREFIX}/claims.csv", params={"employee_number": "unheard of"})
    assert answer.content.decode("utf-8-sig").splitlines()[0].startswith('"certificate_id",')


def test_a_warehouse_that_does_not_answer_is_a_page_in_words(
    airflow: FastAPI, viewer: TestClient, monkeypatch: pytest.MonkeyPatch, pages: FastAPI
) -> None:
    away = create_app()
    monkeypatch.setenv(CONNECTION, as_connection("postgresql://nobody:secret@localhost:1/none"))
    monkeypatch.setitem(pages.state._state, "warehouse", away.state.warehouse)
    answer = viewer.get(f"{PREFIX}/")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert not re.search("secret|nobody|Traceback|localhost", answer.text)


def test_an_empty_warehouse_says_so_on_every_page(
    viewer: TestClient, warehouse_url: str, monkeypatch: pytest.MonkeyPatch, pages: FastAPI
) -> None:
    monkeypatch.setenv(CONNECTION, as_connection(warehouse_url))
    monkeypatch.setitem(pages.state._state, "warehouse", create_app().state.warehouse)
    for path in ("/", "/worklist", "/dangling", "/unmapped", "/claims", "/workers", "/removals"):
        assert viewer.get(PREFIX + path).status_code == 200, path
    for path in ("/claims.csv", "/claims.xlsx", "/worklist.csv", "/runs/1"):
        assert viewer.get(PREFIX + path).status_code == 404, path


def test_links_hold_below_a_path_of_airflows_own(
    pages: FastAPI, airflow: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow, "root_path", "/airflow")
    client = browser(airflow, "viewer")
    html = client.get(f"/airflow{PREFIX}/").text
    addresses = [
        link.get("href") or link.get("src") or link.get("action") or ""
        for link in Structure(html).all("a", "link", "script", "form")
    ]
    assert all(address.startswith((f"/airflow{PREFIX}/", "#")) for address in addresses), addresses
    assert client.get(f"/airflow{PREFIX}/static/pages.css").status_code == 200


def test_airflow_shows_them_in_the_navigation_and_on_a_dag_run() -> None:
    views = {view["destination"]: view for view in CertreconPlugin.external_views}
    assert set(views) == {"nav", "dag_run"}
    assert len({view["url_route"] for view in views.values()}) == 2
    assert not [view for view in views.values() if view["href"].startswith(("/", "http"))]  # relative to Airflow's own


def test_without_airflows_security_there_are_no_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [app["url_prefix"] for app in CertreconPlugin().fastapi_apps] == ["/certrecon", "/certrecon-webhooks"]
    monkeypatch.delattr("airflow.api_fastapi.core_api.security.requires_access_dag")
    for name in ("access", "app"):
        monkeypatch.delitem(__import__("sys").modules, f"certrecon_plugin.pages.{name}")
    assert [app["url_prefix"] for app in CertreconPlugin().fastapi_apps] == ["/certrecon-webhooks"]


def test_the_right_that_is_asked_for_is_that_to_the_runs_of_this_dag(
    airflow: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    from airflow.api_fastapi.app import get_auth_manager

    manager = get_auth_manager()
    real = manager.is_authorized_dag
    monkeypatch.setattr(manager, "is_authorized_dag", lambda **given: asked.append(given) or real(**given))
    browser(airflow, "viewer").get(f"{PREFIX}/", params={"dag_id": "other"})
    assert [(one["method"], str(one["access_entity"].value), one["details"].id) for one in asked] == [
        ("GET", "RUN", DAG)
    ]
    assert len(readers()) == 2
