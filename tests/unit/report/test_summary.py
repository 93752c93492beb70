from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from certrecon.findings import CATALOGUE
from certrecon.publishing.guards import TrippedGuard
from certrecon.report import DatasetTotal, ReportInputs, build_report, render_summary
from certrecon.words import Guard
from tests.unit.report.golden import CLAIMS, DRY, PUBLISHED, claim, claims, plan, planned

SCREEN_AND_A_HALF = 75
LONG = "An unusually long name of something that goes on and on, " * 5

FULL = claims(*CLAIMS, claim("z", "N N", "1", "blocked", *CATALOGUE))

WILD = {
    "everything found": replace(PUBLISHED, claims=FULL),
    "every guard tripped": replace(DRY, claims=FULL, tripped=tuple(TrippedGuard(guard, LONG) for guard in Guard)),
    "long texts": replace(
        PUBLISHED,
        failure=LONG * 3,
        head=replace(PUBLISHED.head, tenants=(LONG, "x" * 300)),
        datasets=(DatasetTotal("certificates", LONG, 10**9, 10**9 - 1, 0, 0, (LONG, "y" * 300)),),
        answers=pa.Table.from_pylist(
            [row | {"message": LONG} for row in PUBLISHED.answers.to_pylist()],
            schema=PUBLISHED.answers.schema,
        ),
    ),
    "long types": replace(
        DRY, plan=plan(*(planned(row | {"certificate_type": "w" * 255}, "new") for row in CLAIMS[:6]))
    ),
}


@pytest.mark.parametrize("inputs", WILD.values(), ids=WILD)
def test_it_fits_a_terminal(inputs: ReportInputs) -> None:
    lines = render_summary(build_report(inputs)).splitlines()
    assert max(map(len, lines)) <= 100


def test_it_is_read_at_a_glance() -> None:
    for inputs in (PUBLISHED, DRY, WILD["everything found"]):
        assert len(render_summary(build_report(inputs)).splitlines()) < SCREEN_AND_A_HALF


HEADLINES = {
    "failed": (PUBLISHED, "Run 42, publish, 2026-11-23: FAILED"),
    "rejects": (
        replace(PUBLISHED, failure=None),
        "Run 42, publish, 2026-11-23: succeeded, Ditio rejected 2 rows",
    ),
    "succeeded": (
        replace(PUBLISHED, failure=None, claims=claims(*CLAIMS[:3]), plan=None, answers=None),
        "Run 42, publish, 2026-11-23: succeeded",
    ),
    "dry run": (DRY, "Run 43, dry_run, 2026-11-23: dry run, nothing was sent"),
}


@pytest.mark.parametrize(("inputs", "headline"), HEADLINES.values(), ids=HEADLINES)
def test_its_first_line_says_how_the_run_ended(inputs: ReportInputs, headline: str) -> None:
    assert render_summary(build_report(inputs)).splitlines()[0] == headline


def test_nothing_of_a_terminal_is_taken_over() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\rgone"
    inputs = replace(
        PUBLISHED,
        failure=evil,
        tripped=(TrippedGuard(Guard.DROP, evil),),
        datasets=(DatasetTotal("certificates", evil, 1, 0, undocumented_fields=(evil,)),),
    )
    text = render_summary(build_report(inputs))
    assert not [char for char in text if char != "\n" and not char.isprintable()]
