"""What each fault does on the wire: altered answers, and lists that cannot be read straight on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.sandbox.raw import CERTIFICATES, EMPLOYEES, ROW, UPSERT, Raw

# --- altered answers -----------------------------------------------------------------------------------


def test_truncated(raw: Raw) -> None:
    whole = raw.index().body
    raw.switch_on(CERTIFICATES, "truncated", share=0.5)
    seen = raw.index()
    assert (seen.status, seen.ended, seen.body) == (200, "whole", whole[: len(whole) // 2])


@pytest.mark.parametrize("status", [200, 201, 204])
def test_empty_success(raw: Raw, status: int) -> None:
    raw.switch_on("*", "empty_success", status=status)
    seen = raw.ask("POST", UPSERT, [ROW])
    assert (seen.status, seen.body, raw.saved) == (status, b"", {"Byggekort"})
    assert (raw.index().status, raw.index().body) == (status, b"")


@pytest.mark.parametrize(("how", "places"), [("added", [0, 1, 2, 3, 4, 1]), ("instead", [0, 1, 3, 4, 1])])
def test_duplicate_row(raw: Raw, how: str, places: list[int]) -> None:
    rows = raw.index().value
    raw.switch_on(CERTIFICATES, "duplicate_row", how=how, row=1)
    assert raw.index().value == [rows[place] for place in places]


@pytest.mark.parametrize(("total", "less"), [("kept", 0), ("lowered", 1)])
def test_missing_row(raw: Raw, total: str, less: int) -> None:
    before = raw.index()
    raw.switch_on(CERTIFICATES, "missing_row", total=total, row=1)
    seen = raw.index()
    name = "x-pagination-total-count"
    assert seen.value == before.value[:1] + before.value[2:]
    assert int(before.headers[name]) - int(seen.headers[name]) == less


def test_missing_row_of_an_envelope(raw: Raw) -> None:
    raw.client.server.options.ditio_employees_shape = "envelope"
    before = raw.ask("GET", EMPLOYEES).value
    raw.switch_on("ditio.employees.list", "missing_row")
    assert raw.ask("GET", EMPLOYEES).value == before | {"data": before["data"][1:]}


def test_extra_fields(raw: Raw) -> None:
    rows = raw.index().value
    raw.switch_on(CERTIFICATES, "extra_fields")
    for before, row in zip(rows, raw.index().value, strict=True):
        assert before.items() <= row.items()
        assert sum("undocumented" in name for name in row) == 5


@pytest.mark.parametrize(("rows", "changed"), [("all", 5), ("first", 1)])
def test_nulls(raw: Raw, rows: str, changed: int) -> None:
    raw.switch_on(CERTIFICATES, "nulls", fields="name|no_such_field", rows=rows)
    found = raw.index().value
    assert [row["name"] for row in found].count(None) == changed
    assert not any("no_such_field" in row for row in found)


# --- pages ---------------------------------------------------------------------------------------------


def test_clamp(raw: Raw) -> None:
    raw.switch_on(CERTIFICATES, "clamp", size=2)
    seen = raw.index()
    assert (len(seen.value), seen.headers["x-pagination-per-page"]) == (2, "2")


HEADERS = {
    "missing": (None, None, None, None),
    "no_total": (None, "80", "2", "5"),
    "garbage": ("many", "-3", "1.5", ""),
    "total_more": ("401", "80", "2", "5"),
    "total_less": ("399", "80", "2", "5"),
    "pages_less": ("400", "79", "2", "5"),
    "pages_more": ("400", "180", "2", "5"),
    "current": ("400", "80", "1", "5"),
    "per_page": ("400", "80", "2", "10"),
}


@pytest.mark.parametrize("how", HEADERS)
def test_page_headers(raw: Raw, how: str) -> None:
    names = [f"x-pagination-{name}" for name in ("total-count", "page-count", "current-page", "per-page")]
    asked = {"page": 2, "filter": {"tenant_id": _tenant(raw)}}
    right = raw.index(**asked)
    raw.switch_on(CERTIFICATES, "page_headers", how=how)
    seen = raw.index(**asked)
    total, pages = (int(right.headers[name]) for name in names[:2])
    swapped = {"400": str(total), "401": str(total + 1), "399": str(total - 1)}
    swapped |= {"80": str(pages), "79": str(pages - 1), "180": str(pages + 100)}
    assert tuple(seen.headers.get(name) for name in names) == tuple(swapped.get(one or "", one) for one in HEADERS[how])
    assert seen.value == right.value


def _tenant(raw: Raw) -> str:
    """Return a tenant whose certificates fill some small pages and fit on one of a hundred."""
    world = raw.client.server.world
    return next(one for one in world.projects.rows if 12 < len(world.certificates.where("tenant_id", one)) < 100)


def test_same_page(raw: Raw) -> None:
    first = raw.index().value
    raw.switch_on(CERTIFICATES, "same_page", pages=50)
    for page in (1, 2, 49):
        seen = raw.index(page=page)
        assert (seen.value, seen.headers["x-pagination-current-page"]) == (first, str(page))
        assert seen.headers["x-pagination-page-count"] == "50"
        assert seen.headers["x-pagination-total-count"] == "250"


@pytest.mark.parametrize(("following", "tokens"), [("same", ["again", "again"]), ("new", ["again-1", "again-2"])])
def test_endless_list(raw: Raw, following: str, tokens: list[str]) -> None:
    raw.switch_on("ditio.employees.list", "endless_list", following=following)
    assert [raw.ask("GET", EMPLOYEES).value["continuationToken"] for _ in tokens] == tokens


MOVES: dict[str, Callable[[list[str], list[str]], bool]] = {
    "delete": lambda before, after: after == before[:2] + before[3:],
    "insert": lambda before, after: after[:-1] == before,
    "balanced": lambda before, after: after[:-1] == before[:2] + before[3:] and after[-1] not in before,
    "reordered": lambda before, after: after == before[:2] + before[3:] + before[2:3],
}


@pytest.mark.parametrize("how", MOVES)
def test_rows_move(raw: Raw, how: str) -> None:
    """The second request of the list sees another list than the first; what comes is at the end."""
    asked = {"per-page": 100, "filter": {"tenant_id": _tenant(raw)}}
    raw.switch_on(CERTIFICATES, "rows_move", how=how, row=2, after=1, times=1)
    before, after, later = ([row["certificate_id"] for row in raw.index(**asked).value] for _ in range(3))
    assert MOVES[how](before, after)
    assert later == after


def test_dropped_field(raw: Raw) -> None:
    """The vendor chooses an id of its own for what it is asked to create."""
    world = raw.client.server.world
    action = next(
        one
        for one in world.actions
        if one["code"] == "BYGG" and world.certificates.where("tenant_id", one["tenant_id"])
    )
    certificate = world.certificates.where("tenant_id", action["tenant_id"])[0]
    wanted = "00000000-0000-4000-8000-00000000abcd"
    body = {"certificate_action_id": wanted, "certificate_id": certificate["certificate_id"]}
    body |= {"action_id": action["action_id"], "tenant_id": action["tenant_id"]}
    raw.switch_on("4hse.certificate-action.create", "dropped_field", field="certificate_action_id")
    created = raw.ask("POST", "/4hse/v2/certificate-action/create", body)
    assert created.status == 201
    assert created.value["certificate_action_id"] != wanted
    assert world.links.get(wanted) is None
