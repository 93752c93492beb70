"""All findings of all claims side by side: who is blocked, and the codes of each claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from certrecon.errors import AccountingError
from certrecon.findings import CATALOGUE
from certrecon.settings import Settings
from certrecon.validation.results import SubjectResult
from certrecon.words import Severity

Bools = npt.NDArray[np.bool_]


def code_lists(codes: list[str], matrix: Bools) -> pa.Array:
    """Return a `list<string>` column: for each row of `matrix` the codes of its true columns, in order."""
    rows, columns = np.nonzero(matrix)
    offsets = np.zeros(len(matrix) + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=len(matrix)), out=offsets[1:])
    values = pa.array(codes, pa.string()).take(pa.array(columns))
    return pa.ListArray.from_arrays(pa.array(offsets), values)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Which claims have which findings.

    Attributes:
        found: For each code of the catalogue, sorted, which claims have it.
        critical: The codes that block under the run's settings.
    """

    found: Mapping[str, Bools]
    critical: frozenset[str]

    @property
    def rows(self) -> int:
        """How many claims there are."""
        return len(next(iter(self.found.values())))

    def has(self, code: str) -> Bools:
        """Return which claims have a finding."""
        return self.found[code]

    @property
    def blocked(self) -> Bools:
        """Which claims have a critical finding."""
        return np.asarray(np.logical_or.reduce([self.found[code] for code in sorted(self.critical)]))

    def take(self, rows: npt.NDArray[np.int64]) -> Verdicts:
        """Return the verdicts on some claims."""
        return Verdicts({code: found[rows] for code, found in self.found.items()}, self.critical)

    def lists(self, *, only_critical: bool = False) -> pa.Array:
        """Return each claim's codes, sorted, as `list<string>`."""
        codes = [code for code in self.found if not only_critical or code in self.critical]
        return code_lists(codes, np.column_stack([self.found[code] for code in codes]))

    @property
    def counts(self) -> dict[str, int]:
        """How many claims have each finding that occurs."""
        counts = {code: int(rows.sum()) for code, rows in self.found.items()}
        return {code: count for code, count in counts.items() if count}


def collect(results: Iterable[SubjectResult], settings: Settings) -> Verdicts:
    """Put the results of all subjects together.

    Raises:
        AccountingError: The results do not cover the catalogue, or not the same claims.
    """
    found = {code: rows for result in results for code, rows in result.found.items()}
    sizes = {len(rows) for rows in found.values()}
    if set(found) != set(CATALOGUE) or len(sizes) != 1:
        message = f"Validation results cover {len(found)} of {len(CATALOGUE)} findings over {sorted(sizes)} claims."
        raise AccountingError(message)
    critical = frozenset(code for code in CATALOGUE if settings.severity_of(code) is Severity.CRITICAL)
    return Verdicts(dict(sorted(found.items())), critical)
