"""The environment in which every process of the project runs: a project-local, silent Airflow."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from certrecon_quickstart.connections import ALL
from certrecon_quickstart.memory import LOOPBACK, remembered_port, secret, secret_path, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certrecon_quickstart.project import Project

USERS = {"admin": "admin", "auditor": "viewer"}
QUIET = {
    # Nothing is sent to anybody but the configured hosts, and nothing draws bars into logs.
    "GX_ANALYTICS_ENABLED": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "SCARF_ANALYTICS": "false",
    "DO_NOT_TRACK": "1",
    "TQDM_DISABLE": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "NO_COLOR": "1",
}


def project_environment(project: Project, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the project's processes, on top of an inherited one.

    What is set here wins over what is inherited: an AIRFLOW_HOME or metadata database of another Airflow
    on the same machine must not be touched.
    """
    return {**inherited, **QUIET, **_airflow(project), "PATH": _path(inherited)}


def without_connections(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return an environment from which no test can reach a real system."""
    return {
        name: value
        for name, value in inherited.items()
        if name not in ALL and name not in {"CONF", "CERTRECON_SETTINGS"}
    }


def passwords(project: Project) -> Path:
    """Return the file with the web UI's passwords, made the first time."""
    path = secret_path(project, "web_passwords.json")
    wanted = {user: secret(project, f"web_{user}", 12) for user in USERS}
    text = json.dumps(wanted)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_private(path, text)
    return path


def _airflow(project: Project) -> dict[str, str]:
    home = project.airflow_home
    web_port = remembered_port(project, "web", preferred=8080)
    sections: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": project.dags,
            "plugins_folder": project.root / "plugins",
            "load_examples": False,
            "executor": "LocalExecutor",
            "dags_are_paused_at_creation": True,
            "max_map_length": 16384,
            "test_connection": "Enabled",
            "fernet_key": _fernet_key(project),
            "simple_auth_manager_users": ",".join(f"{user}:{role}" for user, role in USERS.items()),
            "simple_auth_manager_passwords_file": passwords(project),
            "execution_api_server_url": f"http://{LOOPBACK}:{web_port}/execution/",
        },
        "database": {"sql_alchemy_conn": f"sqlite:///{home / 'airflow.db'}"},
        "api": {
            "host": LOOPBACK,
            "port": web_port,
            "base_url": f"http://{LOOPBACK}:{web_port}/",
            "workers": 1,
            "secret_key": secret(project, "web_session"),
        },
        "api_auth": {"jwt_secret": secret(project, "jwt", 64)},
        # Airflow waits a second between tasks otherwise, longer than most tasks here take.
        "scheduler": {"scheduler_idle_sleep_time": 0.1},
        "dag_processor": {"refresh_interval": 30, "min_file_process_interval": 10},
        "logging": {
            "base_log_folder": home / "logs",
            "colored_console_log": False,
            "worker_log_server_port": remembered_port(project, "worker_log"),
            "trigger_log_server_port": remembered_port(project, "trigger_log"),
        },
    }
    variables = {
        f"AIRFLOW__{section.upper()}__{key.upper()}": str(value)
        for section, keys in sections.items()
        for key, value in keys.items()
    }
    return {"AIRFLOW_HOME": str(home), "AIRFLOW_CONFIG": str(home / "airflow.cfg"), **variables}


def _fernet_key(project: Project) -> str:
    key = secret(project, "fernet", 32)
    return base64.urlsafe_b64encode(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))).decode("ascii")


def _path(inherited: Mapping[str, str]) -> str:
    """Put the virtual environment first: Airflow starts `airflow` by name."""
    return os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
