from __future__ import annotations

import pytest

from certrecon.report import ReportInputs, build_report, render_csvs, render_summary
from tests.unit.report.golden import DATASETS, DRY, HEAD, PUBLISHED
from tests.unit.report.snapshot import assert_snapshot, first_difference

UNDECIDED = ReportInputs(HEAD, DATASETS[:2], failure="Certificates of tenant north: 12 counted, 11 read.")

RUNS = {"published": PUBLISHED, "dry": DRY, "undecided": UNDECIDED}


@pytest.mark.parametrize("name", RUNS)
def test_summary(name: str) -> None:
    assert_snapshot(f"{name}_summary.txt", render_summary(build_report(RUNS[name])).encode())


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("published", "worklist"),
        ("published", "withdrawn"),
        ("published", "changes"),
        ("published", "unmatched_persons"),
        ("published", "unmapped_types"),
        ("published", "dangling"),
        ("dry", "worklist"),
        ("dry", "plan"),
        ("undecided", "worklist"),
    ],
)
def test_csv(name: str, stem: str) -> None:
    assert_snapshot(f"{name}_{stem}.csv", render_csvs(build_report(RUNS[name]))[stem])


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        ("a\nb\n", "a\nb\n", ""),
        ("a\nb\n", "a\nc\nd\n", "line 2\n  expected 'b\\n'\n  found    'c\\n'"),
        ("a\n", "a\r\n", "line 1\n  expected 'a\\n'\n  found    'a\\r\\n'"),
        ("a\n", "a\nb\n", "line 2\n  expected None\n  found    'b\\n'"),
    ],
    ids=["same", "changed", "line ending", "longer"],
)
def test_a_difference_names_its_first_line(expected: str, found: str, difference: str) -> None:
    assert first_difference(expected, found) == difference
