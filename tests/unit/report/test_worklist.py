from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from certrecon.findings import CATALOGUE
from certrecon.report import (
    ReportInputs,
    build_report,
    render_csvs,
    render_html,
    render_summary,
    render_worklist_csv,
)
from certrecon.words import Severity
from tests.unit.report.golden import CLAIMS, DATASETS, DRY, HEAD, PUBLISHED, claim, claims, plan, planned


def _rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def _worklist(*rows: dict[str, Any], **other: Any) -> list[dict[str, str]]:
    return _rows(render_worklist_csv(build_report(ReportInputs(HEAD, claims=claims(*rows), **other))))


NEEDS = {
    "blocked": (claim("a", "N N", "1", "blocked", "ISSUED_MISSING"), "4hse"),
    "held": (claim("a", "N N", "1", "held", "ACTION_LINK_MISSING", linked=False), "4hse"),
    "rejected": (claim("a", "N N", "1", "rejected"), "ditio"),
    "undelivered": (claim("a", "N N", "1", "undelivered"), "operator"),
    "refused": (claim("a", "N N", "1", "refused"), "operator"),
    "delivered with a warning": (claim("a", "N N", "1", "delivered", "NAME_CHANGED"), "hr"),
    "planned with a warning": (claim("a", "N N", "1", "planned", "EXPIRY_DISAGREES"), "4hse"),
    "superseded with a warning": (claim("a", "N N", "1", "superseded", "PERSON_HISTORICISED"), "4hse"),
    "not applicable with a warning": (
        claim("a", "N N", "1", "not_applicable", "ACTION_LINK_MISSING"),
        "4hse",
    ),
    "not applicable with something critical": (
        claim("a", None, None, "not_applicable", "ISSUED_MISSING"),
        "4hse",
    ),
    "several owners": (
        claim("a", "N N", "1", "blocked", "TYPE_UNMAPPED", "EMPLOYEE_UNKNOWN"),
        "hr, settings",
    ),
    "rejected with a finding of HR's": (claim("a", "N N", "1", "rejected", "NAME_CHANGED"), "hr, ditio"),
}


@pytest.mark.parametrize(("row", "owner"), NEEDS.values(), ids=NEEDS)
def test_what_needs_somebody_is_listed_with_its_owner(row: dict[str, Any], owner: str) -> None:
    (listed,) = _worklist(row)
    assert listed["disposition"] == row["disposition"]
    assert listed["owner"] == owner
    assert listed["in_words"]
    assert listed["what_to_do"]


@pytest.mark.parametrize("disposition", ["delivered", "planned", "superseded", "not_applicable"])
def test_what_needs_nobody_is_not_listed(disposition: str) -> None:
    assert not _worklist(claim("a", "N N", "1", disposition, "EXPIRED", "EXPIRY_DERIVED", "SOURCE_WARNING"))


def test_severities_in_force_decide() -> None:
    row = claim("a", "N N", "1", "delivered", "EXPIRED")
    assert _worklist(row, severities={"EXPIRED": Severity.WARNING})[0]["what_to_do"] == CATALOGUE["EXPIRED"].advice
    lowered = {"ACTION_LINK_MISSING": Severity.INFO}
    held = claim("a", "N N", "1", "held", "ACTION_LINK_MISSING", linked=False)
    assert _worklist(held, severities=lowered)[0]["owner"] == "4hse"
    assert not _worklist(held | {"disposition": "delivered"}, severities=lowered)


def test_critical_findings_are_said_first_and_info_asks_for_nothing() -> None:
    (row,) = _worklist(claim("a", "N N", "1", "blocked", "EXPIRED", "EXPIRY_DISAGREES", "EMPLOYEE_UNKNOWN"))
    codes = ("EMPLOYEE_UNKNOWN", "EXPIRY_DISAGREES", "EXPIRED")
    assert row["in_words"] == "; ".join(CATALOGUE[code].title for code in codes)
    assert row["what_to_do"] == " ".join(CATALOGUE[code].advice for code in codes[:2])
    assert row["findings"] == "EMPLOYEE_UNKNOWN, EXPIRED, EXPIRY_DISAGREES"


def test_the_same_advice_is_given_once() -> None:
    (row,) = _worklist(claim("a", "N N", "1", "blocked", "NAME_MISMATCH", "BIRTH_DATE_MISMATCH", "ISSUED_MISSING"))
    sentences = row["what_to_do"].split(". ")
    assert len(sentences) == len(set(sentences))


def test_the_most_urgent_come_first() -> None:
    report = build_report(PUBLISHED)
    listed = report.worklist.column("disposition").to_pylist()
    order = ["rejected", "undelivered", "blocked", "held", "delivered", "superseded", "not_applicable"]
    assert list(dict.fromkeys(listed)) == order


def test_an_unreadable_date_is_shown_as_it_was_received() -> None:
    row = next(row for row in _rows(render_worklist_csv(build_report(PUBLISHED))) if row["certificate_id"] == "c07")
    assert row["issued_on"] == "2025-02-31"
    assert row["valid_until"] == "2028-03-01"


def test_only_the_winner_of_a_key_gets_what_ditio_said() -> None:
    lost = claim("c12", "Bjørn Ås", "1004", "superseded", "NAME_CHANGED")
    inputs = replace(PUBLISHED, claims=claims(*CLAIMS, lost))
    said = {row["certificate_id"]: row["ditio_message"] for row in _rows(render_worklist_csv(build_report(inputs)))}
    assert said["c04"] == "HTTP 400: Certificate type is closed"
    assert said["c06"] == "HTTP 503"
    assert said["c12"] == ""


@pytest.mark.parametrize("inputs", [PUBLISHED, DRY], ids=["published", "dry"])
def test_names_appear_only_where_somebody_must_act_or_something_changed(inputs: ReportInputs) -> None:
    report = build_report(inputs)
    page, files = render_html(report), render_csvs(report)
    everything = page + render_summary(report) + b"".join(files.values()).decode()
    for name in ("Nordmann", "Medical"):
        assert name not in everything
    assert "Nils Berg Eriksen" in page
    assert "Nils Berg Eriksen" in files["worklist"].decode()
    for name in ("Ås", "Żak", "Angelo", "Eriksen", "HYPERLINK"):
        assert name not in render_summary(report)
        assert name not in files.get("plan", b"").decode()


def test_csv_is_rfc_4180_in_utf8_with_a_mark() -> None:
    data = render_worklist_csv(build_report(PUBLISHED))
    assert data.startswith(b'\xef\xbb\xbf"certificate_id"')
    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r") == 1 + len(_rows(data))
    row = next(row for row in _rows(data) if row["certificate_id"] == "c07")
    assert row["certificate_name"] == 'Safety, "level 2"'
    assert row["person_name"] == '\'=HYPERLINK("http://x.invalid")'


def test_no_cell_of_any_csv_starts_like_a_formula() -> None:
    wild = [
        claim(
            f"{sign}id",
            f"{sign}name",
            f"{sign}1",
            "blocked",
            "ISSUED_INVALID",
            issued_on=None,
            issued_received=f"{sign}2020",
            tenant_id=f"{sign}tenant",
            certificate_type=f"{sign}type",
            certificate_name=f"{sign}name",
        )
        for sign in ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "\x1b")
    ]
    winners = [row | {"disposition": "planned", "issued_on": CLAIMS[0]["issued_on"], "findings": []} for row in wild]
    inputs = replace(DRY, claims=claims(*wild), plan=plan(*(planned(row, "new") for row in winners)))
    files = render_csvs(build_report(inputs))
    for stem in ("worklist", "plan"):
        rows = _rows(files[stem])
        assert len(rows) == len(wild)
        assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t\r\n\x00\x1b")]
        assert all(row["certificate_id"] == "'" + row["certificate_id"].lstrip("'") for row in rows)


def test_lists_are_bounded_and_say_where_the_rest_is() -> None:
    many = [claim(f"m{n:03}", "N N", str(n), "blocked", "ISSUED_MISSING") for n in range(70)]
    loose = [claim(f"u{n:03}", "N N", str(n), "held", "ACTION_LINK_MISSING", linked=False) for n in range(60)]
    ready = [claim(f"p{n:03}", "N N", f"9{n:03}", "planned") for n in range(55)]
    inputs = ReportInputs(
        DRY.head, DATASETS, claims(*many, *loose, *ready), plan(*(planned(row, "new") for row in ready))
    )
    report = build_report(inputs)
    page, files = render_html(report), render_csvs(report)
    assert "... and 20 more, see the CSV<" in page
    assert "... and 10 more, see the CSV<" in page
    assert "... and 5 more, see the CSV of rows to send<" in page
    assert "... and 45 more, see the CSV of rows to send" in render_summary(report)
    assert len(_rows(files["worklist"])) == 130
    assert len(_rows(files["plan"])) == 55


def test_messages_are_grouped_and_bounded() -> None:
    rows = [claim(f"r{n:02}", "N N", str(n), "rejected") for n in range(30)]
    answers = [
        {"employee_number": str(n), "certificate_type": "Byggekort", "state": "rejected", "http_status": 400,
         "message": "Closed" if n < 10 else f"Row {n} \x1b[31mis wrong"}
        for n in range(30)
    ]  # fmt: skip
    table = PUBLISHED.answers.schema.empty_table().from_pylist(answers, schema=PUBLISHED.answers.schema)
    report = build_report(replace(PUBLISHED, claims=claims(*rows), answers=table))
    assert (report.refusals.rows[0].rows, report.refusals.rows[0].message) == (10, "HTTP 400: Closed")
    assert (report.refusals.total, len(report.refusals.rows)) == (21, 10)
    assert "\x1b" not in render_summary(report) + render_html(report)
    assert "... and 18 more messages, see the CSV" in render_summary(report)
