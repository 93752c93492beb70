from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from certrecon.report import build_report
from certrecon.report.ages import ages
from tests.unit.report.golden import PUBLISHED

SINCE = {
    "new": (42, 1, 0),
    "since the run before": (41, 2, 3),
    "since the run before that": (40, 3, 5),
    "since the first that is known": (39, 4, 6),
    "since a run whose day is not known": (3, 4, None),
    "not known": (None, None, None),
}


@pytest.mark.parametrize(("since", "runs", "days"), SINCE.values(), ids=SINCE)
def test_ages_count_runs_and_days(since: int | None, runs: int | None, days: int | None) -> None:
    found = ages(pa.array([since], pa.int64()), PUBLISHED).to_pylist()
    assert found == [{"since_run": since, "age_runs": runs, "age_days": days}]


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


def test_ages_are_unknown_where_the_runs_before_are() -> None:
    report = build_report(replace(PUBLISHED, previous_claims=None, withdrawn_since=None, runs=None))
    for table in (report.worklist, report.withdrawn, report.dangling_links):
        assert table.num_rows
        assert table.column("age_runs").null_count == table.num_rows
