"""The closing line of a task, and the assets as OpenLineage names them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

from certrecon_plugin.telling import assets
from certrecon_plugin.telling.closing import closing_line
from certrecon_plugin.telling.lineage import name_of, to_dataset

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
    assert closing_line("plan", 61.0, failed=True) == "plan failed after 61.0 s"


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
