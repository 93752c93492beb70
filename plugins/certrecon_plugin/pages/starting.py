"""Starting `link_certificates` from a page: Airflow's own trigger form takes no values from an address.

The pages show inside a frame of Airflow's UI that may not lead the window elsewhere, so the run is started here, in the
name of whoever asks, and the page says where it is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.models.dag import DagModel
from fastapi import Depends, params

from certrecon.errors import ParameterError, SettingsError
from certrecon.settings.loader import default_path, load_settings
from certrecon_plugin.pages.access import same_origin

if TYPE_CHECKING:
    from pathlib import Path

    from certrecon.settings.model import LinkingSettings

LINK_DAG: Final = "link_certificates"
FOLLOWING_DAG: Final = "certificate_events"
"""The DAG that takes what was linked through the pipeline."""


def starters() -> Sequence[params.Depends]:
    """Return what starting a run demands on top: allowed to create runs of that DAG, and asked by our own page."""
    return [Depends(requires_access_dag("POST", DagAccessEntity.RUN, LINK_DAG)), Depends(same_origin)]


def may_start(user: GetUserDep) -> bool:
    """Return whether a user is offered to start a run; the route asks again by itself."""
    details = DagDetails(id=LINK_DAG, team_name=DagModel.get_team_name(LINK_DAG))
    allowed: bool = get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=details, user=user
    )
    return allowed


def linking_setting() -> LinkingSettings | None:
    """Return what the settings of the API server say of linking, None where they cannot be read."""
    path = default_path()
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, SettingsError):
        return None


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> LinkingSettings:
    return load_settings(path).settings.linking


def start_linking(conf: Mapping[str, Any], user: str) -> str:
    """Start a run of `link_certificates` in a user's name and return its id.

    Raises:
        ParameterError: Airflow does not know the DAG yet, or a parameter is refused.
    """
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagNotFound, ParamValidationError
    from airflow.utils.types import DagRunTriggeredByType

    try:
        run = trigger_dag(LINK_DAG, triggered_by=DagRunTriggeredByType.UI, triggering_user_name=user, conf=dict(conf))
    except DagNotFound:
        run = None
    except ParamValidationError as error:
        message = f"Airflow does not start the run: {str(error).splitlines()[0]}"
        raise ParameterError(message) from error
    if run is None:
        message = "Airflow does not know the DAG link_certificates yet. Wait until its DAG processor has read it."
        raise ParameterError(message)
    return str(run.run_id)


def is_run(run_id: str) -> bool:
    """Return whether there is a run of that id: an address may say anything."""
    from airflow.models.dagrun import DagRun

    return bool(DagRun.find(dag_id=LINK_DAG, run_id=run_id))


def paused() -> tuple[str, ...]:
    """Return which of the two DAGs that linking takes wait until somebody unpauses them."""
    return tuple(one for one in (LINK_DAG, FOLLOWING_DAG) if _is_paused(one))


def _is_paused(dag_id: str) -> bool:
    found = DagModel.get_current(dag_id)
    return found is None or bool(found.is_paused)
