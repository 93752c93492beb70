"""The worklist, the list of removals, one worker's history and the runs, against plain looks at every row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Engine, text

from certrecon.browse import worklist
from certrecon.browse.removals import RemovalKey, list_removals, notes_of
from certrecon.browse.runs import get_run, latest_run, list_runs, run_summary, runs_of, trend
from certrecon.browse.targets import list_targets
from certrecon.browse.workers import history, person, worker
from certrecon.browse.worklist import WorkFilter, WorkLine, list_work, owner_totals, unmapped_types
from certrecon.errors import ParameterError
from certrecon.warehouse.engine import transaction
from tests.integration.browse.samples import TARGET, all_rows, run, three_nights

NEEDY = {"blocked", "held", "rejected"}
OWNERS = {"NAME_CHANGED": "hr", "NAME_MISMATCH": "hr", "TYPE_UNMAPPED": "settings", "ACTION_LINK_MISSING": "4hse"}


@pytest.fixture
def nights(warehouse: Engine) -> list[int]:
    return three_nights(warehouse)


def needy(row: Any) -> bool:
    return row.disposition in NEEDY or bool(set(row.findings) & set(OWNERS))


def owners(row: Any) -> set[str]:
    found = {OWNERS[code] for code in row.findings if code in OWNERS}
    return found | ({"ditio"} if row.disposition == "rejected" else set())


def in_order(rows: list[Any]) -> list[tuple[int, str, int]]:
    return sorted(((row.since_run_seq, row.certificate_id, row.claim_id) for row in rows), reverse=True)


def pages(engine: Engine, wanted: WorkFilter) -> list[WorkLine]:
    found: list[WorkLine] = []
    after = None
    while True:
        with transaction(engine) as conn:
            page = list_work(conn, wanted, after, 7)
        found += page.rows
        after = page.next
        if after is None:
            return found


@pytest.mark.parametrize("looked_at", [3, 5_000], ids=["as rare ones", "in order"])
def test_the_worklist_holds_each_claim_that_needs_somebody_once(
    warehouse: Engine, nights: list[int], looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worklist, "LOOKED_AT", looked_at)
    everything = [row for row in all_rows(warehouse, None) if needy(row)]
    cases: dict[str, tuple[dict[str, str], Any]] = {
        "all": ({}, lambda row: True),
        "owner": ({"owner": "hr"}, lambda row: "hr" in owners(row)),
        "nobody's": ({"owner": "operator"}, lambda row: False),
        "finding": ({"finding": "NAME_MISMATCH"}, lambda row: "NAME_MISMATCH" in row.findings),
        "disposition": ({"disposition": "held"}, lambda row: row.disposition == "held"),
        "tenant": ({"tenant": "t1"}, lambda row: row.tenant_id == "t1"),
    }
    for name, (given, fits) in cases.items():
        found = [line.claim for line in pages(warehouse, WorkFilter(TARGET, **given))]
        keys = [(line.since_run_seq, line.certificate_id, line.claim_id) for line in found]
        assert keys == in_order([row for row in everything if fits(row)]), name


def test_a_line_says_who_what_and_how_old(warehouse: Engine, nights: list[int]) -> None:
    rows = {row.claim_id: row for row in all_rows(warehouse, None)}
    for line in pages(warehouse, WorkFilter(TARGET)):
        row = rows[line.claim.claim_id]
        assert set(line.owners) == owners(row)
        assert line.in_words
        assert line.what_to_do
        runs = [each for each in nights if each >= row.since_run_seq]
        assert (line.age_runs, line.age_days) == (len(runs), len(runs) - 1)


def test_totals_count_each_claim_with_each_owner(warehouse: Engine, nights: list[int]) -> None:
    with transaction(warehouse) as conn:
        totals = owner_totals(conn, TARGET)
    expected: dict[str, dict[str, int]] = {}
    for row in filter(needy, all_rows(warehouse, None)):
        for owner in owners(row):
            counts = expected.setdefault(owner, {})
            counts[row.disposition] = counts.get(row.disposition, 0) + 1
    assert totals.owners == expected
    assert totals.claims == sum(needy(row) for row in all_rows(warehouse, None))


def test_severities_of_the_last_run_decide(warehouse: Engine, nights: list[int]) -> None:
    content = json.dumps({"settings": {"severities": {"NAME_CHANGED": "info", "EXPIRED": "warning"}}, "crosswalk": {}})
    with transaction(warehouse) as conn:
        conn.execute(
            text("INSERT INTO reconciliation.settings_version VALUES ('5e77', :content, 1)"), {"content": content}
        )
    found = [line.claim.findings for line in pages(warehouse, WorkFilter(TARGET))]
    assert ("EXPIRED",) in found
    assert ("NAME_CHANGED",) not in found


def test_unmapped_claims_stand_in_groups(warehouse: Engine, nights: list[int]) -> None:
    rows = [row for row in all_rows(warehouse, None) if "TYPE_UNMAPPED" in row.findings]
    with transaction(warehouse) as conn:
        found, largest = unmapped_types(conn, TARGET), unmapped_types(conn, TARGET, 1)
    assert {group.tenant_id: group.claims for group in found.groups} == {
        tenant: sum(row.tenant_id == tenant for row in rows) for tenant in {row.tenant_id for row in rows}
    }
    assert (len(found.groups), found.more) == (2, False)
    assert (largest.groups, largest.more) == (found.groups[:1], True)


@pytest.mark.parametrize("by", ["employee_number", "resource_id"])
def test_a_history_holds_every_row_of_a_worker(warehouse: Engine, nights: list[int], by: str) -> None:
    value = {"employee_number": "0004", "resource_id": "p5"}[by]
    with transaction(warehouse) as conn:
        query = text(f"SELECT claim_id FROM reconciliation.claim WHERE target = :target AND {by} = :value")
        expected = set(conn.execute(query, {"target": TARGET, "value": value}).scalars())
        found, after = [], None
        while True:
            page = history(conn, TARGET, after=after, limit=3, **{by: value})
            found += [line.claim.claim_id for line in page.rows]
            after = page.next
            if after is None:
                break
        known = worker(conn, TARGET, value) if by == "employee_number" else person(conn, TARGET, value)
    assert len(expected) > 3
    assert sorted(found) == sorted(expected)
    assert known is not None
    assert {line.claim_id for line in known.claims} == {
        row.claim_id for row in all_rows(warehouse, None) if getattr(row, by) == value
    }


def test_nobody_is_nobody(warehouse: Engine, nights: list[int]) -> None:
    with transaction(warehouse) as conn:
        assert worker(conn, TARGET, "no such") is None
        assert person(conn, TARGET, "no such\0") is None
        with pytest.raises(ParameterError, match="give one"):
            history(conn, TARGET)


def test_removals_follow_the_last_note(warehouse: Engine, nights: list[int]) -> None:
    with transaction(warehouse) as conn:
        for number in ("1", "2", "3"):
            conn.execute(
                text(
                    "INSERT INTO reconciliation.withdrawn_upsert"
                    " (target, employee_number, certificate_type, reason, first_run_seq)"
                    " VALUES (:target, :number, 'Kran', 'blocked:NAME_MISMATCH', :run)"
                ),
                {"target": TARGET, "number": number, "run": nights[1]},
            )
        for number, done in [("1", True), ("2", True), ("2", False)]:
            conn.execute(
                text(
                    "INSERT INTO reconciliation.removal"
                    " (target, employee_number, certificate_type, noted_at, noted_by, done, note)"
                    " VALUES (:target, :number, 'Kran', now(), 'kari', :done, 'a note')"
                ),
                {"target": TARGET, "number": number, "done": done},
            )
    with transaction(warehouse) as conn:
        numbers = {}
        for state in ("open", "done", "all"):
            first = list_removals(conn, TARGET, state, limit=2)
            rest = list_removals(conn, TARGET, state, first.next, 2).rows if first.next else ()
            numbers[state] = [line.key.employee_number for line in (*first.rows, *rest)]
        line = list_removals(conn, TARGET, "done").rows[0]
        assert [note.done for note in notes_of(conn, RemovalKey(TARGET, "2", "Kran"))] == [True, False]
        assert owner_totals(conn, TARGET).withdrawn == 2
    assert numbers == {"open": ["3", "2"], "done": ["1"], "all": ["3", "2", "1"]}
    assert (line.notes, line.last_note is not None, line.done) == (1, True, True)
    assert line.in_words.startswith("is blocked now: ")


def test_runs_are_listed_newest_first(warehouse: Engine, nights: list[int]) -> None:
    running = run(warehouse, 20)
    with transaction(warehouse) as conn:
        first = list_runs(conn, TARGET, limit=2)
        second = list_runs(conn, TARGET, first.next, limit=2)
        assert [line.run_seq for line in (*first.rows, *second.rows)] == [running, *reversed(nights)]
        assert second.next is None
        newest = latest_run(conn, TARGET)
        assert newest is not None
        assert newest.run_seq == nights[-1]
        assert [point.run_seq for point in trend(conn, TARGET, 2)] == nights[1:]
        assert run_summary(conn, nights[0])["claims"] == 200
        assert [line.target for line in list_targets(conn)] == [TARGET, "target-b"]
        assert [line.run_seq for line in runs_of(conn, f"night-{TARGET}-2")] == [nights[1]]
        assert get_run(conn, 10**6) is None
