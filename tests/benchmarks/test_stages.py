"""Every stage's benchmark runs, at a size at which nothing is measured: 200 certificates, one round, no peers.

That the variants do the same work is checked by the benchmarks themselves, which fail where rows or counts differ.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from benchmarks import compute, extract, load, nights, pages, publish, scheduled
from benchmarks.choices import Choices
from benchmarks.measuring import Variant, side_by_side
from benchmarks.names import Compute, Extract, Load, Publish, Scheduled
from benchmarks.night import IDLE_DAGS
from benchmarks.peers import duckdb_claims
from benchmarks.prepared_nights import Kind
from benchmarks.results import Measurement
from benchmarks.vendor_data import vendor_answers
from certrecon.findings import CATALOGUE
from certrecon_quickstart.project import DAG_ID, Project

SIZE = 200
ONCE = Choices((), (SIZE,), rounds=1, slow_rounds=1, peers=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


def by_variant(measured: list[Measurement], part: str) -> dict[str, Measurement]:
    return {one.variant: one for one in measured if one.part.startswith(part)}


def test_extract_reads_the_same_rows_as_the_limit_and_leaves_dlt_out_with_a_reason(data: Path) -> None:
    measured = by_variant(extract.measure(SIZE, ONCE, data, {0: Extract.PARTS[0]}), Extract.PARTS[0])
    assert measured[Extract.OURS].facts["rows"] == measured[Extract.MSGSPEC].facts["rows"] > 2 * SIZE
    assert measured[Extract.BARE].facts["bytes"] > 100_000
    assert all(measured[name].seconds for name in (Extract.OURS, Extract.BARE, Extract.MSGSPEC))
    assert "not installed" in (measured[Extract.DLT].left_out or "")


def test_compute_tells_its_tasks_and_what_great_expectations_adds(data: Path) -> None:
    measured = compute.measure(SIZE, ONCE, data)
    ours = by_variant(measured, Compute.FIRST)[Compute.OURS]
    assert ours.facts["claims"] >= SIZE
    assert sum(ours.facts["dispositions"].values()) == ours.facts["claims"]
    assert sum(ours.facts["parts"].values()) == pytest.approx(ours.seconds[0], abs=0.001)
    assert ours.facts["great_expectations"] > ours.facts["rules_alone"] > 0
    nightly = by_variant(measured, Compute.NIGHTLY)[Compute.OURS]
    assert nightly.facts["findings"] == ours.facts["findings"]
    assert nightly.facts["dispositions"]["delivered"] == ours.facts["dispositions"]["planned"]


def test_load_writes_all_rows_then_none(data: Path) -> None:
    measured = load.measure(SIZE, ONCE, data, [Kind.FIRST, Kind.UNCHANGED])
    found = {kind: by_variant(measured, Load.PARTS[kind]) for kind in (Kind.FIRST, Kind.UNCHANGED)}
    rows = found[Kind.FIRST][Load.INDEXED].facts["rows"]
    for name in (Load.TASK, Load.CLAIMS):
        assert found[Kind.FIRST][name].facts["opened"] == rows
        assert (found[Kind.UNCHANGED][name].facts["opened"], found[Kind.UNCHANGED][name].facts["ended"]) == (0, 0)
    assert found[Kind.FIRST][Load.PLAIN].facts["rows"] == found[Kind.FIRST][Load.PANDAS].facts["rows"] == rows
    assert found[Kind.FIRST][Load.TASK].facts["postgres_mib"] > 0


def test_publish_sends_the_same_rows_in_as_many_requests(data: Path) -> None:
    measured = publish.measure(SIZE, ONCE, data, {0: Publish.PARTS[0]})
    told = {one.variant: one.facts for one in measured}
    assert set(told) == {Publish.TASK, Publish.SEND, Publish.BARE, Publish.DOCUMENT}
    assert len({(facts["rows"], facts["requests"]) for facts in told.values()}) == 1


@pytest.mark.slow
def test_a_night_tells_rows_evidence_and_the_peak_of_every_process(data: Path) -> None:
    night = Measurement("make run", SIZE, "first night")
    nights.measure_night(SIZE, "first", data, night)
    assert set(night.facts["peaks"]) >= {"pipeline", "sandbox", "postgres", "quick start"}
    claims, ledger, attempts = night.facts["rows"]
    assert claims >= SIZE
    assert night.facts["written"][0] == claims
    assert ledger == attempts > 0
    assert night.facts["evidence_bytes"] > 0
    assert night.facts["fourhse_seconds"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["first", "idle"])
def test_a_night_under_a_scheduler_tells_its_seconds(data: Path, tmp_path: Path, kind: str) -> None:
    vendors = str(vendor_answers(SIZE, scheduled.TENANTS, data))
    night = Variant("night", "benchmarks.ours.scheduled_night", (str(tmp_path), vendors, kind), 1, ours=True)
    assert 0 < side_by_side(Scheduled.PART, SIZE, [night])[0].median < 300


@pytest.mark.slow
def test_every_page_answers() -> None:
    measured = pages.measure_stage(2_000)
    assert len(measured) > 20
    assert [one.variant for one in measured if max(one.seconds) == math.inf] == []


def test_the_idle_dag_has_the_tasks_of_the_main_one() -> None:
    folders = (Project.of_checkout().dags, IDLE_DAGS)
    real, idle = (DagBag(str(folder / f"{DAG_ID}.py")).dags[DAG_ID] for folder in folders)
    shapes = [
        {task.task_id: (task.upstream_task_ids, str(task.trigger_rule), task.is_mapped) for task in dag.tasks}
        for dag in (real, idle)
    ]
    assert shapes[0] == shapes[1]


def test_duckdb_states_every_finding_but_those_that_need_a_ledger() -> None:
    assert {*duckdb_claims.CONDITIONS, *duckdb_claims.WITHOUT_LEDGER} == set(CATALOGUE)
    assert not set(duckdb_claims.CONDITIONS) & set(duckdb_claims.WITHOUT_LEDGER)


def test_counts_that_differ_end_the_benchmark() -> None:
    same = compute.SameCounts()
    same({"findings": {"EXPIRED": 3}, "dispositions": {"held": 1}})
    same({"findings": {"EXPIRED": 3}, "dispositions": {"held": 1}})
    with pytest.raises(AssertionError, match=r"EXPIRED.*3, 0"):
        same({"findings": {}, "dispositions": {"held": 1}})


def test_a_peer_that_fails_is_left_out_and_ours_ends_the_benchmark() -> None:
    peer = Variant("peer", "benchmarks.peers.bare_sender", ("nothing",), 1)
    assert side_by_side("part", 1, [peer])[0].left_out
    with pytest.raises(RuntimeError, match="ours"):
        side_by_side("part", 1, [Variant("ours", "benchmarks.peers.bare_sender", ("nothing",), 1, ours=True)])
