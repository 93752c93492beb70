"""The search for claims in a real browser: what it finds, page by page, as of an earlier run, and without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looks
from tests.browser.nights import SCRIPT
from tests.browser.visit import ROWS, Visit, every_row, rows

pytestmark = pytest.mark.slow

FIRST_NIGHT = 1


def first_with(claims: list[dict[str, str]], column: str) -> str:
    return next(claim[column] for claim in claims if claim[column] and claim["employee_number"])


CASES: dict[str, tuple[str, Callable[[list[dict[str, str]]], str], Callable[[dict[str, str], str], bool]]] = {
    "a part of the name": (
        "person",
        lambda claims: first_with(claims, "person_name").split()[0][:4].upper(),
        lambda claim, part: part.lower() in claim["person_name"].lower(),
    ),
    "the employee number": (
        "employee_number",
        lambda claims: first_with(claims, "employee_number"),
        lambda claim, number: claim["employee_number"] == number,
    ),
    "the certificate": (
        "certificate",
        lambda claims: first_with(claims, "certificate_id"),
        lambda claim, identity: claim["certificate_id"] == identity,
    ),
    "the type": (
        "certificate_type",
        lambda claims: first_with(claims, "certificate_type"),
        lambda claim, kind: claim["certificate_type"] == kind,
    ),
    "a finding": (
        "finding",
        lambda claims: "ACTION_LINK_MISSING",
        lambda claim, code: code in claim["findings"],
    ),
    "the outcome": (
        "disposition",
        lambda claims: "held",
        lambda claim, name: claim["disposition"] == name,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_the_search_finds_claims_by(auditor: Visit, case: tuple[str, Any, Any]) -> None:
    field, choose, fits = case
    claims = auditor.csv("/claims.csv")
    wanted = choose(claims)
    page = auditor.open("/claims")
    entry = page.locator(f"[name={field}]")
    if entry.evaluate("element => element.tagName") == "SELECT":
        entry.select_option(wanted)
    else:
        entry.fill(wanted)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(f"**{field}=*")
    expect(page.locator(f"[name={field}]")).to_have_value(wanted)
    expected = [claim for claim in claims if fits(claim, wanted)]
    shown = every_row(page)
    assert 0 < len(expected) == len(shown) < len(claims)
    assert sorted(ids(shown)) == sorted(claim["certificate_id"] for claim in expected)
    assert auditor.csv(f"/claims.csv?{field}={wanted}") == expected


def ids(shown: list[str]) -> list[str]:
    found = [re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", row) for row in shown]
    return [match[0] if match else "" for match in found]


def test_paging_forth_shows_every_claim_once(auditor: Visit) -> None:
    claims = auditor.csv("/claims.csv")
    page = auditor.open("/claims")
    assert len(rows(page)) < len(claims), "one page holds them all: there is nothing to show here"
    assert sorted(ids(every_row(page))) == sorted(claim["certificate_id"] for claim in claims)


def test_an_earlier_run_shows_what_was_known_then(auditor: Visit) -> None:
    now = {claim["certificate_id"] for claim in auditor.csv("/claims.csv")}
    then = {claim["certificate_id"] for claim in auditor.csv(f"/claims.csv?as_of={FIRST_NIGHT}")}
    gone, added = then - now, now - then
    assert gone
    page = auditor.open("/claims")
    page.get_by_label("Certificate id").fill(min(gone))
    page.get_by_role("button", name="Search").click()
    expect(page.locator("main")).to_contain_text("Nothing fits")
    page.get_by_label("As of run number").fill(str(FIRST_NIGHT))
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(f"**as_of={FIRST_NIGHT}*")
    assert ids(rows(page)) == [min(gone)]
    for identity in added:
        assert auditor.csv(f"/claims.csv?as_of={FIRST_NIGHT}&certificate={identity}") == []


def test_nothing_that_is_asked_breaks_the_search(auditor: Visit) -> None:
    for asked in ("%25", "_", "'", "%22%3E%3Cscript%3E", "\\", "as_of"):
        page = auditor.open(f"/claims?person={asked}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    answer = auditor.get("/claims?as_of=yesterday")
    assert answer.status == 400
    assert "Traceback" not in answer.text()


def test_a_worker_has_a_history_and_a_script_for_a_name_is_only_text(auditor: Visit) -> None:
    page = auditor.open("/claims?person=script")
    assert SCRIPT in rows(page)[0]
    page.locator(f"{ROWS} th a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(SCRIPT)
    history = page.locator("section", has=page.get_by_role("heading", name="History over the runs"))
    assert history.locator("tbody tr").count() >= 1
    expect(history.locator("tbody tr").first).to_contain_text(re.compile(r"run \d"))
    assert page.locator("main script").count() == 0


def press_until(page: Page, reached: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Press Tab until it is reached; return everything that had the keyboard on the way."""
    passed = []
    for _ in range(60):
        page.keyboard.press("Tab")
        passed.append(looks.focused(page))
        if reached(passed[-1]):
            return passed
    raise AssertionError(f"never reached: {[at['words'] or at['name'] for at in passed]}")


def test_the_search_needs_no_mouse(auditor: Visit) -> None:
    page = auditor.open("/claims")
    first = press_until(page, lambda at: "skip" in at["classes"])
    assert len(first) == 1, "the way past the navigation is the first stop"
    page.keyboard.press("Enter")
    inside = press_until(page, lambda at: at["name"] == "person")
    assert len(inside) == 1, "the skip link leads past the navigation"
    page.keyboard.type("script")
    page.keyboard.press("Enter")
    page.wait_for_url("**person=script*")
    passed = press_until(page, lambda at: at["tag"] == "A" and at["inTable"])
    assert all(at["visible"] for at in [*first, *inside, *passed]), [at for at in passed if not at["visible"]]
    page.keyboard.press("Enter")
    page.wait_for_url("**/workers?*")
