"""A run's parameters (design, *DAG `certificate_reconciliation`*)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from certrecon.errors import ParameterError
from certrecon.settings.model import ApprovalSettings
from certrecon.text import visible
from certrecon.words import Guard, Mode

Model = TypeVar("Model", bound=BaseModel)
_SHOWN = 200


class ApprovalMode(StrEnum):
    """When a person is asked before publishing."""

    AUTO = "auto"
    ALWAYS = "always"


def _empty_for_null(value: Any) -> Any:
    return () if value is None else value


class Parameters(BaseModel):
    """What whoever starts a run may choose.

    Attributes:
        mode: `publish`, or `dry_run`, which sends and changes nothing.
        tenant_ids: The only 4HSE projects to read; empty means all of the settings.
        approval: Ask a person when a guard trips, or always.
        accept: Guards accepted beforehand.
        resend: Send every winner, also what the ledger says is acknowledged.
        as_of: The day on which validity is judged; None means the run's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Mode = Mode.PUBLISH
    tenant_ids: Annotated[tuple[str, ...], BeforeValidator(_empty_for_null)] = ()
    approval: ApprovalMode = ApprovalMode.AUTO
    accept: Annotated[tuple[Guard, ...], BeforeValidator(_empty_for_null)] = ()
    resend: bool = False
    as_of: dt.date | None = None


def parse_parameters(conf: Mapping[str, Any] | None, params: Mapping[str, Any]) -> Parameters:
    """Check what a run was started with.

    Args:
        conf: The run's conf as it was given; a key that is no parameter is refused.
        params: The DAG's parameters with the conf already over their defaults.

    Raises:
        ParameterError: A key or value is not allowed; the message names it.
    """
    return checked_parameters(Parameters, conf, params)


def checked_parameters(model: type[Model], conf: Mapping[str, Any] | None, params: Mapping[str, Any]) -> Model:
    """Check a run's conf against the parameters of its DAG.

    Args:
        model: The parameters.
        conf: The run's conf as it was given; a key that is no parameter is refused.
        params: The DAG's parameters with the conf already over their defaults.

    Raises:
        ParameterError: A key or value is not allowed; the message names it.
    """
    unknown = sorted(set(conf or {}) - set(model.model_fields))
    if unknown:
        known = ", ".join(model.model_fields)
        message = (
            f"The run's conf has the unknown key '{unknown[0]}'. Known are {known}. Start the run again without it."
        )
        raise ParameterError(message)
    try:
        return model.model_validate(dict(params) | dict(conf or {}))
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        message = f"Parameter '{name}' does not allow {visible(repr(problem['input']), _SHOWN)}: {problem['msg']}."
        raise ParameterError(message) from error


def judged_day(parameters: Parameters, run_day: dt.date) -> dt.date:
    """Return the day on which validity is judged.

    Raises:
        ParameterError: `as_of` is another day than the run's own, and the run would publish.
    """
    if parameters.as_of in {None, run_day}:
        return run_day
    if parameters.mode is not Mode.DRY_RUN:
        message = (
            f"Parameter 'as_of' is {parameters.as_of}, another day than the run's own ({run_day}): "
            "that is only for mode dry_run."
        )
        raise ParameterError(message)
    return parameters.as_of or run_day


def require_four_eyes(parameters: Parameters, approval: ApprovalSettings) -> None:
    """Refuse guards accepted by whoever starts the run where another person has to look at them.

    Raises:
        ParameterError: `accept` names a guard under the setting `approval.four_eyes`.
    """
    if approval.four_eyes and parameters.accept:
        message = (
            f"Parameter 'accept' names {parameters.accept[0]}, but under the setting approval.four_eyes whoever starts "
            "a run cannot accept guards. Start it without 'accept': another person is asked in Airflow."
        )
        raise ParameterError(message)


def limited_tenants(parameters: Parameters, tenants: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tenants to read out of those of the settings.

    Raises:
        ParameterError: `tenant_ids` names a tenant that is not among them, or there is none at all.
    """
    strangers = [tenant for tenant in parameters.tenant_ids if tenant not in tenants]
    if strangers:
        message = (
            f"Parameter 'tenant_ids' names '{strangers[0]}', which is none of the {len(tenants)} 4HSE projects of the "
            "settings that the 4HSE user can see. Take ids from the address of a project in 4HSE, or leave it empty."
        )
        raise ParameterError(message)
    chosen = tuple(dict.fromkeys(parameters.tenant_ids)) or tenants
    if not chosen:
        message = "There is no tenant to read: the 4HSE user sees no active project. Check its rights in 4HSE."
        raise ParameterError(message)
    return chosen
