"""What every DAG file keeps to, seen without running it."""

from __future__ import annotations

import datetime as dt
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
from certrecon_plugin.telling.callbacks import tell_of_broken_run
from certrecon_quickstart.pipeline import find_dag
from certrecon_quickstart.project import Project
from tests.e2e.parsing import Parsed, parse

DAGS = Project.of_checkout().dags
FILES = sorted(DAGS.glob("*.py"))
PARSE_SHARE = 0.15
"""Processor time of a DAG file beside that of importing the Task SDK; ours take 0.04 at most, pandas alone 0.3."""
TAGS = {"hse", "certificates"}
LINEAGE = {
    "find_tenants": ({assets.PROJECTS}, None),
    "extract_tenant": (set(assets.TENANT_ENTITIES), None),
    "extract_employees": ({assets.EMPLOYEES}, None),
    "seal_inputs": ({assets.LEDGER, assets.CLAIMS}, assets.SEALED_ALIAS),
    "build_claims": ({assets.EVIDENCE}, None),
    "validate_dates": ({assets.EVIDENCE}, None),
    "validate_employee_matches": ({assets.EVIDENCE}, None),
    "flag_unlinked_certificates": ({assets.EVIDENCE}, None),
    "plan": ({assets.EVIDENCE}, None),
    "approve": ({assets.EVIDENCE}, None),
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
    bag = DagBag(str(path))
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


@pytest.fixture(scope="module")
def our_files() -> dict[str, Parsed]:
    return parse(FILES)


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_parsing_is_quick_imports_nothing_heavy_and_touches_nothing(our_files: dict[str, Parsed], name: str) -> None:
    """No settings, no connection, no network, no database and no other program while Airflow reads the file."""
    found = our_files[name]
    assert (found.error, found.touched, found.heavy) == (None, (), ())
    assert found.share < PARSE_SHARE


FORBIDDEN = {
    "reads_text": ("import pathlib; pathlib.Path(HERE, 'settings.yaml').read_text()", "open"),
    "opens_a_file": ("open(HERE + '/settings.yaml').close()", "open"),
    "opens_by_number": ("import os; os.close(os.open(HERE + '/settings.yaml', os.O_RDONLY))", "open"),
    "writes_a_file": ("open(HERE + '/new.txt', 'w').close()", "open"),
    "writes_code": ("open(HERE + '/new.py', 'w').close()", "open"),
    "reads_settings": ("from certrecon.settings import load_settings; load_settings()", "open"),
    "lists_a_folder": ("import os; os.listdir(HERE)", "os.listdir"),
    "walks_a_folder": ("import os; list(os.walk(HERE))", "os.scandir"),
    "globs": ("import pathlib; list(pathlib.Path(HERE).glob('*'))", "os.scandir"),
    "makes_a_folder": ("import os; os.mkdir(HERE + '/new')", "os.mkdir"),
    "connects": ("import socket; socket.create_connection(('127.0.0.1', 1))", "socket.connect"),
    "looks_up_a_host": ("import socket; socket.getaddrinfo('localhost', 80)", "socket.getaddrinfo"),
    "asks_a_server": ("import urllib.request; urllib.request.urlopen('http://127.0.0.1:1/')", "socket.connect"),
    "starts_a_program": ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
    "starts_a_shell": ("import os; os.system('true')", "os.system"),
    "opens_a_database": ("import sqlite3; sqlite3.connect(':memory:')", "sqlite3.connect"),
    "asks_for_a_variable": ("from airflow.sdk import Variable; Variable.get('x', default=None)", "airflow"),
    "asks_for_a_connection": ("from airflow.sdk import BaseHook; BaseHook.get_connection('x')", "airflow"),
}
SLOW = {
    "imports_pandas": ("import pandas", ("numpy", "pandas", "pyarrow")),
    "imports_great_expectations": ("import great_expectations", ("great_expectations", "numpy", "pandas", "pyarrow")),
    "reckons": ("sum(range(40_000_000))", ()),
}
HARMLESS = {
    "reads_code_of_a_library": "import inspect, json; inspect.getsource(json)",
    "imports_of_the_project": "from certrecon_plugin.operators.opening import OpenRunOperator",
    "reads_the_environment": "import os; os.environ.get('HOME')",
}


@pytest.fixture(scope="module")
def scratch_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Parsed]:
    """DAG files that do one thing each beside what a DAG file does."""
    folder = tmp_path_factory.mktemp("scratch")
    (folder / "settings.yaml").write_text("tenants: []", encoding="utf-8")
    lines = {name: line for name, (line, _) in (FORBIDDEN | SLOW).items()} | HARMLESS
    for name, line in lines.items():
        code = f"from airflow.sdk import DAG\nHERE = {str(folder)!r}\n{line}\nDAG('{name}', schedule=None)\n"
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    return parse(folder / f"{name}.py" for name in lines)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_policy_sees_what_a_file_touches(scratch_files: dict[str, Parsed], name: str) -> None:
    event = FORBIDDEN[name][1]
    assert [one for one in scratch_files[name].touched if one.startswith(f"{event}: ")]


@pytest.mark.parametrize("name", SLOW)
def test_the_policy_sees_what_takes_long(scratch_files: dict[str, Parsed], name: str) -> None:
    found = scratch_files[name]
    assert found.heavy == SLOW[name][1]
    assert found.share > PARSE_SHARE


@pytest.mark.parametrize("name", HARMLESS)
def test_the_policy_allows_what_importing_needs(scratch_files: dict[str, Parsed], name: str) -> None:
    found = scratch_files[name]
    assert (found.error, found.touched, found.heavy) == (None, (), ())
    assert found.share < PARSE_SHARE


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
    assert deadline.interval == dt.timedelta(hours=3)
    assert deadline.callback == SyncCallback("certrecon_plugin.telling.callbacks.tell_of_missed_deadline")
    assert dag.on_failure_callback is tell_of_broken_run


@pytest.mark.parametrize("task_id", LINEAGE)
def test_a_task_names_what_it_reads_and_what_it_produces(dag: DAG, task_id: str) -> None:
    reads, produces = LINEAGE[task_id]
    task = dag.task_dict[task_id]
    if task_id == "extract_tenant":
        assert task.inlets == [], "Airflow runs through them before the task is made of its map"
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
