"""Data Docs of a run: readable, of one size whatever the run, built without asking anybody."""

from __future__ import annotations

import html
import io
import json
import re
import socket
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from certrecon.errors import RuleEvaluationError
from certrecon.findings import CATALOGUE
from certrecon.settings import Settings
from certrecon.validation.bitmaps import encode_bitmap
from certrecon.validation.data_docs import bounded_document, render_data_docs
from certrecon.validation.run import validate
from certrecon.words import Subject
from tests.oracle.base import AS_OF, base_world
from tests.property.judging import judge

CLAIMS, UNLINKED = 20, 3


@pytest.fixture(scope="module")
def documents() -> dict[Subject, str]:
    """Great Expectations' results of twenty claims, three of them without a link."""
    facts = pa.concat_tables([judge(base_world())[0].claims.facts] * CLAIMS)
    linked = pa.array(np.arange(CLAIMS) >= UNLINKED)
    facts = facts.set_column(facts.schema.get_field_index("linked"), "linked", linked)
    return {subject: validate(subject, facts, Settings(), AS_OF).document for subject in Subject}


def _pages(archive: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as content:
        return {name: content.read(name).decode() for name in content.namelist() if name.endswith(".html")}


def _text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def _of_rows(document: str, rows: int) -> str:
    """Return a result as if `rows` claims had been looked at and all had each finding."""
    changed: dict[str, Any] = json.loads(document)
    bitmap = encode_bitmap(np.ones(rows, np.bool_))
    for entry in changed["results"]:
        entry["result"] = {"element_count": rows, "unexpected_count": rows, "unexpected_bitmap": bitmap}
        entry["success"] = False
    return json.dumps(changed)


def test_every_finding_is_said_in_words(documents: dict[Subject, str]) -> None:
    pages = _pages(render_data_docs(documents, "run-12"))
    results = " ".join(_text(page) for name, page in pages.items() if name.startswith("validations/"))
    for code, finding in CATALOGUE.items():
        assert f"{code} : found where a certificate {finding.title}. {finding.advice}" in results
        assert f"Severity: {finding.severity}. Owner: {finding.owner}." in results
    assert results.count(f"{UNLINKED} of {CLAIMS} claims") == 1
    assert "run-12" in _text(pages["index.html"])


def test_links_inside_the_site_lead_somewhere(documents: dict[Subject, str]) -> None:
    pages = _pages(render_data_docs(documents, "run-12"))
    for name, page in pages.items():
        for address in re.findall(r'href="((?!http|#)[^"]*\.html)"', page):
            steps = [*name.split("/")[:-1], *address.split("/")]
            while ".." in steps:
                at = steps.index("..")
                del steps[at - 1 : at + 1]
            assert "/".join(steps) in pages


def test_a_million_claims_make_no_larger_pages(documents: dict[Subject, str]) -> None:
    few, many = (
        render_data_docs({subject: _of_rows(document, rows) for subject, document in documents.items()}, "run-12")
        for rows in (10, 1_000_000)
    )
    assert len(many) < 1.02 * len(few) < 100_000
    assert "bitmap" not in json.dumps(bounded_document(_of_rows(documents[Subject.DATES], 1_000_000), "run-12"))


def test_building_asks_nobody(documents: dict[Subject, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    assert _pages(render_data_docs(documents, "run-12"))


def test_two_at_once_keep_apart(documents: dict[Subject, str]) -> None:
    names = ["run-1", "run-2"] * 2
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda name: _pages(render_data_docs(documents, name)), names))
    for name, pages in zip(names, made, strict=True):
        assert {page.split("/")[2] for page in pages if page.startswith("validations/")} == {name}


def test_what_cannot_be_rendered_is_no_page(documents: dict[Subject, str]) -> None:
    damaged = json.loads(documents[Subject.DATES])
    del damaged["results"][0]["expectation_config"]["meta"]["title"]
    with pytest.raises(RuleEvaluationError, match="ISSUED_MISSING"):
        render_data_docs({Subject.DATES: json.dumps(damaged)}, "run-12")


def test_great_expectations_is_imported_only_to_render() -> None:
    """Tasks that render nothing must not wait seconds for it."""
    code = "import sys, certrecon.validation.data_docs; print('great_expectations' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
