"""What a visitor does and sees: logging in, opening pages, reading lists; and what a page must never do."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FrameLocator, Page

from tests.browser.station import Station

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
DAG = "certificate_reconciliation"
ROWS = "table.stack tbody tr"
EVENT = "CERTIFICATE::UPDATE"


@dataclass
class Visit:
    """One person at one browser window.

    Attributes:
        station: Where Airflow is.
        context: The window's cookies and storage.
        page: The window.
        complaints: What no page may make a browser say: dialogs, and what its policy stopped.
    """

    station: Station
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open one of our pages by itself, without Airflow around it."""
        answer = self.page.goto(self.at(path))
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        return self.page

    def at(self, path: str) -> str:
        return f"{self.station.url}/certrecon{path}"

    def get(self, path: str) -> Any:
        return self.context.request.get(self.at(path))

    def csv(self, path: str) -> list[dict[str, str]]:
        answer = self.get(path)
        assert answer.status == 200, f"{path}: {answer.status}"
        return list(csv.DictReader(io.StringIO(answer.body().decode("utf-8-sig"))))

    def log_in(self, user: str) -> None:
        """Log in as people do, through Airflow's form."""
        self.page.goto(self.station.url)
        self.fill_in(user)
        self.page.get_by_role("button", name="User").wait_for()

    def fill_in(self, user: str) -> None:
        """Fill in the form that asks who it is, and send it."""
        self.page.locator("input[name=username]").fill(user)
        self.page.locator("input[name=password]").fill(self.station.passwords[user])
        self.page.locator("button[type=submit]").click()


@contextmanager
def visiting(browser: Browser, station: Station, **options: Any) -> Iterator[Visit]:
    """Open a window; when it closes, nothing may have popped up and no policy may have been needed."""
    context = browser.new_context(viewport=options.pop("viewport", WIDE), **options)
    context.set_default_timeout(30_000)
    visit = Visit(station, context, context.new_page())
    visit.page.on("dialog", lambda dialog: (visit.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    visit.page.on("console", lambda message: _listen(visit.complaints, message))
    try:
        yield visit
    finally:
        context.close()
    assert visit.complaints == []


def frame(page: Page) -> FrameLocator:
    """Return our page inside Airflow's."""
    return page.frame_locator("iframe")


def made(page: Page, event: str = EVENT) -> str:
    """Make an address for 4HSE's webhooks with the form, and return what the page shows of it."""
    page.locator("select[name=event]").select_option(event)
    page.get_by_role("button", name="Make it").click()
    return page.get_by_label(f"Address for {event}").input_value()


def rows(page: Page) -> list[str]:
    """Return the text of every row of the page's list."""
    return [" ".join(text.split()) for text in page.locator(ROWS).all_inner_texts()]


def every_row(page: Page) -> list[str]:
    """Return the rows of this page and of every one after it."""
    found = rows(page)
    while page.locator("a[rel=next]").count():
        page.goto(urljoin(page.url, page.locator("a[rel=next]").get_attribute("href") or ""))
        found += rows(page)
    return found


def leading_number(text: str) -> int:
    """Return the first number of a text, written as 1,234."""
    number = re.search(r"\d[\d,]*", text)
    assert number, text
    return int(number[0].replace(",", ""))


def _listen(complaints: list[str], message: ConsoleMessage) -> None:
    if "content security policy" in message.text.lower() or "refused to" in message.text.lower():
        complaints.append(message.text)
