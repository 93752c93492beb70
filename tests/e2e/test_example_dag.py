"""The example DAG in a real Airflow against the sandbox, and the policies that every DAG keeps to."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from certrecon_quickstart.environment import project_environment, without_connections
from certrecon_quickstart.project import Project
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.world import WorldSpec

DAG_ID = "example_vendor_apis"
FILE = Project.of_checkout().dags / f"{DAG_ID}.py"
RESULTS = """
import json, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute(
    "SELECT task_id, value FROM xcom WHERE dag_id = ? AND key = 'return_value'", (sys.argv[2],))
print(json.dumps({task: json.loads(value) if isinstance(value, str) else value for task, value in rows}))
"""


@pytest.fixture(scope="module")
def dag() -> DAG:
    bag = DagBag(str(FILE))
    assert bag.import_errors == {}
    return bag.dags[DAG_ID]


def test_it_keeps_to_the_policies(dag: DAG) -> None:
    assert all(word in (dag.doc_md or "") for word in ("Purpose", "Owner", "When it fails"))
    assert "example" in dag.tags
    assert dag.owner not in {"", "airflow"}
    assert (dag.schedule, dag.catchup, dag.max_active_runs, dag.is_paused_upon_creation) == (None, False, 1, True)
    for name in dag.params:
        schema = dag.params.get_param(name).schema
        assert schema["title"], name
        assert len(schema["description_md"]) > 20, name


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(WorldSpec(certificates=300, seed=4)) as server:
        yield server


def test_it_runs_in_airflow_and_changes_nothing(tmp_path: Path, sandbox: SandboxServer) -> None:
    checkout = Project.of_checkout()
    project = Project(root=checkout.root, var=tmp_path, dags=checkout.dags)
    environment = project_environment(project, without_connections(os.environ)) | sandbox.connection_variables()
    environment |= {"CERTRECON_TASK_RETRIES": "0"}
    project.airflow_home.mkdir(parents=True, exist_ok=True)
    before = {name: len(table) for name, table in sandbox.world.tables().items()}

    def airflow(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *words],
            env=environment, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    airflow("db", "migrate")
    printed = airflow("dags", "test", DAG_ID, "--conf", json.dumps({"days": 90}))
    assert re.search(r"state[=:]\s*'?success", printed), printed[-3000:]

    listed = subprocess.run(
        [sys.executable, "-c", RESULTS, str(project.airflow_home / "airflow.db"), DAG_ID],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    results = json.loads(listed)
    rows = [row for row in sandbox.world.certificates if row["tenant_id"] == results["choose_project"]]
    counts = results["list_certificates"]
    assert counts["certificates"] == len(rows) == sum(counts["by_action_type"].values()) > 0
    assert 0 < counts["expire_soon"] < len(rows)
    first = sandbox.world.certificates.get(counts["first"])
    assert first is not None
    links = [link for link in sandbox.world.links if link["certificate_id"] == counts["first"]]
    assert results["preview_deletion"] == {
        "certificate_id": counts["first"], "children": len(links), "still_there": True,
    }  # fmt: skip
    assert results["read_employees"]["employees"] > results["read_employees"]["disabled"] > 0
    assert {name: len(table) for name, table in sandbox.world.tables().items()} == before
    assert {write.endpoint for write in sandbox.sandbox.journal.writes} == {"4hse.certificate.delete"}
    for secret in ("sandbox-password", "sandbox-secret", "ditio-sandbox-secret"):
        assert secret not in printed
    names = {row["last_name"] for row in sandbox.world.persons if len(row["last_name"]) > 5}
    assert not any(name in printed for name in names)
