"""Tables and goals of benchmarks: every figure and verdict comes from the kept results, none is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.choices import STAGES, read_choices
from benchmarks.goals import GOALS, MILLION, goals_table
from benchmarks.names import Extract, Load, Nights, Report
from benchmarks.night import steps_of
from benchmarks.results import Measurement, keep_results, read_results
from benchmarks.tables import BESIDE, DOCUMENT, MARKS, filled, stage_table


def extracted(size: int, ours: float, bare: float) -> list[Measurement]:
    part = Extract.PARTS[50]
    return [
        Measurement(part, size, Extract.OURS, [ours, ours + 9, ours - 1], 200.0, 0.5),
        Measurement(part, size, Extract.BARE, [bare], 40.0, 0.5),
        Measurement(part, size, Extract.DLT, left_out="not installed"),
    ]


def verdict(folder: Path, words: str) -> list[str]:
    (line,) = (line for line in goals_table(folder).splitlines() if line.startswith(f"| {words}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(
    ("size", "ours", "bare", "figure", "said"),
    [
        (MILLION, 11.0, 10.0, "1.1", "reached"),
        (MILLION, 11.2, 10.0, "1.12", "not reached"),
        (10_000, 10.5, 10.0, "1.05", "reached at 10,000, not measured at 1,000,000"),
        (10_000, 12.0, 10.0, "1.2", "not reached at 10,000, not measured at 1,000,000"),
    ],
)
def test_a_goal_is_judged_by_the_ratio_of_medians(
    tmp_path: Path, size: int, ours: float, bare: float, figure: str, said: str
) -> None:
    keep_results("extract", extracted(size, ours, bare), tmp_path)
    assert verdict(tmp_path, "extract, 50 ms")[2:] == [figure, f"{size:,}", said]


def test_the_size_that_the_goal_speaks_of_counts_where_it_was_measured(tmp_path: Path) -> None:
    keep_results("extract", extracted(MILLION, 10.0, 10.0), tmp_path)
    keep_results("extract", extracted(10 * MILLION, 30.0, 10.0), tmp_path)
    assert verdict(tmp_path, "extract, 50 ms")[2:] == ["1", "1,000,000", "reached"]


def test_what_was_not_measured_is_said_to_be_so(tmp_path: Path) -> None:
    table = goals_table(tmp_path).splitlines()
    assert len(table) == 2 + len(GOALS)
    assert all("not measured" in line for line in table[2:])


def test_the_vendors_own_time_is_taken_off_a_night(tmp_path: Path) -> None:
    facts = {
        "fourhse_seconds": 20.0,
        "ditio_seconds": 10.0,
        "peaks": {"pipeline": 3000.0, "sandbox": 9000.0},
        "written": [0, 0, 0],
    }
    nights = [
        Measurement(Nights.PART, MILLION, name, [85.0], facts=facts | {"evidence_bytes": 5})
        for name in (Nights.FIRST, Nights.UNCHANGED)
    ]
    keep_results("nights", nights, tmp_path)
    assert verdict(tmp_path, "first night beside")[2:] == ["55", "1,000,000", "reached"]
    assert verdict(tmp_path, "unchanged night beside")[4] == "not reached"
    assert verdict(tmp_path, "the largest process")[2:] == ["3,000", "1,000,000", "not reached"]


def test_measuring_one_size_again_keeps_the_others(tmp_path: Path) -> None:
    keep_results("extract", extracted(10, 1.0, 1.0) + extracted(100, 1.0, 1.0), tmp_path)
    keep_results("extract", extracted(100, 2.0, 1.0), tmp_path)
    found = {one.size: one.median for one in read_results("extract", tmp_path) if one.variant == Extract.OURS}
    assert found == {10: 1.0, 100: 2.0}


def test_a_table_has_medians_ratios_and_what_was_left_out() -> None:
    table = stage_table("extract", extracted(10_000, 3.0, 2.0))
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    assert ["ours", "3", "-", "200", "0.5"] in cells
    assert [Extract.BARE, "2", "1.50", "40", "0.5"] in cells
    assert f"{Extract.DLT}, 10,000: left out, not installed" in table


def test_a_report_has_seconds_of_its_parts_and_no_ratios() -> None:
    whole = Measurement(Report.PART, 100, Report.ALL_PARTS, [1.0], 90.0, facts={"above_inputs_mib": 71.4})
    table = stage_table("report", [Measurement(Report.PART, 100, "summary", [0.0]), whole])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert rows == [["summary", "0.00", "-"], ["all parts", "1.00", "71"]]


def test_pages_are_told_in_milliseconds() -> None:
    table = stage_table("pages", [Measurement(Report.PAGES, 100, "runs", [0.030, 0.010, 0.020])])
    assert [cell.strip() for cell in table.splitlines()[2].strip("|").split("|")] == ["runs", "20", "30", "30"]


def test_the_document_is_filled_between_its_marks_only(tmp_path: Path) -> None:
    keep_results("load", [Measurement(Load.PARTS["first"], 10, Load.TASK, [1.5])], tmp_path)
    text = "before\n<!-- measured: load -->\nold\n<!-- end -->\nafter\n"
    made = filled(text, tmp_path)
    assert made.startswith("before\n")
    assert made.endswith("<!-- end -->\nafter\n")
    assert "1.5" in made
    assert "old" not in made
    assert filled(made, tmp_path) == made


def test_the_document_has_a_place_for_every_stage() -> None:
    found = {match[2] for match in MARKS.finditer(DOCUMENT.read_text(encoding="utf-8"))}
    assert found == {*STAGES, *BESIDE}


def test_the_steps_of_a_run_are_read_from_what_the_quick_start_prints() -> None:
    printed = """
  services .................................   0.1 s
  open run .................................
      Opened run 1 (attempt 1) for 2026-11-26
  flag unlinked certificates ...............
      SOURCE_WARNING: 8 of 1029 claims
      after 2.3 s
  approve ..................................   0.1 s
"""
    assert steps_of(printed) == {"services": 0.1, "flag unlinked certificates": 2.3, "approve": 0.1}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"STAGES": "extract lod"}, "STAGES: 'lod'"),
        ({"SIZES": "10k"}, "SIZES: '10k'"),
        ({"SIZES": "0"}, "SIZES: '0'"),
        ({"ROUNDS": "-1"}, "ROUNDS: '-1'"),
    ],
)
def test_a_choice_that_cannot_be_understood_is_named(variables: dict[str, str], words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        read_choices(variables)


def test_stages_run_in_their_own_order_and_sizes_from_small_to_large() -> None:
    chosen = read_choices({"STAGES": "load extract", "SIZES": "100 10", "PEERS": "0"})
    assert (chosen.stages, chosen.sizes, chosen.peers) == (("extract", "load"), (10, 100), False)
