"""What the DAG `link_certificates` promises beyond the policies of every DAG."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, AssetAlias, TriggerRule

from certrecon.linking.parameters import LinkParameters
from certrecon_plugin.operators.linking import LinkTask
from certrecon_plugin.telling.assets import CREATED_ALIAS, LINKED_ALIAS, LINKS, TENANT_ENTITIES
from certrecon_plugin.telling.callbacks import tell_of_failed_linking
from certrecon_quickstart.project import Project

ALWAYS = {LinkTask.READ_BACK, LinkTask.HINT, LinkTask.FINISH}


@pytest.fixture(scope="module")
def dag() -> DAG:
    bag = DagBag(str(Project.of_checkout().dags / "link_certificates.py"))
    assert bag.import_errors == {}
    return bag.dags["link_certificates"]


def test_its_tasks_follow_one_another(dag: DAG) -> None:
    assert [task.task_id for task in dag.topological_sort()] == [str(task) for task in LinkTask]


def test_nobody_but_a_person_starts_it(dag: DAG) -> None:
    assert dag.timetable.can_be_scheduled is False
    assert set(dag.allowed_run_types or ()) == {"manual"}
    assert dag.on_failure_callback is tell_of_failed_linking


def test_what_was_created_is_read_back_and_told_of_whatever_failed(dag: DAG) -> None:
    rules = {task.task_id: task.trigger_rule for task in dag.tasks}
    assert {name for name, rule in rules.items() if rule == TriggerRule.ALL_DONE} == set(ALWAYS)


READS = {LinkTask.LOOK: TENANT_ENTITIES[:2], LinkTask.LINK: TENANT_ENTITIES[:2], LinkTask.READ_BACK: [LINKS]}
PRODUCES = {LinkTask.HINT: [CREATED_ALIAS, LINKED_ALIAS]}


@pytest.mark.parametrize("name", LinkTask)
def test_a_task_names_what_it_reads_and_produces_and_no_asset_gets_an_event_by_itself(dag: DAG, name: LinkTask) -> None:
    """Events are added to aliases: nothing was created in a dry run, or where somebody refused."""
    task = dag.task_dict[name]
    assert list(task.inlets) == list(READS.get(name, []))
    assert list(task.outlets) == PRODUCES.get(name, [])
    assert all(isinstance(one, AssetAlias) for one in task.outlets)


def test_it_has_the_parameters_that_its_first_task_takes(dag: DAG) -> None:
    assert set(dag.params) == set(LinkParameters.model_fields)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("certificate_ids", []), ("certificate_ids", "c1"), ("certificate_ids", [""]), ("certificate_ids", None),
        ("action_id", 7), ("action_code", ["BYGG"]), ("date_expire", 20270101), ("dry_run", "yes"),
    ],
)  # fmt: skip
def test_its_json_schema_refuses(dag: DAG, name: str, value: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, dag.params.get_param(name).schema)
