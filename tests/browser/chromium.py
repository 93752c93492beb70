"""Chromium as Debian packages it; Playwright brings no browser of its own here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser")
INSTALL = "no Chromium was found: `apt-get install chromium` (as root) lets the browser tests run"
# Quiet: it reaches for nothing but the pages that it is told to open.
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


def find_chromium() -> str | None:
    """Return the path of the browser, nothing where none is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def running_browser(program: str) -> Iterator[Browser]:
    """Keep a browser open without any window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
