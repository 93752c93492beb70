from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from certrecon.report import build_report, render_summary
from certrecon.report.heading import settings_changes
from certrecon.report.model import RUNS, PreviousRun, SettingChange
from certrecon.settings import parse_settings
from tests.unit.report.golden import DAY, PUBLISHED, partly

RULE = "{certificate_type: A, action_code: [a]}"

SETTINGS = {
    "nothing": ("unlinked: hold", "", []),
    "a value": ("guards: {max_drop: 0.2}", "guards: {max_drop: 0.3}", [("guards.max_drop", "0.2", "0.3")]),
    "a key that is new": ("", "severities: {EXPIRED: warning}", [("severities.EXPIRED", None, '"warning"')]),
    "a key that is gone": ("severities: {EXPIRED: warning}", "", [("severities.EXPIRED", '"warning"', None)]),
    "a list": ("tenants: [a, b]", "tenants: [b, a]", [("tenants", '["a", "b"]', '["b", "a"]')]),
    "two values": (
        "unlinked: hold\nno_expiry: block",
        "unlinked: send\nno_expiry: sentinel",
        [("no_expiry", '"block"', '"sentinel"'), ("unlinked", '"hold"', '"send"')],
    ),
}


@pytest.mark.parametrize(("before", "after", "rows"), SETTINGS.values(), ids=SETTINGS)
def test_what_differs_in_the_settings(before: str, after: str, rows: list[tuple[str, str | None, str | None]]) -> None:
    found = settings_changes(parse_settings(before).text, parse_settings(after).text)
    assert found is not None
    assert list(found.rows) == [SettingChange(*row) for row in rows]
    assert found.any is bool(rows)


def test_rules_are_compared_as_one_list() -> None:
    found = settings_changes(parse_settings("").text, parse_settings(f"certificate_types: [{RULE}]").text)
    assert [row.key for row in found.rows] == ["certificate_types"]
    assert found.rows[0].before == "[]"
    assert '"certificate_type": "A"' in (found.rows[0].after or "")


def test_the_crosswalk_is_only_counted() -> None:
    texts = [
        f'{{"settings": {{}}, "crosswalk": {{{numbers}}}}}'
        for numbers in ('"p1": "1", "p2": "2", "p3": "3"', '"p1": "1", "p2": "9", "p4": "4", "p5": "5"')
    ]
    found = settings_changes(*texts)
    assert found.crosswalk == {"added": 2, "removed": 1, "changed": 1}
    assert found.rows == ()


@pytest.mark.parametrize("texts", [(None, "{}"), ("{}", ""), (None, None)], ids=["before", "after", "both"])
def test_unknown_settings_are_not_compared(texts: tuple[str | None, str | None]) -> None:
    assert settings_changes(*texts) is None


MISSED: dict[str, tuple[int, tuple[int, ...], int, str]] = {
    "the same day": (0, (0,), 0, ""),
    "the next day": (1, (1,), 0, ""),
    "one day between": (2, (2,), 1, "No run on 1 day since run 41"),
    "a week": (8, (8,), 7, "No run on 7 days since run 41"),
    "a week with a night that failed": (8, (8, 3), 6, "No run on 6 days since run 41"),
    "nights that failed on every day": (3, (3, 2, 1), 0, ""),
    "a night that failed twice": (4, (4, 2, 2), 2, "No run on 2 days since run 41"),
    "failed on the day of the run itself": (2, (2, 0), 1, "No run on 1 day since run 41"),
    "runs before the previous one": (2, (9, 8, 2), 1, "No run on 1 day since run 41"),
}


@pytest.mark.parametrize(("days", "ran", "missed", "words"), MISSED.values(), ids=MISSED)
def test_days_without_a_run(days: int, ran: tuple[int, ...], missed: int, words: str) -> None:
    """A run that failed before it loaded claims is not the previous run, but it is a run."""
    runs = partly(RUNS, *({"run_seq": 30 + place, "run_day": DAY - dt.timedelta(ago)} for place, ago in enumerate(ran)))
    previous = PreviousRun(41, DAY - dt.timedelta(days), "succeeded")
    report = build_report(replace(PUBLISHED, previous=previous, runs=runs))
    assert report.missed_days == missed
    assert words in render_summary(report)
    assert ("No run on" in render_summary(report)) is bool(words)


def test_without_a_previous_run_nothing_is_missed() -> None:
    report = build_report(replace(PUBLISHED, previous=None))
    assert (report.missed_days, report.settings_changes, report.changes.known) == (0, None, False)
    assert "CHANGED since" not in render_summary(report)


def test_what_a_person_wrote_stands_on_one_line() -> None:
    (note,) = build_report(PUBLISHED).head.approvals
    assert note.reason == "Moved offices, see ticket 12"
