"""Prints a run as it goes: a line a task, with what the pipeline itself says beneath it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DOTS_UP_TO = 44
WORTH_TELLING_SECONDS = 1.0
NOTES_OF_A_TASK = 4  # and after those one every few seconds, as a sign of life
SECONDS_BETWEEN_NOTES = 3.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task, or the run outside of any task, failed.

    Attributes:
        title: The task as it was shown; empty outside of tasks.
        sentence: What the exception says, in one line.
        expected: The sentence was written for people, by this project or by Airflow.
    """

    title: str
    sentence: str
    expected: bool


class Printer:
    """Prints events; keeps a step's line open while the step runs."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Print to a stream, by default standard output."""
        self._stream = stream or sys.stdout
        self._open_since: float | None = None
        self._notes = self._hidden = 0
        self._last_note = 0.0
        self.failures: list[Failure] = []

    def follow(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Print events until there are no more."""
        for event in events:
            self.show(event)
        self.break_line()

    def line(self, text: str = "") -> None:
        """Print a line of its own."""
        self.break_line()
        self._write(f"{text}\n")

    def begin(self, title: str) -> None:
        """Open the line of a step; whatever step is open has ended."""
        self.end()
        self._write(f"  {title} ".ljust(DOTS_UP_TO, "."))
        self._open_since = time.monotonic()

    def end(self) -> None:
        """Close the line of a step with the time it took; nothing when no line is open."""
        if self._open_since is not None:
            self._write(f" {time.monotonic() - self._open_since:5.1f} s\n")
            self._open_since = None

    def break_line(self) -> None:
        """Close an open line without saying that its step has ended."""
        if self._open_since is not None:
            self._write("\n")
            self._open_since = None

    def show(self, event: Mapping[str, Any]) -> None:
        """Print one event of the pipeline's process."""
        kind = event["event"]
        if kind == "note":
            self._note(event)
        elif kind == "started":
            self.begin(task_title(event))
        elif kind == "crashed":
            self.failures.append(Failure("", one_line(event["sentence"]), event["expected"]))
        else:
            self._end_task(event)

    def _note(self, event: Mapping[str, Any]) -> None:
        told = event["level"] != "INFO"
        waited = time.monotonic() - self._last_note > SECONDS_BETWEEN_NOTES
        if not told and self._notes >= NOTES_OF_A_TASK and not waited:
            self._hidden += 1
            return
        self._notes, self._last_note = self._notes + 1, time.monotonic()
        self.line(f"      {event['level'].lower() + ': ' if told else ''}{event['text']}")

    def _end_notes(self) -> None:
        if self._hidden:
            self.line(f"      ({self._hidden} more in the log)")
        self._notes = self._hidden = 0

    def _end_task(self, event: Mapping[str, Any]) -> None:
        kind, title = event["event"], task_title(event)
        self._end_notes()
        self.failures = [each for each in self.failures if each.title != title]  # an earlier try of this task
        remark = "" if kind == "succeeded" else f"{kind} "
        if self._open_since is not None:
            self._write(f" {event['seconds']:5.1f} s  {remark}".rstrip() + "\n")
            self._open_since = None
        elif remark or event["seconds"] > WORTH_TELLING_SECONDS:
            self._write(f"      {remark}after {event['seconds']:.1f} s\n")
        if kind == "failed":
            self.failures.append(Failure(title, one_line(event["sentence"]), event["expected"]))
            self.line(f"      {self.failures[-1].sentence}")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def task_title(event: Mapping[str, Any]) -> str:
    """Return a task's name as words, numbered where there are several of it."""
    name = str(event["task"]).replace("_", " ").replace(".", ": ")
    return name if event["index"] < 0 else f"{name} {event['index'] + 1}"


def one_line(text: str) -> str:
    """Return the first paragraph of a text as one line."""
    return " ".join(text.strip().split("\n\n")[0].split())
