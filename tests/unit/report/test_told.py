from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from certrecon.report import build_report, render_html, render_summary
from certrecon.report.model import RUNS, PreviousRun, ReportInputs, Told
from certrecon.settings import parse_settings
from certrecon.warehouse.hints import HINT
from certrecon.words import ChangeEvent
from tests.unit.report.golden import (
    BEFORE_CLAIMS,
    DAY,
    HEAD,
    PUBLISHED,
    SETTINGS,
    SETTINGS_BEFORE,
    before,
    claim,
    claims,
    partly,
    table,
)

SAME, OTHER = HEAD.settings_text, parse_settings(SETTINGS_BEFORE).text
AS_IT_WAS = claim("c", "Kari Nordmann", "7", "delivered")
RENEWED = {"valid_until": dt.date(2029, 1, 1)}


def _hints(*certificates: str) -> pa.Table:
    event = ChangeEvent.CERTIFICATE_UPDATE.value
    rows = ({"event": event, "entity_id": one, "certificate_ids": [], "source": "webhook"} for one in certificates)
    received = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    return partly(HINT, *(row | {"hint_id": place, "received_at": received} for place, row in enumerate(rows)))


def _run(run_seq: int, sha256: str, dispositions: str | None = "{}") -> tuple[Any, ...]:
    return (run_seq, DAY, "publish", "succeeded", False, 1, dispositions, sha256, run_seq, "c4" * 32)


def _inputs(change: dict[str, Any], *hinted: str, **other: Any) -> ReportInputs:
    return replace(
        PUBLISHED,
        claims=claims(AS_IT_WAS | change),
        previous_claims=partly(BEFORE_CLAIMS, before(AS_IT_WAS, 40, "delivered")),
        previous=PreviousRun(41, DAY - dt.timedelta(1), "succeeded", SAME),
        hints=_hints(*hinted),
        **{"runs": table(RUNS, _run(41, HEAD.settings_sha256))} | other,
    )


COUNTED: dict[str, tuple[dict[str, Any], tuple[str, ...], int, int]] = {
    "a change that a hint pointed at": (RENEWED, ("c",), 1, 1),
    "a change that no event told of": (RENEWED, ("d",), 1, 0),
    "a hint at what is as it was": ({}, ("c",), 0, 0),
    "what does not come from 4HSE": ({"disposition": "blocked", "findings": ["EMPLOYEE_UNKNOWN"]}, (), 0, 0),
    "another certificate in its place": ({"certificate_id": "d"}, ("d",), 2, 1),
}


@pytest.mark.parametrize(("change", "hinted", "changed", "told"), COUNTED.values(), ids=COUNTED)
def test_changes_are_held_against_hints(
    change: dict[str, Any], hinted: tuple[str, ...], changed: int, told: int
) -> None:
    assert build_report(_inputs(change, *hinted)).told == Told(41, len(hinted), changed, told)


def test_what_the_warehouse_keeps_otherwise_is_not_changed() -> None:
    kept = before(AS_IT_WAS | {"person_name": "Kari\ufffdNordmann"}, 40, "delivered")
    inputs = _inputs({"person_name": "Kari\0Nordmann"})
    assert build_report(replace(inputs, previous_claims=partly(BEFORE_CLAIMS, kept))).told == Told(41, 0, 0, 0)


OWN = HEAD.settings_sha256
CROSSWALK = SAME.replace('"crosswalk": {}', '"crosswalk": {"p-7": "8"}')
GUARDS = parse_settings(SETTINGS.replace("max_drop: 0.3", "max_drop: 0.4")).text
DIFFERING: dict[str, tuple[int, str, list[Any], bool]] = {
    "the same": (39, SAME, [_run(39, OWN)], False),
    "of a run before the one that guards compare with": (39, SAME, [_run(38, "s0"), _run(39, OWN)], False),
    "of the previous run": (39, OTHER, [_run(39, "s0")], True),
    "of the previous run, in the crosswalk": (39, CROSSWALK, [_run(39, "s0")], True),
    "of the previous run, in what shapes no claim": (39, GUARDS, [_run(39, "s0")], False),
    "of the previous run, which followed hints": (41, OTHER, [_run(39, OWN)], True),
    "of the run that guards compare with, hints were followed since": (41, SAME, [_run(39, "s0")], True),
    "of a run since that judged claims": (41, SAME, [_run(39, OWN), _run(40, "s0")], True),
    "of a run since that judged nothing": (39, SAME, [_run(39, OWN), _run(40, "s0", None)], False),
}


@pytest.mark.parametrize(("previous", "text", "runs", "differ"), DIFFERING.values(), ids=DIFFERING)
def test_nothing_is_counted_where_the_settings_differ(previous: int, text: str, runs: list[Any], differ: bool) -> None:
    """Rules, crosswalk and the day that stands for no expiry change claims of which 4HSE says what it said."""
    inputs = _inputs(RENEWED, "c", runs=table(RUNS, *runs))
    earlier = PreviousRun(previous, DAY - dt.timedelta(1), "succeeded", text)
    report = build_report(replace(inputs, head=replace(HEAD, baseline=39), previous=earlier))
    assert report.told == (Told(39, 1, settings_differ=True) if differ else Told(39, 1, 1, 1))
    words = "Changes in 4HSE that no event told of are not counted: settings or crosswalk have changed"
    assert (words in " ".join(render_summary(report).split())) is differ
    assert (words in render_html(report)) is differ


@pytest.mark.parametrize(
    "unknown", [{"hints": None}, {"previous_claims": None}, {"head": replace(HEAD, baseline=None)},
                {"head": replace(HEAD, tenants=("north",))}],
    ids=["nobody listens", "no claims before", "no run to compare with", "a limited run"],
)  # fmt: skip
def test_nothing_is_said_where_nothing_is_known(unknown: dict[str, Any]) -> None:
    assert build_report(replace(_inputs(RENEWED, "c"), **unknown)).told is None
