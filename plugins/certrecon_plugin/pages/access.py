"""Who may see the pages and who may write: Airflow's own sign-in and rights, pinned to one DAG.

Airflow mounts a plugin's application without asking who calls it, so the application asks itself, on every
route. The DAG is pinned: an address such as `?dag_id=other` neither opens nor closes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag, requires_access_view
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request, params

__all__ = ["DAG_ID", "GetUserDep", "may_write", "readers", "same_origin", "writers"]

DAG_ID: Final = "certificate_reconciliation"
"""The DAG whose runs one must be allowed to read."""


def readers() -> Sequence[params.Depends]:
    """Return what every route demands: signed in, allowed to use plugins and to read this DAG's runs."""
    return [
        Depends(requires_access_view(AccessView.PLUGINS)),
        Depends(requires_access_dag("GET", DagAccessEntity.RUN, DAG_ID)),
    ]


def writers() -> Sequence[params.Depends]:
    """Return what a writing route demands on top: allowed to change this DAG's runs, and asked by our own page."""
    return [Depends(requires_access_dag("PUT", DagAccessEntity.RUN, DAG_ID)), Depends(same_origin)]


def may_write(user: GetUserDep) -> bool:
    """Return whether a user is offered what a writing route does; the route asks again by itself."""
    details = DagDetails(id=DAG_ID, team_name=DagModel.get_team_name(DAG_ID))
    allowed: bool = get_auth_manager().is_authorized_dag(
        method="PUT", access_entity=DagAccessEntity.RUN, details=details, user=user
    )
    return allowed


def same_origin(request: Request) -> None:
    """Refuse a request that another site makes with the cookie of whoever visits it.

    A caller with a token in the header is no browser that could be misled; a browser adds no such header by itself,
    as it does that of Basic authentication.

    Raises:
        HTTPException: 403; the request comes from elsewhere, or does not say from where.
    """
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site == "same-origin" or (site is None and origin and _netloc(origin) in _own(request)):
        return
    raise HTTPException(403, "This request does not come from a page of this Airflow. Open the page and try again.")


def _own(request: Request) -> set[str]:
    own = {request.headers.get("host", ""), _netloc(conf.get("api", "base_url", fallback=""))}
    return own - {""}


def _netloc(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""
