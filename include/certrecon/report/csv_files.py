"""The lists of a report as CSV files (RFC 4180, UTF-8 with a mark so that spreadsheets see it).

Every text cell is harmless in a spreadsheet: see `certrecon.report.safe`.
"""

from __future__ import annotations

import io

import pyarrow as pa
from pyarrow import csv

from certrecon.report.model import RunReport
from certrecon.report.safe import cells

MARK = b"\xef\xbb\xbf"

_OPTIONS = csv.WriteOptions(eol="\r\n", quoting_style="needed", batch_size=16_384)


def to_csv(table: pa.Table) -> bytes:
    """Return a table as a CSV file; its text columns become harmless cells."""
    safe = [cells(column) if pa.types.is_string(column.type) else column for column in table.columns]
    table = pa.table(safe, names=table.column_names)
    sink = io.BytesIO(MARK)
    sink.seek(len(MARK))
    csv.write_csv(table, sink, _OPTIONS)
    return sink.getvalue()


def render_worklist_csv(report: RunReport) -> bytes:
    """Return all claims that need somebody, the most urgent first."""
    return to_csv(report.worklist)


def render_csvs(report: RunReport) -> dict[str, bytes]:
    """Return every CSV file that goes with a report, by the stem of its name.

    `worklist` is always there, the others where they have any rows; `plan` in a dry run only.
    """
    files = {
        "worklist": report.worklist,
        "withdrawn": report.withdrawn,
        "changes": report.changes.table,
        "unmatched_persons": report.unmatched,
        "unmapped_types": report.unmapped,
        "dangling": report.dangling_links,
        "plan": report.plan.table,
    }
    return {stem: to_csv(table) for stem, table in files.items() if table.num_rows or stem == "worklist"}
