"""What a run leaves behind: evidence that gives the same again, and a record of whatever went wrong."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from certrecon.claims.build import build_claims
from certrecon.dispositions.verdicts import collect
from certrecon.errors import (
    ConnectionSettingsError,
    CredentialsError,
    EvidenceError,
    IncompleteReadError,
    ParameterError,
    SettingsError,
)
from certrecon.evidence import Part
from certrecon.evidence.manifest import read_sealed
from certrecon.stages.finalise import Finalised, already_finalised
from certrecon.stages.plan import judge_inputs
from certrecon.stages.run_inputs import RunInputs
from certrecon.validation.run import validate
from certrecon.words import Subject
from tests.contract import warehouse as sql
from tests.contract.crowd import crowd
from tests.contract.pipeline import Night, Pipeline
from tests.contract.sandbox_nights import Nights
from tests.contract.world_server import CLIENT, DITIO_TOKEN, FOURHSE_TOKEN, USER, WorldServer
from tests.oracle.base import AS_OF

SECRETS = (USER["password"], CLIENT["client_secret"], FOURHSE_TOKEN, DITIO_TOKEN)


@pytest.fixture
def pipeline(server: WorldServer, pipeline_of: Callable[..., Pipeline]) -> Pipeline:
    """The pipeline of a small crowd, pages of two."""
    world = crowd(5)
    server.show(world)
    return pipeline_of(world.settings)


# --- evidence ------------------------------------------------------------------------------------------


def test_the_evidence_alone_gives_the_same_again(nights: Nights) -> None:
    """Claims, findings, plan, withdrawals and guards out of the sealed inputs, and out of nothing else."""
    row = nights.delivered_alone()[0]
    nights.world.certificates.remove(row["certificate_id"])
    night = nights.night(resend=True)
    assert night.sealed is not None
    inputs = RunInputs(night.workplace.evidence, night.sealed.sha256)
    settings = inputs.settings.settings
    facts = build_claims(inputs.claim_inputs()).facts
    verdicts = collect([validate(one, facts, settings, inputs.context.as_of) for one in Subject], settings)
    again = judge_inputs(inputs, facts, verdicts)
    assert again.decision.claims.to_pylist() == night.decided()
    assert again.decision.plan.to_pylist() == night.plan_rows()
    assert again.withdrawn.entries.to_pylist() == night.withdrawn_rows() != []
    assert again.findings == (night.planned and night.planned.findings)


def test_every_sealed_file_has_its_digest(nights: Nights) -> None:
    night = nights.night()
    run = sql.run_row(nights.engine, night.run_seq)
    evidence = night.workplace.evidence
    for part, sha256 in ((Part.INPUTS, run["inputs_sha256"]), (Part.OUTCOME, run["outcome_sha256"])):
        sealed = read_sealed(evidence, part, sha256)
        assert sealed.files
        for file in sealed.files:
            assert len(evidence.read_bytes(file.address, file.sha256)) == file.size
    inputs = {file.dataset for file in read_sealed(evidence, Part.INPUTS).files}
    assert inputs == {
        "certificates", "links", "persons", "lookups", "employees", "hints", "settings", "context", "ledger",
        "previous_claims", "runs", "open_dangling", "open_withdrawn", "origin",
    }  # fmt: skip
    assert Path(run["evidence_uri"]).is_dir()


def test_evidence_is_its_owners(nights: Nights) -> None:
    folder = Path(sql.run_row(nights.engine, nights.night().run_seq)["evidence_uri"])
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert {one.stat().st_mode & 0o077 for one in folder.rglob("*") if one.is_dir()} == {0}


def test_no_medical_word_reaches_the_evidence(nights: Nights) -> None:
    """Names and codes of HEALTH, `data` and `note` are in no file, no table and no report (promise 5)."""
    world = nights.world
    medical = {row["name"] for row in world.certificates if row["action_type"] == "HEALTH" and row["name"]}
    other = {row["name"] for row in world.certificates if row["action_type"] != "HEALTH"}
    words = (medical - other) | {row["note"] for row in world.certificates if row.get("note")}
    words |= {
        value for row in world.certificates for value in (row.get("data") or {}).values() if isinstance(value, str)
    }
    words = {word for word in words if len(word) > 7}  # shorter ones are in other words by chance
    assert len(words) > 3
    night = nights.night(resend=True)
    folder = Path(sql.run_row(nights.engine, night.run_seq)["evidence_uri"])
    told = [json.dumps(sql.claims(nights.engine), default=str, ensure_ascii=False)]
    for file in (one for one in folder.rglob("*") if one.is_file()):
        told.append(_as_text(file))
    everything = "\n".join(told)
    assert [word for word in words if word in everything] == []


def test_no_birth_date_leaves_the_inputs(nights: Nights) -> None:
    """They are in the sealed inputs, and in no table, no report and no file of the outcome."""
    births = {str(row["birth_date"]) for row in nights.world.persons if row.get("birth_date")}
    dates = {str(row.get(name)) for row in nights.world.certificates for name in ("date_release", "date_expire")}
    births -= dates
    night = nights.night(resend=True)
    folder = Path(sql.run_row(nights.engine, night.run_seq)["evidence_uri"])
    outcome = "\n".join(_as_text(file) for file in (folder / "outcome").iterdir())
    tables = [
        row["tablename"]
        for row in sql.rows(nights.engine, "SELECT tablename FROM pg_tables WHERE schemaname = 'reconciliation'")
    ]
    stored = "\n".join(
        str(sql.rows(nights.engine, f"SELECT t::text AS t FROM reconciliation.{name} t")) for name in tables
    )
    assert [birth for birth in births if birth in outcome or birth in stored] == []
    assert any(birth in _as_text(file) for birth in births for file in (folder / "inputs").iterdir())


def _as_text(file: Path) -> str:
    if file.suffix == ".xlsx":
        with zipfile.ZipFile(file) as book:
            return "\n".join(book.read(name).decode() for name in book.namelist())
    if file.suffix != ".parquet":
        return file.read_text(encoding="utf-8")
    return str(pa.parquet.read_table(file).to_pylist())


def test_inputs_changed_after_sealing_stop_the_run(pipeline: Pipeline, server: WorldServer) -> None:
    """A file of the sealed inputs is not what it was: nothing is planned, nothing is sent."""
    night = pipeline.night(AS_OF)
    night.open()
    night.find_tenants()
    night.extract()
    night.seal()
    file = next((night.workplace.evidence.path("inputs")).glob("certificates-*.parquet"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    night._try("build", night.build)
    night.conclude()
    assert isinstance(night.errors["build"], EvidenceError)
    assert file.name in night.failure
    assert (night.status, server.posts, sql.claims(pipeline.engine)) == ("failed", [], [])


def test_a_manifest_changed_before_the_end_fails_the_run(pipeline: Pipeline) -> None:
    """The run's row never names a digest that its evidence does not have."""
    night = pipeline.night(AS_OF)
    night.open()
    night.decide()
    night.publish()
    manifest = night.workplace.evidence.path("inputs/manifest.json")
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    night.conclude()
    run = sql.run_row(pipeline.engine, night.run_seq)
    assert (run["status"], run["inputs_sha256"]) == ("failed", None)
    assert "manifest.json" in run["failure"]


# --- what goes wrong -----------------------------------------------------------------------------------


def test_a_read_that_is_never_whole(pipeline: Pipeline, server: WorldServer) -> None:
    """The vendor counts one more than it shows: failed naming the numbers, nothing loaded, nothing sent."""
    rows = server.world.certificates["t1"]
    rows.append(dict(rows[0], certificate_id="c100 "))
    original, reads = server._page, []

    def one_too_many(asked: dict[str, Any], rows: list[Any], key: str) -> Any:
        answer = original(asked, rows, key)
        if key == "certificate_id":
            reads.append(asked["page"])
            answer.headers["X-Pagination-Total-Count"] = "7"
        return answer

    server._page = one_too_many  # type: ignore[method-assign]
    try:
        night = pipeline.run(AS_OF)
    finally:
        del server._page
    assert isinstance(night.errors["extract"], IncompleteReadError)
    assert {"6", "7"} <= set(re.findall(r"\d+", night.failure))
    assert reads.count(1) >= 3, "three reads in all"
    assert (night.status, server.posts) == ("failed", [])
    assert sql.claims(pipeline.engine) == []
    run = sql.run_row(pipeline.engine, night.run_seq)
    assert (run["claims"], run["certificates"], run["inputs_sha256"]) == (None, None, None)
    assert run["outcome_sha256"]


def test_wrong_credentials(pipeline: Pipeline, server: WorldServer) -> None:
    """The message names the connection's part to look at, and never the secret."""
    grant = dataclasses.replace(pipeline.fourhse.token, password="not-it")
    pipeline.fourhse = dataclasses.replace(pipeline.fourhse, token=grant)
    night = pipeline.run(AS_OF)
    assert isinstance(night.errors["find_tenants"], CredentialsError)
    assert "not-it" not in night.failure
    assert sql.run_row(pipeline.engine, night.run_seq)["status"] == "failed"
    assert server.posts == []


def test_no_secret_is_anywhere(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        night = pipeline.run(AS_OF)
    folder = Path(sql.run_row(pipeline.engine, night.run_seq)["evidence_uri"])
    told = [caplog.text, str(sql.rows(pipeline.engine, "SELECT r::text AS r FROM reconciliation.run r"))]
    told += [_as_text(file) for file in folder.rglob("*") if file.is_file()]
    assert [secret for secret in SECRETS for text in told if secret in text] == []


@pytest.mark.parametrize(
    ("conf", "names"),
    [
        ({"mod": "dry_run"}, "mod"),
        ({"mode": "publsh"}, "mode"),
        ({"accept": ["everything"]}, "accept"),
        ({"tenant_ids": "t1"}, "tenant_ids"),
        ({"resend": "perhaps"}, "resend"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"as_of": "2026-06-14"}, "as_of"),
        ({"approval": "never"}, "approval"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_parameters_are_refused_before_any_request(
    pipeline: Pipeline, server: WorldServer, conf: dict[str, object], names: str
) -> None:
    with pytest.raises(ParameterError, match=names):
        pipeline.night(AS_OF, **conf).open()
    assert not server.asked
    assert sql.rows(pipeline.engine, "SELECT * FROM reconciliation.run") == []


def test_settings_are_refused_before_any_request(pipeline: Pipeline, server: WorldServer) -> None:
    pipeline.settings = {**pipeline.settings, "unlinked": "perhaps"}
    with pytest.raises(SettingsError, match=r"unlinked: \"perhaps\""):
        pipeline.night(AS_OF).open()
    assert not server.asked


def test_a_tenant_of_the_settings_that_nobody_sees(pipeline: Pipeline) -> None:
    pipeline.settings = {**pipeline.settings, "tenants": ["t1", "t7"]}
    night = pipeline.run(AS_OF)
    assert isinstance(night.errors["find_tenants"], SettingsError)
    assert "'t7'" in night.failure


def test_a_warehouse_that_is_not_migrated(pipeline: Pipeline, server: WorldServer, empty_database_url: str) -> None:
    from certrecon.warehouse.engine import connect_engine

    pipeline.engine = connect_engine(empty_database_url)
    try:
        with pytest.raises(ConnectionSettingsError, match="migrat"):
            pipeline.night(AS_OF).open()
    finally:
        pipeline.engine.dispose()
    assert not server.asked


def test_an_evidence_store_that_cannot_be_written(pipeline: Pipeline) -> None:
    """Said before any request; no run is left running that no later task will ever hear of."""
    (pipeline.folder / "evidence").write_text("a file where a folder should be")
    with pytest.raises(EvidenceError, match="evidence"):
        pipeline.night(AS_OF).open()
    assert sql.rows(pipeline.engine, "SELECT * FROM reconciliation.run WHERE status = 'running'") == []


# --- the report ----------------------------------------------------------------------------------------


def test_the_worklist_has_everything_that_needs_somebody(nights: Nights) -> None:
    night = nights.night()
    assert night.reported is not None
    text = night.file(night.reported.lists["worklist"]).removeprefix("\ufeff")
    listed = list(csv.reader(io.StringIO(text)))[1:]
    wanted = [row for row in nights.claims() if row["disposition"] in {"blocked", "held", "rejected", "undelivered"}]
    assert wanted
    ids = {cell for row in listed for cell in row}
    assert {row["certificate_id"] for row in wanted} <= ids


def test_a_failed_run_reports_its_failure(pipeline: Pipeline, server: WorldServer) -> None:
    server.show(server.world, sandbox=False)
    night = pipeline.run(AS_OF)
    summary = night.file(night.reported and night.reported.summary)
    assert "first_publish" in summary
    assert "FAILED" in summary
    assert "undelivered" in summary


def test_a_finalising_that_was_killed_before_the_reports_copy_is_finished_by_the_next_try(first_night: Nights) -> None:
    night = first_night.night()
    copy = night.workplace.evidence.path("report.html")
    written = copy.read_bytes()
    copy.unlink()
    ended = already_finalised(first_night.engine, night.workplace.evidence, night.run_seq)
    assert ended == night.ended
    assert copy.read_bytes() == written


def ended_already(night: Night, *failures: str) -> Finalised | None:
    """What a second try of the last task finds, which sees these failures."""
    return already_finalised(night.pipeline.engine, night.workplace.evidence, night.run_seq, failures)


def test_a_failed_run_whose_finalising_was_killed_is_told_of_by_the_next_try(
    pipeline: Pipeline, server: WorldServer
) -> None:
    server.show(server.world, sandbox=False)
    night = pipeline.run(AS_OF)
    copy = night.workplace.evidence.path("report.html")
    copy.unlink()
    ended = ended_already(night, *(str(error) for error in night.errors.values()))
    assert ended == night.ended
    assert (night.status, copy.exists()) == ("failed", True)
    assert "first_publish" in night.failure


def test_a_failed_run_without_a_report_is_found_to_be_recorded_too(
    first_night: Nights, caplog: pytest.LogCaptureFixture
) -> None:
    night = first_night.pipeline.night(first_night.day)
    night.open()
    assert ended_already(night) is None, "it runs"
    night.conclude()
    assert night.status == "failed"
    assert ended_already(night) == night.ended
    assert "has no copy" not in caplog.text, "there is nothing to make a copy of"


def test_a_cleared_task_of_a_failed_run_is_not_taken_for_a_killed_one(first_night: Nights) -> None:
    """Its last task must say that the whole run has to be cleared, not why the run failed then."""
    night = first_night.night(tenant_ids=["nobody"])
    assert ended_already(night, night.failure) == night.ended
    assert ended_already(night, "The run is no longer running but failed: clear the whole run.") is None


def test_a_cleared_task_of_a_run_that_succeeded_is_not_taken_for_a_killed_one(first_night: Nights) -> None:
    night = first_night.night()
    assert ended_already(night) == night.ended
    assert ended_already(night, "The run is no longer running but succeeded: clear the whole run.") is None


def test_a_run_that_another_one_took_over_was_not_recorded_by_its_own_last_task(first_night: Nights) -> None:
    night = first_night.pipeline.night(first_night.day)
    night.open()
    assert first_night.night().status == "succeeded"
    assert sql.run_row(first_night.engine, night.run_seq)["failure"].startswith("abandoned")
    assert ended_already(night) is None
