"""What every DAG file keeps to, seen without running it."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.deadline import ReferenceModels
from airflow.sdk import DAG, AssetAlias, CronTriggerTimetable, RetryAction, SyncCallback
from airflow.serialization.decoders import decode_deadline_reference
from airflow.serialization.encoders import encode_deadline_reference

from certrecon.errors import TargetBusyError
from certrecon.stages.parameters import Parameters
from certrecon.words import Guard
from certrecon_plugin.operators.base import Task
from certrecon_plugin.telling import assets
from certrecon_plugin.telling.callbacks import DEADLINE_HOURS, tell_of_broken_run
from certrecon_quickstart.pipeline import find_dag
from certrecon_quickstart.project import Project

DAGS = Project.of_checkout().dags
PARSE = """
import sys, builtins
before = set(sys.modules)
opened = []
real = builtins.open
import io, pathlib
class Watch:
    def __call__(self, file, *args, **kwargs):
        opened.append(str(file)); return real(file, *args, **kwargs)
builtins.open = Watch()
import runpy
runpy.run_path(sys.argv[1])
print([name for name in ("pandas", "great_expectations", "pyarrow", "aiohttp") if name in set(sys.modules) - before])
print([name for name in opened if name.endswith((".yaml", ".yml", ".csv")) and "site-packages" not in name])
"""


FILES = sorted(DAGS.glob("*.py"))
PARSE_SECONDS = 5.0
TAGS = {"hse", "certificates"}
LINEAGE = {
    "find_tenants": ({assets.PROJECTS}, None),
    "extract_tenant": (set(assets.TENANT_ENTITIES), None),
    "extract_employees": ({assets.EMPLOYEES}, None),
    "seal_inputs": ({assets.LEDGER, assets.CLAIMS}, assets.SEALED_ALIAS),
    "publish": ({assets.EVIDENCE}, assets.PUBLISHED_ALIAS),
    "load": ({assets.EVIDENCE}, assets.LOADED_ALIAS),
    "report": ({assets.EVIDENCE, assets.LEDGER, assets.CLAIMS}, None),
    "finalise": ({assets.EVIDENCE, assets.REPORT}, assets.REPORTED_ALIAS),
}


@pytest.fixture(scope="module")
def dag() -> DAG:
    return find_dag(str(DAGS / "certificate_reconciliation.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_dag_keeps_to_the_policies(path: Path) -> None:
    began = time.monotonic()
    bag = DagBag(str(path))
    assert time.monotonic() - began < PARSE_SECONDS
    assert bag.import_errors == {}
    assert set(bag.dags) == {path.stem}, "one file a DAG, named like it"
    found = bag.dags[path.stem]
    assert all(f"**{word}" in (found.doc_md or "") for word in ("Purpose", "Owner", "When it fails"))
    assert set(found.tags) >= TAGS
    assert found.owner == "hse-integration"
    assert (found.catchup, found.max_active_runs, found.is_paused_upon_creation) == (False, 1, True)
    assert all(task.retry_policy is not None for task in found.tasks)
    for name in found.params:
        schema = found.params.get_param(name).schema
        assert schema["title"], name
        assert len(schema["description_md"]) > 20, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_parsing_imports_nothing_heavy_and_reads_no_settings(path: Path) -> None:
    printed = subprocess.run(
        [sys.executable, "-c", PARSE, str(path)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert printed[-2:] == ["[]", "[]"]


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("certificate_reconciliation", ["open_run", "find_tenants", "extract_tenant", "extract_employees"]),
        ("certificate_events", ["wait_for_turn", "open_run", "read_hinted", "extract_employees"]),
    ],
)
def test_the_tasks_tell_the_story_in_order(name: str, reading: list[str]) -> None:
    """Both DAGs read, each in its way; what comes after sealing is the same."""
    dag = DagBag(str(DAGS / f"{name}.py")).dags[name]
    order = [task.task_id for task in dag.topological_sort()]
    told = [str(task) for task in Task]
    parallel = {"validate_dates", "validate_employee_matches", "flag_unlinked_certificates"}
    assert order[: len(reading)] == reading
    assert set(order) == {*reading, *told[told.index("seal_inputs") :]}
    assert [one for one in order if one not in parallel] == [one for one in told if one in {*order} - parallel]
    assert {up.task_id for up in dag.task_dict["plan"].upstream_list} == parallel


@pytest.mark.parametrize(("name", "retries"), [("certificate_reconciliation", 0), ("certificate_events", 2)])
def test_opening_is_tried_again_only_where_it_gives_way(name: str, retries: int) -> None:
    """A night opens at once or fails; a run by hints waits for a night that began at that moment (decision 17)."""
    task = DagBag(str(DAGS / f"{name}.py")).dags[name].task_dict["open_run"]
    assert task.retries == retries
    policy = task.retry_policy
    assert policy is not None
    assert policy.evaluate(TargetBusyError("busy"), 1, 3).action == RetryAction.RETRY


def test_the_schedule_is_the_designs(dag: DAG) -> None:
    assert dag.timetable == CronTriggerTimetable("30 3 * * *", timezone="Europe/Oslo")
    assert (dag.catchup, dag.max_active_runs, dag.is_paused_upon_creation) == (False, 1, True)
    assert set(dag.allowed_run_types) == {"scheduled", "manual"}


def test_it_says_what_it_is_for_whose_it_is_and_what_to_do(dag: DAG) -> None:
    assert all(word in (dag.doc_md or "") for word in ("Purpose", "Owner", "When it fails"))
    assert dag.tags
    assert dag.owner not in {"", "airflow"}


def test_it_has_every_parameter_of_the_design_explained(dag: DAG) -> None:
    assert set(dag.params) == set(Parameters.model_fields)
    defaults = {name: dag.params[name] for name in dag.params}
    assert defaults == {
        "mode": "publish", "tenant_ids": [], "approval": "auto", "accept": [], "resend": False, "as_of": None,
    }  # fmt: skip
    for name in dag.params:
        schema = dag.params.get_param(name).schema
        assert schema["title"], name
        assert len(schema["description_md"]) > 20, name
    assert dag.params.get_param("accept").schema["items"]["enum"] == [str(guard) for guard in Guard]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "dry-run"), ("mode", None), ("tenant_ids", "t1"), ("tenant_ids", [""]), ("approval", "never"),
        ("accept", ["everything"]), ("resend", "yes"), ("as_of", 20260101),
    ],
)  # fmt: skip
def test_its_json_schema_refuses(dag: DAG, name: str, value: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, dag.params.get_param(name).schema)


def test_the_weekly_verification_keeps_to_the_same_policies() -> None:
    bag = DagBag(str(DAGS / "audit_verification.py"))
    assert bag.import_errors == {}
    audit = bag.dags["audit_verification"]
    assert [task.task_id for task in audit.topological_sort()] == ["verify", "purge"]
    assert {up.task_id for up in audit.task_dict["purge"].upstream_list} == {"verify"}
    assert audit.timetable == CronTriggerTimetable("0 5 * * 0", timezone="Europe/Oslo")
    assert (audit.catchup, audit.max_active_runs, audit.is_paused_upon_creation) == (False, 1, True)
    assert set(audit.allowed_run_types) == {"scheduled", "manual"}
    assert all(word in (audit.doc_md or "") for word in ("Purpose", "Owner", "When it fails"))
    assert audit.tags
    assert audit.owner not in {"", "airflow"}
    assert dict(audit.params) == {}


def test_a_run_that_takes_too_long_or_is_broken_off_is_told_of(dag: DAG) -> None:
    [deadline] = dag.deadline if isinstance(dag.deadline, list) else [dag.deadline]
    assert deadline.interval == dt.timedelta(hours=DEADLINE_HOURS) == dt.timedelta(hours=3)
    assert deadline.callback == SyncCallback("certrecon_plugin.telling.callbacks.tell_of_missed_deadline")
    assert dag.on_failure_callback is tell_of_broken_run


@pytest.mark.parametrize("task_id", LINEAGE)
def test_a_task_names_what_it_reads_and_what_it_produces(dag: DAG, task_id: str) -> None:
    reads, produces = LINEAGE[task_id]
    task = dag.task_dict[task_id]
    if task_id == "extract_tenant":
        task = task.unmap({"tenant_id": "t"})
    assert set(task.inlets) == reads
    assert list(task.outlets) == ([] if produces is None else [produces])
    assert all(isinstance(one, AssetAlias) for one in task.outlets), (
        "an asset as outlet would get an event in a dry run"
    )


def test_the_watch_looks_every_hour() -> None:
    found = DagBag(str(DAGS / "certificate_watch.py")).dags["certificate_watch"]
    assert found.timetable == CronTriggerTimetable("7 * * * *", timezone="Europe/Oslo")
    assert set(found.allowed_run_types) == {"scheduled", "manual"}
    assert {name: found.params[name] for name in found.params} == {"test": False}


def test_the_deadline_is_not_of_the_kind_that_keeps_airflow_from_clearing_a_run(dag: DAG) -> None:
    """Airflow 3.3.2 answers 500 where a run with an open deadline of its own kind is cleared."""
    [deadline] = dag.deadline if isinstance(dag.deadline, list) else [dag.deadline]
    kept = encode_deadline_reference(deadline.reference)
    assert kept["reference_type"] != ReferenceModels.DagRunQueuedAtDeadline.__name__
    again = decode_deadline_reference(kept)
    before = dt.datetime.now(tz=dt.UTC)
    due = again.evaluate_with(session=None, interval=dt.timedelta(hours=3), dag_id="any", run_id="any")
    assert dt.timedelta(0) <= due - before - dt.timedelta(hours=3) < dt.timedelta(minutes=1)
