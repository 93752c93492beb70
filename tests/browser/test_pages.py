"""What auditors and operators do with the pages, in a real browser against a real Airflow."""

from __future__ import annotations

import io
import re
import time
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, expect

from tests.browser import looks
from tests.browser.conftest import Entering
from tests.browser.nights import SCRIPT
from tests.browser.station import Station
from tests.browser.visit import DAG, NARROW, ROWS, Visit, every_row, frame, leading_number, rows, visiting

pytestmark = pytest.mark.slow

FIRST_NIGHT, SECOND_NIGHT, DRY_RUN = 1, 2, 3
RUN_SECONDS = 240
PAGES = {
    "runs": "/",
    "run": f"/runs/{SECOND_NIGHT}",
    "dry run": f"/runs/{DRY_RUN}",
    "dag run": "/dag-run",
    "worklist": "/worklist",
    "worklist of 4HSE staff": "/worklist?owner=4hse",
    "dangling links": "/dangling",
    "types without a rule": "/unmapped",
    "search": "/claims",
    "search of a script": "/claims?person=script",
    "worker": "/workers",
    "removals": "/removals",
    "webhooks": "/webhooks",
}
LISTS = ("/claims.csv", "/claims.xlsx", "/worklist.csv", "/worklist.xlsx")
FILES = (f"/runs/{SECOND_NIGHT}/report", f"/runs/{SECOND_NIGHT}/files/workbook.xlsx", "/static/pages.css")
any_page = pytest.mark.parametrize("path", PAGES.values(), ids=list(PAGES))


# --- the way in --------------------------------------------------------------------------------------------


def test_the_login_form_lets_in_and_the_navigation_opens_the_runs(browser: Browser, airflow: Station) -> None:
    with visiting(browser, airflow) as visit:
        visit.log_in("auditor")
        visit.page.get_by_role("link", name="Reconciliation", exact=True).click()
        runs = frame(visit.page)
        expect(runs.get_by_role("heading", level=1)).to_have_text("Runs of the reconciliation")
        for run in (FIRST_NIGHT, SECOND_NIGHT, DRY_RUN):
            expect(runs.get_by_role("rowheader", name=f"Run {run}", exact=True)).to_be_visible()
        expect(visit.page.get_by_role("button", name="User")).to_be_visible()


def test_a_run_in_airflow_has_a_tab_with_its_reconciliation(auditor: Visit) -> None:
    answer = auditor.context.request.get(f"{auditor.station.url}/api/v2/dags/{DAG}/dagRuns?order_by=run_after")
    second = answer.json()["dag_runs"][SECOND_NIGHT - 1]["dag_run_id"]
    auditor.page.goto(f"{auditor.station.url}/dags/{DAG}/runs/{second}")
    auditor.page.locator("a[href*='reconciliation-run']").click()
    tab = frame(auditor.page)
    expect(tab.get_by_role("heading", level=2)).to_contain_text(f"Run {SECOND_NIGHT}")
    expect(tab.get_by_role("heading", level=2)).not_to_contain_text(f"Run {FIRST_NIGHT}")
    tab.get_by_role("link", name="Open the report").click()
    expect(tab.get_by_role("heading", level=1)).to_be_visible()


def test_a_run_of_another_dag_has_nothing_to_show(auditor: Visit) -> None:
    page = auditor.open("/dag-run?dag_id=other&run_id=manual__1")
    expect(page.locator("main")).to_contain_text("This is no reconciliation run")
    assert page.locator("h2").count() == 0


@pytest.mark.parametrize(("user", "status"), [(None, 401), ("stranger", 403)], ids=["nobody", "a user without rights"])
@pytest.mark.parametrize("path", [*PAGES.values(), *LISTS, *FILES, "/claims?dag_id=other", "/docs", "/openapi.json"])
def test_whoever_may_not_look_sees_nothing(entering: Entering, user: str | None, status: int, path: str) -> None:
    with entering(user) as visit:
        answer = visit.get(path)
        assert answer.status == status
        text = answer.text()
        assert len(text) < 2_000
        assert not re.search(r"delivered|Byggekort|<table|sha256", text), text


def test_a_link_that_is_opened_signed_out_leads_to_the_form_and_back(browser: Browser, airflow: Station) -> None:
    with visiting(browser, airflow) as visit:
        there = visit.at(f"/runs/{SECOND_NIGHT}")
        visit.page.goto(there)
        visit.page.get_by_role("link", name="Sign in and come back here").click()
        visit.fill_in("auditor")
        expect(visit.page).to_have_url(there)
        expect(visit.page.get_by_role("heading", level=1)).to_contain_text(f"Run {SECOND_NIGHT}")


# --- runs and reports --------------------------------------------------------------------------------------


def test_the_runs_say_what_they_were(auditor: Visit) -> None:
    page = auditor.open("/")
    dry, second, first = rows(page)[-3:]
    assert "dry run, nothing was sent" in dry
    assert "succeeded" in first
    assert "succeeded, Ditio refused rows" in second
    page.get_by_role("link", name=f"Run {SECOND_NIGHT}", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Run {SECOND_NIGHT}")


def test_the_report_of_a_run_is_the_sealed_one(auditor: Visit) -> None:
    page = auditor.open(f"/runs/{SECOND_NIGHT}")
    seal = page.locator("dt", has_text="Outcome, sealed").locator("xpath=following-sibling::dd[1]").inner_text()
    assert re.fullmatch("[0-9a-f]{64}", seal)
    page.get_by_role("link", name="Open the report").click()
    page.wait_for_url("**/report")
    assert seal[:16] in page.content()
    assert page.locator("script").count() == 0
    styled = page.evaluate("() => getComputedStyle(document.body).fontFamily")
    assert "serif" in styled
    assert "Times" not in styled, "the report's own style sheet was stopped"


def test_files_of_a_run_open_where_they_are_meant_to(auditor: Visit) -> None:
    page = auditor.open(f"/runs/{SECOND_NIGHT}")
    links = page.locator("a[download]")
    assert links.count() >= 3
    for link in links.all():
        answer = auditor.context.request.get(f"{auditor.station.url}{link.get_attribute('href')}")
        assert answer.status == 200
        assert answer.headers["content-disposition"].startswith("attachment")
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel workbook").click()
    book = load_workbook(io.BytesIO(download.value.path().read_bytes()))
    assert len(book.sheetnames) >= 5
    assert book.worksheets[1].freeze_panes


def test_a_run_that_was_never_made_says_so(auditor: Visit) -> None:
    answer = auditor.page.goto(auditor.at("/runs/999"))
    assert answer is not None
    assert answer.status == 404
    expect(auditor.page.locator("main")).to_contain_text("There is no such run")


# --- worklist ----------------------------------------------------------------------------------------------


def test_the_worklist_is_told_apart_by_who_can_fix_it(auditor: Visit) -> None:
    page = auditor.open("/worklist")
    everybody = leading_number(page.locator(".tiles li", has_text="Everybody").locator("b").inner_text())
    assert len(every_row(page)) == everybody
    page = auditor.open("/worklist")
    page.locator(".tiles a", has_text="4HSE staff").click()
    page.wait_for_url("**owner=*")
    own = leading_number(page.locator(".tiles li", has_text="4HSE staff").locator("b").inner_text())
    shown = every_row(page)
    assert 0 < len(shown) == own < everybody
    assert all("4HSE staff" in row for row in shown)


def test_the_worklist_is_filtered_by_what_became_of_a_claim(auditor: Visit) -> None:
    page = auditor.open("/worklist")
    page.locator("select[name=disposition]").select_option("rejected")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**disposition=rejected*")
    shown = rows(page)
    assert shown
    assert all("Ditio said:" in row for row in shown)
    assert len(auditor.csv("/worklist.csv?disposition=rejected")) == len(shown)


# --- removals ----------------------------------------------------------------------------------------------


def test_what_is_removed_is_noted_with_name_and_time_and_stays(admin: Visit) -> None:
    page = admin.open("/removals")
    open_before = len(rows(page))
    assert open_before
    first = page.locator(ROWS).first
    first.get_by_text("Add a note").click()
    first.get_by_label("a remark").check()
    first.get_by_label(re.compile("^Note")).fill(f"asked HR {SCRIPT}")
    first.get_by_role("button", name="Add the note").click()
    expect(page.get_by_role("status")).to_have_text("The note was added.")
    noted = next(row for row in rows(page) if "asked HR" in row)
    assert f"asked HR {SCRIPT}" in noted
    assert "Remark by admin" in noted
    assert time.strftime("%Y-%m-%d", time.gmtime())[:4] in noted
    row = page.locator(ROWS, has_text="asked HR")
    row.get_by_text("Add a note").click()
    row.get_by_label("it is removed in Ditio").check()
    with page.expect_navigation():
        row.get_by_role("button", name="Add the note").click()
    assert len(rows(page)) == open_before - 1
    page.locator("select[name=state]").select_option("done")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**state=done*")
    done = next(row for row in rows(page) if "asked HR" in row)
    assert "Remark by admin" in done
    assert "Removed by admin" in done


def test_whoever_may_only_look_cannot_note_anything(auditor: Visit, admin: Visit) -> None:
    page = auditor.open("/removals?state=all")
    shown = rows(page)
    assert shown
    assert page.locator("form[method=post]").count() == 0
    form = {"done": "no", "note": "smuggled", "employee_number": "1", "certificate_type": "Byggekort"}
    headers = {"Origin": auditor.station.url}
    assert auditor.context.request.post(auditor.at("/removals"), form=form, headers=headers).status == 403
    elsewhere = {"Origin": "https://elsewhere.example"}
    assert admin.context.request.post(admin.at("/removals"), form=form, headers=elsewhere).status == 403
    assert rows(auditor.open("/removals?state=all")) == shown


# --- downloads ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["claims", "worklist"])
def test_a_list_downloads_as_csv_and_as_excel(auditor: Visit, name: str) -> None:
    page = auditor.open(f"/{name}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    sheet = load_workbook(io.BytesIO(download.value.path().read_bytes())).worksheets[0]
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    listed = auditor.csv(f"/{name}.csv")
    assert sheet.max_row == len(listed) + 1
    assert sheet.max_column == len(listed[0])
    assert any(SCRIPT in str(cell.value) for column in sheet.iter_cols() for cell in column)
    assert not [value for row in listed for value in row.values() if value and value[0] in "=+-@\t\r"]


# --- light and dark, narrow windows ------------------------------------------------------------------------


def test_light_and_dark_follow_airflows_choice(admin: Visit) -> None:
    page = admin.page
    page.goto(f"{admin.station.url}/plugin/reconciliation")
    expect(frame(page).get_by_role("heading", level=1)).to_be_visible()
    ours = next(found for found in page.frames if "/certrecon" in found.url and found.parent_frame)
    seen = {}
    for choice in ("Dark Mode", "Light Mode"):
        page.get_by_role("button", name="User").click()
        page.get_by_role("menuitem", name="Appearance").click()
        page.get_by_role("menuitemradio", name=choice).click()
        page.keyboard.press("Escape")
        page.wait_for_timeout(300)
        seen[choice] = looks.brightness(ours)
        assert looks.faint_texts(ours) == [], choice
    assert seen["Dark Mode"] < 80
    assert seen["Light Mode"] > 200


@any_page
def test_a_page_is_readable_for_everybody(entering: Entering, path: str) -> None:
    for scheme in ("light", "dark"):
        with entering("admin", color_scheme=scheme) as visit:
            page = visit.open(path)
            assert looks.shortcomings(page) == {}
            assert looks.faint_texts(page) == []
            assert (looks.brightness(page) > 128) == (scheme == "light")


@any_page
def test_a_page_fits_a_narrow_window(entering: Entering, path: str) -> None:
    with entering("admin", viewport=NARROW) as visit:
        assert looks.overflow(visit.open(path)) <= 0


# --- a run from the trigger form ---------------------------------------------------------------------------


def test_a_dry_run_from_the_trigger_form_ends_with_its_report(admin: Visit) -> None:
    page = admin.page
    page.goto(f"{admin.station.url}/dags/{DAG}")
    page.get_by_role("button", name="Trigger").first.click()
    dialog = page.get_by_role("dialog")
    # The chosen value lies below the field that takes the click.
    dialog.get_by_text("Publish to Ditio", exact=True).first.click(force=True)
    page.get_by_role("option", name="Dry run: only report").click()
    dialog.get_by_test_id("trigger-dag-submit").click()
    run = triggered(admin)
    assert run["conf"]["mode"] == "dry_run"
    assert run["state"] == "success"
    newest = rows(admin.open("/"))[0]
    assert "dry run, nothing was sent" in newest
    assert "admin" in newest
    page.goto(f"{admin.station.url}/dags/{DAG}/runs/{run['dag_run_id']}")
    page.locator("a[href*='reconciliation-run']").click()
    frame(page).get_by_role("link", name="Open the report").click()
    expect(frame(page).get_by_role("heading", level=1)).to_be_visible()


def triggered(visit: Visit) -> dict[str, Any]:
    """Return the run that the admin triggered once it ended."""
    address = f"{visit.station.url}/api/v2/dags/{DAG}/dagRuns?order_by=-run_after&limit=1"
    until = time.monotonic() + RUN_SECONDS
    while time.monotonic() < until:
        (newest,) = visit.context.request.get(address).json()["dag_runs"]
        if newest["triggering_user_name"] == "admin" and newest["state"] in {"success", "failed"}:
            return dict(newest)
        time.sleep(1)
    raise AssertionError(f"the run did not end within {RUN_SECONDS} s: {newest}")
