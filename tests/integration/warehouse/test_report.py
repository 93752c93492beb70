"""The views: a row a claim, findings in words, payloads, Ditio's answers, and totals."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from certrecon.findings import CATALOGUE
from certrecon.warehouse.catalogue import write_catalogue
from certrecon.warehouse.engine import transaction
from certrecon.words import Disposition, Mode, RunStatus
from tests.integration.warehouse.samples import (
    NOON,
    answer,
    claims,
    finalise,
    one,
    opened_seq,
    query,
    queue,
    write,
)

LATER = NOON + dt.timedelta(days=1)
WINNERS = {"delivered", "planned", "refused", "rejected", "undelivered"}


def _catalogue(engine: Engine) -> int:
    with transaction(engine) as conn:
        return write_catalogue(conn)


def test_the_catalogue_is_written_once_and_kept_up_to_date(warehouse: Engine) -> None:
    assert _catalogue(warehouse) == len(CATALOGUE)
    assert _catalogue(warehouse) == 0
    query(
        warehouse,
        "UPDATE reconciliation.finding_catalogue SET title = 'old' WHERE code = 'EXPIRED' RETURNING 1",
    )
    assert _catalogue(warehouse) == 1
    row = one(warehouse, "SELECT * FROM reconciliation.finding_catalogue WHERE code = 'ISSUED_MISSING'")
    finding = CATALOGUE["ISSUED_MISSING"]
    assert row == {
        "code": finding.code,
        "severity": "critical",
        "owner": "4hse",
        "title": finding.title,
        "advice": finding.advice,
        "overridable": False,
    }


def test_a_row_of_the_report(warehouse: Engine) -> None:
    _catalogue(warehouse)
    run_seq = opened_seq(warehouse, "nightly")
    key = {"employee_number": "0042"}
    queue(warehouse, run_seq, key)
    answer(warehouse, run_seq, key | {"http_status": 500, "message": "oops", "state": None, "in_doubt": True})
    answer(warehouse, run_seq, key | {"answered_at": NOON + dt.timedelta(minutes=1)})
    write(warehouse, run_seq, claims({"findings": ["EXPIRED", "SOURCE_WARNING", "UNHEARD_OF"]}))
    finalise(warehouse, run_seq, claims=1)
    row = one(warehouse, "SELECT * FROM reconciliation.reconciliation_report")
    assert row["payload"] == {
        "employeeNumber": " 0042",
        "certificateType": "Byggekort",
        "issuedDateTime": "2025-01-01T00:00:00Z",
        "validUntilDateTime": "2027-01-01T00:00:00Z",
        "certificateNumber": "c1",
    }
    assert row["findings_in_words"] == "has expired; carries a warning of 4HSE's own; UNHEARD_OF"
    assert (row["run_seq"], row["run_id"], row["status"], row["disposition"]) == (
        run_seq,
        "nightly",
        "succeeded",
        "delivered",
    )
    assert (row["employee_number"], row["ditio_employee_number"], row["linked"]) == ("0042", " 0042", True)
    assert (row["http_status"], row["message"], row["answered_at"], row["acknowledged_at"]) == (
        200,
        None,
        NOON + dt.timedelta(minutes=1),
        NOON + dt.timedelta(minutes=1),
    )


def test_payloads_and_answers_are_the_winners(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    rows = [{"certificate_id": each.value, "disposition": each.value} for each in Disposition]
    queue(warehouse, run_seq, {"employee_number": "0042"})
    answer(warehouse, run_seq, {"employee_number": "0042"})
    write(warehouse, run_seq, claims(*rows, {"certificate_type": None, "employee_number": None, "detail": None}))
    finalise(warehouse, run_seq)
    found = query(
        warehouse,
        "SELECT disposition, payload IS NOT NULL, http_status FROM reconciliation.reconciliation_report "
        "WHERE certificate_id <> 'c1'",
    )
    assert set(found) == {
        (each.value, each.value in WINNERS, 200 if each.value in WINNERS else None) for each in Disposition
    }


def test_a_number_is_ditios_spelling_or_else_ours(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    write(warehouse, run_seq, claims({"detail": None, "issued_on": dt.date(950, 1, 2)}))
    finalise(warehouse, run_seq)
    payload = one(warehouse, "SELECT payload FROM reconciliation.reconciliation_report")["payload"]
    assert (payload["employeeNumber"], payload["issuedDateTime"]) == ("0042", "0950-01-02T00:00:00Z")


def test_the_report_of_any_publishing_run(warehouse: Engine) -> None:
    first = opened_seq(warehouse, "first")
    queue(warehouse, first, {"employee_number": "0042"})
    answer(warehouse, first, {"employee_number": "0042"})
    write(warehouse, first, claims({}))
    finalise(warehouse, first)
    second = opened_seq(warehouse, "second")
    refused: dict[str, Any] = {"employee_number": "0042", "version": "B"}
    queue(warehouse, second, refused)
    answer(
        warehouse,
        second,
        refused | {"http_status": 400, "message": "no", "state": "rejected", "sent_at": LATER, "answered_at": LATER},
    )
    write(warehouse, second, claims({"disposition": "rejected", "valid_until": dt.date(2028, 1, 1)}))
    finalise(warehouse, second, RunStatus.SUCCEEDED_WITH_REJECTS)
    restored = opened_seq(warehouse, "restored")
    write(warehouse, restored, claims({}))
    finalise(warehouse, restored)
    dry = opened_seq(warehouse, "dry", mode=Mode.DRY_RUN)
    finalise(warehouse, dry)
    running = opened_seq(warehouse, "running")

    of = """
        SELECT run_seq, disposition, http_status, message, sent_at, answered_at, acknowledged_at
          FROM reconciliation.reconciliation_report_of(:n)"""
    assert query(warehouse, of, n=first) == [(first, "delivered", 200, None, NOON, NOON, NOON)]
    assert query(warehouse, of, n=second) == [(second, "rejected", 400, "no", LATER, LATER, None)]
    assert query(warehouse, of, n=restored) == [(restored, "delivered", 200, None, NOON, NOON, NOON)]
    assert query(warehouse, of, n=dry) == []
    assert query(warehouse, of, n=999) == []
    assert [row[0] for row in query(warehouse, of, n=running)] == [running]
    assert query(warehouse, "SELECT run_seq FROM reconciliation.reconciliation_report") == [(restored,)]


def test_each_target_has_its_latest_run(warehouse: Engine) -> None:
    for target, certificate in (("target-a", "a"), ("target-b", "b"), ("target-a", "c")):
        run_seq = opened_seq(warehouse, target=target)
        write(warehouse, run_seq, claims({"certificate_id": certificate}), target=target)
        finalise(warehouse, run_seq)
    found = query(warehouse, "SELECT target, certificate_id FROM reconciliation.reconciliation_report ORDER BY 1")
    assert found == [("target-a", "c"), ("target-b", "b")]


def _summary(engine: Engine, run_seq: int) -> dict[str, Decimal]:
    rows = query(engine, "SELECT measure, value FROM reconciliation.report_summary WHERE run_seq = :n", n=run_seq)
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def test_the_summary_has_a_row_a_measure(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    finalise(
        warehouse,
        run_seq,
        certificates=10,
        links=11,
        persons=3,
        employees=4,
        claims=12,
        sent=5,
        withdrawn=1,
        tenants={"t1": {"certificates": 7, "links": 8, "name": "Oslo"}, "t:2": {"certificates": 3}},
        dispositions={"delivered": 7, "blocked": 5},
        findings={"EXPIRED": 2},
        guards={"drop": {"tripped": False}},
    )
    assert _summary(warehouse, run_seq) == {
        "certificates": 10,
        "links": 11,
        "persons": 3,
        "employees": 4,
        "claims": 12,
        "sent": 5,
        "withdrawn": 1,
        **dict.fromkeys([each.value for each in Disposition], 0),
        "delivered": 7,
        "blocked": 5,
        "finding:EXPIRED": 2,
        "tenant:t1:certificates": 7,
        "tenant:t1:links": 8,
        "tenant:t:2:certificates": 3,
    }


def test_a_failed_run_has_no_totals_that_it_did_not_reach(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    finalise(warehouse, run_seq, RunStatus.FAILED, failure="no", certificates=10)
    assert _summary(warehouse, run_seq) == {"certificates": 10, "sent": 0}


def test_the_claims_of_today(warehouse: Engine) -> None:
    write(warehouse, opened_seq(warehouse), claims({}, {"certificate_id": "c2"}))
    write(warehouse, opened_seq(warehouse), claims({}))
    assert query(warehouse, "SELECT certificate_id, ended_run_seq FROM reconciliation.claim_current") == [("c1", None)]
