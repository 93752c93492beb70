"""Projects with a `var/` and a DAG folder of their own; the code and the plugins are the checkout's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from certrecon_quickstart.project import Project
from certrecon_quickstart.services import stop_services

STAND_IN = Path(__file__).with_name("stand_in_dag.py")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("project")
    dags = folder / "dags"
    dags.mkdir()
    (dags / "certificate_reconciliation.py").write_text(STAND_IN.read_text(encoding="utf-8"), encoding="utf-8")
    project = Project(root=Project.of_checkout().root, var=folder / "var", dags=dags)
    yield project
    stop_services(project)
