"""What a run of `link_certificates` is started with, and whether it may run at all."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from certrecon.api.value_kinds import Uuid
from certrecon.errors import ParameterError, SettingsError
from certrecon.settings.model import LinkingSettings
from certrecon.stages.parameters import checked_parameters
from certrecon.text import visible

log = logging.getLogger(__name__)

_UUID = Uuid()
_SHOWN = 60

CertificateIds = Annotated[tuple[str, ...], Field(min_length=1)]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255)]


def _none_for_blank(value: str | None) -> str | None:
    return value or None


OptionalText = Annotated[_Text | None, AfterValidator(_none_for_blank)]


class LinkParameters(BaseModel):
    """What whoever starts a run may choose.

    Attributes:
        certificate_ids: The certificates to link, each once.
        action_id: The action to which they are to be linked, or None where its code is given.
        action_code: Its code instead, where the certificates' project has one action of it; else None.
        date_expire: The expiry of the new links; None = each certificate's own.
        dry_run: Say what would be done; ask nobody and write nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    certificate_ids: CertificateIds
    action_id: OptionalText = None
    action_code: OptionalText = None
    date_expire: dt.date | None = None
    dry_run: bool = False

    @field_validator("certificate_ids")
    @classmethod
    def _distinct_uuids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        trimmed = tuple(dict.fromkeys(one.strip() for one in value))
        wrong = next((one for one in trimmed if not _UUID.accepts(one)), None)
        if wrong is not None:
            message = f"'{visible(wrong, _SHOWN)}' is no id of a certificate: it needs to be {_UUID.needed}"
            raise ValueError(message)
        return trimmed


@dataclass(frozen=True, slots=True)
class LinkingRun:
    """One run of the DAG.

    Attributes:
        run_id: Airflow's run id.
        triggered_by: Who started it, where that is known.
        parameters: What it was started with.
    """

    run_id: str
    triggered_by: str | None
    parameters: LinkParameters

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return asdict(self) | {"parameters": self.parameters.model_dump(mode="json")}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LinkingRun:
        """Rebuild what `to_json` gave."""
        return cls(**{**values, "parameters": LinkParameters.model_validate(values["parameters"])})


def require_enabled(settings: LinkingSettings) -> None:
    """Return if the settings allow writing to 4HSE.

    Raises:
        SettingsError: They do not; nothing was read and nothing was written.
    """
    if not settings.enabled:
        message = (
            "linking.enabled: false does not let this project write to 4HSE, so nothing was read and nothing was "
            "linked. With linking: {enabled: true} in the settings link_certificates may create CertificateActions, "
            "once a person has approved each list. The runbook says what that needs (Linking certificates)."
        )
        raise SettingsError(message)


def parse_link_parameters(
    conf: Mapping[str, Any] | None, params: Mapping[str, Any], settings: LinkingSettings
) -> LinkParameters:
    """Check what a run was started with.

    Raises:
        ParameterError: A key or value is not allowed, the action is not given or given twice, or there are too many
            certificates; the message names it.
    """
    parameters = checked_parameters(LinkParameters, conf, params)
    _require_one_action(parameters)
    found = len(parameters.certificate_ids)
    if found > settings.max_certificates:
        message = (
            f"Parameter 'certificate_ids' has {found:,} certificates, and the setting linking.max_certificates allows "
            f"{settings.max_certificates:,}. Link them in several runs."
        )
        raise ParameterError(message)
    log.info("Action %s, %s certificates", parameters.action_id or "by its code", found)
    return parameters


def _require_one_action(parameters: LinkParameters) -> None:
    if (parameters.action_id is None) == (parameters.action_code is None):
        given = "neither is given" if parameters.action_id is None else "both are given"
        message = (
            f"Parameters 'action_id' and 'action_code' name the action by its id or by its code, and {given}. Give one "
            "of them: the id is in the address of the action in 4HSE."
        )
        raise ParameterError(message)
