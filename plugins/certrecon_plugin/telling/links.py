"""Where in Airflow's UI people find what a message is about."""

from __future__ import annotations

from urllib.parse import quote


def base_url() -> str | None:
    """Return Airflow's own address from its settings, None where `[api] base_url` is not set."""
    from airflow.sdk import conf

    address = conf.get("api", "base_url", fallback=None)
    return address.rstrip("/") if address else None


def _below(path: str) -> str | None:
    base = base_url()
    return None if base is None else f"{base}{path}"


def report_link(run_seq: int) -> str | None:
    """Return the address of a run's page of the project, where its report is."""
    return _below(f"/certrecon/runs/{run_seq}")


def runs_link() -> str | None:
    """Return the address of the page that lists the runs."""
    return _below("/certrecon/")


def dag_run_link(dag_id: str, run_id: str) -> str | None:
    """Return the address of a run in Airflow."""
    return _below(f"/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}")


def question_link(dag_id: str, run_id: str, task_id: str) -> str | None:
    """Return the address of the page on which a task waits for an answer."""
    return _below(f"/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}/tasks/{quote(task_id)}/required_actions")
