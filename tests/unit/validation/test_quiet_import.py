"""What Great Expectations says while it is imported stays out of the logs of tasks."""

from __future__ import annotations

import subprocess
import sys

IMPORTING = """
import logging
logging.basicConfig(level=logging.DEBUG, format="%(name)s %(message)s")
import {module}
"""


def said(module: str) -> list[str]:
    """Return what a fresh process logs that imports a module, Great Expectations' own lines alone."""
    program = [sys.executable, "-c", IMPORTING.format(module=module)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    return [line for line in done.stderr.splitlines() if line.startswith("great_expectations")]


def test_it_says_much() -> None:
    assert len(said("great_expectations")) > 100


def test_tasks_do_not_say_it() -> None:
    assert said("certrecon.stages.validate") == []
