"""Keeps Airflow's own log from showing the secrets that it is asked to mask."""

from __future__ import annotations

from typing import Any


def _without_value(message: Any) -> list[tuple[str, object]]:
    return [("name", message.name)]


def mask_quietly() -> None:
    """Let the message by which a task asks Airflow to mask a secret be printed without the secret.

    `airflow dags test`, and so `make run`, logs every message of a task at DEBUG, this one included; the
    scheduler's own task runner leaves it out. To be called in a task before a connection is asked for.
    """
    from airflow.sdk.execution_time.comms import MaskSecret

    MaskSecret.__repr_args__ = _without_value  # type: ignore[method-assign,assignment]
