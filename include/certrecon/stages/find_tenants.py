"""Task: find the 4HSE projects that the run reads."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from certrecon.api.fourhse import FourHseClient, Project
from certrecon.errors import SettingsError
from certrecon.settings.model import Settings
from certrecon.stages.parameters import limited_tenants
from certrecon.stages.workplace import Workplace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tenants:
    """The tenants of a run.

    Attributes:
        chosen: Those it reads.
        listed: Every tenant of the settings, or that 4HSE lists.
    """

    chosen: tuple[str, ...]
    listed: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return {"chosen": list(self.chosen), "listed": list(self.listed)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Tenants:
        """Rebuild what `to_json` gave."""
        return cls(tuple(values["chosen"]), tuple(values["listed"]))


def listed_tenants(settings: Settings, projects: list[Project]) -> tuple[str, ...]:
    """Return the tenants of the settings, else every active project.

    Raises:
        SettingsError: The settings name a project that the 4HSE user cannot see.
    """
    if not settings.tenants:
        return tuple(project.project_id for project in projects if project.operational)
    visible = {project.project_id for project in projects}
    hidden = [tenant for tenant in settings.tenants if tenant not in visible]
    if hidden:
        message = (
            f"tenants: '{hidden[0]}' is not among the {len(visible)} projects that the 4HSE user can see. "
            "Correct the setting, or give the user the project in 4HSE."
        )
        raise SettingsError(message)
    return settings.tenants


async def run_find_tenants(place: Workplace, client: FourHseClient) -> Tenants:
    """Ask 4HSE which projects its user can see, and choose those that the run reads.

    Raises:
        SettingsError: The settings name a project that the user cannot see.
        ParameterError: `tenant_ids` does, or there is nothing to read.
    """
    listed = listed_tenants(place.settings().settings, await client.projects())
    chosen = limited_tenants(place.run.parameters, listed)
    log.info("Reading %s of %s tenants", len(chosen), len(listed))
    return Tenants(chosen, listed)
