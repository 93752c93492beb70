"""The report of a run: one typed model, rendered as a summary, a page and CSV files."""

from certrecon.report.build import build_report
from certrecon.report.csv_files import render_csvs, render_worklist_csv
from certrecon.report.model import (
    ANSWERS,
    EARLIER_PAYLOADS,
    DatasetTotal,
    ReportInputs,
    RunHead,
    RunReport,
)
from certrecon.report.page import render_html
from certrecon.report.summary import render_summary
from certrecon.report.workbook import render_workbook

__all__ = [
    "ANSWERS",
    "EARLIER_PAYLOADS",
    "DatasetTotal",
    "ReportInputs",
    "RunHead",
    "RunReport",
    "build_report",
    "render_csvs",
    "render_html",
    "render_summary",
    "render_workbook",
    "render_worklist_csv",
]
