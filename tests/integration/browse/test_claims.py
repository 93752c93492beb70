"""The search finds what a plain look at every row finds, in pages that hold each row once."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from certrecon.browse import claims
from certrecon.browse.claims import UNMAPPED, ClaimFilter, ClaimLine, choices, search, stream
from certrecon.browse.paging import cursor_of
from certrecon.errors import ParameterError
from certrecon.text import fold_tokens
from certrecon.warehouse.engine import transaction
from tests.integration.browse.samples import TARGET, all_rows, claim, run, three_nights, write

FILTERS: dict[str, tuple[dict[str, str], Callable[[Any], bool]]] = {
    "nothing": ({}, lambda row: True),
    "blanks": ({"person": " ", "tenant": ""}, lambda row: True),
    "number": ({"employee_number": " 0004 "}, lambda row: row.employee_number == "0004"),
    "certificate": ({"certificate": "c017"}, lambda row: row.certificate_id == "c017"),
    "type": ({"certificate_type": "Kran"}, lambda row: row.certificate_type == "Kran"),
    "unmapped": ({"certificate_type": UNMAPPED}, lambda row: row.certificate_type is None),
    "finding": ({"finding": "EXPIRES_SOON"}, lambda row: "EXPIRES_SOON" in row.findings),
    "unknown finding": ({"finding": "NO_SUCH"}, lambda row: False),
    "disposition": ({"disposition": "blocked"}, lambda row: row.disposition == "blocked"),
    "tenant": ({"tenant": "t2"}, lambda row: row.tenant_id == "t2"),
    "finding, type and tenant": (
        {"finding": "NAME_MISMATCH", "certificate_type": "Kran", "tenant": "t1"},
        lambda row: "NAME_MISMATCH" in row.findings and row.certificate_type == "Kran" and row.tenant_id == "t1",
    ),
    "NUL": ({"tenant": "t\0"}, lambda row: False),
}
PERSONS = [
    "ase",
    "ØYEN åse",
    "jorgen",
    "hans jør",
    "%",
    "100%",
    "_",
    "under_score",
    "o'brien",
    '"hei"',
    "\\",
    "lukasz",
    "nobody",
]


@pytest.fixture
def nights(warehouse: Engine) -> list[int]:
    return three_nights(warehouse)


@pytest.fixture(params=[3, 5_000], ids=["as rare ones", "in order"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both ways in which claims are found."""
    monkeypatch.setattr(claims, "LOOKED_AT", request.param)
    return


def pages(engine: Engine, wanted: ClaimFilter, limit: int) -> list[ClaimLine]:
    found: list[ClaimLine] = []
    after = None
    while True:
        with transaction(engine) as conn:
            page = search(conn, wanted, after, limit)
        found += page.rows
        assert len(page.rows) <= limit
        after = page.next
        if after is None:
            return found


def keys(rows: Any) -> list[tuple[str, int]]:
    return [(row.certificate_id, row.claim_id) for row in rows]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("night", [None, 0, 1, 2])
def test_every_filter_finds_what_a_look_at_every_row_finds(
    warehouse: Engine, nights: list[int], night: int | None
) -> None:
    as_of = None if night is None else nights[night]
    everything = all_rows(warehouse, as_of)
    assert len(everything) > 100
    for name, (given, fits) in FILTERS.items():
        found = pages(warehouse, ClaimFilter(TARGET, as_of=as_of, **given), 7)
        assert keys(found) == keys(row for row in everything if fits(row)), name


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("parts", PERSONS)
def test_a_person_is_found_by_parts_of_the_name(warehouse: Engine, nights: list[int], parts: str) -> None:
    # The claims of a person who was once seen under the name, but for those that concern nobody.
    def named(row: Any) -> bool:
        folded = " ".join(fold_tokens(row.person_name))
        words = fold_tokens(parts)
        return bool(words) and all(word in folded for word in words)

    seen = {
        r.resource_id
        for each in nights
        for r in all_rows(warehouse, each)
        if r.disposition != "not_applicable" and named(r)
    }
    expected = [row for row in all_rows(warehouse, None) if row.resource_id in seen]
    assert keys(pages(warehouse, ClaimFilter(TARGET, person=parts), 10)) == keys(expected)


def test_a_stream_is_the_search_without_pages(warehouse: Engine, nights: list[int]) -> None:
    wanted = ClaimFilter(TARGET, as_of=nights[1], disposition="blocked")
    with transaction(warehouse) as conn:
        streamed = [row for table in stream(conn, wanted) for row in table.to_pylist()]
    found = pages(warehouse, wanted, 500)
    assert [row["certificate_id"] for row in streamed] == [line.certificate_id for line in found]
    assert [row["findings"] for row in streamed] == [list(line.findings) for line in found]


def test_choices_are_the_types_and_tenants_there_are(warehouse: Engine, nights: list[int]) -> None:
    with transaction(warehouse) as conn:
        found = choices(conn, TARGET)
    assert (found.certificate_types, found.tenants) == (("Byggekort", "Kran"), ("t1", "t2"))


@pytest.mark.parametrize("cursor", ["nonsense", "WzFd", "bnVsbA", "å", "e30", "\0"])
def test_what_is_no_cursor_is_refused(warehouse: Engine, cursor: str) -> None:
    with transaction(warehouse) as conn, pytest.raises(ParameterError, match="first page"):
        search(conn, ClaimFilter(TARGET), cursor)


@pytest.mark.parametrize("part", ["\0", "c\ud800", "\udfffc"], ids=ascii)
def test_a_cursor_with_what_no_column_holds_is_refused(warehouse: Engine, part: str) -> None:
    wanted = ClaimFilter(TARGET)
    given = base64.urlsafe_b64decode(cursor_of(["PART", 1], wanted) + "==")
    changed = given.replace(b'"PART"', json.dumps(part).encode())
    with transaction(warehouse) as conn, pytest.raises(ParameterError, match="first page"):
        search(conn, wanted, base64.urlsafe_b64encode(changed).decode().rstrip("="))


@pytest.mark.parametrize(
    "odd", ["\u00a0", "\u200b", "\n", "\r\n", "\u2028", "\x1b", "\u202e", "å", "\U0001f3d7"], ids=ascii
)
def test_a_page_begins_after_an_id_of_any_characters(warehouse: Engine, odd: str) -> None:
    ids = ["a", f"b{odd}", f"c{odd}d", "e"]
    rows = [claim(random.Random(0), 0) | {"certificate_id": each} for each in ids]
    write(warehouse, run(warehouse, 1), rows)
    assert [line.certificate_id for line in pages(warehouse, ClaimFilter(TARGET), 1)] == ids


def test_a_cursor_of_another_search_is_refused(warehouse: Engine, nights: list[int]) -> None:
    with transaction(warehouse) as conn:
        cursor = search(conn, ClaimFilter(TARGET), limit=5).next
        with pytest.raises(ParameterError, match="first page"):
            search(conn, ClaimFilter(TARGET, tenant="t1"), cursor)


def test_as_of_is_a_publishing_run_of_the_target(warehouse: Engine, nights: list[int]) -> None:
    others = [10**30, 999, run(warehouse, 9, "target-b")]
    for as_of in others:
        with transaction(warehouse) as conn, pytest.raises(ParameterError, match="no publishing run"):
            search(conn, ClaimFilter(TARGET, as_of=as_of))
