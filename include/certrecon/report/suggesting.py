"""Employees that a 4HSE person without a certain employee may be; a suggestion only, never applied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import pyarrow as pa
from rapidfuzz import fuzz, process

from certrecon.names import ALIKE, Name, names_agree
from certrecon.text import fold_tokens

MOST: Final = 3
"""How many employees are suggested for one person."""

CANDIDATES: Final = 200
"""How many employees with a likely name are looked at for one person."""


class _Employee(NamedTuple):
    number: str
    given: str
    family: str


@lru_cache(maxsize=200_000)
def _tokens(text: str) -> tuple[str, ...]:
    return fold_tokens(text)


class EmployeeNames:
    """Ditio employees by the tokens of their names, so that no person is held against every employee."""

    def __init__(self, employees: pa.Table) -> None:
        """Index employees.

        Args:
            employees: Schema `certrecon.claims.inputs.EMPLOYEES`; only numbers and names are used.
        """
        names = ("employee_number", "first_name", "last_name")
        numbers, given, family = (employees.column(name).to_pylist() for name in names)
        self._index: dict[str, dict[str, set[_Employee]]] = defaultdict(lambda: defaultdict(set))
        for number, first, last in zip(numbers, given, family, strict=True):
            if number:
                self._add(_Employee(number, first or "", last or ""))
        self._near = lru_cache(maxsize=100_000)(self._near_uncached)

    def _add(self, employee: _Employee) -> None:
        tokens = {*_tokens(employee.given), *_tokens(employee.family)}
        for surname in tokens:
            for other in tokens:
                self._index[surname][other].add(employee)

    def _near_uncached(self, surname: str, given: str) -> tuple[_Employee, ...]:
        """Return the employees who carry a token, and another that is the same as `given` or nearly so."""
        others = self._index.get(surname)
        if others is None:
            return ()
        tokens = [given] if given in others else []
        alike = process.extract(given, list(others), scorer=fuzz.ratio, score_cutoff=ALIKE, limit=10)
        tokens += [token for token, _, _ in alike if token != given]
        return tuple(employee for token in tokens for employee in sorted(others[token])[:CANDIDATES])

    def like(self, name: Name, number: str | None) -> list[str]:
        """Return at most three employees whose names agree with a person's, as `number name`.

        Args:
            name: The person's name.
            number: The person's own number, which is left out.
        """
        given, family = (_tokens(text or "") for text in (name.given, name.family))
        candidates = {
            one
            for first, second in ((family, given), (given, family))
            for surname in first
            for other in second
            for one in self._near(surname, other)
        }
        agreeing = (
            one for one in candidates if one.number != number and names_agree(name, Name(one.given, one.family))
        )
        return [_shown(one) for one in sorted(agreeing)[:MOST]]


def _shown(employee: _Employee) -> str:
    return " ".join(filter(None, employee))


def suggestions(persons: Iterable[tuple[Name, str | None]], employees: pa.Table) -> Iterator[str]:
    """Yield for each person the employees who may be meant, with `; ` between; empty where there are none.

    Args:
        persons: Name and number of each.
        employees: Schema `certrecon.claims.inputs.EMPLOYEES`.
    """
    index = EmployeeNames(employees)
    for name, number in persons:
        yield "; ".join(index.like(name, number))
