"""What makes a rule on a frame of facts a Great Expectations expectation of its own.

An expectation here is a `BatchExpectation` with one table metric. The metric evaluates the rule
inside Great Expectations and gives back how many rows break it and a bitmap of them: index lists
of a million rows take minutes and gigabytes, a bitmap takes milliseconds and an eighth of a byte a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.render.components import (
    LegacyDiagnosticRendererType,
    LegacyRendererType,
    RenderedStringTemplateContent,
)
from great_expectations.render.renderer.renderer import renderer

from certrecon.findings import CATALOGUE, Finding
from certrecon.validation.bitmaps import encode_bitmap


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of a run that rules compare with.

    Attributes:
        as_of: The day on which validity is judged, as a day number.
        soon: The last day that counts as expiring soon, as a day number.
        earliest_issue: The earliest plausible issue date, as a day number.
    """

    as_of: int
    soon: int
    earliest_issue: int


Rule = Callable[[pd.DataFrame, Limits], "pd.Series[bool]"]
"""Says which rows of a frame of facts have the finding."""

LIMIT_NAMES = tuple(field.name for field in fields(Limits))
WORDS_KEYS = ("code", "title", "advice", "severity", "owner")
"""What `meta` of an expectation carries, all text for people."""


class FindingExpectation(BatchExpectation):
    """Expect no row of a frame of facts to have one finding.

    `meta` carries code, severity, owner, title and advice; the result carries `unexpected_count`
    and `unexpected_bitmap`.
    """

    as_of: int
    soon: int
    earliest_issue: int

    finding_metric: ClassVar[str] = ""
    metric_dependencies: ClassVar[tuple[str, ...]] = ()
    success_keys: ClassVar[tuple[str, ...]] = LIMIT_NAMES
    args_keys: ClassVar[tuple[str, ...]] = LIMIT_NAMES

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002 - Great Expectations' signature
        execution_engine: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        found = metrics[self.finding_metric]
        return {"success": found["unexpected_count"] == 0, "result": found}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls,
        configuration: Any = None,
        result: Any = None,
        runtime_configuration: Any = None,  # noqa: ARG003 - Great Expectations' signature
    ) -> list[RenderedStringTemplateContent]:
        """Say the rule in words, for Data Docs."""
        stated = configuration or result.expectation_config
        template = {
            "template": "$code: found where a certificate $title. $advice Severity: $severity. Owner: $owner.",
            "params": {key: stated.meta[key] for key in WORDS_KEYS},
            "styling": {"params": {"code": {"classes": ["badge", "badge-secondary"]}}},
        }
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
    def _diagnostic_observed_value_renderer(
        cls,
        configuration: Any = None,  # noqa: ARG003 - Great Expectations' signature
        result: Any = None,
        runtime_configuration: Any = None,  # noqa: ARG003
    ) -> str:
        """Say how many claims have the finding, for Data Docs."""
        counts = result.result if result else {}
        if "unexpected_count" not in counts:
            return "no result"
        return f"{counts['unexpected_count']:,} of {counts['element_count']:,} claims"


def _facts(engine: PandasExecutionEngine, domain: Mapping[str, Any]) -> pd.DataFrame:
    frame, _, _ = engine.get_compute_domain(domain_kwargs=dict(domain), domain_type=MetricDomainTypes.TABLE)
    return frame


def _metric(name: str, code: str, rule: Rule) -> type[TableMetricProvider]:
    @metric_value(engine=PandasExecutionEngine)
    def evaluate(
        cls: Any,  # noqa: ARG001 - Great Expectations' signature
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],  # noqa: ARG001
        runtime_configuration: dict[str, Any],  # noqa: ARG001
    ) -> dict[str, Any]:
        limits = Limits(**{key: metric_value_kwargs[key] for key in LIMIT_NAMES})
        rows = rule(_facts(execution_engine, metric_domain_kwargs), limits).to_numpy(np.bool_)
        return {
            "element_count": len(rows),
            "unexpected_count": int(rows.sum()),
            "unexpected_bitmap": encode_bitmap(rows),
        }

    members = {"metric_name": name, "value_keys": LIMIT_NAMES, "_pandas": evaluate, "__module__": __name__}
    return type(f"{code.title().replace('_', '')}Metric", (TableMetricProvider,), members)


def finding_expectation(code: str, rule: Rule) -> type[FindingExpectation]:
    """Make and register the expectation (and its metric) that states `rule` for a finding.

    Args:
        code: A code of the catalogue; the expectation is called `ExpectNo<Code>`.
        rule: Which rows have the finding.
    """
    finding: Finding = CATALOGUE[code]
    metric = f"certrecon.{code.lower()}"
    _metric(metric, code, rule)
    members = {
        "finding_metric": metric,
        "metric_dependencies": (metric,),
        "__module__": __name__,
        "__doc__": f"Expect no claim that {finding.title}. {finding.advice}",
        "__annotations__": {},
    }
    return type(f"ExpectNo{code.title().replace('_', '')}", (FindingExpectation,), members)
