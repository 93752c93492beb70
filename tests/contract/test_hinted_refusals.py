"""Hints at what 4HSE refuses: they hold back no other hint, and nothing changes because of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from certrecon.audit.replay import replay_run
from certrecon.audit.verify import verify
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import Hint, add_hints, hints_wait
from certrecon.words import ChangeEvent
from certrecon_sandbox.faults.wanted import parse_fault
from certrecon_sandbox.fourhse import relations
from tests.contract import warehouse as sql
from tests.contract.hinting import GROWS, certificate, change_and_tell, follow
from tests.contract.pipeline import Night
from tests.contract.refusing import refuse
from tests.contract.sandbox_nights import Nights

E = ChangeEvent
STRANGE = "6b3f4c1e-0000-4000-8000-00000000000"
LATER = {"date_expire": "2033-05-06"}


@pytest.fixture(autouse=True)
def refuses_nothing_afterwards(nights: Nights) -> Iterator[None]:
    """The sandbox is shared by all tests."""
    yield
    nights.server.sandbox.faults.clear()


def tell(nights: Nights, *hints: Hint) -> None:
    with transaction(nights.engine) as conn:
        add_hints(conn, hints)


def renew(nights: Nights, *places: int) -> list[str]:
    """Renew certificates and tell of it; return their ids."""
    chosen = [certificate(nights, place)["certificate_id"] for place in places]
    for one in chosen:
        change_and_tell(nights, lambda world, one=one: relations.update_certificate(world, one, LATER))
    return chosen


def waiting(nights: Nights) -> bool:
    with transaction(nights.engine) as conn:
        return hints_wait(conn)


def summary(night: Night) -> str:
    return " ".join(night.file(night.reported and night.reported.summary).split())


def test_what_4hse_refuses_holds_back_no_other_hint(nights: Nights, caplog: pytest.LogCaptureFixture) -> None:
    """One id of each kind that is left out, beside two good changes."""
    good = renew(nights, 0, 1)
    for number, status in enumerate((403, 422, 200)):
        refuse(nights, f"{STRANGE}{number}", status)
        tell(nights, Hint(E.CERTIFICATE_UPDATE, f"{STRANGE}{number}"))
    refuse(nights, "x", 500)
    tell(nights, Hint(E.CERTIFICATE_UPDATE, "x"))
    with caplog.at_level(logging.WARNING, "certrecon.stages.read_hinted"):
        followed = nights.pipeline.follow_hints(nights.day)
    assert (followed.errors, followed.status) == ({}, "succeeded")
    assert {nights.claims(certificate_id=one)[0]["valid_until"].year for one in good} == {2033}
    assert not waiting(nights)
    (record,) = caplog.records
    assert record.getMessage().startswith("4HSE refused 4 of the ids that hints name; left out")
    assert record.getMessage().endswith(f": {STRANGE}0, {STRANGE}1, {STRANGE}2, x")


def test_the_log_names_few_of_them_and_only_what_can_be_seen(nights: Nights, caplog: pytest.LogCaptureFixture) -> None:
    ids = [f"{number}\x1b[31m{'x' * 200}" for number in range(7)]
    for one in ids:
        refuse(nights, one, 422)
    tell(nights, *(Hint(E.CERTIFICATE_UPDATE, one) for one in ids))
    with caplog.at_level(logging.WARNING, "certrecon.stages.read_hinted"):
        assert nights.pipeline.follow_hints(nights.day).status == "succeeded"
    (record,) = caplog.records
    shown = ", ".join(f"{number}{'x' * 38}\u2026" for number in range(5))
    assert record.getMessage().startswith("4HSE refused 7 of the ids")
    assert record.getMessage().endswith(f": {shown} ...")


@pytest.mark.parametrize("endpoint", ["4hse.*", "4hse.*.index", "4hse.*.view"])
@pytest.mark.parametrize("event", [E.CERTIFICATE_DELETE, E.LINK_UPDATE, E.PERSON_UPDATE], ids=str)
def test_an_id_of_any_kind_is_left_out_wherever_it_is_refused(
    nights: Nights, event: ChangeEvent, endpoint: str
) -> None:
    """4HSE has nothing under this id, and its database cannot even look for it."""
    renew(nights, 0)
    refuse(nights, "x", 500, endpoint)
    tell(nights, Hint(event, "x"))
    assert nights.pipeline.follow_hints(nights.day).status == "succeeded"
    assert not waiting(nights)


@pytest.mark.parametrize("hinted", ["certificate", "person"])
def test_what_is_known_of_a_refused_id_stays(nights: Nights, hinted: str) -> None:
    """Nothing is ended or withdrawn because 4HSE would not show it this time; another hint is answered."""
    known = certificate(nights)
    row_id, event = known["certificate_id"], E.CERTIFICATE_DELETE
    if hinted == "person":
        row_id, event = known["resource_id"], E.PERSON_DELETE
    refuse(nights, row_id, 403)
    tell(nights, Hint(event, row_id), Hint(E.CERTIFICATE_UPDATE, certificate(nights, 1)["certificate_id"]))
    before = sql.fingerprint(nights.engine, without=GROWS)
    assert nights.pipeline.follow_hints(nights.day).status == "succeeded"
    assert sql.fingerprint(nights.engine, without=GROWS) == before
    assert nights.claims(certificate_id=known["certificate_id"])[0]["disposition"] == "delivered"
    assert not waiting(nights)


@pytest.mark.parametrize("hinted", ["certificate", "person"])
def test_where_all_is_refused_and_was_known_the_right_to_read_it_is_gone(nights: Nights, hinted: str) -> None:
    known = certificate(nights)
    row_id, event = known["certificate_id"], E.CERTIFICATE_UPDATE
    if hinted == "person":
        row_id, event = known["resource_id"], E.PERSON_UPDATE
    nights.server.sandbox.faults.add(parse_fault("4hse.*.view=status:status=403"))
    tell(nights, Hint(event, row_id), Hint(E.CERTIFICATE_UPDATE, f"{STRANGE}0"))
    followed = nights.pipeline.follow_hints(nights.day)
    assert (followed.status, "right to see" in followed.failure) == ("failed", True)
    assert waiting(nights)


def test_nobody_is_judged_by_half_of_a_number(nights: Nights) -> None:
    """A refused certificate of the same employee is asked for as any other around, and its refusal fails the run."""
    beaten = nights.claims(disposition="superseded")[0]
    key = {name: beaten[name] for name in ("employee_number", "certificate_type")}
    winner = nights.claims(disposition="delivered", **key)[0]["certificate_id"]
    refuse(nights, winner, 403)
    tell(nights, Hint(E.CERTIFICATE_UPDATE, winner), Hint(E.CERTIFICATE_UPDATE, beaten["certificate_id"]))
    followed = nights.pipeline.follow_hints(nights.day)
    assert followed.status == "failed"
    assert "403" in followed.failure
    assert waiting(nights)


@pytest.mark.parametrize("fault", ["status:status=401", "status:status=429", "status:status=500", "reset", "html"])
def test_what_says_nothing_of_an_id_fails_the_run_and_leaves_the_hints(nights: Nights, fault: str) -> None:
    renew(nights, 0)
    nights.server.sandbox.faults.add(parse_fault(f"4hse.certificate.view={fault}"))
    assert nights.pipeline.follow_hints(nights.day).status == "failed"
    assert waiting(nights)
    nights.server.sandbox.faults.clear()
    follow(nights)


@pytest.mark.parametrize("fault", ["status:status=403", "html:status=200"])
def test_where_4hse_answers_nothing_any_more_no_hint_is_settled(nights: Nights, fault: str) -> None:
    """A gateway refuses everything after the list of projects was read: the ids are not to blame."""
    journal, faults = nights.server.sandbox.journal, nights.server.sandbox.faults
    renew(nights, 0)
    journal.clear()
    assert nights.pipeline.follow_hints(nights.day).status == "succeeded"
    usual = journal.endpoints["4hse.project.index"].requests
    renew(nights, 1)
    faults.add(parse_fault(f"4hse.certificate.view={fault}"))
    faults.add(parse_fault(f"4hse.project.index={fault},after={usual}"))
    assert nights.pipeline.follow_hints(nights.day).status == "failed"
    assert waiting(nights)


def test_the_report_says_how_many_were_left_out_and_is_made_again_so(nights: Nights) -> None:
    renew(nights, 0)
    refuse(nights, "x", 422)
    tell(nights, Hint(E.CERTIFICATE_UPDATE, "x"), Hint(E.PERSON_UPDATE, "x"))
    followed = nights.pipeline.follow_hints(nights.day)
    words = "2 ids that hints name and 4HSE refused; the next full night looks at everything"
    assert f"Left out: {words}." in summary(followed)
    assert words in followed.file(followed.reported and followed.reported.page)
    assert replay_run(nights.engine, Path, followed.run_seq).holds
    assert verify(nights.engine, Path).holds


@pytest.mark.parametrize("refused", [False, True], ids=["nobody knows it", "4HSE refuses it"])
def test_hints_that_lead_to_nothing(nights: Nights, *, refused: bool) -> None:
    """The run succeeds, writes nothing, and settles the hint."""
    if refused:
        refuse(nights, f"{STRANGE}0", 403)
    tell(nights, Hint(E.CERTIFICATE_DELETE, f"{STRANGE}0"))
    before = sql.fingerprint(nights.engine, without=GROWS)
    followed = nights.pipeline.follow_hints(nights.day)
    assert (followed.errors, followed.status) == ({}, "succeeded")
    assert sql.fingerprint(nights.engine, without=GROWS) == before
    assert not waiting(nights)
    assert replay_run(nights.engine, Path, followed.run_seq).holds
    assert ("Left out: 1 id that" in summary(followed)) is refused
