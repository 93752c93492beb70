from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from certrecon.publishing.guards import TrippedGuard
from certrecon.report import (
    ANSWERS,
    DatasetTotal,
    ReportInputs,
    RunReport,
    build_report,
    render_html,
    render_summary,
)
from certrecon.words import Disposition, Guard, Severity
from tests.unit.report.golden import (
    BEFORE,
    CHANGED,
    CLAIMS,
    DATASETS,
    DRY,
    HEAD,
    NEW,
    PUBLISHED,
    answer,
    claim,
    claims,
    plan,
    planned,
)


def _control(report: RunReport, name: str) -> tuple[int, dict[str, int]]:
    control = next(one for one in report.controls if one.name == name)
    return control.total, dict(control.parts)


@pytest.mark.parametrize("inputs", [PUBLISHED, DRY], ids=["published", "dry"])
def test_totals_of_a_good_run_add_up(inputs: ReportInputs) -> None:
    report = build_report(inputs)
    assert report.adds_up
    assert sum(report.dispositions.values()) == len(CLAIMS)
    assert set(report.dispositions) == set(Disposition)
    assert "ADD UP" not in render_summary(report)
    assert "does not add up" not in render_html(report)


def test_totals_say_what_they_are_made_of() -> None:
    report = build_report(PUBLISHED)
    assert _control(report, "Certificates to claims") == (
        12,
        {"certificates": 11, "for further types of the same certificates": 1},
    )
    sent = {"delivered now": 2, "rejected": 2, "undelivered": 1, "refused": 0}
    assert _control(report, "Rows to send") == (5, sent)
    delivered = {"unchanged since an earlier run": 1, "acknowledged in this run": 2}
    assert _control(report, "Delivered") == (3, delivered)


BROKEN = {
    "the vendor counts more rows": replace(PUBLISHED, datasets=(DatasetTotal("links", "north", 10, 9), *DATASETS)),
    "a certificate made no claim": replace(PUBLISHED, claims=claims(*CLAIMS[:-1])),
    "a certificate was not read": replace(PUBLISHED, datasets=(*DATASETS[:2], *DATASETS[3:])),
    "a claim has an unknown disposition": replace(
        PUBLISHED, claims=claims(*CLAIMS[:-1], CLAIMS[-1] | {"disposition": "lost"})
    ),
    "a claim has no disposition": replace(PUBLISHED, claims=claims(*CLAIMS[:-1], CLAIMS[-1] | {"disposition": None})),
    "a row to send has no outcome": replace(
        PUBLISHED, claims=claims(CLAIMS[0], NEW | {"disposition": "superseded"}, *CLAIMS[2:])
    ),
    "a delivered row is not in the ledger": replace(
        PUBLISHED, answers=pa.Table.from_pylist([answer(NEW, "acknowledged")], schema=ANSWERS)
    ),
    "a row to send has no claim": replace(
        PUBLISHED,
        plan=plan(planned(claim("x", "Not There", "1", "planned"), "new"), *PUBLISHED.plan.to_pylist()),
    ),
}


@pytest.mark.parametrize("inputs", BROKEN.values(), ids=BROKEN)
def test_totals_that_do_not_add_up_are_shown_as_such(inputs: ReportInputs) -> None:
    report = build_report(inputs)
    summary, page = render_summary(report), render_html(report)
    assert not report.adds_up
    assert "THE TOTALS DO NOT ADD UP" in summary
    assert "DOES NOT ADD UP: " in summary
    assert "The totals do not add up." in page
    assert "does not add up: " in page


def test_a_shortfall_of_one_tenant_is_not_hidden_by_another_tenants_surplus() -> None:
    datasets = (DatasetTotal("persons", "a", 5, 4), DatasetTotal("persons", "b", 4, 5))
    report = build_report(replace(PUBLISHED, datasets=(*DATASETS[:3], *datasets)))
    assert [total.difference for total in report.reading if total.dataset == "persons"] == [0]
    assert not report.adds_up
    assert "tenant a:   DOES NOT ADD UP: +1" in render_summary(report)
    assert "tenant b:   DOES NOT ADD UP: -1" in render_summary(report)


def test_a_dataset_without_a_count_of_the_vendors_is_not_judged() -> None:
    report = build_report(replace(PUBLISHED, datasets=(*DATASETS, DatasetTotal("lookups", None, None, 3))))
    assert report.adds_up
    assert "not stated =          3" in render_summary(report)
    assert "not stated" in render_html(report)


def test_claims_that_publishing_left_unsettled_are_counted_as_that() -> None:
    unsettled = replace(PUBLISHED, claims=DRY.claims, answers=None, failure="The warehouse is gone.")
    total, parts = _control(build_report(unsettled), "Rows to send")
    assert (total, parts["not settled"]) == (5, 5)


def test_findings_are_counted_over_the_whole_catalogue() -> None:
    report = build_report(PUBLISHED)
    counts = {one.finding.code: (one.claims, one.blocked) for one in report.findings}
    assert len(counts) == 29
    assert counts["NAME_CHANGED"] == (2, 0)
    assert counts["EXPIRED"] == (1, 1)
    assert counts["ISSUED_MISSING"] == (0, 0)


def test_overridden_severities_are_shown() -> None:
    report = build_report(PUBLISHED)
    assert [one.finding.code for one in report.overridden] == ["EXPIRED"]
    assert "Severities changed by the settings: EXPIRED is warning" in render_summary(report)
    assert "<code>EXPIRED</code> is warning instead of info." in render_html(report)
    calm = build_report(replace(PUBLISHED, severities={"EXPIRED": Severity.INFO}))
    assert not calm.overridden


GUARDS = {
    "accepted": (PUBLISHED, True, "accepted by whoever started the run"),
    "passed": (PUBLISHED, False, "a person let it pass"),
    "stopped": (replace(PUBLISHED, answers=None), False, "stopped publishing"),
    "stopped, other entries settled": (
        replace(PUBLISHED, answers=pa.Table.from_pylist([answer(BEFORE, "acknowledged")], schema=ANSWERS)),
        False,
        "stopped publishing",
    ),
    "nothing to send": (
        replace(PUBLISHED, plan=None, answers=None),
        False,
        "nothing was to be sent, so it stopped nothing",
    ),
    "dry run": (DRY, False, "a publishing run would stop here unless a person accepts it"),
}


@pytest.mark.parametrize(("inputs", "accepted", "effect"), GUARDS.values(), ids=GUARDS)
def test_guards_say_what_they_meant(inputs: ReportInputs, accepted: bool, effect: str) -> None:
    tripped = TrippedGuard(Guard.DROP, "Links of tenant a fell from 10 to 1.", accepted=accepted)
    report = build_report(replace(inputs, tripped=(tripped,)))
    assert [(one.guard, one.words, one.effect) for one in report.guards] == [("drop", tripped.words, effect)]
    assert effect in " ".join(render_summary(report).split())
    assert effect in render_html(report)


def test_a_run_without_anything_is_reported() -> None:
    report = build_report(ReportInputs(HEAD, failure="4HSE did not answer."))
    assert not report.decided
    assert report.adds_up
    assert "did not come to deciding claims" in render_summary(report)
    assert "Nothing was read." in render_html(report)


def test_a_run_over_an_empty_source_is_reported() -> None:
    empty = claims()
    report = build_report(ReportInputs(HEAD, (DatasetTotal("certificates", "a", 0, 0),), empty, plan()))
    assert report.adds_up
    assert "No claim needs anybody." in render_html(report)
    assert "NEEDS SOMEBODY: 0 claims" in render_summary(report)


def test_the_report_does_not_depend_on_chunks_or_order() -> None:
    table = PUBLISHED.claims
    pieces = [table.slice(start, 1) for start in range(table.num_rows)]
    turned = replace(PUBLISHED, claims=pa.concat_tables(pieces[::-1]))
    assert render_html(build_report(turned)) == render_html(build_report(PUBLISHED))
    assert render_summary(build_report(turned)) == render_summary(build_report(PUBLISHED))


def test_changed_rows_of_a_plan_that_was_sent_are_counted_but_not_listed() -> None:
    sending = build_report(PUBLISHED).plan
    assert dict(sending.reasons) == {"changed": 1, "new": 3, "unacknowledged": 1}
    assert dict(sending.fields) == {"validUntilDateTime": 1, "certificateNumber": 1}
    assert not sending.excerpt.rows
    assert CHANGED["certificate_id"] == "c03"
