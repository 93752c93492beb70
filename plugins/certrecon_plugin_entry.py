"""The one module of plugins/ that Airflow scans; everything else is the package beside it.

Every process of Airflow imports it, so nothing heavy is imported here: only the API server asks for the
application, and only then it is made.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)

PREFIX = "/certrecon"
"""Where Airflow mounts the pages. Addresses in views are relative to Airflow's own, whatever its path is."""


class CertreconPlugin(AirflowPlugin):
    """What the project adds to Airflow's web UI: an entry in the navigation and a tab on a DAG run."""

    name = "certrecon"
    external_views: ClassVar[list[Any]] = [
        {
            "name": "Reconciliation",
            "href": "certrecon/",
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "reconciliation",
            "icon": "certrecon/static/icon.svg",
            "icon_dark_mode": "certrecon/static/icon_dark.svg",
        },
        {
            "name": "Reconciliation",
            "href": "certrecon/dag-run?dag_id={DAG_ID}&run_id={RUN_ID}",
            "destination": "dag_run",
            "url_route": "reconciliation-run",
            "icon": "certrecon/static/icon.svg",
            "icon_dark_mode": "certrecon/static/icon_dark.svg",
        },
    ]

    @cached_property
    def fastapi_apps(self) -> list[Any]:
        """The pages and the receiver of webhooks; what cannot be guarded or made is left out, and the log says why."""
        return [*_pages(), *_webhooks()]

    @cached_property
    def deadline_references(self) -> list[Any]:
        """From when the project's deadlines count."""
        from certrecon_plugin.deadlines import RunMade  # noqa: PLC0415 - only the scheduler and the DAG files need it

        return [RunMade]

    @cached_property
    def fastapi_root_middlewares(self) -> list[Any]:
        """What Airflow's own *Test Connection* needs to work for connections without a port."""
        from certrecon_plugin.portless import PortlessTests  # noqa: PLC0415 - only the API server needs it

        return [{"middleware": PortlessTests, "name": "Connection tests without a port"}]


def _pages() -> list[dict[str, Any]]:
    try:
        from certrecon_plugin.pages.app import create_app  # noqa: PLC0415 - only the API server needs it

        return [{"app": create_app(), "url_prefix": PREFIX, "name": "Reconciliation"}]
    except Exception:
        log.exception("The reconciliation pages are not there: they could not be made.")
        return []


def _webhooks() -> list[dict[str, Any]]:
    try:
        from certrecon_plugin.webhooks.app import PREFIX as WEBHOOKS  # noqa: PLC0415 - only the API server needs it
        from certrecon_plugin.webhooks.app import create_app  # noqa: PLC0415 - the same

        return [{"app": create_app(), "url_prefix": WEBHOOKS, "name": "Webhooks of 4HSE"}]
    except Exception:
        log.exception("The receiver of 4HSE's webhooks is not there: it could not be made.")
        return []
