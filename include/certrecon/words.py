"""The closed vocabularies that code, warehouse and reports share (design, *Words*)."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """What a run may do."""

    PUBLISH = "publish"
    DRY_RUN = "dry_run"


class Severity(StrEnum):
    """How much a finding weighs; only `critical` blocks a claim."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Owner(StrEnum):
    """Who can fix what a finding is about."""

    FOURHSE = "4hse"
    HR = "hr"
    DITIO = "ditio"
    SETTINGS = "settings"


class Disposition(StrEnum):
    """The one outcome of a claim in a run, in the order in which they are decided."""

    NOT_APPLICABLE = "not_applicable"
    BLOCKED = "blocked"
    HELD = "held"
    SUPERSEDED = "superseded"
    DELIVERED = "delivered"
    PLANNED = "planned"
    REFUSED = "refused"
    REJECTED = "rejected"
    UNDELIVERED = "undelivered"


class Subject(StrEnum):
    """The narrow frames of facts that findings are about, one a validation task."""

    DATES = "dates"
    EMPLOYEE_MATCH = "employee_match"
    LINKS_AND_TYPES = "links_and_types"


class RunStatus(StrEnum):
    """The state of a run in the warehouse."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    SUCCEEDED_WITH_REJECTS = "succeeded_with_rejects"
    FAILED = "failed"


class LedgerState(StrEnum):
    """The state of a ledger entry."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    UNDELIVERED = "undelivered"


class Guard(StrEnum):
    """The checks that stand between a plan and its publishing."""

    FIRST_PUBLISH = "first_publish"
    TENANT_MISSING = "tenant_missing"
    DROP = "drop"
    MATCH_RATE = "match_rate"
    UPSERTS = "upserts"
    WITHDRAWN = "withdrawn"


class Answered(StrEnum):
    """What a request for approval came to."""

    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"
    NOT_COUNTED = "not_counted"


class ActionType(StrEnum):
    """4HSE's types of requirement (vendor document, `action_type`)."""

    TRAINING = "TRAINING"
    MAINTENANCE = "MAINTENANCE"
    HEALTH = "HEALTH"
    CHECK = "CHECK"
    PER = "PER"


class EmployeeSource(StrEnum):
    """Which Ditio call lists the employees."""

    EMPLOYEES_V5 = "employees_v5"
    USERS_V4 = "users_v4"


class Unlinked(StrEnum):
    """What becomes of a certificate without a link (setting `unlinked`)."""

    HOLD = "hold"
    SEND = "send"


class NoExpiry(StrEnum):
    """What becomes of a certificate without any expiry (setting `no_expiry`)."""

    BLOCK = "block"
    SENTINEL = "sentinel"


HEALTH = ActionType.HEALTH.value
PERSON = "PERSON"


class ChangeEvent(StrEnum):
    """What 4HSE tells of as it happens, in its own words (reference on both APIs, section 2.10)."""

    CERTIFICATE_CREATE = "CERTIFICATE::CREATE"
    CERTIFICATE_UPDATE = "CERTIFICATE::UPDATE"
    CERTIFICATE_DELETE = "CERTIFICATE::DELETE"
    LINK_CREATE = "CERTIFICATE_ACTION::CREATE"
    LINK_UPDATE = "CERTIFICATE_ACTION::UPDATE"
    LINK_DELETE = "CERTIFICATE_ACTION::DELETE"
    PERSON_CREATE = "PERSON::CREATE"
    PERSON_UPDATE = "PERSON::UPDATE"
    PERSON_DELETE = "PERSON::DELETE"

    @property
    def entity(self) -> str:
        """What changed: `CERTIFICATE`, `CERTIFICATE_ACTION` or `PERSON`."""
        return self.value.partition("::")[0]


class HintSource(StrEnum):
    """Who gave a hint."""

    WEBHOOK = "webhook"
    LINKING = "link_certificates"


class Confirmed(StrEnum):
    """How it is known that 4HSE created a link."""

    ANSWER = "answer"
    READING = "reading"
