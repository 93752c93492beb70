"""Every query that the pages show runs on the warehouse as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from certrecon.warehouse.roles import AUDITOR

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^\s*```sql\n(.*?)^\s*```", re.MULTILINE | re.DOTALL)


def _queries(page: str) -> list[str]:
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    statements = [statement.strip() for block in blocks for statement in block.split(";") if statement.strip()]
    return [statement for statement in statements if "SELECT" in statement]


PAGES = {page: _queries(page) for page in ("README.md", "docs/auditors-guide.md")}


@pytest.mark.parametrize(
    "query", [pytest.param(query, id=f"{page}-{at}") for page, found in PAGES.items() for at, query in enumerate(found)]
)
def test_an_auditor_can_run_it(warehouse: Engine, query: str) -> None:
    with warehouse.begin() as conn:
        conn.execute(text(f"SET LOCAL ROLE {AUDITOR}"))
        answer = conn.execute(text(query.replace(":", r"\:")))
        assert answer.returns_rows
        assert len(set(answer.keys())) == len(list(answer.keys())), "a reader can tell every column by its name"


def test_there_are_queries() -> None:
    assert all(PAGES.values())
