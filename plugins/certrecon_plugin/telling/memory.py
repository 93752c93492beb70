"""What was told of a problem that the warehouse cannot remember: Airflow's state store, kept with an asset.

The watch and the verification only read the warehouse, and a run that could not start is not in it. Airflow's database
outlives its restarts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from certrecon_plugin.telling.assets import REPORT

if TYPE_CHECKING:
    from airflow.sdk import Asset

MEMORY: Asset = REPORT
"""The asset that remembers; a task that uses this has it among its inlets."""


def told(context: Mapping[str, Any], about: str) -> frozenset[str]:
    """Return the problems of a kind that people were told of and that still lasted then."""
    found = context["asset_state_store"][MEMORY].get(about, default=[])
    return frozenset(str(one) for one in found)


def remember(context: Mapping[str, Any], about: str, problems: frozenset[str]) -> None:
    """Keep the problems that people know of; what is not among them is news when it comes again."""
    context["asset_state_store"][MEMORY].set(about, sorted(problems))
