from __future__ import annotations

import os
from pathlib import Path

from certrecon.findings import CATALOGUE
from tests.unit.docs.render_findings import render_findings
from tests.unit.report.snapshot import SWITCH, first_difference

PAGE = Path(__file__).resolve().parents[3] / "docs" / "findings.md"


def test_the_page_is_what_the_catalogue_says() -> None:
    found = render_findings()
    if os.environ.get(SWITCH) == "1":
        PAGE.write_text(found, encoding="utf-8")
    difference = first_difference(PAGE.read_text(encoding="utf-8"), found)
    assert not difference, f"docs/findings.md differs first in {difference}\n{SWITCH}=1 writes it anew"


def test_every_code_has_one_row() -> None:
    rows = [line.split("`")[1] for line in render_findings().splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(CATALOGUE)
