"""Tasks that make claims, validate them with Great Expectations, and plan what to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certrecon_plugin.operators.base import StageOperator, Task, result_of, run_of
from certrecon_plugin.resources import workplace
from certrecon_plugin.telling.assets import OUTCOME

if TYPE_CHECKING:
    from airflow.sdk import Context

VALIDATIONS = {
    Task.VALIDATE_DATES: "dates",
    Task.VALIDATE_EMPLOYEE_MATCHES: "employee_match",
    Task.FLAG_UNLINKED_CERTIFICATES: "links_and_types",
}
"""Which subject each validation task looks at."""


class BuildClaimsOperator(StageOperator):
    """Turns the sealed inputs into claims with every fact that rules ask about."""

    writes = (OUTCOME,)

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return where the claims are."""
        from certrecon.stages.build_claims import run_build_claims

        with workplace(run_of(context)) as place:
            return run_build_claims(place).to_json()


class ValidateOperator(StageOperator):
    """Runs the expectations of one subject over the claims."""

    writes = (OUTCOME,)

    def __init__(self, *, subject: str, **kwargs: Any) -> None:
        """Take the subject, one of `VALIDATIONS`."""
        super().__init__(**kwargs)
        self.subject = subject

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return where Great Expectations' result is."""
        from dataclasses import asdict

        from certrecon.stages.build_claims import BuiltClaims
        from certrecon.stages.validate import run_validate
        from certrecon.words import Subject

        built = BuiltClaims.from_json(result_of(context, Task.BUILD_CLAIMS))
        with workplace(run_of(context)) as place:
            return asdict(run_validate(place, Subject(self.subject), built))


class PlanOperator(StageOperator):
    """Gives every claim its disposition and plans what to send."""

    writes = (OUTCOME,)

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return where the decisions are and how many claims have each finding."""
        from certrecon.stages.build_claims import BuiltClaims
        from certrecon.stages.handle import FileRef
        from certrecon.stages.plan import run_plan
        from certrecon.words import Subject

        built = BuiltClaims.from_json(result_of(context, Task.BUILD_CLAIMS))
        validations = {Subject(subject): FileRef(**result_of(context, task)) for task, subject in VALIDATIONS.items()}
        with workplace(run_of(context)) as place:
            return run_plan(place, built, validations).to_json()
