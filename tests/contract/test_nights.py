"""Nights on the sandbox: the first, an unchanged one, a changed one, limited, dry and repeated ones."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from certrecon.findings import CATALOGUE
from certrecon.stages.run_inputs import RunInputs
from certrecon_sandbox.change import change_share
from certrecon_sandbox.scenarios import SCENARIOS
from tests.contract import warehouse as sql
from tests.contract.comparing import decided_claims, oracle_claims
from tests.contract.sandbox_nights import FIRST_DAY, Nights, project_settings
from tests.oracle.contract import calculate
from tests.oracle.world import Row, payload_sha256

NOTHING_SENT = "no writing request"


def test_first_night(first_night: Nights) -> None:
    """Every claim is the oracle's, Ditio has what was planned, and all totals add up."""
    nights = first_night
    oracle = calculate(nights.oracle_world(FIRST_DAY, project_settings()))
    night = nights.night()
    assert (night.errors, night.status) == ({}, "succeeded")
    assert decided_claims(night) == oracle_claims(oracle)
    planned = {
        payload_sha256(claim.payload) for claim in oracle.claims if claim.disposition == "planned" and claim.payload
    }
    assert {payload_sha256(row) for _, rows in nights.posts for row in rows} == planned
    ledger = sql.ledger(nights.engine)
    assert {row["payload_sha256"] for row in ledger.values()} == planned
    assert {(number.strip(), type_) for number, type_ in nights.world.upserts} == set(ledger)
    run = sql.run_row(nights.engine, night.run_seq)
    assert run["sent"] == len(planned) == run["dispositions"]["delivered"]
    assert sum(run["dispositions"].values()) == run["claims"] == len(nights.claims())
    assert len({row["certificate_id"] for row in nights.claims()}) == run["certificates"]


def test_the_world_has_every_finding(first_night: Nights) -> None:
    """What the first night compares with the oracle has every finding that needs no history."""
    oracle = calculate(first_night.oracle_world(FIRST_DAY, project_settings()))
    found = {code for claim in oracle.claims for code in claim.findings}
    assert set(CATALOGUE) - found <= {"EMPLOYEE_NUMBER_REUSED", "TYPE_SPELLING_DRIFT"}


def test_report_summary_and_report_say_the_same(first_night: Nights) -> None:
    night = first_night.night()
    query = "SELECT measure, value FROM reconciliation.report_summary WHERE run_seq = :run"
    measures = {row["measure"]: row["value"] for row in sql.rows(first_night.engine, query, run=night.run_seq)}
    run = sql.run_row(first_night.engine, night.run_seq)
    assert {name: measures[name] for name in ("certificates", "links", "claims", "sent")} == {
        name: run[name] for name in ("certificates", "links", "claims", "sent")
    }
    dispositions = Counter(claim["disposition"] for claim in first_night.claims())
    assert {name: measures[name] for name in dispositions} == dispositions
    reported = sql.rows(first_night.engine, "SELECT * FROM reconciliation.reconciliation_report")
    assert len(reported) == run["claims"]
    summary = night.file(night.reported and night.reported.summary)
    assert f"{run['claims']} claims = {run['certificates']} certificates" in summary
    payloads = {payload_sha256(row["payload"]) for row in reported if row["disposition"] == "delivered"}
    assert payloads == {row["payload_sha256"] for row in sql.ledger(first_night.engine).values()}


def test_unchanged_night(nights: Nights) -> None:
    """The same day again sends nothing and writes nothing but its run row."""
    before = sql.fingerprint(nights.engine)
    runs = sql.rows(nights.engine, "SELECT count(*) AS n FROM reconciliation.run")[0]["n"]
    night = nights.night()
    assert (night.errors, night.status) == ({}, "succeeded")
    assert nights.posts == [], NOTHING_SENT
    assert sql.fingerprint(nights.engine) == before
    assert sql.rows(nights.engine, "SELECT count(*) AS n FROM reconciliation.run")[0]["n"] == runs + 1
    run = sql.run_row(nights.engine, night.run_seq)
    assert (run["sent"], run["dispositions"].get("planned")) == (0, None)
    assert night.planned
    assert night.loaded
    assert night.loaded.claims == night.planned.claims, "nothing waited for Ditio, so what was decided is the outcome"


def test_only_the_day_changes(nights: Nights) -> None:
    """A later day ends some certificates; nothing is sent, and only claims whose findings changed get a row."""
    nights.day = FIRST_DAY + dt.timedelta(days=45)
    before = {(row["certificate_id"], row["certificate_type"]): row for row in nights.claims()}
    oracle = calculate(nights.oracle_world(nights.day, project_settings()))
    night = nights.night()
    assert decided_claims(night) == oracle_claims(oracle)
    assert nights.posts == [], NOTHING_SENT
    for row in nights.claims():
        old = before[row["certificate_id"], row["certificate_type"]]
        assert (row["first_run_seq"] == night.run_seq) == (_facts(row) != _facts(old))
    assert any(row["first_run_seq"] == night.run_seq for row in nights.claims())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_changes_some(nights: Nights, seed: int) -> None:
    """After a day's changes only what they touch is sent and written; the rest keeps its rows."""
    before = {(row["certificate_id"], row["certificate_type"]): row for row in nights.claims()}
    ledger = sql.ledger(nights.engine)
    change_share(nights.world, 0.05, seed)
    oracle = calculate(nights.oracle_world(nights.day, project_settings()))
    night = nights.night()
    assert night.errors == {}
    assert decided_claims(night) == oracle_claims(oracle)
    assert sql.withdrawn(nights.engine) == [
        (one.employee_number, one.certificate_type, one.reason) for one in oracle.withdrawn
    ]
    planned = [claim.payload for claim in oracle.claims if claim.disposition == "planned" and claim.payload]
    assert nights.sent == sorted((row["employeeNumber"], row["certificateType"]) for row in planned)
    for row in nights.claims():
        old = before.get((row["certificate_id"], row["certificate_type"]), {})
        assert (row["first_run_seq"] == night.run_seq) == (_facts(row) != _facts(old)), (
            "a row for each change, none else"
        )
    after = sql.ledger(nights.engine)
    sent = {(number.strip(), type_) for number, type_ in nights.sent}
    assert {key: after[key] for key in ledger if key not in sent} == {
        key: entry for key, entry in ledger.items() if key not in sent
    }


def test_as_of_run_keeps_what_was(nights: Nights) -> None:
    """`claim_as_of` gives an earlier run's claims after a later one changed them."""
    before = nights.claims()
    (row,) = nights.delivered_alone()
    nights.world.certificates.change(row["certificate_id"], {"name": "another name"})
    nights.night()
    query = "SELECT * FROM reconciliation.claim_as_of(1) ORDER BY certificate_id, coalesce(certificate_type, '')"
    then = [{**one, "ended_run_seq": None} for one in sql.rows(nights.engine, query)]
    assert [{name: one[name] for name in before[0]} for one in then] == before
    assert nights.claims() != before


def test_dry_run_writes_its_run_row_alone(nights: Nights) -> None:
    """A dry run says what a publishing run would do, and the publishing run then does just that."""
    change_share(nights.world, 0.05, 4)
    before = sql.fingerprint(nights.engine)
    dry = nights.night(mode="dry_run")
    assert (dry.errors, dry.status) == ({}, "succeeded")
    assert nights.posts == [], NOTHING_SENT
    assert sql.fingerprint(nights.engine) == before
    run = sql.run_row(nights.engine, dry.run_seq)
    assert run["dispositions"]["planned"] == len(dry.plan_rows()) > 0
    wet = nights.night()
    assert wet.plan_rows() == dry.plan_rows()
    assert wet.withdrawn_rows() == dry.withdrawn_rows()
    assert decided_claims(wet) == decided_claims(dry)
    assert run["mode"] == "dry_run"
    assert sql.run_row(nights.engine, wet.run_seq)["sent"] == len(dry.plan_rows())


def test_dry_run_before_anything_else(first_night: Nights) -> None:
    """The next publishing night has no baseline but publishing ones, and everything is new to it."""
    first_night.night(mode="dry_run")
    assert sql.claims(first_night.engine) == []
    night = first_night.night()
    assert sql.run_row(first_night.engine, night.run_seq)["sent"] == len(night.plan_rows()) > 0


def test_dry_run_of_another_day(nights: Nights) -> None:
    night = nights.night(mode="dry_run", as_of="2030-01-01")
    assert night.handle is not None
    assert (night.handle.run_day, night.handle.as_of) == (FIRST_DAY, dt.date(2030, 1, 1))
    expired = [row for row in night.decided() if row["valid_until"] and row["valid_until"] < dt.date(2030, 1, 1)]
    assert expired
    assert all("EXPIRED" in row["findings"] for row in expired)


def test_limited_run_touches_nothing_outside(nights: Nights) -> None:
    """Everything changes, one tenant is read: what lies outside stays as it was, in every table."""
    tenants = sorted({row["tenant_id"] for row in nights.claims()})
    inside = tenants[0]
    change_share(nights.world, 0.3, 9)
    before = [row for row in nights.claims() if row["tenant_id"] != inside]
    ledger = sql.ledger(nights.engine)
    certificates = {row["certificate_id"] for row in nights.world.certificates.where("tenant_id", inside)}
    night = nights.night(tenant_ids=[inside])
    assert night.errors == {}
    assert [row for row in nights.claims() if row["tenant_id"] != inside] == before
    sent = {row["certificateNumber"] for _, rows in nights.posts for row in rows}
    assert sent
    assert sent <= certificates
    after = sql.ledger(nights.engine)
    assert all(after[key] == entry for key, entry in ledger.items() if entry["tenant_id"] != inside)
    query = "SELECT certificate_id FROM reconciliation.withdrawn_upsert"
    gone = {row["certificate_id"] for row in sql.rows(nights.engine, query)}
    assert gone <= {row["certificate_id"] for row in ledger.values() if row["tenant_id"] == inside}
    run = sql.run_row(nights.engine, night.run_seq)
    assert (run["certificates"], list(run["tenants"])) == (len(certificates), [inside])
    full = nights.night()
    assert full.errors == {}
    assert sum(row["tenant_id"] != inside for row in full.plan_rows()) == len(full.plan_rows())


def test_a_limited_run_is_no_baseline(nights: Nights) -> None:
    """Guards of the next night compare with the last full one."""
    inside = nights.claims()[0]["tenant_id"]
    nights.night(tenant_ids=[inside])
    night = nights.night()
    query = "SELECT guards FROM reconciliation.run WHERE run_seq = :run"
    assert sql.rows(nights.engine, query, run=night.run_seq)[0]["guards"] == {}
    baseline = RunInputs(night.workplace.evidence).context.baseline
    assert baseline is not None
    assert baseline.run_seq == 1


def _facts(row: Row) -> Row:
    """Return what a claim says, without where its row lies."""
    return {name: value for name, value in row.items() if name not in {"first_run_seq", "claim_id", "row_sha256"}}


def test_resend_sends_every_winner_again(nights: Nights) -> None:
    ledger = sql.ledger(nights.engine)
    claims = nights.claims()
    night = nights.night(resend=True)
    assert night.errors == {}
    assert {(number.strip(), type_) for number, type_ in nights.sent} == set(ledger)
    assert len(nights.sent) == len(ledger)
    assert {row["reason"] for row in night.plan_rows()} == {"resend"}
    after = sql.ledger(nights.engine)
    for key, entry in after.items():
        assert entry["acknowledged_at"] > ledger[key]["acknowledged_at"]
        assert entry["first_acknowledged_at"] == ledger[key]["first_acknowledged_at"]
        assert entry["attempts"] == ledger[key]["attempts"] + 1
    assert nights.claims() == claims, "delivered before and after: nothing of a claim changed"
    assert sql.run_row(nights.engine, night.run_seq)["sent"] == len(ledger)


def test_employee_number_reused(nights: Nights) -> None:
    """The newcomer's certificates are blocked: the number's deliveries are another person's."""
    told = SCENARIOS["employee_number_reused"](nights.world, {})
    oracle = calculate(nights.oracle_world(nights.day, project_settings()))
    night = nights.night()
    assert decided_claims(night) == oracle_claims(oracle)
    copied = [row for row in nights.claims() if row["certificate_id"] in told["certificate_ids"]]
    applicable = [row for row in copied if row["disposition"] != "not_applicable"]
    assert applicable
    assert all("EMPLOYEE_NUMBER_REUSED" in row["findings"] for row in applicable)
    assert all(row["disposition"] == "blocked" for row in applicable)
    assert not any(number == told["employee_number"] for number, _ in nights.sent)
    assert sql.withdrawn(nights.engine) == [
        (one.employee_number, one.certificate_type, one.reason) for one in oracle.withdrawn
    ]


def test_a_type_in_another_spelling(nights: Nights) -> None:
    """Changed settings spell a delivered type otherwise: blocked, and what was delivered is withdrawn."""
    rules = project_settings()["certificate_types"]
    wanted = Counter(row["certificate_type"] for row in nights.claims(disposition="delivered")).most_common(1)[0][0]
    changed = [
        rule | {"certificate_type": rule["certificate_type"].upper()} if rule["certificate_type"] == wanted else rule
        for rule in rules
    ]
    nights.pipeline.settings["certificate_types"] = changed
    night = nights.night()
    assert night.errors == {}
    drifting = nights.claims(certificate_type=wanted.upper())
    applicable = [row for row in drifting if row["disposition"] != "not_applicable"]
    assert applicable
    assert all("TYPE_SPELLING_DRIFT" in row["findings"] and row["disposition"] == "blocked" for row in applicable)
    assert nights.posts == [], NOTHING_SENT
    assert {(type_, reason) for _, type_, reason in sql.withdrawn(nights.engine)} == {(wanted, "retyped")}
    nights.pipeline.settings["certificate_types"] = rules
    assert nights.night().errors == {}
    assert nights.posts == [], "the old spelling is what Ditio holds"
    assert sql.withdrawn(nights.engine) == []


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({"ditio_casing": "pascal"}, {}),
        ({"ditio_employees_shape": "envelope", "ditio_employees_page_size": 7}, {}),
        ({"max_page_size": 13}, {"fourhse": {"page_size": 1000}}),
        ({"ditio_success_body": "echo"}, {}),
    ],
    ids=["pascal-case", "envelope-in-parts", "clamped-pages", "echo"],
)
def test_other_forms_of_the_same_answers(nights: Nights, options: Row, settings: Row) -> None:
    """The vendors write the same facts in another form: nothing changes, nothing is sent."""
    nights.server.options.change(options)
    nights.pipeline.settings |= settings
    before = sql.fingerprint(nights.engine)
    assert nights.night().errors == {}
    assert nights.posts == []
    assert sql.fingerprint(nights.engine) == before


def test_tokens_that_end_at_once(first_night: Nights) -> None:
    """Tokens that live two seconds are renewed in time; the night is as any other."""
    first_night.server.options.change({"fourhse_expires_in": 2, "ditio_expires_in": 2})
    night = first_night.night()
    assert (night.errors, night.status) == ({}, "succeeded")


def test_users_v4_see_the_subsidiaries_too(first_night: Nights) -> None:
    first_night.pipeline.settings["ditio"] = {"employee_source": "users_v4"}
    night = first_night.night()
    assert night.errors == {}
    run = sql.run_row(first_night.engine, night.run_seq)
    assert run["employees"] == len(first_night.world.employees)


def test_company_id_narrows_the_employees(first_night: Nights) -> None:
    first_night.pipeline.settings["ditio"] = {"company_id": "company-main"}
    night = first_night.night()
    run = sql.run_row(first_night.engine, night.run_seq)
    own = [row for row in first_night.world.employees if row["companyId"] == "company-main"]
    assert run["employees"] == len(own) < len(first_night.world.employees)


def test_the_payload_in_the_ledger_is_what_was_sent(nights: Nights) -> None:
    """The ledger's JSON, Ditio's row and the text whose digest is kept say the same."""
    held = {(number.strip(), type_): row for (number, type_), row in nights.world.upserts.items()}
    for key, entry in sql.ledger(nights.engine).items():
        sent = {name: value for name, value in held[key].items() if value is not None}
        assert entry["payload"] == sent
        assert payload_sha256(sent) == entry["payload_sha256"] == entry["acknowledged_payload_sha256"]
