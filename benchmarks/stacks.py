"""Says of sampled call stacks where the time went: which function of ours, and what it had called there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

OWN = ("certrecon", "certrecon_plugin")
"""The packages whose functions are told by name."""
AROUND = "airflow"
"""The package that calls ours, and that ours calls; what it does then is its own."""
STAGES = "certrecon/stages/"
"""The folder with a module for each task of a night."""
STARTING = "<module>"
"""What the sampler calls the code of a module that is being imported."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One call.

    Attributes:
        function: Its name.
        file: The file, from its package on.
    """

    function: str
    file: str

    @property
    def package(self) -> str:
        """The package or module that the file is of."""
        return self.file.partition("/")[0].removesuffix(".py")

    @property
    def place(self) -> str:
        """The function with its module, without the package."""
        module = self.file.removesuffix(".py").partition("/")[2].replace("/", ".")
        return f"`{module}.{self.function.rpartition('.')[2]}`"


def _frame(text: str) -> Frame:
    function, _, place = text.rpartition(" (")
    return Frame(function, place.removesuffix(")").rpartition(":")[0] or place.removesuffix(")"))


def _importing(below: list[Frame]) -> str | None:
    """Return which package a stack is importing, the one that the project asked for."""
    modules = [frame for frame in below if frame.function == STARTING]
    foreign = [frame.package for frame in modules if frame.package not in OWN]
    if foreign:
        return f"importing {foreign[0]}"
    return "importing the project's own modules" if modules else None


def _where(below: list[Frame]) -> str:
    """Return the innermost function of ours and the package it had called; else the package that was at work."""
    own = [number for number, frame in enumerate(below) if frame.package in OWN]
    if not own:
        return below[0].package if below else "the program itself"
    called = below[own[-1] + 1 :]
    if called and called[0].package == AROUND:
        return AROUND
    return below[own[-1]].place + (f", in {called[-1].package}" if called else "")


def _task(below: list[Frame]) -> str:
    """Return the task of a night that was at work; else what `_where` returns."""
    return next((frame.place for frame in below if frame.file.startswith(STAGES)), None) or _where(below)


def places(raw: Iterable[str], begin: str, *, by_task: bool = False) -> Counter[str]:
    """Count samples by where they were.

    Args:
        raw: Lines of `outermost;...;innermost count`, a frame being `function (file:line)`.
        begin: The function in which the time counts; samples without it are left out.
        by_task: Tell tasks of a night, not functions.
    """
    where = _task if by_task else _where
    found: Counter[str] = Counter()
    for line in raw:
        stack, _, count = line.rpartition(" ")
        frames = [_frame(text) for text in stack.split(";")]
        outside = [number for number, frame in enumerate(frames) if frame.function == begin]
        if outside:
            below = [frame for frame in frames[outside[0] + 1 :] if not frame.file.startswith("<")]
            found[_importing(below) or where(below)] += int(count)
    return found
