"""The closing line of a task, and the assets as OpenLineage names them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.definitions.asset import AssetAliasEvent, AssetUniqueKey
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    DownstreamTasksSkipped,
    TaskAwaitingInput,
)
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

from certrecon.errors import SettingsError
from certrecon_plugin.operators.concluding import FinaliseOperator
from certrecon_plugin.operators.extracting import ExtractEmployeesOperator
from certrecon_plugin.operators.judging import PlanOperator
from certrecon_plugin.operators.opening import OpenRunOperator
from certrecon_plugin.operators.publishing import PublishOperator
from certrecon_plugin.telling import assets
from certrecon_plugin.telling.closing import closing_line
from certrecon_plugin.telling.lineage import Traced, name_of, to_dataset

FILE = {"address": "outcome/x-1.parquet", "sha256": "a" * 64, "size": 812, "rows": 7}


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (None, "plan ended after 1.2 s"),
        ({"asked": False}, "plan ended after 1.2 s"),
        ({"planned": 1200, "rejected": 0}, "plan ended after 1.2 s: planned 1,200, rejected 0"),
        ({"claims": FILE, "sent": 3}, "plan ended after 1.2 s: claims 7, sent 3"),
        (FILE, "plan ended after 1.2 s: rows 7"),
        ({"settings": FILE | {"address": "inputs/s.json"}, "sha256": "b"}, "plan ended after 1.2 s"),
        ({"dispositions": {"held": 2}, "sha256": "b"}, "plan ended after 1.2 s: held 2"),
        (
            [FILE | {"dataset": "persons"}, {"dataset": "links", "rows": 1}],
            "plan ended after 1.2 s: persons 7, links 1",
        ),
        (["tenant-1", "tenant-2"], "plan ended after 1.2 s: listed 2"),
        ([], "plan ended after 1.2 s: listed 0"),
    ],
)
def test_a_closing_line_has_counts_and_no_texts(result: Any, line: str) -> None:
    assert closing_line("plan", 1.23, result) == line


def test_a_task_that_failed_says_after_how_long() -> None:
    assert closing_line("plan", 61.0, how="failed") == "plan failed after 61.0 s"


CONTEXT: Any = {"ti": SimpleNamespace(xcom_push=lambda **_: None)}


def raising(error: BaseException) -> Callable[[], Any]:
    def step() -> Any:
        raise error

    return step


@pytest.mark.parametrize(
    ("error", "how"),
    [
        pytest.param(SettingsError("x"), "failed", id="an error of ours"),
        pytest.param(AirflowFailException("x"), "failed", id="the last task fails the run"),
        pytest.param(ZeroDivisionError(), "failed", id="any other error"),
        pytest.param(SystemExit(1), "failed", id="it was ended from outside"),
        pytest.param(AirflowSkipException("x"), "skipped", id="there was nothing to do"),
        pytest.param(
            TaskAwaitingInput(method_name="answered", timeout=None, kwargs={}), "waits for a person", id="it asks"
        ),
        pytest.param(AirflowRescheduleException(datetime.now(UTC)), "waits for its turn", id="it looks again later"),
        pytest.param(DownstreamTasksSkipped(tasks=["plan"]), "ended", id="it leaves out what follows"),
    ],
)
def test_a_task_has_one_closing_line_however_it_ends(
    error: BaseException, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"), pytest.raises(type(error)):
        PlanOperator(task_id="plan").telling(CONTEXT, raising(error))
    assert closing_lines(caplog) == [f"plan {how} after 0.0 s"]


def test_a_task_that_ends_well_has_one_closing_line_with_its_counts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert PlanOperator(task_id="plan").telling(CONTEXT, lambda: {"planned": 7}) == {"planned": 7}
    assert closing_lines(caplog) == ["plan ended after 0.0 s: planned 7"]


def closing_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.endswith("telling.closing")]


EVERY = [one for one in vars(assets).values() if isinstance(one, Asset)] + list(assets.TENANT_ENTITIES)


@pytest.mark.parametrize("asset", EVERY, ids=lambda asset: asset.name)
def test_whoever_writes_the_address_means_the_same_asset(asset: Asset) -> None:
    assert (asset.name, asset.uri) == (asset.uri, Asset(asset.uri).uri), "another name would be a conflict to Airflow"
    assert not asset.uri.endswith("/")
    assert asset.group == assets.GROUP


def test_openlineage_finds_the_converter_of_every_asset() -> None:
    converters = ProvidersManagerTaskRuntime().asset_to_openlineage_converters
    assert {converters[asset.uri.partition(":")[0]] for asset in EVERY} == {to_dataset}


@pytest.mark.parametrize(
    ("uri", "extra", "expected"),
    [
        ("certrecon://warehouse/ledger", {}, ("postgres://db.example.com:5433", "wh.reconciliation.ditio_upsert")),
        ("certrecon://warehouse/claims", {}, ("postgres://db.example.com:5433", "wh.reconciliation.claim")),
        ("fourhse://api/certificate-action", {}, ("https://service.4hse.com", "certificate-action")),
        ("ditio://api/employees", {}, ("https://core-api.ditio.app/core", "employees")),
        ("certrecon://evidence/report", {"report": "file:///e/1/report.html"}, ("file", "/e/1/report.html")),
        ("certrecon://evidence/report", {"report": "/e #1/1/report.html"}, ("file", "/e #1/1/report.html")),
        ("certrecon://evidence/report", {"report": "s3://store@bucket/e/1/r.html"}, ("s3://bucket", "e/1/r.html")),
        ("certrecon://evidence/report", {"report": "s3a://bucket/e/1/r.html"}, ("s3://bucket", "e/1/r.html")),
        ("certrecon://evidence/report", {"report": "gs://store@bucket/1/r.html"}, ("gs://bucket", "1/r.html")),
        ("certrecon://evidence/report", {"report": "memory://store@/e/1/r.html"}, ("memory://", "e/1/r.html")),
        ("certrecon://evidence/inputs", {}, ("certrecon", "evidence/inputs")),
    ],
)
def test_a_dataset_is_named_after_openlineages_conventions(
    uri: str, extra: dict[str, Any], expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = {
        "WAREHOUSE": {"conn_type": "postgres", "host": "db.example.com", "port": 5433, "schema": "wh"},
        "FOURHSE": {"conn_type": "fourhse", "host": "service.4hse.com"},
        "DITIO": {"conn_type": "ditio", "host": "https://core-api.ditio.app/core"},
    }
    for name, values in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}_DEFAULT", json.dumps(values))
    assert name_of(uri, extra) == expected


class Added:
    """The events that a task added to an alias, as Airflow's context has them."""

    def __init__(self, *events: AssetAliasEvent) -> None:
        self.asset_alias_events = list(events)


def event(asset: Asset, **facts: Any) -> AssetAliasEvent:
    key = AssetUniqueKey.from_asset(asset)
    return AssetAliasEvent(source_alias_name="any", dest_asset_key=key, dest_asset_extra={}, extra=facts)


INPUTS, OUTCOME = ("certrecon", "evidence/inputs"), ("certrecon", "evidence/outcome")


@pytest.mark.parametrize(
    ("made", "added", "reads", "writes"),
    [
        pytest.param(OpenRunOperator(task_id="a"), {}, [], [INPUTS], id="what a run is judged on begins with it"),
        pytest.param(
            ExtractEmployeesOperator(task_id="b"), {}, [("https://core-api.ditio.app/core", "employees")], [INPUTS],
            id="what is read goes into the evidence",
        ),
        pytest.param(PlanOperator(task_id="c", inlets=[assets.EVIDENCE]), {}, [INPUTS], [OUTCOME], id="and what is judged"),
        pytest.param(
            PublishOperator(task_id="d"), {assets.PUBLISHED_ALIAS: Added()}, [INPUTS], [], id="nothing was sent",
        ),
        pytest.param(
            PublishOperator(task_id="e"), {assets.PUBLISHED_ALIAS: Added(event(assets.DELIVERED, acknowledged=3))},
            [INPUTS], [("https://core-api.ditio.app/core", "certificates")], id="something was",
        ),
        pytest.param(
            FinaliseOperator(task_id="f"),
            {assets.REPORTED_ALIAS: Added(event(assets.REPORT, report="s3://store@bucket/e/1/report.html"))},
            [INPUTS, ("certrecon", "evidence/report")], [("s3://bucket", "e/1/report.html")], id="the report by its address",
        ),
    ],
)  # fmt: skip
def test_a_task_says_what_it_reads_and_produced_whatever_files_it_opened(
    made: Traced, added: dict[Any, Added], reads: list[Any], writes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenLineage would else list each file of the evidence, by the temporary name that it was written with."""
    connection = {"conn_type": "ditio", "host": "https://core-api.ditio.app/core"}
    monkeypatch.setenv("AIRFLOW_CONN_DITIO_DEFAULT", json.dumps(connection))
    assert (made.reads(), made.wrote(added)) == (reads, writes)
