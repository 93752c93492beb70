# ruff: noqa: T201 - it talks to a terminal
"""`make test-kill`: kill everything everywhere, print what came of it; `SEED=` repeats the kills of an earlier time."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from tests.kill.ground import Ground, prepared_ground
from tests.kill.kills import draw, every_place
from tests.kill.schedulers import draw_scheduler_kills, survive_all
from tests.kill.trial import survive

WIDTHS = (10, 23, 23, 4, 23, 18, 5, 5)
HEADINGS = ("killed", "phase", "moment", "at", "task", "went on by", "again", "s")


def main() -> int:
    """Try every kill; return 0 when all were survived."""
    seed = int(os.environ.get("SEED") or secrets.randbelow(10**6))
    print(f"SEED={seed}\n\n{_line(HEADINGS)}", flush=True)
    began, lines = time.monotonic(), []
    with prepared_ground() as ground:
        for line in chain(_of_tasks_and_services(ground, seed), _of_the_scheduler(ground, seed)):
            lines.append(line)
            _show(line)
    _conclude(lines, seed, time.monotonic() - began)
    return 1 if any(line.problems for line in lines) else 0


@dataclass(frozen=True, slots=True)
class Line:
    """One kill in the table.

    Attributes:
        victim: Who was killed.
        words: When, in which task, and how the run went on.
        sent_again: Rows sent again beyond what a calm night does.
        problems: What was not as after calm nights.
        seconds: How long it took.
    """

    victim: str
    words: tuple[str, ...]
    sent_again: int
    problems: tuple[str, ...]
    seconds: float


def _of_tasks_and_services(ground: Ground, seed: int) -> Iterator[Line]:
    for planned in draw(every_place(), seed, both=True):
        found = survive(ground, planned)
        kill = found.kill
        words = (str(kill.phase), str(kill.moment), f"{kill.share:.2f}", found.step, found.after)
        yield Line(str(kill.victim), words, found.sent_again, found.problems, found.seconds)


def _of_the_scheduler(ground: Ground, seed: int) -> Iterator[Line]:
    for found in survive_all(ground, draw_scheduler_kills(seed)):
        kill = found.kill
        moment = "processed, not answered" if kill.delay is None else "at any time"
        after = f"{found.tries} tries of a task" if found.tries > 1 else "nobody noticed"
        words = (str(kill.scope), moment, "" if kill.delay is None else f"{kill.delay:.2f}", kill.task, after)
        yield Line("scheduler", words, found.sent_again, found.problems, found.seconds)


def _show(line: Line) -> None:
    words = line.words if not line.problems else (*line.words[:-1], "LOST")
    print(_line([line.victim, *words, str(line.sent_again), f"{line.seconds:.1f}"]), flush=True)
    for problem in line.problems:
        print(f"    {problem}", flush=True)


def _line(words: Sequence[str]) -> str:
    return "  ".join(word[:width].ljust(width) for word, width in zip(words, WIDTHS, strict=True)).rstrip()


def _conclude(lines: list[Line], seed: int, seconds: float) -> None:
    tried = Counter(line.victim for line in lines)
    survived = Counter(line.victim for line in lines if not line.problems)
    print()
    for victim, number in tried.items():
        print(f"{victim}: {survived[victim]} of {number} kills survived")
    again = sum(line.sent_again for line in lines)
    print(f"all: {survived.total()} of {tried.total()} kills survived in {seconds:.0f} s; {again} rows were sent again")
    print(f"because no answer to them had been committed, none of which one had. SEED={seed} repeats this.")


if __name__ == "__main__":
    sys.exit(main())
