"""One browser for all tests of the package, and an Airflow for most; without a browser they are skipped and say so.

Both end with the package: while Playwright runs, an event loop does, and tests elsewhere start their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium, station
from tests.browser.station import Station
from tests.browser.visit import Visit, visiting

Entering = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture(scope="package")
def program() -> str:
    """The browser's path."""
    found = chromium.find_chromium()
    if found is None:
        pytest.skip(chromium.INSTALL)
    return found


@pytest.fixture(scope="package")
def airflow(program: str) -> Iterator[Station]:
    """A real Airflow with two nights and a dry run behind it."""
    with station.running_station() as running:
        yield running


@pytest.fixture(scope="package")
def browser(program: str) -> Iterator[Browser]:
    """The browser of every test: Playwright runs once in a process."""
    with chromium.running_browser(program) as running:
        yield running


@pytest.fixture(scope="package")
def cookies(browser: Browser, airflow: Station) -> dict[str, Any]:
    """What the browser keeps of each user who logged in through the form."""
    kept = {}
    for user in station.USERS:
        with visiting(browser, airflow) as visit:
            visit.log_in(user)
            kept[user] = visit.context.storage_state()
    return kept


@pytest.fixture
def entering(browser: Browser, airflow: Station, cookies: dict[str, Any]) -> Entering:
    """A function that opens a window for a user who has logged in; nobody = a stranger from the street."""

    def enter(user: str | None = None, **options: Any) -> AbstractContextManager[Visit]:
        state = {"storage_state": cookies[user]} if user else {}
        return visiting(browser, airflow, **state, **options)

    return enter


@pytest.fixture
def admin(entering: Entering) -> Iterator[Visit]:
    """Somebody who may do everything."""
    with entering("admin") as visit:
        yield visit


@pytest.fixture
def auditor(entering: Entering) -> Iterator[Visit]:
    """Somebody who may look."""
    with entering("auditor") as visit:
        yield visit
