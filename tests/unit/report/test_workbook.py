from __future__ import annotations

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest

from certrecon.report import ReportInputs, build_report
from certrecon.report.model import RunReport
from certrecon.report.workbook import render_workbook
from tests.unit.report.full import FOREIGN, FULL
from tests.unit.report.golden import DRY, HEAD, PUBLISHED

REPORTS = {
    "published": build_report(PUBLISHED),
    "dry": build_report(DRY),
    "full": FULL,
    "undecided": build_report(ReportInputs(HEAD, failure="=1+1")),
}

SHEETS = [
    "Run", "Control totals", "Reading", "Needs someone", "Unmatched persons", "Unmapped types", "Withdrawn",
    "Dangling links", "Changes", "Outlook", "Trend", "Findings", "To Ditio",
]  # fmt: skip


def opened(report: RunReport) -> Any:
    return openpyxl.load_workbook(io.BytesIO(render_workbook(report)))


BOOKS = {name: opened(report) for name, report in REPORTS.items()}


def rows(book: Any, title: str) -> list[dict[str, Any]]:
    head, *lines = book[title].iter_rows(values_only=True)
    return [dict(zip(head, line, strict=True)) for line in lines]


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_it_has_a_sheet_a_section_ready_to_work_with(book: Any) -> None:
    assert book.sheetnames == SHEETS
    for page in book:
        assert page.freeze_panes == "A2"
        assert all(cell.font.bold for cell in page[1])
        assert not [cell for line in page.iter_rows() for cell in line if cell.data_type == "f"]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render_workbook(FULL) == render_workbook(FULL)


def test_the_run_says_who_what_and_when() -> None:
    facts = {row["Fact"]: row["Value"] for row in rows(BOOKS["full"], "Run")}
    assert facts["Run"] == "42"
    assert facts["Day"] == dt.datetime.fromisoformat("2026-11-23")
    assert facts["Day of the previous run"] == dt.datetime.fromisoformat("2026-11-20")
    assert facts["Days without a run"] == "2"
    assert facts["Chain before this run, SHA-256"] == "12" * 32
    assert facts["Setting changed: guards.max_drop"] == "0.1 -> 0.2"
    assert facts["Totals add up"] == "no"
    assert facts["Severity of EXPIRED"] == "warning instead of info"


def test_totals_can_be_added_up() -> None:
    for control in {row["Control"] for row in rows(BOOKS["full"], "Control totals")}:
        own = [row for row in rows(BOOKS["full"], "Control totals") if row["Control"] == control]
        parts = sum(row["Count"] for row in own if row["Part or total"] == "part")
        (total,) = [row for row in own if row["Part or total"] == "total"]
        assert total["Count"] - parts == total["Difference"] == (1 if control == "Extra" else 0)


def test_what_was_read_is_there() -> None:
    (north,) = [
        row
        for row in rows(BOOKS["published"], "Reading")
        if (row["Dataset"], row["Tenant"]) == ("certificates", "north")
    ]
    assert north == {
        "Dataset": "certificates", "Tenant": "north", "Vendor counts": 12, "Extracted": 10, "Other tenant": 1,
        "Duplicate": 1, "Without id": 0, "Difference": 0,
    }  # fmt: skip


def test_everybody_who_needs_somebody_is_there() -> None:
    lines = rows(BOOKS["published"], "Needs someone")
    assert len(lines) == REPORTS["published"].worklist.num_rows
    by_id = {line["Certificate id"]: line for line in lines}
    assert by_id["c07"]["Issued on"] == "2025-02-31"
    assert by_id["c07"]["Valid until"] == dt.datetime.fromisoformat("2028-03-01")
    assert by_id["c07"]["Person name"] == '=HYPERLINK("http://x.invalid")'
    assert by_id["c08"]["Employee number"] == "+47 1008"
    assert by_id["c08"]["Certificate name"] == "-1+1|cmd"


@pytest.mark.parametrize(
    ("title", "column"),
    [
        ("Unmatched persons", "Person name"),
        ("Unmapped types", "Certificate name"),
        ("Withdrawn", "Employee number"),
        ("Dangling links", "Action name"),
        ("Changes", "Person name"),
        ("Outlook", "Certificate type"),
    ],
)
def test_lists_are_there_as_they_are(title: str, column: str) -> None:
    assert FOREIGN in [row[column] for row in rows(BOOKS["full"], title)]


def test_more_than_the_suggested_types_is_said() -> None:
    assert BOOKS["full"]["Unmapped types"]["A"][-1].value.startswith("... and 59 more")


def test_numbers_of_the_charts_are_numbers() -> None:
    outlook = rows(BOOKS["full"], "Outlook")
    assert sum(row["Certificates"] for row in outlook) == FULL.outlook.total
    assert {type(row["Week of"]) for row in outlook} == {dt.datetime}
    last = rows(BOOKS["full"], "Trend")[-1]
    assert (last["Run"], last["Status"], last["Delivered"], last["Blocked"]) == (42, "this run", 1_042, 42)


def test_the_whole_catalogue_is_counted() -> None:
    lines = {row["Finding"]: row for row in rows(BOOKS["published"], "Findings")}
    assert len(lines) == len(FULL.findings)
    assert lines["EXPIRED"]["Severity"] == "warning"
    assert lines["EXPIRED"]["Severity of the catalogue"] == "info"


def test_what_goes_to_ditio_is_listed_before_and_counted_after() -> None:
    assert {row["Reason"]: row["Rows"] for row in rows(BOOKS["published"], "To Ditio")} == {
        "changed": 1,
        "new": 3,
        "unacknowledged": 1,
    }
    assert len(rows(BOOKS["dry"], "To Ditio")) == 5
    assert rows(BOOKS["dry"], "To Ditio")[0]["Issued on"] == dt.datetime.fromisoformat("2025-03-01")
