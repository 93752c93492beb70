from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from certrecon.claims.coded import coded_schema
from certrecon.report import build_report, render_summary
from certrecon.report.model import Change
from certrecon.report.pieces import plain
from certrecon.warehouse.storable import storable
from certrecon.words import Mode
from tests.unit.report.golden import BEFORE_CLAIMS, DAY, HEAD, PUBLISHED, before, claim, claims, partly

UNCHANGED = claim("c", "Kari Nordmann", "7", "delivered")
BLOCKED = claim("c", "Kari Nordmann", "7", "blocked", "EXPIRY_MISSING")
LATER = dt.date(2029, 1, 1)

CASES: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None, set[Change], str]] = {
    "the same": (UNCHANGED, UNCHANGED, set(), ""),
    "newly blocked": (
        UNCHANGED,
        BLOCKED,
        {Change.NEWLY_BLOCKED},
        "disposition: delivered -> blocked; findings: none -> EXPIRY_MISSING",
    ),
    "blocked from the start": (None, BLOCKED, {Change.NEWLY_BLOCKED, Change.NEW}, ""),
    "solved and delivered": (
        BLOCKED,
        UNCHANGED,
        {Change.SOLVED, Change.NEWLY_DELIVERED},
        "disposition: blocked -> delivered; findings: EXPIRY_MISSING -> none",
    ),
    "solved, but another one wins": (
        claim("c", "Kari Nordmann", "7", "rejected"),
        claim("c", "Kari Nordmann", "7", "superseded"),
        {Change.SOLVED},
        "disposition: rejected -> superseded",
    ),
    "from one trouble into another": (
        claim("c", "Kari Nordmann", "7", "blocked"),
        claim("c", "Kari Nordmann", "7", "held"),
        {Change.OTHER},
        "disposition: blocked -> held",
    ),
    "newly expired": (
        UNCHANGED,
        claim("c", "Kari Nordmann", "7", "delivered", "EXPIRED"),
        {Change.NEWLY_EXPIRED},
        "findings: none -> EXPIRED",
    ),
    "new and delivered": (None, UNCHANGED, {Change.NEWLY_DELIVERED, Change.NEW}, ""),
    "gone": (UNCHANGED, None, {Change.GONE}, ""),
    "gone with its trouble": (BLOCKED, None, {Change.SOLVED, Change.GONE}, ""),
    "another day": (
        UNCHANGED,
        UNCHANGED | {"valid_until": LATER},
        {Change.OTHER},
        "valid_until: 2028-03-01 -> 2029-01-01",
    ),
    "other things": (
        UNCHANGED,
        UNCHANGED
        | {"linked": False, "employee_number": "8", "resource_id": "q", "person_name": None, "issued_on": None},
        {Change.OTHER},
        (
            "issued_on: 2025-03-01 -> none; employee_number: 7 -> 8; person_name: Kari Nordmann -> none; "
            "resource_id: p-7 -> q; linked: yes -> no"
        ),
    ),
    "another type is another claim": (
        UNCHANGED,
        UNCHANGED | {"certificate_type": None},
        {Change.GONE, Change.NEW, Change.NEWLY_DELIVERED},
        "",
    ),
}


def _run(
    then: dict[str, Any] | None, now: dict[str, Any] | None, other: dict[str, Any] | None = None, **head: Any
) -> Any:
    earlier = [before(then, 40, then["disposition"], *then["findings"])] if then else []
    inputs = replace(
        PUBLISHED,
        head=replace(HEAD, **head),
        claims=claims(*([now] if now else [])),
        previous_claims=partly(BEFORE_CLAIMS, *earlier),
        **(other or {}),
    )
    return build_report(inputs).changes


@pytest.mark.parametrize(("then", "now", "kinds", "differs"), CASES.values(), ids=CASES)
def test_what_became_of_a_claim(
    then: dict[str, Any] | None, now: dict[str, Any] | None, kinds: set[Change], differs: str
) -> None:
    found = _run(then, now)
    assert found.known
    assert {kind for kind, count in found.counts.items() if count} == kinds
    assert set(found.excerpts) == kinds
    assert {row["differs"] for row in found.table.to_pylist()} == ({differs} if kinds else set())


def test_in_a_dry_run_what_would_be_sent_counts_as_delivered() -> None:
    planned = UNCHANGED | {"disposition": "planned"}
    assert Change.NEWLY_DELIVERED in _run(BLOCKED, planned, mode=Mode.DRY_RUN).excerpts
    assert Change.NEWLY_DELIVERED not in _run(BLOCKED, planned).excerpts


LIMITED = {
    "of its tenant": ("north", 1),
    "of another tenant": ("south", 0),
}


@pytest.mark.parametrize(("tenant", "gone"), LIMITED.values(), ids=LIMITED)
def test_a_limited_run_compares_its_scope(tenant: str, gone: int) -> None:
    assert _run(UNCHANGED, None, tenants=(tenant,)).counts[Change.GONE] == gone


MOVED = {
    "that lies elsewhere now": (("c",), 0),
    "that lies nowhere any more": (("another",), 1),
}


@pytest.mark.parametrize(("elsewhere", "gone"), MOVED.values(), ids=MOVED)
def test_a_limited_run_does_not_call_gone_what_moved_out_of_it(elsewhere: tuple[str, ...], gone: int) -> None:
    """Its claim stays open until a run reads the tenant where it lies."""
    found = _run(BLOCKED, None, {"moved_away": elsewhere}, tenants=("north",))
    assert (found.counts[Change.GONE], found.counts[Change.SOLVED], found.table.num_rows) == (gone, gone, gone)


STORED = {
    "NUL in a name": {"person_name": "Kari\0Nordmann"},
    "NUL in every text": {
        "certificate_id": "c\0", "person_name": "\0", "resource_id": "p\0", "certificate_type": "Bygge\0kort",
    },
    "a long certificate id": {"certificate_id": "c" * 300},
    "a long type": {"certificate_type": "Byggekort " * 30},
}  # fmt: skip


def _coded(table: pa.Table) -> pa.Table:
    return table.cast(coded_schema(table.schema, "certificate_id"))


@pytest.mark.parametrize("form", [plain, _coded], ids=["texts", "coded texts"])
@pytest.mark.parametrize("odd", STORED.values(), ids=STORED)
def test_what_the_warehouse_keeps_otherwise_is_not_changed(
    odd: dict[str, str], form: Callable[[pa.Table], pa.Table]
) -> None:
    """It keeps U+FFFD for NUL, and a shorter text for a long key."""
    rows = claims(UNCHANGED | odd, claim("d", "Ola\ufffd", "8", "delivered"))
    earlier = partly(BEFORE_CLAIMS, *(before(row, 40, "delivered") for row in storable(rows).to_pylist()))
    report = build_report(replace(PUBLISHED, claims=form(rows), previous_claims=form(earlier)))
    assert report.changes.table.to_pylist() == []


def test_what_moved_into_the_scope_is_not_new() -> None:
    moved = UNCHANGED | {"tenant_id": "south"}
    assert _run(UNCHANGED, moved, tenants=("south",)).counts[Change.NEW] == 0


def test_long_lists_are_cut_and_counted() -> None:
    rows = [claim(f"c{number:03}", "N N", str(number), "delivered") for number in range(60)]
    found = build_report(replace(PUBLISHED, claims=claims(*rows), previous_claims=partly(BEFORE_CLAIMS))).changes
    excerpt = found.excerpts[Change.NEW]
    assert (excerpt.total, len(excerpt.rows), found.table.num_rows) == (60, 50, 60)


def test_the_summary_counts_changes() -> None:
    assert "CHANGED since run 41, in claims: newly blocked 1, solved 2" in render_summary(build_report(PUBLISHED))


def test_nobody_is_named_where_nothing_concerns_the_person() -> None:
    medical = claim("c", "Anna Medical", "7", "not_applicable")
    (row,) = _run(None, medical).table.to_pylist()
    assert (row["person_name"], row["employee_number"]) == (None, None)


WEEKS = {
    "yesterday": (DAY - dt.timedelta(1), "delivered", None),
    "today": (DAY, "delivered", 0),
    "on Sunday": (DAY + dt.timedelta(6), "rejected", 0),
    "on the next Monday": (DAY + dt.timedelta(7), "planned", 1),
    "on the last day": (DAY + dt.timedelta(89), "undelivered", 12),
    "a day later": (DAY + dt.timedelta(90), "delivered", None),
    "superseded": (DAY, "superseded", None),
    "blocked": (DAY, "blocked", None),
}


@pytest.mark.parametrize(("until", "disposition", "week"), WEEKS.values(), ids=WEEKS)
def test_expiries_by_week(until: dt.date, disposition: str, week: int | None) -> None:
    row = claim("c", "N N", "1", disposition, valid_until=until)
    outlook = build_report(replace(PUBLISHED, claims=claims(row))).outlook
    assert outlook.weeks[0] == DAY
    assert all(day.weekday() == 0 for day in outlook.weeks)
    assert outlook.total == (0 if week is None else 1)
    assert outlook.counts == ({} if week is None else {"Byggekort": tuple(int(n == week) for n in range(13))})


def test_rare_types_are_counted_together() -> None:
    rows = [
        claim(f"c{kind}-{number}", "N N", f"{kind}-{number}", "delivered", valid_until=DAY, certificate_type=f"T{kind}")
        for kind in range(11)
        for number in range(20 - kind)
    ]
    counts = build_report(replace(PUBLISHED, claims=claims(*rows))).outlook.counts
    assert list(counts) == [*(f"T{kind}" for kind in range(8)), "other types"]
    assert counts["other types"][0] == 12 + 11 + 10


def test_the_trend_ends_with_this_run() -> None:
    report = build_report(PUBLISHED)
    assert [(run.run_seq, run.status, run.claims) for run in report.trend] == [
        (39, "succeeded", 9),
        (40, "failed", 9),
        (41, "succeeded", 12),
        (42, None, 12),
    ]
    assert report.trend[-1].dispositions == report.dispositions
    assert sum(report.trend[0].dispositions.values()) == 9
