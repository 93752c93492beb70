"""Passwords of the web UI's users, made before Airflow makes them: it prints those that it makes into its log."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from certrecon_quickstart.errors import QuickstartError
from certrecon_quickstart.memory import locked, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

USERS = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"
FILE = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
LENGTH = 16
"""Random bytes of a password."""


def complete_passwords(variables: Mapping[str, str]) -> list[str]:
    """Make a password for every user who has none, and return who they are.

    Args:
        variables: Airflow's own: `USERS` as `name:role,...`, and `FILE`, JSON with the password of every name.

    Raises:
        QuickstartError: One of the two is not set, or the file holds something else.
    """
    if not variables.get(USERS) or not variables.get(FILE):
        message = f"Set {USERS} and {FILE}, as docker-compose.yaml does: they say whose passwords to make, and where."
        raise QuickstartError(message)
    file = Path(variables[FILE])
    with locked(file.with_suffix(".lock")):
        known = _read(file)
        fresh = [name for name in _names(variables[USERS]) if name not in known]
        if fresh:
            write_private(file, json.dumps(known | {name: secrets.token_urlsafe(LENGTH) for name in fresh}))
    return fresh


def _names(users: str) -> list[str]:
    return [user.strip().partition(":")[0] for user in users.split(",") if user.strip()]


def _read(file: Path) -> dict[str, str]:
    text = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    try:
        known = json.loads(text or "{}")
    except ValueError:
        known = None
    if not isinstance(known, dict):
        message = f"{file} should hold a password for each user as JSON; delete it to have all of them made anew."
        raise QuickstartError(message)
    return known
