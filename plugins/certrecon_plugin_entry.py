"""The one module of plugins/ that Airflow scans; everything else is the package beside it."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class CertreconPlugin(AirflowPlugin):
    """What the project adds to Airflow's web UI."""

    name = "certrecon"
