"""Runs the expectations of one subject and reads their results."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
import pyarrow as pa
from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.metadata_types import FailureSeverity

from certrecon.claims.dates import day_number
from certrecon.claims.facts import DATE_FACTS, LINK_FACTS, MATCH_FACTS
from certrecon.errors import RuleEvaluationError
from certrecon.findings import CATALOGUE
from certrecon.settings import Settings
from certrecon.validation.expectation import Bools, Limits, decode_bitmap
from certrecon.validation.rules import RULES, Subject

EARLIEST_ISSUE = dt.date(1950, 1, 1)
"""Certificates issued earlier are implausible (design, `DATE_IMPLAUSIBLE`)."""

APPLICABLE = ("applicable", pa.bool_())
COLUMNS = {
    Subject.DATES: [name for name, _ in DATE_FACTS],
    Subject.EMPLOYEE_MATCH: [name for name, _ in MATCH_FACTS],
    Subject.LINKS_AND_TYPES: [name for name, _ in [APPLICABLE, *LINK_FACTS]],
}
"""The columns of `CLAIM_FACTS` that each subject's frame has: numbers and booleans, no text."""


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


def limits_of(settings: Settings, as_of: dt.date) -> Limits:
    """Return the numbers that rules compare with."""
    today = day_number(as_of)
    return Limits(today, today + settings.expiring_within_days, day_number(EARLIEST_ISSUE))


def _context() -> AbstractDataContext:
    """Return a context in memory: nothing of it outlives the validation, and no two share a site."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    return context


def _definition(subject: Subject, suite: gx.ExpectationSuite) -> gx.ValidationDefinition:
    context = _context()
    asset = context.data_sources.add_pandas("claims").add_dataframe_asset(str(subject))
    batch = asset.add_batch_definition_whole_dataframe("all")
    definition = gx.ValidationDefinition(
        name=f"validate_{subject}", data=batch, suite=context.suites.add(suite)
    )
    return context.validation_definitions.add(definition)


def suite_of(subject: Subject, settings: Settings, as_of: dt.date) -> gx.ExpectationSuite:
    """Return the expectations of a subject, each carrying its finding in `meta`."""
    limits = limits_of(settings, as_of)
    expectations = []
    for code, rule in RULES.items():
        if rule.subject is subject:
            finding, severity = CATALOGUE[code], settings.severity_of(code)
            meta = {
                "code": code,
                "owner": str(finding.owner),
                "title": finding.title,
                "advice": finding.advice,
            }
            expectations.append(
                rule.expectation(
                    as_of=limits.as_of,
                    soon=limits.soon,
                    earliest_issue=limits.earliest_issue,
                    severity=FailureSeverity(str(severity)),
                    meta=meta | {"severity": str(severity)},
                )
            )
    return gx.ExpectationSuite(name=f"certificates_{subject}", expectations=expectations)


def validate(subject: Subject, facts: pa.Table, settings: Settings, as_of: dt.date) -> SubjectResult:
    """Run a subject's expectations over the claims.

    Args:
        subject: Which expectations.
        facts: At least the columns `COLUMNS[subject]` of `CLAIM_FACTS`.
        settings: The run's settings, for severities and limits.
        as_of: The day on which validity is judged.

    Raises:
        RuleEvaluationError: An expectation raised, or gave no result.
    """
    frame = pd.DataFrame({name: facts.column(name).to_numpy() for name in COLUMNS[subject]})
    definition = _definition(subject, suite_of(subject, settings, as_of))
    outcome = definition.run(batch_parameters={"dataframe": frame}, result_format="SUMMARY")
    described = outcome.to_json_dict()  # type: ignore[no-untyped-call]
    document = json.dumps(described, sort_keys=True, ensure_ascii=False)
    return read_result(subject, document, facts.num_rows)


def _rows_found(entry: Mapping[str, Any], rows: int) -> tuple[str, Bools]:
    code = entry["expectation_config"]["meta"]["code"]
    raised = entry.get("exception_info") or {}
    problems = [raised] if "raised_exception" in raised else list(raised.values())
    if (
        any(problem.get("raised_exception") for problem in problems)
        or "unexpected_bitmap" not in entry["result"]
    ):
        message = (
            f"The expectation of {code} raised instead of giving a result: "
            f"{'; '.join(str(problem.get('exception_message')) for problem in problems)}. Nothing was published."
        )
        raise RuleEvaluationError(message)
    found = decode_bitmap(entry["result"]["unexpected_bitmap"], rows)
    if int(found.sum()) != entry["result"]["unexpected_count"]:
        message = (
            f"The result of {code} counts {entry['result']['unexpected_count']} rows but names {found.sum()}."
        )
        raise RuleEvaluationError(message)
    return code, found


def read_result(subject: Subject, document: str, rows: int) -> SubjectResult:
    """Read the findings out of a stored validation result.

    Raises:
        RuleEvaluationError: An expectation raised, is missing, or its count and bitmap disagree.
    """
    found = dict(_rows_found(entry, rows) for entry in json.loads(document)["results"])
    wanted = {code for code, rule in RULES.items() if rule.subject is subject}
    if set(found) != wanted:
        message = f"Findings without a result on {subject}: {sorted(wanted - set(found))}."
        raise RuleEvaluationError(message)
    return SubjectResult(subject, rows, {code: np.asarray(bits) for code, bits in found.items()}, document)
