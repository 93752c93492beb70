"""The words that 4HSE's documents allow in a field (vendor document; reference, 2.3 to 2.8)."""

from __future__ import annotations

from enum import StrEnum

from certrecon.words import ActionType

__all__ = ["ActionType", "ProjectStatus", "ProjectType", "ResourceType", "ValidityUnit"]


class ResourceType(StrEnum):
    """What a certificate is issued to."""

    PERSON = "PERSON"
    MATERIAL_ITEM = "MATERIAL_ITEM"
    ROLE = "ROLE"
    WORK_GROUP = "WORK_GROUP"
    WORK_ENVIRONMENT = "WORK_ENVIRONMENT"
    SUBSTANCE = "SUBSTANCE"
    EQUIPMENT = "EQUIPMENT"
    OFFICE = "OFFICE"
    UNIT = "UNIT"


class ValidityUnit(StrEnum):
    """The unit of a period of validity."""

    YEAR = "YEAR"
    MONTH = "MONTH"
    DAY = "DAY"


class ProjectStatus(StrEnum):
    """Where a project stands; only active ones are operational."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    PENDING_DELETE = "pending_delete"
    DELETED = "deleted"


class ProjectType(StrEnum):
    """What a project is for."""

    SAFETY = "safety"
    TEMPLATE = "template"
