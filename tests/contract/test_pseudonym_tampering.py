"""Whatever is changed about pseudonyms behind the project's back, verification names it, sealed by a run or not yet."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from certrecon.audit.pseudonymise import pseudonymise_past
from certrecon.warehouse.engine import connect_engine
from certrecon_sandbox.server import SandboxServer
from tests.contract.conftest import FIRST_NIGHT
from tests.contract.leavers import KEPT, LATER, delivered_persons, entries, leave, thing_of
from tests.contract.sandbox_nights import Nights, Remembered, pipeline_on
from tests.contract.test_tampering import Scene, named
from tests.contract.warehouse import run_row

FRESH, SEALED = "after_a_pseudonymisation", "after_a_sealed_pseudonymisation"


@dataclass(frozen=True)
class Left:
    """What the nights of this module leave.

    Attributes:
        before: The last run before the pseudonymisation.
        sealing: The first run after it.
        root: The evidence store, which tests that write copy.
    """

    before: int
    sealing: int
    root: Path


@pytest.fixture(scope="module")
def left(
    sandbox: SandboxServer,
    world_after_first_night: Remembered,
    new_database: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Left:
    """A night after which a person and a thing have left, the pseudonymisation, and in a copy one night more."""
    world_after_first_night.put_back(sandbox)
    folder = tmp_path_factory.mktemp("pseudonyms")
    engine = connect_engine(new_database(FIRST_NIGHT, FRESH))
    nights = Nights(sandbox, pipeline_on(sandbox, engine, folder))
    for resource in (delivered_persons(nights, 1)[0], thing_of(nights)):
        leave(nights, resource)
    before = nights.night(accept=["drop"])
    assert before.errors == {}
    assert pseudonymise_past(engine, folder / "evidence", LATER, KEPT).persons == 1
    engine.dispose()
    engine = connect_engine(new_database(FRESH, SEALED))
    sealing = Nights(sandbox, pipeline_on(sandbox, engine, folder)).night(accept=["drop"])
    assert sealing.errors == {}
    engine.dispose()
    return Left(before.run_seq, sealing.run_seq, folder / "evidence")


@pytest.fixture
def scene(left: Left, new_database: Callable[..., str], tmp_path: Path) -> Iterator[Scene]:
    """Warehouse and evidence right after the pseudonymisation, which no run has sealed yet."""
    shutil.copytree(left.root, tmp_path / "evidence", ignore=shutil.ignore_patterns(str(left.sealing)))
    engine = connect_engine(new_database(FRESH))
    yield Scene(engine, [left.before], tmp_path / "evidence", str(left.root))
    engine.dispose()


@pytest.fixture
def sealed(left: Left, new_database: Callable[..., str]) -> Iterator[Scene]:
    """Warehouse and evidence after the next run; the evidence is for reading."""
    engine = connect_engine(new_database(SEALED))
    yield Scene(engine, [left.before, left.sealing], left.root, str(left.root))
    engine.dispose()


def test_what_nobody_touched_holds(scene: Scene, sealed: Scene) -> None:
    assert (scene.verify().breaches, sealed.verify().breaches) == ((), ())


def test_the_next_run_puts_it_into_the_chain(sealed: Scene) -> None:
    before, records = (run_row(sealed.engine, run)["records"]["pseudonymisations"] for run in sealed.runs)
    number = entries(sealed.engine)[0]["pseudonymisation_id"]
    assert (before["rows"], before["upto"]) == (0, 0)
    assert (records["rows"], records["upto"]) == (1, number)
    assert sealed.verify().breaches == ()


MARKED = "claim_id = (SELECT min(claim_id) FROM reconciliation.claim WHERE pseudonymisation_id IS NOT NULL)"
ENDED_THING = "claim_id = (SELECT min(claim_id) FROM reconciliation.claim WHERE ended_run_seq IS NOT NULL AND pseudonymisation_id IS NULL)"
OPEN = "claim_id = (SELECT min(claim_id) FROM reconciliation.claim WHERE ended_run_seq IS NULL)"
ENTRY = "INSERT INTO reconciliation.pseudonymisation (done_at, ended_before, reason, persons, claims, sha256)"
CASES = [
    ("UPDATE reconciliation.claim SET valid_until = valid_until + 365 WHERE {MARKED}", "changed", "claim "),
    ("UPDATE reconciliation.claim SET person_name = 'Somebody' WHERE {MARKED}", "changed", "claim "),
    ("UPDATE reconciliation.claim SET valid_until = valid_until + 365, pseudonym_sha256 = sha256('x') WHERE {MARKED}", "changed", "claim "),
    ("UPDATE reconciliation.claim SET pseudonym_sha256 = sha256('x') WHERE {MARKED}", "changed", "claim "),
    ("UPDATE reconciliation.claim SET row_sha256 = sha256('x') WHERE {MARKED}", "changed", "claim, run "),
    ("UPDATE reconciliation.claim SET pseudonymisation_id = NULL, pseudonym_sha256 = NULL WHERE {MARKED}", "changed", "claim "),
    ("UPDATE reconciliation.claim SET pseudonymisation_id = NULL, pseudonym_sha256 = NULL, row_sha256 = pseudonym_sha256 WHERE {MARKED}", "changed", "claim, run "),
    ("UPDATE reconciliation.claim SET pseudonymisation_id = 77 WHERE {MARKED}", "missing", "pseudonymisation "),
    ("UPDATE reconciliation.claim SET pseudonymisation_id = {NUMBER}, pseudonym_sha256 = row_sha256 WHERE {ENDED_THING}", "added", "pseudonymisation "),
    ("UPDATE reconciliation.claim SET pseudonymisation_id = 77, pseudonym_sha256 = row_sha256 WHERE {ENDED_THING}", "missing", "pseudonymisation 77"),
    ("DELETE FROM reconciliation.claim WHERE {MARKED}", "missing", "claim, run "),
    ("DELETE FROM reconciliation.pseudonymisation", "missing", "pseudonymisation "),
    ("UPDATE reconciliation.pseudonymisation SET sha256 = encode(sha256('x'), 'hex')", "changed", "pseudonymisation "),
    ("UPDATE reconciliation.pseudonymisation SET persons = persons + 1", "changed", "pseudonymisation "),
    ("UPDATE reconciliation.pseudonymisation SET claims = claims + 1", "missing", "pseudonymisation "),
    ("UPDATE reconciliation.pseudonymisation SET claims = claims - 1", "added", "pseudonymisation "),
    ("UPDATE reconciliation.pseudonymisation SET ended_before = ended_before - 1", "changed", "pseudonymisation "),
    (ENTRY + " SELECT done_at, ended_before, reason, persons, claims, sha256 FROM reconciliation.pseudonymisation", "missing", "pseudonymisation "),
    (ENTRY + " VALUES (now(), current_date, 'no reason', 0, 0, encode(sha256(''), 'hex'))", "added", "pseudonymisation "),
]  # fmt: skip


def tamper(scene: Scene, statement: str) -> None:
    number = entries(scene.engine)[0]["pseudonymisation_id"]
    scene.sql(statement.format(MARKED=MARKED, ENDED_THING=ENDED_THING, NUMBER=number))


@pytest.mark.parametrize(("statement", "kind", "where"), CASES)
def test_tampering_that_no_run_has_sealed_yet(scene: Scene, statement: str, kind: str, where: str) -> None:
    tamper(scene, statement)
    first = named(scene)[0]
    assert (first[0], first[1][: len(where)]) == (kind, where), first


INVENTED = """
    WITH chosen AS (
        SELECT claim_id, row_sha256 FROM reconciliation.claim WHERE {claims}),
    entry AS (
        INSERT INTO reconciliation.pseudonymisation (done_at, ended_before, reason, persons, claims, sha256)
        SELECT now(), current_date + 1, 'Kept for 30 days as personal_data.retention_days says.', 1, 1,
               encode(sha256(int8send(claim_id) || sha256('made up')), 'hex')
          FROM chosen RETURNING pseudonymisation_id)
    UPDATE reconciliation.claim AS c
       SET pseudonymisation_id = entry.pseudonymisation_id, pseudonym_sha256 = sha256('made up')
      FROM entry, chosen WHERE c.claim_id = chosen.claim_id"""


def test_a_whole_pseudonymisation_that_never_was_lacks_its_note(scene: Scene) -> None:
    scene.sql(INVENTED.format(claims=ENDED_THING))
    found = {where for kind, where in named(scene) if kind == "added"}
    number = entries(scene.engine)[-1]["pseudonymisation_id"]
    assert found == {f"pseudonymisation {number}, note"}


def test_an_open_claim_cannot_be_passed_off_as_an_old_one(scene: Scene) -> None:
    scene.sql(INVENTED.format(claims=OPEN))
    assert any(kind == "changed" and re.fullmatch(r"pseudonymisation \d+", where) for kind, where in named(scene))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param(lambda path: path.unlink(), "added", id="gone"),
        pytest.param(lambda path: path.write_text("{}", encoding="utf-8"), "changed", id="no note"),
        pytest.param(
            lambda path: path.write_text(path.read_text("utf-8").replace('"claims": ', '"claims": 1'), "utf-8"),
            "changed",
            id="another number",
        ),
    ],
)
def test_a_note_that_is_changed(scene: Scene, change: Callable[[Path], Any], kind: str) -> None:
    [note] = (scene.root / "pseudonymisations").rglob("*.json")
    change(note)
    number = entries(scene.engine)[0]["pseudonymisation_id"]
    assert named(scene) == [(kind, f"pseudonymisation {number}, note")]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        pytest.param("UPDATE reconciliation.pseudonymisation SET reason = 'another'", "changed", id="changed"),
        pytest.param("DELETE FROM reconciliation.pseudonymisation", "missing", id="deleted"),
        pytest.param(
            ENTRY.replace("(done_at", "(pseudonymisation_id, done_at")
            + " OVERRIDING SYSTEM VALUE SELECT 1 - pseudonymisation_id, now(), current_date, 'x', 0, 0, ''"
            " FROM reconciliation.pseudonymisation",
            "added",
            id="one before the first",
        ),
    ],
)
def test_once_a_run_has_sealed_it_the_chain_tells_too(sealed: Scene, statement: str, kind: str) -> None:
    sealed.sql(statement)
    found = {str(one.kind) for one in sealed.verify().breaches if one.where.startswith("pseudonymisation, run ")}
    assert found == {kind}
