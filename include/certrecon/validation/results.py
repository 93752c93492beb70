"""Reads findings out of Great Expectations' stored results; needs nothing of Great Expectations itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from certrecon.errors import RuleEvaluationError
from certrecon.findings import CATALOGUE
from certrecon.validation.bitmaps import Bools, decode_bitmap
from certrecon.words import Subject


@dataclass(frozen=True, slots=True)
class SubjectResult:
    """What Great Expectations found on one subject.

    Attributes:
        subject: The frame that was looked at.
        rows: How many claims it had.
        found: For each finding code of the subject, which claims have it.
        document: Great Expectations' own validation result, as JSON.
    """

    subject: Subject
    rows: int
    found: Mapping[str, Bools]
    document: str

    @property
    def counts(self) -> dict[str, int]:
        """How many claims have each finding."""
        return {code: int(rows.sum()) for code, rows in self.found.items()}


def _rows_found(entry: Mapping[str, Any], rows: int) -> tuple[str, Bools]:
    code = entry["expectation_config"]["meta"]["code"]
    raised = entry.get("exception_info") or {}
    problems = [raised] if "raised_exception" in raised else list(raised.values())
    if any(problem.get("raised_exception") for problem in problems) or "unexpected_bitmap" not in entry["result"]:
        message = (
            f"The expectation of {code} raised instead of giving a result: "
            f"{'; '.join(str(problem.get('exception_message')) for problem in problems)}. Nothing was published."
        )
        raise RuleEvaluationError(message)
    found = decode_bitmap(entry["result"]["unexpected_bitmap"], rows)
    if int(found.sum()) != entry["result"]["unexpected_count"]:
        message = f"The result of {code} counts {entry['result']['unexpected_count']} rows but names {found.sum()}."
        raise RuleEvaluationError(message)
    return code, found


def read_result(subject: Subject, document: str, rows: int) -> SubjectResult:
    """Read the findings out of a stored validation result.

    Raises:
        RuleEvaluationError: An expectation raised, is missing, or its count and bitmap disagree.
    """
    found = dict(_rows_found(entry, rows) for entry in json.loads(document)["results"])
    wanted = {code for code, finding in CATALOGUE.items() if finding.subject is subject}
    if set(found) != wanted:
        message = f"Findings without a result on {subject}: {sorted(wanted - set(found))}."
        raise RuleEvaluationError(message)
    return SubjectResult(subject, rows, {code: np.asarray(bits) for code, bits in found.items()}, document)
