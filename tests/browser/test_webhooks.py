"""Making an address on the page, telling of a change there as 4HSE would, and revoking it, in a real browser."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.conftest import Entering
from tests.browser.visit import EVENT, NARROW, Visit, made

pytestmark = pytest.mark.slow

NOTICE = {"entity_id": "never-shown", "updated_fields": {}}


def test_an_address_is_made_used_and_revoked(admin: Visit) -> None:
    page = admin.open("/removals")
    page.get_by_role("link", name="Webhooks").click()
    address = made(page)
    assert address.startswith(f"{admin.station.url}/certrecon-webhooks/fourhse/")
    expect(page.get_by_role("status")).to_contain_text("shown this one time")
    assert looks.faint_texts(page) == []
    assert looks.shortcomings(page) == {}
    assert httpx.post(address, json=NOTICE, timeout=30).status_code == 200
    admin.open("/webhooks")
    assert address.rpartition("/")[2] not in page.content()
    row = page.get_by_role("row").filter(has_text=EVENT)
    expect(row.get_by_role("cell").nth(0)).to_contain_text("1")
    expect(row).to_contain_text("by admin")
    row.get_by_text("Revoke", exact=True).click()
    row.get_by_role("button", name="Revoke it").click()
    expect(page).to_have_url(admin.at("/webhooks"))  # not without the tick
    row.get_by_role("checkbox").check()
    row.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("status")).to_contain_text("revoked")
    assert httpx.post(address, json=NOTICE, timeout=30).status_code == 404
    expect(page.get_by_role("row").filter(has_text=EVENT)).to_contain_text("revoked")


def test_whoever_may_only_look_sees_the_addresses_and_no_form(auditor: Visit) -> None:
    page = auditor.open("/webhooks")
    expect(page.get_by_role("heading", name="Addresses")).to_be_visible()
    assert page.locator("form").count() == 0


def test_a_new_address_fits_a_narrow_window(entering: Entering) -> None:
    with entering("admin", viewport=NARROW) as visit:
        page = visit.open("/webhooks")
        made(page, "PERSON::DELETE")
        assert looks.overflow(page) <= 0
