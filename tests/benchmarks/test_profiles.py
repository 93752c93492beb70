"""Profiles: what a sampled call stack counts as, and how shares are told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks import profiles
from benchmarks.choices import Choices
from benchmarks.measuring import Variant
from benchmarks.names import Profiles
from benchmarks.results import Measurement
from benchmarks.stacks import places
from benchmarks.tables import stage_table

MAIN = "<module> (benchmarks/ours/load.py:60);main (benchmarks/ours/load.py:50);timed (benchmarks/telling.py:30)"

CASES = [
    pytest.param(
        "run_load (certrecon/stages/load.py:90);write (certrecon/warehouse/history.py:7)",
        "`warehouse.history.write`",
        id="a function of ours",
    ),
    pytest.param(
        "run_load (certrecon/stages/load.py:90);wait (psycopg/waiting.py:7);poll (selectors.py:4)",
        "`stages.load.run_load`, in selectors",
        id="what it had called, innermost",
    ),
    pytest.param(
        "run_load (certrecon/stages/load.py:90);Table.read (pyarrow/parquet/core.py:9)",
        "`stages.load.run_load`, in pyarrow",
        id="a package that it had called",
    ),
    pytest.param(
        "Coded.of (certrecon/claims/coded.py:5);<genexpr> (certrecon/claims/coded.py:6)",
        "`claims.coded.<genexpr>`",
        id="the innermost of ours",
    ),
    pytest.param(
        "run (certrecon_plugin/operators/judging.py:3);_load_unlocked (<frozen importlib._bootstrap>:690);"
        "<module> (certrecon/validation/run.py:9);<module> (great_expectations/__init__.py:1);"
        "<module> (scipy/stats/__init__.py:1)",
        "importing great_expectations",
        id="the package whose import was asked for, not what it imports itself",
    ),
    pytest.param(
        "run (certrecon_plugin/operators/judging.py:3);<module> (certrecon/stages/plan.py:9)",
        "importing the project's own modules",
        id="modules of ours that are imported",
    ),
    pytest.param(
        "DeadlineDag.test (certrecon_plugin/habits.py:3);DAG.test (airflow/sdk/dag.py:3);wait (threading.py:3)",
        "airflow",
        id="Airflow, called by something of ours",
    ),
    pytest.param("serve (airflow/sdk/supervisor.py:3);read (socket.py:3)", "airflow", id="nothing of ours"),
    pytest.param("", "the program itself", id="nothing below"),
]  # fmt: skip


@pytest.mark.parametrize(("below", "place"), CASES)
def test_a_sample_counts_for(below: str, place: str) -> None:
    stack = f"{MAIN};{below}" if below else MAIN
    assert places([f"{stack} 7\n"], "timed") == Counter({place: 7})


@pytest.mark.parametrize(
    ("below", "place"),
    [
        (
            "execute (certrecon_plugin/base.py:1);run_load (certrecon/stages/load.py:9);write (certrecon/warehouse/history.py:7)",
            "`stages.load.run_load`",
        ),
        (
            "run_load (certrecon/stages/load.py:9);<module> (certrecon/names.py:1);<module> (pandas/__init__.py:1)",
            "importing pandas",
        ),
        ("execute (certrecon_plugin/base.py:1);pull (airflow/sdk/xcom.py:9)", "airflow"),
        ("execute (certrecon_plugin/base.py:1)", "`base.execute`"),
    ],
)
def test_a_night_is_told_by_its_tasks(below: str, place: str) -> None:
    assert places([f"{MAIN};{below} 1"], "timed", by_task=True) == Counter({place: 1})


def test_what_is_outside_of_the_timed_work_counts_for_nothing() -> None:
    outside = "main (benchmarks/ours/load.py:50);settled_rows (benchmarks/ours/load.py:30) 40"
    thread = "_bootstrap (threading.py:1002);write (certrecon/evidence/store.py:3) 9"
    assert places([outside, thread, f"{MAIN};run_load (certrecon/stages/load.py:9) 1"], "timed") == Counter(
        {"`stages.load.run_load`": 1}
    )


def test_small_places_are_told_together_and_all_shares_make_a_whole() -> None:
    told = profiles.told("part", 10, Counter({"a": 90, "b": 6, "c": 2, "d": 2}))
    assert [(one.variant, one.seconds, one.facts["share"]) for one in told] == [
        ("a", [0.9], 0.9),
        ("b", [0.06], 0.06),
        (Profiles.REST, [0.04], 0.04),
    ]


def test_a_table_of_profiles_shows_the_largest_size_of_each_part() -> None:
    small, large = (profiles.told(Profiles.EXTRACT, size, Counter({"a": size})) for size in (10, 1_000))
    night = profiles.told(Profiles.NIGHT, 10, Counter({"airflow": 50, "b": 50}))
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in stage_table("profiles", [*small, *night, *large]).splitlines()[2:]
    ]
    assert rows == [
        ["**extract, 0 ms, 1,000 certificates**", "", ""],
        ["a", "100%", "10.00"],
        ["**first night, 10 certificates**", "", ""],
        ["airflow", "50%", "0.50"],
        ["b", "50%", "0.50"],
    ]


def test_without_the_sampler_the_reason_is_told(tmp_path: Path) -> None:
    (found,) = profiles.measure(200, Choices(("profiles",), (200,), peers=False), tmp_path)
    assert "not installed" in (found.left_out or "")
    assert "not installed" in stage_table("profiles", [found])


def test_a_program_that_gave_no_samples_fails_aloud(tmp_path: Path) -> None:
    sampler = tmp_path / "py-spy"
    sampler.write_text("#!/bin/sh\necho no permission >&2\nexit 1\n", encoding="utf-8")
    sampler.chmod(0o755)
    with pytest.raises(RuntimeError, match=r"ours: no permission"):
        profiles.sampled(str(sampler), Variant("ours", "benchmarks.ours.load", (), 1), "timed")


def test_every_task_is_told_with_the_sum_of_its_night() -> None:
    tasks = [
        Measurement("first night", size, name, [seconds], mib)
        for size, name, seconds, mib in (
            (10, "plan", 1.0, 90),
            (10, "load", 2.0, 80),
            (100, "plan", 9.0, 95),
            (100, "load", 30.0, 300),
        )
    ]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in stage_table("tasks", tasks).splitlines()[2:]
    ]
    assert rows == [
        ["**first night, all tasks**", "**3**", "**39**", "**300**"],
        ["plan", "1", "9", "95"],
        ["load", "2", "30", "300"],
    ]
