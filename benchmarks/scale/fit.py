"""Lines through measurements: a fixed part and one for each row, both found and never typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Figures = NDArray[np.float64]


class UnmeasuredError(Exception):
    """What the model needs was never measured; the text names the file and how to make it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A cost that grows with a number.

    Attributes:
        fixed: What it costs at nought.
        each: What every one more costs.
        error: The largest distance of a measured point from the line, as a share of the point.
        upto: The largest number that was measured; beyond it the line is a guess.
    """

    fixed: float
    each: float
    error: float = 0.0
    upto: int = 0

    def at(self, number: float) -> float:
        """Return the cost at a number."""
        return self.fixed + self.each * number

    def reaches(self, cost: float) -> float:
        """Return the number at which a cost is reached; infinite where the cost does not grow."""
        return (cost - self.fixed) / self.each if self.each > 0 else float("inf")


def fit_line(numbers: Sequence[float], costs: Sequence[float], what: str) -> Line:
    """Return the line of least squares of relative errors, neither part below nought.

    Args:
        numbers: Where it was measured.
        costs: What was measured there, all above nought.
        what: What is measured, for the message.

    Raises:
        UnmeasuredError: There are fewer than two different numbers.
    """
    if len(set(numbers)) < 2:
        found = ", ".join(f"{number:,.0f}" for number in sorted(set(numbers))) or "none"
        raise UnmeasuredError(f"{what}: a line needs two sizes, measured: {found}")
    x, y = np.asarray(numbers, dtype=np.float64), np.asarray(costs, dtype=np.float64)
    candidates = [_both(x, y), (float(np.sum(1 / y) / np.sum(1 / y**2)), 0.0), (0.0, _slope_only(x, y))]
    allowed = [one for one in candidates if one[0] >= 0 and one[1] >= 0]
    fixed, each = min(allowed, key=lambda one: float(np.sum(_errors(x, y, *one) ** 2)))
    return Line(fixed, each, float(np.max(np.abs(_errors(x, y, fixed, each)))), int(x.max()))


def _errors(x: Figures, y: Figures, fixed: float, each: float) -> Figures:
    return np.asarray((fixed + each * x - y) / y)


def _both(x: Figures, y: Figures) -> tuple[float, float]:
    solved = np.linalg.lstsq(np.column_stack([1 / y, x / y]), np.ones_like(y), rcond=None)[0]
    return float(solved[0]), float(solved[1])


def _slope_only(x: Figures, y: Figures) -> float:
    return float(np.sum(x / y) / np.sum((x / y) ** 2))
