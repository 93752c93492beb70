"""Whatever is changed behind the project's back, verification names it, and says nothing where nothing was changed."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from certrecon.audit.breach import Verification
from certrecon.audit.chain import own_digest, read_runs
from certrecon.audit.verify import verify
from certrecon.audit.wording import render_verification
from certrecon.warehouse.engine import connect_engine, transaction
from certrecon_sandbox.server import SandboxServer
from tests.contract.sandbox_nights import Nights, Remembered, pipeline_on

TEMPLATE = "after_three_nights"


@dataclass
class Scene:
    """A warehouse and the evidence of three nights, and somebody who may do anything to both.

    Attributes:
        engine: The warehouse.
        runs: The numbers of its runs, in their order.
        root: The evidence store, a copy.
        original: The address that the rows of the runs name.
    """

    engine: Engine
    runs: list[int]
    root: Path
    original: str

    def sql(self, statement: str, **values: Any) -> int:
        """Run a statement as a superuser with triggers off; return how many rows it touched."""
        with self.engine.begin() as conn:
            conn.execute(text("SET LOCAL session_replication_role = replica"))
            done: int = conn.execute(text(statement), values).rowcount
        assert done != 0, "the statement tampered with nothing"
        return done

    def manifest(self, run: int, part: str) -> dict[str, Any]:
        """Read a manifest."""
        found: dict[str, Any] = json.loads((self.root / str(run) / part / "manifest.json").read_text("utf-8"))
        return found

    def file(self, run: int, part: str, dataset: str) -> Path:
        """Return the path of a file that a manifest names."""
        files = self.manifest(run, part)["files"]
        return self.root / str(run) / str(next(one["address"] for one in files if one["dataset"] == dataset))

    def rewrite_chain(self, start: int) -> None:
        """Make every digest anew from a place of the chain on, as somebody would who knows how."""
        with transaction(self.engine) as conn:
            links = sorted((run for run in read_runs(conn) if run.chain_no), key=lambda run: run.chain_no or 0)
        previous = None
        for run in links:
            if (run.chain_no or 0) < start:
                previous = run.chain_sha256
                continue
            if previous is not None:
                self.sql(
                    "UPDATE reconciliation.run SET previous_sha256 = :p WHERE run_seq = :r", p=previous, r=run.run_seq
                )
            with transaction(self.engine) as conn:
                again = next(one for one in read_runs(conn) if one.run_seq == run.run_seq)
            previous = own_digest(again)
            self.sql("UPDATE reconciliation.run SET chain_sha256 = :c WHERE run_seq = :r", c=previous, r=run.run_seq)

    def verify(self) -> Verification:
        """Verify."""
        return verify(self.engine, self.open_root)

    def open_root(self, address: str) -> Path:
        """Open the copy in place of the store that the rows name."""
        return self.root if address == self.original else Path(address)


def named(scene: Scene) -> list[tuple[str, str]]:
    """Return kind and place of every breach."""
    return [(str(one.kind), one.where) for one in scene.verify().breaches]


def flip(path: Path, at: int = -9) -> None:
    """Change one bit of one byte."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


@pytest.fixture(scope="module")
def three_nights(
    sandbox: SandboxServer,
    fresh_world: Remembered,
    new_database: Callable[..., str],
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[int], Path]:
    """Three nights: the first publishing, one after changes at 4HSE, one dry; their runs and evidence."""
    fresh_world.put_back(sandbox)
    folder = tmp_path_factory.mktemp("three_nights")
    engine = connect_engine(new_database(migrated_template, TEMPLATE))
    nights = Nights(sandbox, pipeline_on(sandbox, engine, folder))
    first = nights.night()
    assert first.errors == {}
    gone = nights.delivered_alone(2)
    for claim in gone:
        for link in nights.world.links.where("certificate_id", claim["certificate_id"]):
            nights.world.links.remove(link["certificate_action_id"])
    with engine.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO reconciliation.removal (target, employee_number, certificate_type, noted_at, noted_by, done) VALUES ('t', '1', 'x', now(), 'somebody', true)"
            )
        )
    nights.day += dt.timedelta(days=1)
    second = nights.night()
    third = nights.night(mode="dry_run")
    assert second.errors == third.errors == {}
    engine.dispose()
    return [first.run_seq, second.run_seq, third.run_seq], folder / "evidence"


@pytest.fixture
def scene(three_nights: tuple[list[int], Path], new_database: Callable[..., str], tmp_path: Path) -> Iterator[Scene]:
    """A copy of warehouse and evidence after three nights for every test."""
    runs, original = three_nights
    shutil.copytree(original, tmp_path / "evidence")
    engine = connect_engine(new_database(TEMPLATE))
    yield Scene(engine, runs, tmp_path / "evidence", str(original))
    engine.dispose()


def test_what_nobody_touched_holds(scene: Scene) -> None:
    found = scene.verify()
    assert found.breaches == ()
    assert found.checked["runs in the chain"] == found.checked["witnesses"] == 3
    assert found.checked["claims"] > 180
    assert found.checked["evidence files"] > 50
    assert found.checked["copies of reports"] == 3
    assert found.checked["ledger entries"] > 50
    assert render_verification(found).splitlines()[-1].startswith("Everything holds")


# --- evidence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "dataset", "tamper", "kind"),
    [
        ("inputs", "certificates", flip, "changed"),
        ("inputs", "settings", flip, "changed"),
        ("inputs", "context", flip, "changed"),
        ("outcome", "decided", flip, "changed"),
        ("outcome", "report", flip, "changed"),
        ("outcome", "claims", Path.unlink, "missing"),
        ("inputs", "employees", Path.unlink, "missing"),
    ],
)
def test_a_file_of_the_evidence(
    scene: Scene, part: str, dataset: str, tamper: Callable[[Path], Any], kind: str
) -> None:
    path = scene.file(scene.runs[1], part, dataset)
    tamper(path)
    assert named(scene) == [(kind, f"run {scene.runs[1]}, {part}/{path.name}")]


@pytest.mark.parametrize("part", ["inputs", "outcome"])
@pytest.mark.parametrize(("tamper", "kind"), [(flip, "changed"), (Path.unlink, "missing")], ids=["changed", "missing"])
def test_a_manifest(scene: Scene, part: str, tamper: Callable[[Path], Any], kind: str) -> None:
    tamper(scene.root / str(scene.runs[0]) / part / "manifest.json")
    assert named(scene) == [(kind, f"run {scene.runs[0]}, {part}/manifest.json")]


def test_a_whole_evidence_folder_is_gone(scene: Scene) -> None:
    shutil.rmtree(scene.root / str(scene.runs[0]))
    run = f"run {scene.runs[0]}"
    assert named(scene) == [
        ("missing", f"{run}, chain.json"),
        ("missing", f"{run}, inputs/manifest.json"),
        ("missing", f"{run}, outcome/manifest.json"),
    ]


def test_the_copy_of_a_report(scene: Scene) -> None:
    copy = scene.root / str(scene.runs[1]) / "report.html"
    copy.write_text(copy.read_text("utf-8").replace("succeeded", "excellent"), encoding="utf-8")
    assert named(scene) == [("changed", f"run {scene.runs[1]}, report.html")]


# --- rows of the warehouse -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "status = 'failed'", "failure = 'nothing'", "claims = claims + 1", "sent = sent + 1", "triggered_by = 'somebody'",
        "finished_at = finished_at + interval '1 second'", "code_version = '9'", "settings_sha256 = 'x'",
        "scope = '{\"tenant_ids\": [\"x\"]}'", "dispositions = '{}'", "guards = '{\"drop\": {}}'", "evidence_uri = evidence_uri || 'x'",
        "inputs_sha256 = repeat('0', 64)", "as_of = as_of - 1", "run_day = run_day + 1", "records = '{}'",
    ],
    ids=lambda change: change.split(" =")[0],
)  # fmt: skip
def test_a_run_row(scene: Scene, change: str) -> None:
    scene.sql(f"UPDATE reconciliation.run SET {change} WHERE run_seq = :run", run=scene.runs[1])
    assert ("changed", f"run {scene.runs[1]}") == named(scene)[0]


CLAIM = "claim_id = (SELECT max(claim_id) FROM reconciliation.claim WHERE disposition = 'delivered')"
FIRST = "(SELECT min(run_seq) FROM reconciliation.run)"
ATTEMPT = "attempt_id = (SELECT min(attempt_id) FROM reconciliation.ditio_attempt)"


@pytest.mark.parametrize(
    ("statement", "kind", "where"),
    [
        ("UPDATE reconciliation.claim SET valid_until = valid_until + 365 WHERE {CLAIM}", "changed", "claim "),
        ("UPDATE reconciliation.claim SET disposition = 'blocked' WHERE {CLAIM}", "changed", "claim "),
        ("UPDATE reconciliation.claim SET findings = findings || 'EXPIRED'::text WHERE {CLAIM}", "changed", "claim "),
        ("UPDATE reconciliation.claim SET detail = detail || '{{\"note\": 1}}' WHERE {CLAIM}", "changed", "claim "),
        ("UPDATE reconciliation.claim SET detail = detail || '{{\"expiry_received\": null}}' WHERE {CLAIM}", "changed", "claim "),
        ("UPDATE reconciliation.claim SET valid_until = valid_until + 365, row_sha256 = sha256('x') WHERE {CLAIM}", "changed", "claim, run "),
        ("UPDATE reconciliation.claim SET target = 'another' WHERE {CLAIM}", "changed", "claim, run "),
        ("UPDATE reconciliation.claim SET since_run_seq = since_run_seq + 1 WHERE {CLAIM}", "changed", "claim, run "),
        ("DELETE FROM reconciliation.claim WHERE {CLAIM}", "missing", "claim, run "),
        ("INSERT INTO reconciliation.claim (target, certificate_id, tenant_id, linked, disposition, findings, first_run_seq, since_run_seq, row_sha256) SELECT target, 'invented', tenant_id, true, 'delivered', '{{}}', first_run_seq, first_run_seq, row_sha256 FROM reconciliation.claim WHERE {CLAIM}", "added", "claim, run "),
        ("UPDATE reconciliation.claim SET ended_run_seq = ended_run_seq + 1 WHERE ended_run_seq IS NOT NULL", "missing", "claim, run "),
        ("INSERT INTO reconciliation.claim (target, certificate_id, tenant_id, linked, disposition, findings, first_run_seq, since_run_seq, row_sha256) SELECT target, 'invented', tenant_id, true, 'delivered', '{{}}', 999, 999, row_sha256 FROM reconciliation.claim WHERE {CLAIM}", "added", "claim, run 999"),
        ("INSERT INTO reconciliation.ditio_attempt (run_seq, batch_id, target, employee_number, certificate_type, payload_sha256, sent_at) SELECT 999, batch_id, target, employee_number, certificate_type, payload_sha256, sent_at FROM reconciliation.ditio_attempt WHERE {ATTEMPT}", "added", "ditio_attempt, run 999"),
        ("INSERT INTO reconciliation.withdrawn_upsert (target, employee_number, certificate_type, certificate_id, reason, first_run_seq) SELECT target, employee_number || '-', certificate_type, 'x', reason, 999 FROM reconciliation.withdrawn_upsert LIMIT 1", "added", "withdrawn_upsert, run 999"),
        ("UPDATE reconciliation.ditio_attempt SET http_status = 500 WHERE {ATTEMPT}", "changed", "ditio_attempt, run "),
        ("DELETE FROM reconciliation.ditio_attempt WHERE {ATTEMPT}", "missing", "ditio_attempt, run "),
        ("UPDATE reconciliation.withdrawn_upsert SET reason = 'deleted'", "changed", "withdrawn_upsert, run "),
        ("DELETE FROM reconciliation.withdrawn_upsert", "missing", "withdrawn_upsert, run "),
        ("INSERT INTO reconciliation.approval (run_seq, guards, plan_sha256, asked_at, decision, decided_by) VALUES ({FIRST}, '[]', 'x', now(), 'approved', 'nobody')", "added", "approval, run "),
        ("UPDATE reconciliation.removal SET done = false", "changed", "removal, run "),
        ("DELETE FROM reconciliation.removal", "missing", "removal, run "),
        ("INSERT INTO reconciliation.evidence_purge (run_seq, sha256, purged_at, reason) SELECT run_seq, inputs_sha256, now(), 'expired' FROM reconciliation.run WHERE run_seq = {FIRST}", "added", "removal of evidence, run "),
        ("INSERT INTO reconciliation.evidence_purge (run_seq, sha256, purged_at, reason) VALUES ({FIRST}, 'x', now(), 'expired')", "added", "removal of evidence, run "),
        ("UPDATE reconciliation.ditio_upsert SET acknowledged_payload_sha256 = 'x' WHERE state = 'acknowledged'", "changed", "ledger, employee "),
        ("UPDATE reconciliation.ditio_upsert SET payload = payload || '{{\"validUntilDateTime\": \"2099-01-01T00:00:00Z\"}}' WHERE state = 'acknowledged'", "changed", "ledger, employee "),
        ("DELETE FROM reconciliation.ditio_upsert WHERE state = 'acknowledged'", "missing", "ledger, employee "),
    ],
)  # fmt: skip
def test_a_row_of_a_table(scene: Scene, statement: str, kind: str, where: str) -> None:
    scene.sql(statement.format(CLAIM=CLAIM, FIRST=FIRST, ATTEMPT=ATTEMPT))
    first = named(scene)[0]
    assert (first[0], first[1][: len(where)]) == (kind, where), first


# --- the chain -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "words"), [(2, "the end of the chain was cut off"), (1, "it was deleted")])
def test_a_run_is_deleted(scene: Scene, place: int, words: str) -> None:
    scene.sql("DELETE FROM reconciliation.run WHERE run_seq = :run", run=scene.runs[place])
    found = scene.verify()
    assert any(one.kind == "missing" and words in one.words for one in found.breaches)
    assert found.breaches[0].kind == "missing"


def test_two_runs_are_swapped(scene: Scene) -> None:
    scene.sql("UPDATE reconciliation.run SET chain_no = -chain_no WHERE chain_no < 3")
    scene.sql("UPDATE reconciliation.run SET chain_no = 3 + chain_no WHERE chain_no < 0")
    places = {where for kind, where in named(scene) if kind == "changed"}
    assert {f"run {scene.runs[0]}", f"run {scene.runs[1]}"} <= places


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_whole_chain_is_made_anew(scene: Scene, place: int) -> None:
    scene.sql("UPDATE reconciliation.run SET sent = sent + 1 WHERE run_seq = :run", run=scene.runs[place])
    scene.rewrite_chain(place + 1)
    found = scene.verify()
    assert (found.breaches[0].kind, found.breaches[0].where) == ("changed", f"run {scene.runs[place]}")
    assert "made anew" in found.breaches[0].words


def test_a_run_loses_its_place(scene: Scene) -> None:
    scene.sql(
        "UPDATE reconciliation.run SET chain_no = NULL, previous_sha256 = NULL, chain_sha256 = NULL WHERE run_seq = :run",
        run=scene.runs[2],
    )
    assert {where for _, where in named(scene)} == {f"run {scene.runs[2]}", f"run {scene.runs[2]}, report.html"}


@pytest.mark.parametrize(
    "change",
    [{"status": "failed"}, {"chain_sha256": "0" * 64}, {"installation_id": "another"}, {"chain_no": 7}],
    ids=lambda change: next(iter(change)),
)
def test_a_witness_is_changed(scene: Scene, change: dict[str, Any]) -> None:
    path = scene.root / str(scene.runs[1]) / "chain.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), encoding="utf-8")
    assert named(scene) == [("changed", f"run {scene.runs[1]}, chain.json")]


def test_a_witness_is_missing(scene: Scene) -> None:
    (scene.root / str(scene.runs[1]) / "chain.json").unlink()
    assert named(scene) == [("missing", f"run {scene.runs[1]}, chain.json")]


def test_another_warehouses_evidence_in_the_same_store_says_nothing(scene: Scene) -> None:
    folder = scene.root / "99"
    folder.mkdir()
    witness = json.loads((scene.root / str(scene.runs[1]) / "chain.json").read_text("utf-8"))
    (folder / "chain.json").write_text(
        json.dumps(witness | {"installation_id": "another", "run_seq": 99}), encoding="utf-8"
    )
    assert scene.verify().holds


def test_the_attempt_itself_is_named_from_the_evidence(scene: Scene) -> None:
    scene.sql(f"UPDATE reconciliation.ditio_attempt SET message = 'fine' WHERE {ATTEMPT}")
    assert any(where.startswith("attempt ") for _, where in named(scene))
