"""Persons past their retention get pseudonyms, on the record, and everything else stays as it was."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from certrecon.audit import pseudonymise as batches
from certrecon.audit.chain import chained, read_runs
from certrecon.audit.comparing import Comparison
from certrecon.audit.pseudonymise import Pseudonymised, pseudonymise_past
from certrecon.audit.records import check_records
from certrecon.audit.replay import Replay, replay_run
from certrecon.audit.stores import Stores
from certrecon.audit.verify import verify
from certrecon.audit.wording import render_verification
from certrecon.browse.claims import ClaimFilter, search
from certrecon.browse.workers import history, person, worker
from certrecon.errors import ConnectionSettingsError, EvidenceError, IntegrityError
from certrecon.warehouse.engine import connect_engine, transaction
from certrecon.warehouse.roles import AUDITOR, WRITER
from certrecon_sandbox.server import SandboxServer
from tests.contract.leavers import (
    ENDED,
    KEPT,
    LATER,
    claim_rows,
    delivered_persons,
    do,
    entries,
    leave,
    names,
    thing_of,
)
from tests.contract.sandbox_nights import Nights, Remembered, pipeline_on
from tests.contract.test_tampering import Scene
from tests.contract.warehouse import rows, run_row

TEMPLATE = "after_two_persons_left"
PSEUDONYM = re.compile(r"pseudonym-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
REPLACED = {
    "resource_id", "person_name", "employee_number", "detail", "pseudonymisation_id", "pseudonym_sha256",
}  # fmt: skip


@pytest.fixture(scope="module")
def left_behind(
    sandbox: SandboxServer,
    fresh_world: Remembered,
    new_database: Callable[..., str],
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[int], Path, list[str], str]:
    """Three nights: after the second a certificate of the first person changes, before the third two persons leave."""
    fresh_world.put_back(sandbox)
    folder = tmp_path_factory.mktemp("two_persons_left")
    engine = connect_engine(new_database(migrated_template, TEMPLATE))
    nights = Nights(sandbox, pipeline_on(sandbox, engine, folder))
    runs = [nights.night()]
    persons = delivered_persons(nights, 3)
    certificate = next(row["certificate_id"] for row in nights.claims(resource_id=persons[0], disposition="delivered"))
    for link in nights.world.links.where("certificate_id", certificate):
        nights.world.links.change(link["certificate_action_id"], {"date_expire": "2027-01-01"})
    runs.append(nights.night())
    thing = thing_of(nights)
    for resource in (*persons[:2], thing):
        leave(nights, resource)
    runs.append(nights.night(accept=["drop"]))
    assert [run.errors for run in runs] == [{}, {}, {}]
    engine.dispose()
    return [run.run_seq for run in runs], folder / "evidence", persons, thing


@pytest.fixture
def scene(
    left_behind: tuple[list[int], Path, list[str], str], new_database: Callable[..., str], tmp_path: Path
) -> Iterator[Scene]:
    """A copy of warehouse and evidence after those nights."""
    runs, original, _, _ = left_behind
    shutil.copytree(original, tmp_path / "evidence")
    engine = connect_engine(new_database(TEMPLATE))
    yield Scene(engine, runs, tmp_path / "evidence", str(original))
    engine.dispose()


@pytest.fixture
def persons(left_behind: tuple[list[int], Path, list[str], str]) -> list[str]:
    """Two persons who left, and one who is still there."""
    return left_behind[2]


# --- what is done --------------------------------------------------------------------------------------


def test_who_left_gets_a_pseudonym_and_everything_else_of_the_claims_stays(scene: Scene, persons: list[str]) -> None:
    before, of_them = claim_rows(scene.engine), f"resource_id IN ('{persons[0]}', '{persons[1]}')"
    theirs = set(claim_rows(scene.engine, of_them))
    done = do(scene)
    after = claim_rows(scene.engine)
    assert (done.persons, done.claims, done.batches) == (2, len(theirs), 1)
    assert len(theirs) >= 5
    assert {number for number in before if before[number] != after[number]} == theirs
    for number in theirs:
        was, now = before[number], after[number]
        assert {name for name in was if was[name] != now[name]} <= REPLACED
        assert PSEUDONYM.fullmatch(now["resource_id"])
        assert (now["person_name"], now["employee_number"]) == (None, None)
        assert now["detail"] == was["detail"] | {"ditio_employee_number": None}
        assert now["row_sha256"] == was["row_sha256"] != now["pseudonym_sha256"]
    assert any(before[number]["detail"]["ditio_employee_number"] for number in theirs)
    pairs = {(before[number]["resource_id"], after[number]["resource_id"]) for number in theirs}
    assert len(pairs) == len({pseudonym for _, pseudonym in pairs}) == 2, "one for all rows of a person"


def test_a_pseudonym_does_not_come_from_the_person(scene: Scene, new_database: Callable[..., str]) -> None:
    do(scene)
    again = Scene(connect_engine(new_database(TEMPLATE)), scene.runs, scene.root, scene.original)
    do(again)
    one, other = (
        {row["resource_id"] for row in claim_rows(each.engine, "pseudonymisation_id IS NOT NULL").values()}
        for each in (scene, again)
    )
    assert len(one) == len(other) == 2
    assert one & other == set()
    again.engine.dispose()


def test_it_is_on_the_record_in_both_places_and_names_nobody(scene: Scene, persons: list[str]) -> None:
    numbers = {row["employee_number"] for row in claim_rows(scene.engine, f"resource_id = '{persons[0]}'").values()}
    done = do(scene)
    [entry] = entries(scene.engine)
    assert (entry["persons"], entry["claims"]) == (done.persons, done.claims)
    assert entry["ended_before"] == LATER - dt.timedelta(days=KEPT)
    assert entry["reason"] == "Kept for 30 days as personal_data.retention_days says."
    [note] = [path for path in (scene.root / "pseudonymisations").rglob("*") if path.is_file()]
    assert json.loads(note.read_text("utf-8"))["sha256"] == entry["sha256"]
    assert note.stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o077 for folder in (note.parent, note.parent.parent)} == {0}
    kept = {name: value for name, value in entry.items() if name not in {"sha256", "done_at"}}
    said = json.loads(note.read_text("utf-8"))
    # A digest, a random id and a moment hold any three digits by chance.
    told = str(kept) + str({name: value for name, value in said.items() if name not in {"sha256", "installation_id"}})
    assert said["installation_id"] == note.parent.name
    assert [word for word in (*persons, *numbers) if word and word in told] == []


@pytest.mark.parametrize(
    ("today", "days", "number"),
    [
        pytest.param(LATER, KEPT, 2, id="ended a day longer ago than the retention"),
        pytest.param(LATER - dt.timedelta(days=1), KEPT, 0, id="ended exactly the retention ago"),
        pytest.param(ENDED, 1, 0, id="ended today"),
        pytest.param(ENDED + dt.timedelta(days=2), 1, 2, id="a retention of one day"),
        pytest.param(LATER, None, 0, id="never, the default"),
        pytest.param(LATER, 36_500, 0, id="the longest retention"),
    ],
)
def test_when(scene: Scene, today: dt.date, days: int | None, number: int) -> None:
    assert do(scene, today, days).persons == number
    assert len(entries(scene.engine)) == bool(number)


def test_who_still_has_an_open_claim_and_what_is_no_person_stay_as_they_are(
    scene: Scene, left_behind: tuple[list[int], Path, list[str], str]
) -> None:
    _, _, persons, thing = left_behind
    still_there = claim_rows(scene.engine, f"resource_id = '{persons[2]}'")
    ended_thing = claim_rows(scene.engine, f"resource_id = '{thing}' AND ended_run_seq IS NOT NULL")
    assert ended_thing
    do(scene)
    assert claim_rows(scene.engine, f"resource_id = '{persons[2]}'") == still_there
    assert claim_rows(scene.engine, f"resource_id = '{thing}' AND ended_run_seq IS NOT NULL") == ended_thing
    assert persons[2] in names(scene.engine)


def test_a_second_call_finds_nothing_to_do(scene: Scene) -> None:
    do(scene)
    before = claim_rows(scene.engine)
    assert do(scene) == Pseudonymised()
    assert (claim_rows(scene.engine), len(entries(scene.engine))) == (before, 1)


def test_totals_of_earlier_runs_stay(scene: Scene) -> None:
    query = """
        SELECT tenant_id, certificate_type, disposition, findings, issued_on, valid_until, linked, count(*) AS n
          FROM reconciliation.claim_as_of(:run) GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7"""
    before = [rows(scene.engine, query, run=run) for run in scene.runs]
    done = do(scene)
    assert [rows(scene.engine, query, run=run) for run in scene.runs] == before
    for run, found in zip(scene.runs, before, strict=True):
        counts: Counter[str] = Counter()
        for row in found:
            counts[row["disposition"]] += row["n"]
        assert dict(counts) == run_row(scene.engine, run)["dispositions"]
    assert done.claims


def test_the_writer_does_it_and_the_auditor_may_not(scene: Scene) -> None:
    auditor, writer = (
        connect_engine(scene.engine.url.render_as_string(hide_password=False), role) for role in (AUDITOR, WRITER)
    )
    with pytest.raises(ConnectionSettingsError):
        pseudonymise_past(auditor, scene.root, LATER, KEPT)
    assert pseudonymise_past(writer, scene.root, LATER, KEPT).persons == 2
    assert verify(auditor, scene.open_root).breaches == ()
    for engine in (auditor, writer):
        engine.dispose()


# --- broken off ----------------------------------------------------------------------------------------


def test_a_store_that_cannot_be_written_changes_nothing(scene: Scene) -> None:
    (scene.root / "pseudonymisations").write_text("a file where a folder should be", encoding="utf-8")
    before = claim_rows(scene.engine), names(scene.engine)
    with pytest.raises(EvidenceError, match="pseudonymisations"):
        do(scene)
    assert (claim_rows(scene.engine), names(scene.engine), entries(scene.engine)) == (*before, [])


def test_what_was_broken_off_holds_and_is_finished_by_the_next_call(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "CLAIMS_A_BATCH", 1)
    real, notes = Path.write_bytes, []

    def break_off(path: Path, data: bytes) -> int:
        written = real(path, data)
        notes.append(path)
        if len(notes) == 2:
            raise KeyboardInterrupt
        return written

    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_bytes", break_off)
        with pytest.raises(KeyboardInterrupt):
            do(scene)
    assert all(path.exists() for path in notes), "the second note is there, its entry is not"
    assert len(entries(scene.engine)) == 1
    assert scene.verify().breaches == ()
    assert do(scene).persons == 1
    assert scene.verify().breaches == ()
    assert [entry["persons"] for entry in entries(scene.engine)] == [1, 1]


def test_a_changed_claim_is_never_hidden_behind_a_pseudonym(scene: Scene, persons: list[str]) -> None:
    scene.sql(
        "UPDATE reconciliation.claim SET valid_until = valid_until + 365 WHERE resource_id = :one", one=persons[0]
    )
    before = claim_rows(scene.engine)
    with pytest.raises(IntegrityError, match="make verify"):
        do(scene)
    assert (claim_rows(scene.engine), entries(scene.engine)) == (before, [])


# --- verification, replay and pages --------------------------------------------------------------------


def test_verification_holds_and_says_how_many(scene: Scene) -> None:
    assert scene.verify().checked["claims pseudonymised on the record"] == 0
    done = do(scene)
    found = scene.verify()
    assert found.breaches == ()
    assert found.checked["claims pseudonymised on the record"] == done.claims
    assert f"{done.claims} claims pseudonymised on the record" in render_verification(found)


def test_runs_from_before_there_were_pseudonyms_hold(scene: Scene) -> None:
    scene.sql("UPDATE reconciliation.run SET records = records - 'pseudonymisations'")
    do(scene)
    with transaction(scene.engine) as conn:
        compared, breaches = check_records(conn, chained(read_runs(conn)), Stores(Path))
    assert (compared, breaches) == (3 * 12, [])


def again_in_warehouse(scene: Scene, run: int) -> tuple[Replay, Comparison]:
    """Make a run again; return that and its comparison with the claims of the warehouse."""
    again = replay_run(scene.engine, scene.open_root, run)
    [found] = [one for one in again.comparisons if one.table == "claims in the warehouse"]
    return again, found


def test_a_run_is_made_again_without_the_claims_that_have_pseudonyms(scene: Scene) -> None:
    compared = {run: again_in_warehouse(scene, run)[1].rows for run in scene.runs}
    gone_of = """
        SELECT count(*) AS n FROM reconciliation.claim_as_of(:run) WHERE pseudonymisation_id IS NOT NULL"""
    do(scene)
    for run in scene.runs:
        again, left = again_in_warehouse(scene, run)
        gone = rows(scene.engine, gone_of, run=run)[0]["n"]
        assert again.holds
        assert left.rows == compared[run] - gone
        note = f"{gone} claims of run {run} were pseudonymised since: they are not compared."
        assert (note in again.notes) == bool(gone) == (run != scene.runs[2])


def test_pages_show_such_claims_without_a_name_and_find_them_by_none(scene: Scene, persons: list[str]) -> None:
    ended = claim_rows(scene.engine, f"resource_id = '{persons[0]}'")
    target = next(iter(ended.values()))["target"]
    number = next(row["employee_number"] for row in ended.values() if row["employee_number"])
    name = next(row["person_name"] for row in ended.values() if row["person_name"])
    run = scene.runs[0]
    with transaction(scene.engine) as conn:
        assert history(conn, target, employee_number=number).rows
        assert search(conn, ClaimFilter(target, as_of=run, person=name)).rows
    do(scene)
    with transaction(scene.engine) as conn:
        assert history(conn, target, employee_number=number).rows == ()
        assert history(conn, target, resource_id=persons[0]).rows == ()
        assert person(conn, target, persons[0]) is None
        known = worker(conn, target, number)
        assert known is not None
        assert (known.persons, known.claims) == ((), ())
        assert known.ledger, "the ledger remembers what Ditio holds"
        assert search(conn, ClaimFilter(target, as_of=run, person=name)).rows == ()
        certificate = next(iter(ended.values()))["certificate_id"]
        found = search(conn, ClaimFilter(target, as_of=run, certificate=certificate)).rows
        assert found
        assert {(line.person_name, line.employee_number) for line in found} == {(None, None)}
        pseudonym = str(found[0].resource_id)
        assert len(history(conn, target, resource_id=pseudonym).rows) == len(ended)


def test_who_comes_back_is_found_again_and_leaves_under_another_pseudonym(nights: Nights) -> None:
    [resource] = delivered_persons(nights, 1)
    certificate = nights.world.certificates.where("resource_id", resource)[0]
    link = nights.world.links.where("certificate_id", certificate["certificate_id"])[0]
    root = nights.pipeline.folder / "evidence"
    leave(nights, resource)
    nights.night()
    first = pseudonymise_past(nights.engine, root, LATER, KEPT)
    assert resource not in names(nights.engine)
    nights.world.certificates.add(certificate)
    nights.world.links.add(link)
    nights.night()
    assert resource in names(nights.engine)
    assert pseudonymise_past(nights.engine, root, LATER, KEPT) == Pseudonymised(), "a claim is open"
    leave(nights, resource)
    nights.night()
    second = pseudonymise_past(nights.engine, root, LATER, KEPT)
    assert (first.persons, second.persons) == (1, 1)
    assert resource not in names(nights.engine)
    replaced = claim_rows(nights.engine, "pseudonymisation_id IS NOT NULL").values()
    assert len({row["resource_id"] for row in replaced}) == 2
    assert verify(nights.engine, Path).breaches == ()
