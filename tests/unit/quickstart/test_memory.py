from __future__ import annotations

import json
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from certrecon_quickstart.connections import ALL
from certrecon_quickstart.environment import passwords, project_environment, without_connections
from certrecon_quickstart.memory import (
    forget_port,
    free_port,
    is_listening,
    remembered,
    remembered_port,
    secret,
    secret_path,
)
from certrecon_quickstart.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(root=tmp_path, var=tmp_path / "var", dags=tmp_path / "dags")


def test_a_port_stays_until_it_is_forgotten(project: Project) -> None:
    first = remembered_port(project, "web")
    assert remembered_port(project, "web") == first
    assert remembered_port(project, "other") != first
    forget_port(project, "web")
    assert remembered_port(project, "web") != remembered_port(project, "other")


def test_a_taken_port_is_not_chosen() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert is_listening(taken)
        assert free_port(set(), preferred=taken) != taken
    assert free_port({taken}, preferred=taken) != taken


def test_what_failed_half_way_is_not_remembered(project: Project) -> None:
    remembered_port(project, "web")
    before = project.state.read_text()
    with pytest.raises(TypeError), remembered(project) as state:
        state["ports"] = object()
    assert project.state.read_text() == before


def test_a_secret_is_made_once_for_its_owner_only(project: Project) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: secret(project, "key"), range(32)))
    assert len(made) == 1
    assert len(made.pop()) >= 32
    assert stat.S_IMODE(secret_path(project, "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(project.secrets.stat().st_mode) == 0o700


def test_passwords_stay_and_are_private(project: Project) -> None:
    first = passwords(project).read_text()
    assert passwords(project).read_text() == first
    assert set(json.loads(first)) == {"admin", "auditor"}
    assert stat.S_IMODE(passwords(project).stat().st_mode) == 0o600


def test_environment_is_the_projects_own_and_silent(project: Project) -> None:
    inherited = {
        "AIRFLOW_HOME": "/somewhere/else",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://production",
        "AIRFLOW__OPENLINEAGE__DISABLED": "True",
        "PATH": "/usr/bin",
    }
    found = project_environment(project, inherited)
    assert found["AIRFLOW_HOME"] == str(project.airflow_home)
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith(f"sqlite:///{project.var}")
    assert found["AIRFLOW__OPENLINEAGE__DISABLED"] == "True"
    assert found["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert found["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "True"
    assert found["GX_ANALYTICS_ENABLED"] == "False"
    assert found["PATH"].endswith(":/usr/bin")
    assert project_environment(project, inherited) == found, "keys and ports stay"


def test_tests_never_see_a_real_system() -> None:
    inherited = {**dict.fromkeys(ALL, "real"), "CONF": "{}", "CERTRECON_SETTINGS": "mine.yaml", "HOME": "/h"}
    assert without_connections(inherited) == {"HOME": "/h"}


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("{root}/var/run.log", "var/run.log"),
        ("s3://bucket/report.html", "s3://bucket/report.html"),
        ("/srv/x", "/srv/x"),
    ],
    ids=["in the checkout", "object store", "elsewhere"],
)
def test_places_are_shown_as_typed(project: Project, place: str, shown: str) -> None:
    assert project.shown(place.format(root=project.root)) == shown
