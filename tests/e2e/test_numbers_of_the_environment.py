"""Numbers that the DAG files take from the environment: a mistake is named where Airflow shows it, as an import error."""

from __future__ import annotations

import re
from typing import Final

import pytest

from certrecon.errors import SettingsError
from certrecon_plugin.deadlines import deadline_hours
from certrecon_plugin.environment import positive_number, whole_number
from certrecon_quickstart.project import Project
from tests.e2e.parsing import parse

DAGS: Final = {path.stem: path for path in Project.of_checkout().dags.glob("*.py")}
SHARED: Final = set(DAGS)
NIGHT: Final = "certificate_reconciliation"


@pytest.mark.parametrize(
    ("variable", "value", "allowed", "broken"),
    [
        ("CERTRECON_DEADLINE_HOURS", "three", "a number of hours above 0, at most 8760", {NIGHT}),
        ("CERTRECON_TENANTS_AT_ONCE", "0", "a whole number from 1 to 1000", {NIGHT, "certificate_events"}),
        ("CERTRECON_TASK_RETRIES", "2.5", "a whole number from 0 to 100", SHARED),
        ("CERTRECON_RETRY_SECONDS", "5m", "a number of seconds above 0, at most 86400", SHARED),
    ],
)
def test_a_wrong_number_is_named_and_takes_away_only_the_dags_that_use_it(
    variable: str, value: str, allowed: str, broken: set[str]
) -> None:
    """The watch loads where only a night's number is wrong, and tells that nothing succeeds."""
    found = parse(DAGS.values(), **{variable: value})
    message = f"SettingsError: {variable} must be {allowed}, not '{value}'."
    assert {name: one.error for name, one in found.items()} == {
        name: message if name in broken else None for name in DAGS
    }


def test_an_empty_number_is_the_usual_one() -> None:
    names = ("DEADLINE_HOURS", "TENANTS_AT_ONCE", "TASK_RETRIES", "RETRY_SECONDS")
    found = parse(DAGS.values(), **{f"CERTRECON_{name}": "" for name in names})
    assert {one.error for one in found.values()} == {None}


@pytest.mark.parametrize(
    ("given", "number"),
    [("", 2), (" ", 2), ("0", 0), ("9", 9), (" 7 ", 7), ("10", None), ("-1", None), ("1.0", None), ("x", None), ("1e0", None)],
)  # fmt: skip
def test_a_whole_number(given: str, number: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_TRIES", given)
    if number is not None:
        assert whole_number("X_TRIES", 2, least=0, most=9) == number
        return
    with pytest.raises(SettingsError, match=re.escape(f"X_TRIES must be a whole number from 0 to 9, not '{given}'.")):
        whole_number("X_TRIES", 2, least=0, most=9)


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("", 3.0), ("0.5", 0.5), ("48", 48.0), ("1e1", 10.0), ("49", None), ("0", None), ("-1", None), ("nan", None),
        ("inf", None), ("3 h", None),
    ],
)  # fmt: skip
def test_a_number_above_0(given: str, number: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_WAIT", given)
    if number is not None:
        assert positive_number("X_WAIT", 3, most=48, unit="hours") == number
        return
    words = f"X_WAIT must be a number of hours above 0, at most 48, not '{given}'."
    with pytest.raises(SettingsError, match=re.escape(words)):
        positive_number("X_WAIT", 3, most=48, unit="hours")


def test_a_missing_number_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CERTRECON_DEADLINE_HOURS", raising=False)
    assert deadline_hours() == 3
