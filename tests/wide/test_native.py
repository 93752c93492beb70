"""From a container to a process: what is changed, and what must not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wide.native import Here, native

HERE = Here(
    places={"/opt/airflow/logs": Path("/t/volumes/logs"), "/opt/airflow": Path("/t/worker-1"), "/opt/certrecon": Path("/t/image")},
    names=("postgres", "redis", "api-server", "localhost"),
    ports={5432: 40001, 8080: 40002},
)  # fmt: skip


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("postgresql+psycopg://airflow:pw@postgres:5432/airflow", "postgresql+psycopg://airflow:pw@127.0.0.1:40001/airflow"),
        ("http://api-server:8080/execution/", "http://127.0.0.1:40002/execution/"),
        ("http://localhost:8080/", "http://127.0.0.1:40002/"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 - it is what becomes of it that counts
        ("8080", "40002"),
        ("--port=5432", "--port=40001"),
        ("/opt/airflow/logs", "/t/volumes/logs"),
        ("/opt/airflow", "/t/worker-1"),
        ("/opt/certrecon/dags", "/t/image/dags"),
        ("/opt/certrecon-other", "/opt/certrecon-other"),
        ("postgres", "postgres"),
        ("my-postgres:5432", "my-postgres:40001"),
        ("16384", "16384"),
        ("a8080b", "a8080b"),
        ("30 3 * * *", "30 3 * * *"),
    ],
)  # fmt: skip
def test_a_text_of_the_file_on_this_machine(inside: str, outside: str) -> None:
    assert native(inside, HERE) == outside
