"""Runs the expectations of one subject and reads their results."""

from __future__ import annotations

import datetime as dt
import json

import great_expectations as gx
import pandas as pd
import pyarrow as pa
from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.metadata_types import FailureSeverity

from certrecon.claims.dates import day_number
from certrecon.claims.facts import DATE_FACTS, LINK_FACTS, MATCH_FACTS
from certrecon.findings import CATALOGUE
from certrecon.settings import Settings
from certrecon.validation.expectation import Limits
from certrecon.validation.results import SubjectResult, read_result
from certrecon.validation.rules import RULES
from certrecon.words import Subject

EARLIEST_ISSUE = dt.date(1950, 1, 1)
"""Certificates issued earlier are implausible (design, `DATE_IMPLAUSIBLE`)."""

APPLICABLE = ("applicable", pa.bool_())
COLUMNS = {
    Subject.DATES: [name for name, _ in DATE_FACTS],
    Subject.EMPLOYEE_MATCH: [name for name, _ in MATCH_FACTS],
    Subject.LINKS_AND_TYPES: [name for name, _ in [APPLICABLE, *LINK_FACTS]],
}
"""The columns of `CLAIM_FACTS` that each subject's frame has: numbers and booleans, no text."""


def limits_of(settings: Settings, as_of: dt.date) -> Limits:
    """Return the numbers that rules compare with."""
    today = day_number(as_of)
    return Limits(today, today + settings.expiring_within_days, day_number(EARLIEST_ISSUE))


def _context() -> AbstractDataContext:
    """Return a context in memory: nothing of it outlives the validation, and no two share a site."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _definition(subject: Subject, suite: gx.ExpectationSuite) -> gx.ValidationDefinition:
    context = _context()
    asset = context.data_sources.add_pandas("claims").add_dataframe_asset(str(subject))
    batch = asset.add_batch_definition_whole_dataframe("all")
    definition = gx.ValidationDefinition(name=f"validate_{subject}", data=batch, suite=context.suites.add(suite))
    return context.validation_definitions.add(definition)


def suite_of(subject: Subject, settings: Settings, as_of: dt.date) -> gx.ExpectationSuite:
    """Return the expectations of a subject, each carrying its finding in `meta`."""
    limits = limits_of(settings, as_of)
    expectations = []
    for code, expectation in RULES.items():
        finding, severity = CATALOGUE[code], settings.severity_of(code)
        if finding.subject is subject:
            meta = {
                "code": code,
                "owner": str(finding.owner),
                "title": finding.title,
                "advice": finding.advice,
            }
            expectations.append(
                expectation(
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
