"""What the settings may hold (design, *Settings* and *Fine print*)."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from certrecon.findings import CATALOGUE
from certrecon.text import collapsed, fold_key, trimmed
from certrecon.words import ActionType, EmployeeSource, NoExpiry, Severity, Unlinked

MAX_TYPE_LENGTH = 255
"""Longest certificate type in characters (design, *From certificates to claims*, 2)."""

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=10**12)]


def _id_text(value: Any) -> Any:
    """Let an id be written as a number in YAML."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, BeforeValidator(_id_text), Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _checked_pattern(pattern: str | None) -> str | None:
    """Return a regular expression in NFC, as are the texts in which it is searched."""
    composed = None if pattern is None else unicodedata.normalize("NFC", pattern)
    try:
        re.compile(composed or "")
    except (re.error, OverflowError, RecursionError) as error:
        message = f"is not a regular expression: {error}"
        raise ValueError(message) from error
    return composed


class TypeRule(_Section):
    """One rule of `certificate_types`: all its conditions together name one certificate type."""

    certificate_type: str
    action_code: tuple[Id, ...] | None = Field(default=None, min_length=1)
    action_name: str | None = Field(default=None, min_length=1)
    certificate_name: str | None = Field(default=None, min_length=1)
    action_type: ActionType | None = None
    max_validity_years: int | None = Field(default=None, gt=0, le=10_000)

    @field_validator("certificate_type")
    @classmethod
    def _clean_type(cls, value: str) -> str:
        cleaned = collapsed(value)
        if not 1 <= len(cleaned) <= MAX_TYPE_LENGTH:
            message = f"must have 1 to {MAX_TYPE_LENGTH} characters"
            raise ValueError(message)
        return cleaned

    @field_validator("action_code", mode="before")
    @classmethod
    def _one_code_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str | int) else value

    @field_validator("action_code")
    @classmethod
    def _trim_codes(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else tuple(trimmed(code) for code in value)

    @field_validator("action_name", "certificate_name")
    @classmethod
    def _compile(cls, value: str | None) -> str | None:
        return _checked_pattern(value)

    @model_validator(mode="after")
    def _has_condition(self) -> TypeRule:
        conditions = (self.action_code, self.action_name, self.certificate_name, self.action_type)
        if all(condition is None for condition in conditions):
            message = "needs at least one condition: action_code, action_name, certificate_name or action_type"
            raise ValueError(message)
        return self

    @property
    def fits_unlinked(self) -> bool:
        """Whether the rule names only what an unlinked certificate has."""
        return self.action_code is None and self.action_name is None


class EmployeeMatch(_Section):
    """How a 4HSE person gets an employee number."""

    person_field: Literal["code", "tax_code", "entity_id"] = "code"
    crosswalk: str | None = None


class FourHseSettings(_Section):
    """How 4HSE is read."""

    page_size: int = Field(default=100, ge=1, le=100_000)
    concurrency: int = Field(default=4, ge=1, le=64)
    requests_per_second: Rate | None = None


class DitioSettings(_Section):
    """How Ditio is read and written."""

    employee_source: EmployeeSource = EmployeeSource.EMPLOYEES_V5
    company_id: Id | None = None
    batch_size: int = Field(default=100, ge=1, le=100_000)
    concurrency: int = Field(default=2, ge=1, le=64)
    requests_per_second: Rate | None = None


class GuardSettings(_Section):
    """The limits of the guards and of the breaker."""

    max_drop: Share = 0.2
    max_match_rate_drop: Share = 0.1
    max_upserts_share: Share = 0.3
    min_upserts: Count = 500
    max_withdrawn: Count = 25
    max_rejected_share: Share = 0.2
    min_rejected_sample: Count = 50


class ApprovalSettings(_Section):
    """Who may be asked, and for how long."""

    timeout_hours: float = Field(default=20, gt=0, le=8_760)
    approvers: tuple[str, ...] = ()
    four_eyes: bool = False


class LinkingSettings(_Section):
    """Whether certificates may be linked to actions in 4HSE, and how many at once.

    Only a plain true lets the project write to 4HSE.
    """

    enabled: bool = Field(default=False, strict=True)
    max_certificates: int = Field(default=200, ge=1, le=1_000)
    timeout_hours: float = Field(default=20, gt=0, le=8_760)


class EvidenceSettings(_Section):
    """Where evidence is kept, and for how long."""

    root: str | None = Field(default=None, min_length=1)
    retention_days: int = Field(default=730, gt=0, le=36_500)


class PersonalDataSettings(_Section):
    """For how long closed claims say whose they were.

    What is pseudonymised stays so: a value that is not plainly a number of days is refused.
    """

    retention_days: int | None = Field(default=None, ge=1, le=36_500, strict=True)


class ReportSettings(_Section):
    """What is written beside the report."""

    data_docs: bool = False


class Settings(_Section):
    """The whole settings file."""

    tenants: tuple[Id, ...] = ()
    time_zone: str = "Europe/Oslo"
    publish_action_types: tuple[ActionType, ...] = (ActionType.TRAINING,)
    certificate_types: tuple[TypeRule, ...] = ()
    unlinked: Unlinked = Unlinked.HOLD
    no_expiry: NoExpiry = NoExpiry.BLOCK
    no_expiry_date: dt.date = dt.date(2099, 12, 31)
    expiring_within_days: int = Field(default=60, ge=0, le=36_500)
    severities: dict[str, Severity] = Field(default_factory=dict)
    employee_match: EmployeeMatch = EmployeeMatch()
    fourhse: FourHseSettings = FourHseSettings()
    ditio: DitioSettings = DitioSettings()
    guards: GuardSettings = GuardSettings()
    approval: ApprovalSettings = ApprovalSettings()
    linking: LinkingSettings = LinkingSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    personal_data: PersonalDataSettings = PersonalDataSettings()
    report: ReportSettings = ReportSettings()

    @field_validator("tenants")
    @classmethod
    def _distinct_tenants(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            message = "is not a known time zone"
            raise ValueError(message) from error
        return value

    @field_validator("certificate_types")
    @classmethod
    def _no_colliding_types(cls, value: tuple[TypeRule, ...]) -> tuple[TypeRule, ...]:
        spellings: dict[str, str] = {}
        for rule in value:
            known = spellings.setdefault(fold_key(rule.certificate_type), rule.certificate_type)
            if known != rule.certificate_type:
                message = (
                    f"'{known}' and '{rule.certificate_type}' are the same type in two spellings; Ditio would keep both"
                )
                raise ValueError(message)
        return value

    @field_validator("severities")
    @classmethod
    def _overridable(cls, value: dict[str, Severity]) -> dict[str, Severity]:
        for code, severity in value.items():
            if code not in CATALOGUE:
                message = f"'{code}' is not a finding code"
                raise ValueError(message)
            if CATALOGUE[code].fixed and severity is not Severity.CRITICAL:
                message = f"'{code}' is always critical and cannot be lowered to '{severity}'"
                raise ValueError(message)
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which a run's day is judged."""
        return ZoneInfo(self.time_zone)

    def severity_of(self, code: str) -> Severity:
        """Return the severity of a finding code under these settings.

        With `no_expiry: sentinel`, `EXPIRY_MISSING` is an info whatever `severities` say (*Fine print*).
        """
        if code == "EXPIRY_MISSING" and self.no_expiry is NoExpiry.SENTINEL:
            return Severity.INFO
        return self.severities.get(code, CATALOGUE[code].severity)
