from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from certrecon.report import EARLIER_PAYLOADS, ReportInputs, build_report, render_html, render_summary
from certrecon.report.model import DOUBTFUL, DoubtfulRow
from certrecon.report.sending import plan_report
from certrecon.report.worklist import LISTED
from tests.unit.report.golden import HEAD, PUBLISHED, claim, claims, plan, planned

ROW = claim("c1", "N N", "1", "planned")

PAYLOAD = {
    "certificateNumber": "c1",
    "certificateType": "Byggekort",
    "employeeNumber": "1",
    "issuedDateTime": "2025-03-01T00:00:00Z",
    "validUntilDateTime": "2028-03-01T00:00:00Z",
}


def _earlier(payload: dict[str, Any] | None) -> pa.Table:
    row = {
        "employee_number": "1",
        "certificate_type": "Byggekort",
        "payload": payload and json.dumps(payload),
    }
    return pa.Table.from_pylist([row], schema=EARLIER_PAYLOADS)


NOTHING = {
    "no claim wins": [claim("c1", "N N", "1", "blocked", "EXPIRY_MISSING")],
    "all is acknowledged": [claim("c1", "N N", "1", "delivered")],
}


@pytest.mark.parametrize("rows", NOTHING.values(), ids=NOTHING)
def test_an_empty_plan_is_called_so_and_no_more(rows: list[dict[str, Any]]) -> None:
    page = render_html(build_report(replace(PUBLISHED, claims=claims(*rows), plan=plan())))
    assert "<p>Nothing is to be sent.</p>" in page
    assert "has acknowledged" not in page.partition('<section id="sending"')[2].partition("</section>")[0]


DIFFERENCES = {
    "one field": (
        PAYLOAD | {"validUntilDateTime": "2027-01-31T00:00:00Z"},
        "validUntilDateTime: 2027-01-31 -> 2028-03-01",
    ),
    "two fields": (
        PAYLOAD | {"issuedDateTime": "2024-03-01T00:00:00Z", "certificateNumber": "c0"},
        "issuedDateTime: 2024-03-01 -> 2025-03-01; certificateNumber: c0 -> c1",
    ),
    "spelling of the number": (PAYLOAD | {"employeeNumber": "01"}, "employeeNumber: 01 -> 1"),
    "a field was missing": (
        {name: value for name, value in PAYLOAD.items() if name != "issuedDateTime"},
        "issuedDateTime: none -> 2025-03-01",
    ),
    "fields that are no longer sent": (PAYLOAD | {"comment": "x", "nested": {"a": [1]}}, ""),
    "odd characters": (
        PAYLOAD | {"certificateNumber": 'a"b\\c\nø\u2028'},
        'certificateNumber: a"b\\c ø -> c1',
    ),
    "nothing known": (None, ""),
}


@pytest.mark.parametrize(("before", "differs"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_what_differs(before: dict[str, Any] | None, differs: str) -> None:
    report = plan_report(plan(planned(ROW, "changed")), _earlier(before), dry_run=True)
    assert [row.differs for row in report.excerpt.rows] == [differs]
    assert sum(report.fields.values()) == (differs.count(" -> "))


@pytest.mark.parametrize("reason", ["new", "unacknowledged", "resend"])
def test_rows_that_do_not_change_what_ditio_has_are_not_compared(reason: str) -> None:
    before = PAYLOAD | {"validUntilDateTime": "2027-01-31T00:00:00Z"}
    report = plan_report(plan(planned(ROW, reason)), _earlier(before), dry_run=True)
    assert report.excerpt.rows[0].differs == ""
    assert not report.fields
    assert dict(report.reasons) == {reason: 1}


def test_rows_keep_their_own_dates_beside_others() -> None:
    other = claim("c2", "N N", "2", "planned", certificate_type="Brann\nvern")
    report = plan_report(plan(planned(other, "new"), planned(ROW, "changed")), _earlier(PAYLOAD), dry_run=True)
    shown = [(row.employee_number, row.certificate_type, row.issued_on, row.reason) for row in report.excerpt.rows]
    assert shown == [("1", "Byggekort", "2025-03-01", "changed"), ("2", "Brann vern", "2025-03-01", "new")]


def test_a_long_plan_is_parsed_in_order() -> None:
    first = planned(ROW, "new")
    numbers = [f"{n:06}" for n in range(9_000)]
    rows = [first | {"employee_number": n, "payload": first["payload"].replace('"c1"', f'"{n}"')} for n in numbers]
    changed = [row | {"reason": "changed"} for row in rows]
    earlier = plan(*rows).select(EARLIER_PAYLOADS.names)
    report = plan_report(plan(*changed), earlier, dry_run=True)
    assert report.table.column("employee_number").to_pylist() == numbers
    assert report.table.column("issued_on").unique().to_pylist() == ["2025-03-01"]
    assert not report.fields


@pytest.mark.parametrize("dry_run", [True, False])
def test_nothing_to_send(dry_run: bool) -> None:
    report = plan_report(None, None, dry_run=dry_run)
    assert (report.rows, report.table.num_rows, dict(report.fields)) == (0, 0, {})


def _in_doubt(rows: int) -> ReportInputs:
    entries = [(f"{number:03}", "Brann\nvern", f"c{number}", 41) for number in reversed(range(rows))]
    table = pa.Table.from_pylist([dict(zip(DOUBTFUL.names, entry, strict=True)) for entry in entries], schema=DOUBTFUL)
    return replace(PUBLISHED, doubtful=table)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (1, "1 row had no clear answer and is not to be sent any more: Ditio may hold it."),
        (1234, "1,234 rows had no clear answer and are not to be sent any more: Ditio may hold them."),
    ],
)
def test_what_ditio_may_hold_is_counted_and_the_first_are_listed(rows: int, said: str) -> None:
    report = build_report(_in_doubt(rows))
    assert (report.doubtful.total, len(report.doubtful.rows)) == (rows, min(rows, LISTED))
    assert report.doubtful.rows[0] == DoubtfulRow("000", "Brann vern", "c0", 41)
    assert said in " ".join(render_summary(report).split())
    assert said in render_html(report)
    more = f"... and {rows - LISTED:,} more, found by the query in the auditor&#39;s guide"
    assert (more in render_html(report)) is (rows > LISTED)


@pytest.mark.parametrize("inputs", [_in_doubt(0), ReportInputs(HEAD)], ids=["none", "not known"])
def test_without_doubt_nothing_is_said_of_it(inputs: ReportInputs) -> None:
    report = build_report(inputs)
    assert "in doubt" not in (render_summary(report) + render_html(report)).lower()
