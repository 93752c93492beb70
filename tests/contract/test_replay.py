"""A run is made again from its evidence alone and comes out the same, row by row and byte by byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from certrecon.audit.purge import purge_expired
from certrecon.audit.replay import Replay, last_finalised, replay_run
from certrecon.audit.wording import render_replay
from certrecon.errors import EvidenceError, ParameterError, WarehouseUnavailableError
from tests.contract.sandbox_nights import Nights
from tests.contract.test_purge import LATER


def replay(nights: Nights, run: int) -> Replay:
    return replay_run(nights.engine, Path, run)


def differing(again: Replay) -> list[Any]:
    return [(one.table, one.differences) for one in again.comparisons if one.differing]


def changed_certificates(nights: Nights, number: int) -> None:
    for claim in nights.delivered_alone(number)[:number]:
        [link] = nights.world.links.where("certificate_id", claim["certificate_id"])
        nights.world.links.change(link["certificate_action_id"], {"date_expire": "2027-01-01"})


EVERYTHING = {
    "facts", "dangling", "decided", "plan", "restored", "withdrawn", "judged", "moved_away", "guards", "tenants", "claims",
    "summary", "report", "workbook", "worklist_csv",
}  # fmt: skip


def test_a_publishing_run(first_night: Nights) -> None:
    night = first_night.night()
    again = replay(first_night, night.run_seq)
    assert differing(again) == []
    assert {one.table for one in again.comparisons} >= EVERYTHING | {"claims in the warehouse"}
    assert last_finalised(first_night.engine) == night.run_seq
    assert render_replay(again).splitlines()[-1] == f"Run {night.run_seq} comes out the same from its evidence alone."


def test_an_earlier_run_after_later_ones_changed_the_warehouse(nights: Nights) -> None:
    first = nights.night(mode="dry_run")
    changed_certificates(nights, 3)
    second = nights.night()
    assert len(nights.sent) == 3
    third = nights.night(resend=True)
    for night in (first, second, third):
        assert differing(replay(nights, night.run_seq)) == []


def test_a_dry_run(first_night: Nights) -> None:
    night = first_night.night(mode="dry_run")
    again = replay(first_night, night.run_seq)
    assert differing(again) == []
    assert {one.table for one in again.comparisons} >= EVERYTHING


def test_a_limited_run(nights: Nights) -> None:
    night = nights.night(tenant_ids=[nights.claims()[0]["tenant_id"]])
    assert differing(replay(nights, night.run_seq)) == []


def test_a_run_whose_rows_stayed_undelivered_because_nobody_could_be_asked(nights: Nights) -> None:
    nights.night()
    changed_certificates(nights, 3)
    night = nights.night(approval="always")
    assert (night.status, len(nights.claims(disposition="undelivered"))) == ("failed", 3)
    assert differing(replay(nights, night.run_seq)) == []


def test_a_run_that_a_guard_stopped(nights: Nights) -> None:
    nights.night()
    changed_certificates(nights, 3)
    changed = {claim["certificate_id"] for claim in nights.delivered_alone(3)[:3]}
    for certificate in list(nights.world.certificates.rows)[:60]:
        if certificate not in changed:
            nights.world.certificates.remove(certificate)
    night = nights.night()
    assert "drop" in night.failure
    assert differing(replay(nights, night.run_seq)) == []


def test_a_run_that_failed_after_it_had_planned(nights: Nights) -> None:
    nights.night()
    changed_certificates(nights, 3)
    night = nights.pipeline.night(nights.day)
    night.open()
    night.decide()
    night.errors["publish"] = WarehouseUnavailableError("PostgreSQL went away.")
    night.conclude()
    assert night.status == "failed"
    assert differing(replay(nights, night.run_seq)) == []


def test_a_run_that_failed_before_it_sealed_anything_says_so(first_night: Nights) -> None:
    night = first_night.pipeline.night(first_night.day)
    night.open()
    night.conclude()
    again = replay(first_night, night.run_seq)
    assert again.comparisons == ()
    assert any("failed before" in note for note in again.notes)


def test_one_claim_of_the_warehouse_is_named(first_night: Nights) -> None:
    night = first_night.night()
    with first_night.engine.begin() as conn:
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        claim = first_night.delivered_alone()[0]
        conn.execute(
            text("UPDATE reconciliation.claim SET valid_until = '2050-01-01' WHERE claim_id = :id"),
            {"id": claim["claim_id"]},
        )
    again = replay(first_night, night.run_seq)
    [comparison] = [one for one in again.comparisons if one.differing]
    [difference] = comparison.differences
    assert (comparison.table, comparison.differing, difference.column, difference.was) == (
        "claims in the warehouse",
        1,
        "valid_until",
        "2050-01-01",
    )
    assert claim["certificate_id"] in difference.key
    assert not again.holds


@pytest.mark.parametrize("dataset", ["certificates", "settings"])
def test_changed_evidence_is_refused(first_night: Nights, dataset: str) -> None:
    night = first_night.night()
    evidence = night.workplace.evidence
    path = evidence.path(next(evidence.path("inputs").glob(f"{dataset}-*")).relative_to(evidence.path(".")).as_posix())
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(EvidenceError, match="was changed"):
        replay(first_night, night.run_seq)


def test_purged_evidence_is_said_to_be_gone(first_night: Nights) -> None:
    night = first_night.night()
    purge_expired(first_night.engine, Path, LATER, 30)
    with pytest.raises(EvidenceError, match=r"was removed on .* 30 days"):
        replay(first_night, night.run_seq)


def test_no_such_run(first_night: Nights) -> None:
    with pytest.raises(ParameterError, match="no run 99"):
        replay(first_night, 99)
