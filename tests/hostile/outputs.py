"""Everything that a night leaves for people to read, held against what it must not contain."""

from __future__ import annotations

import csv
import io
import logging
import re
from html.parser import HTMLParser

import openpyxl

from tests.contract.pipeline import Night

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
_FORMULA = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
LONGEST_LINE = 5_000


class _Page(HTMLParser):
    """Counts the elements of a page and keeps what could run."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "base", "form", "link", "meta"}:
            self.scripts += 1
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith(("javascript:", "data:text")):
                self.runs.append(f"<{tag} {name}={value!r:.60}>")


def elements_that_run(html: str) -> tuple[int, list[str]]:
    """Return how many elements could load or run something, and the attributes that would run."""
    page = _Page()
    page.feed(html)
    return page.scripts, page.runs


def assert_harmless(night: Night, elements: int) -> None:
    """Look at the page, the lists, the workbook and the summary; `elements` is what a calm night's page has."""
    reported = night.reported
    assert reported is not None, night.errors
    page = night.file(reported.page)
    assert elements_that_run(page) == (elements, [])
    assert not _CONTROL.search(page)
    summary = night.file(reported.summary)
    assert not _CONTROL.search(summary)
    assert len(summary) < 100_000
    for name, ref in reported.lists.items():
        _assert_text_cells(name, night.file(ref))
    found = openpyxl.load_workbook(io.BytesIO(night.workplace.evidence.read_bytes(reported.workbook.address)))
    for sheet in found.worksheets:
        assert all(cell.data_type != "f" and not cell.hyperlink for row in sheet.iter_rows() for cell in row)


def _assert_text_cells(name: str, text: str) -> None:
    assert not _CONTROL.search(text), name
    csv.field_size_limit(50_000_000)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert len({len(row) for row in rows}) == 1, f"{name}: a value made cells of its own"
    for cell in (cell for row in rows for cell in row):
        assert _NUMBER.fullmatch(cell) or not _FORMULA.match(cell), f"{name}: {cell[:60]!r}"


def assert_quiet(records: list[logging.LogRecord]) -> None:
    """Hold every line that was logged: short, and nothing in it that a terminal obeys."""
    for record in records:
        line = record.getMessage()
        assert len(line) < LONGEST_LINE, f"{record.name} logged {len(line):,} characters: {line[:200]!r}"
        assert not _CONTROL.search(line), f"{record.name}: {line[:200]!r}"
