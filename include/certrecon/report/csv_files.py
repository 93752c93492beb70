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
    """Return a table of text columns as a CSV file."""
    safe = pa.table([cells(column) for column in table.columns], names=table.column_names)
    sink = io.BytesIO(MARK)
    sink.seek(len(MARK))
    csv.write_csv(safe, sink, _OPTIONS)
    return sink.getvalue()


def render_worklist_csv(report: RunReport) -> bytes:
    """Return all claims that need somebody, the most urgent first."""
    return to_csv(report.worklist)


def render_csvs(report: RunReport) -> dict[str, bytes]:
    """Return every CSV file that goes with a report, by the stem of its name.

    `worklist` is always there; `withdrawn` where something is; `plan` in a dry run with rows to send.
    """
    files = {"worklist": report.worklist, "withdrawn": report.withdrawn, "plan": report.plan.table}
    return {stem: to_csv(table) for stem, table in files.items() if table.num_rows or stem == "worklist"}
