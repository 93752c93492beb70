from __future__ import annotations

import io
import re
from typing import Any

import pytest

from certrecon.errors import SettingsError
from certrecon_quickstart.pipeline import explain
from certrecon_quickstart.progress import Failure, Printer, one_line
from certrecon_quickstart.run import failure_sentence


def task(event: str, name: str, index: int = -1, seconds: float = 0.2, **more: Any) -> dict[str, Any]:
    facts = {} if event == "started" else {"seconds": seconds}
    return {"event": event, "task": name, "index": index, **facts, **more}


def note(text: str, level: str = "INFO") -> dict[str, Any]:
    return {"event": "note", "text": text, "level": level}


def printed(events: list[dict[str, Any]]) -> tuple[list[str], Printer]:
    stream = io.StringIO()
    printer = Printer(stream)
    printer.follow(events)
    return [re.sub(r" \.{2,}", " ..", line) for line in stream.getvalue().splitlines()], printer


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        pytest.param(
            [task("started", "open_run"), task("succeeded", "open_run")],
            ["  open run ..   0.2 s"],
            id="one task",
        ),
        pytest.param(
            [task("started", "extract", 0), note("100 certificates"), task("succeeded", "extract", 0)],
            ["  extract 1 ..", "      100 certificates"],
            id="a note stands beneath its task",
        ),
        pytest.param(
            [task("started", "extract", 1), note("slow", "WARNING"), task("succeeded", "extract", 1, 12.34)],
            ["  extract 2 ..", "      warning: slow", "      after 12.3 s"],
            id="a long task says how long",
        ),
        pytest.param(
            [
                task("started", "extract"),
                *[note(f"page {n}") for n in range(9)],
                task("succeeded", "extract"),
                task("started", "plan"),
                note("3 rows"),
                task("succeeded", "plan"),
            ],
            [
                "  extract ..",
                *[f"      page {n}" for n in range(4)],
                "      (5 more in the log)",
                "  plan ..",
                "      3 rows",
            ],
            id="a talkative task is cut short, the next one starts anew",
        ),
        pytest.param(
            [task("started", "plan"), *[note("x")] * 4, note("no", "WARNING"), task("succeeded", "plan")],
            ["  plan ..", *["      x"] * 4, "      warning: no"],
            id="a warning is always shown",
        ),
        pytest.param([task("started", "plan"), task("skipped", "plan")], ["  plan ..   0.2 s  skipped"], id="skipped"),
        pytest.param(
            [task("started", "plan"), task("failed", "plan", sentence="no\n plan", expected=True)],
            ["  plan ..   0.2 s  failed", "      no plan"],
            id="failed, with the reason in one line",
        ),
    ],
)
def test_printed(events: list[dict[str, Any]], lines: list[str]) -> None:
    assert printed(events)[0] == lines


def test_a_try_that_was_repeated_well_is_no_failure() -> None:
    failed = task("failed", "load", sentence="gone away", expected=True)
    assert printed([failed])[1].failures == [Failure("load", "gone away", expected=True)]
    assert printed([failed, task("succeeded", "load")])[1].failures == []


def chained(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "sentence", "expected"),
    [
        (SettingsError("key 'unlinked' is 'x'"), "key 'unlinked' is 'x'", True),
        (ValueError("bad"), "ValueError: bad", False),
        (chained(RuntimeError("task"), SettingsError("key")), "key", True),
        (chained(RuntimeError("task"), ValueError("bad")), "ValueError: bad", False),
        ("lost heartbeat", "lost heartbeat", False),
        (None, "no reason given", False),
    ],
    ids=["ours", "foreign", "ours inside", "foreign inside", "text", "nothing"],
)
def test_explain(error: Exception | str | None, sentence: str, expected: bool) -> None:
    assert explain(error) == (sentence, expected)


@pytest.mark.parametrize(
    ("result", "failures", "sentence"),
    [
        (
            {"failure": "guard drop tripped"},
            [Failure("plan", "other", expected=True)],
            "The run failed: guard drop tripped",
        ),
        ({"failure": None}, [Failure("plan", "mend it", expected=True)], "The run failed in 'plan': mend it"),
        ({}, [Failure("", "mode is wrong", expected=True)], "The run failed: mode is wrong"),
        (
            {},
            [Failure("plan", "KeyError: 'x'", expected=False), Failure("report", "later", expected=True)],
            "The run failed in 'plan', which nobody foresaw (KeyError: 'x'): please report it with run.log",
        ),
        ({}, [], "The run ended without saying why: look at the end of run.log"),
    ],
    ids=["the run's own word", "first failed task", "before any task", "unforeseen", "silent"],
)
def test_failure_sentence(result: dict[str, Any], failures: list[Failure], sentence: str) -> None:
    assert failure_sentence(result, failures, "run.log") == sentence


def test_one_line_keeps_the_first_paragraph() -> None:
    assert one_line(" Invalid input:\n 'x'\n\nFailed validating\n") == "Invalid input: 'x'"
