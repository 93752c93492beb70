from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from certrecon.dispositions.withdrawals import WITHDRAWN
from certrecon.report import build_report
from certrecon.report.ages import ages, since_first
from tests.unit.report.golden import PAST, PUBLISHED, WITHDRAWN_BEFORE, partly, table

SINCE = {
    "new": (42, 1, 0),
    "since the run before": (41, 2, 3),
    "since the run before that": (40, 3, 5),
    "since the first that is known": (39, 4, 6),
    "since a run by hints, before all that are known": (3, 5, 6),
    "not known": (None, None, None),
}


@pytest.mark.parametrize(("since", "runs", "days"), SINCE.values(), ids=SINCE)
def test_ages_count_runs_and_days(since: int | None, runs: int | None, days: int | None) -> None:
    found = ages(pa.array([since], pa.int64()), PUBLISHED).to_pylist()
    assert found == [{"since_run": since, "age_runs": runs, "age_days": days}]


BY_HINTS = {
    "between two nights": ((39, 41), 40, 3, 3),
    "after the last night": ((39, 40), 41, 2, 0),
    "where no night is known": ((), 41, 2, 0),
}


@pytest.mark.parametrize(("nights", "since", "runs", "days"), BY_HINTS.values(), ids=BY_HINTS)
def test_what_a_run_by_hints_began_is_not_new(nights: tuple[int, ...], since: int, runs: int, days: int) -> None:
    """The run counts as one; at least as many days went by as since the next run that is known."""
    known = PAST.filter(pc.is_in(PAST["run_seq"], value_set=pa.array(nights, pa.int64())))
    found = ages(pa.array([since, None], pa.int64()), replace(PUBLISHED, runs=known)).to_pylist()
    assert [(row["age_runs"], row["age_days"]) for row in found] == [(runs, days), (None, None)]


def test_without_earlier_runs_only_what_is_new_has_an_age() -> None:
    found = ages(pa.array([42, 41], pa.int64()), replace(PUBLISHED, runs=None)).to_pylist()
    assert [(row["age_runs"], row["age_days"]) for row in found] == [(1, 0), (None, None)]


WORK = {
    "rejected as before": ("c04", (40, 3, 5)),
    "delivered before, blocked now": ("c07", (42, 1, 0)),
    "blocked for long": ("c08", (39, 4, 6)),
    "not there before": ("c05", (42, 1, 0)),
}


@pytest.mark.parametrize(("certificate", "age"), WORK.values(), ids=WORK)
def test_a_claim_has_the_age_of_its_disposition(certificate: str, age: tuple[int, int, int]) -> None:
    rows = build_report(PUBLISHED).worklist.to_pylist()
    (row,) = (row for row in rows if row["certificate_id"] == certificate)
    assert (row["since_run"], row["age_runs"], row["age_days"]) == age


def test_withdrawals_and_dangling_links_have_ages() -> None:
    report = build_report(PUBLISHED)
    withdrawn = {row["employee_number"]: row["age_runs"] for row in report.withdrawn.to_pylist()}
    assert withdrawn == {"0900": 1, "1007": 1, "1009": 4}
    assert [(row.certificate_action_id, row.age_runs) for row in report.dangling_excerpt.rows] == [
        ("l-1", 3),
        ("l-2", 1),
    ]


WITHDRAWN_AS = {
    "as before": ({}, 4),
    "for another reason": ({"reason": "deleted"}, 1),
    "with another certificate": ({"certificate_id": "c10"}, 1),
    "of another type": ({"certificate_type": "Brannvern"}, 1),
    "of another person": ({"employee_number": "1010"}, 1),
}


@pytest.mark.parametrize(("change", "runs"), WITHDRAWN_AS.values(), ids=WITHDRAWN_AS)
def test_a_withdrawal_is_as_old_as_the_row_that_the_warehouse_has(change: dict[str, str], runs: int) -> None:
    row = {name: value for name, value in WITHDRAWN_BEFORE.to_pylist()[0].items() if name in WITHDRAWN.names} | change
    report = build_report(replace(PUBLISHED, withdrawn=partly(WITHDRAWN, row)))
    assert report.withdrawn["age_runs"].to_pylist() == [runs]


SAME = {
    "the same": (("north", "l-1", None), 40),
    "in another tenant": (("south", "l-1", None), None),
    "with a name where it had none": (("north", "l-1", ""), None),
    "as the warehouse keeps it": (("north", "l-2", "Cra\0ne"), 39),
}


@pytest.mark.parametrize(("row", "since"), SAME.values(), ids=SAME)
def test_a_row_began_with_the_run_that_found_it_as_it_is(row: tuple[str | None, ...], since: int | None) -> None:
    schema = pa.schema([(name, pa.string()) for name in ("tenant_id", "certificate_action_id", "action_name")])
    before = table(schema, ("north", "l-1", None), ("north", "l-2", "Cra\ufffdne"))
    before = before.append_column("first_run_seq", pa.array([40, 39], pa.int64()))
    assert since_first(table(schema, row), before, *schema.names).to_pylist() == [since]


def test_ages_are_unknown_where_the_runs_before_are() -> None:
    report = build_report(replace(PUBLISHED, previous_claims=None, withdrawn_since=None, runs=None))
    for rows in (report.worklist, report.withdrawn, report.dangling_links):
        assert rows.num_rows
        assert rows.column("age_runs").null_count == rows.num_rows
