"""Which systems a run talks to: the sandbox or the real ones, never a mix (design, *Components*)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from certrecon_quickstart.errors import QuickstartError

if TYPE_CHECKING:
    from collections.abc import Mapping

FOURHSE, DITIO, WAREHOUSE = (f"AIRFLOW_CONN_{name}_DEFAULT" for name in ("FOURHSE", "DITIO", "WAREHOUSE"))
ALL = (FOURHSE, DITIO, WAREHOUSE)
DEFAULT_CERTIFICATES = 1000
MOST_CERTIFICATES = 5_000_000


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What whoever typed `make run` asked for.

    Attributes:
        sandbox: The run uses the sandbox and the embedded PostgreSQL.
        conf: The run parameters, the quick start's defaults filled in.
        certificates: The size of the sandbox's world.
        seed: The seed of the sandbox's world.
        defaulted_to_dry_run: The mode was chosen by the quick start, which has to say so.
    """

    sandbox: bool
    conf: dict[str, Any]
    certificates: int
    seed: int
    defaulted_to_dry_run: bool


def read_request(environment: Mapping[str, str]) -> RunRequest:
    """Return the request that an environment states.

    Raises:
        QuickstartError: Only some of the connections are set, or a variable is malformed.
    """
    sandbox = uses_sandbox(environment)
    conf = read_conf(environment.get("CONF", ""))
    defaulted = not sandbox and "mode" not in conf
    return RunRequest(
        sandbox=sandbox,
        conf={**conf, "mode": "dry_run"} if defaulted else conf,
        certificates=read_number(environment, "CERTIFICATES", DEFAULT_CERTIFICATES, MOST_CERTIFICATES),
        seed=read_number(environment, "SEED", 1, 2**31 - 1),
        defaulted_to_dry_run=defaulted,
    )


def uses_sandbox(environment: Mapping[str, str]) -> bool:
    """Tell whether no connection is set; refuse when only some are."""
    missing = [name for name in ALL if not environment.get(name, "").strip()]
    if missing and len(missing) < len(ALL):
        present = [name for name in ALL if name not in missing]
        message = (
            f"{_listed(present)} {_are(present)} set but {_listed(missing)} {_are(missing)} not: set all"
            " three to use the real systems or none to use the sandbox; its data must not reach a real Ditio"
        )
        raise QuickstartError(message)
    return bool(missing)


def read_conf(text: str) -> dict[str, Any]:
    """Return the run parameters of `CONF`, a JSON object."""
    example = """CONF='{"mode": "dry_run"}'"""
    try:
        conf = json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        message = f"CONF is not JSON ({error.msg} at character {error.pos + 1}); write it like {example}"
        raise QuickstartError(message) from None
    if not isinstance(conf, dict):
        message = f"CONF must be a JSON object of run parameters, like {example}"
        raise QuickstartError(message)
    return conf


def read_number(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return a whole positive number from a variable."""
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= most):
        message = f"{name} must be a whole number from 1 to {most} and is '{text}'"
        raise QuickstartError(message)
    return int(text)


def warehouse_connection(port: int, user: str, password: str, database: str) -> str:
    """Return the connection to the embedded PostgreSQL as Airflow's JSON."""
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": "127.0.0.1",
            "port": port,
            "login": user,
            "password": password,
            "schema": database,
        }
    )


def _listed(names: list[str]) -> str:
    return " and ".join(names)


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
