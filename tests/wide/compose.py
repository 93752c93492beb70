"""Reads docker-compose.yaml the way Docker Compose does, as far as this project's file needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yaml"
SANDBOX_VARIABLES = ROOT / "sandbox.env"
_REFERENCE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?:(?P<operator>:?[-?])(?P<word>[^}]*))?\})")
_ASSIGNMENT = re.compile(r"(?P<name>\w+)=(?P<quote>['\"]?)(?P<value>.*)(?P=quote)")


class MissingVariableError(Exception):
    """A variable that the file asks for is not set; the message is the file's own."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service, its variables filled in.

    Attributes:
        name: Its name, by which the others reach it.
        command: What it runs; empty = what its image runs.
        environment: Its environment.
        health: The command that tells whether it is well; empty = nothing tells.
        after: The services it waits for, and what of each.
        volumes: Where each volume or folder is mounted: path inside to name or path outside.
        configs: The text of the files that it finds at a path.
        replicas: How many of it there are.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    health: tuple[str, ...]
    after: dict[str, str]
    volumes: dict[str, str]
    configs: dict[str, str]
    replicas: int


def document() -> dict[str, Any]:
    """Return the file as written, anchors resolved."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    return found


def read_services(variables: Mapping[str, str], profiles: frozenset[str] = frozenset()) -> dict[str, Service]:
    """Return the services that start with these variables and profiles.

    Raises:
        MissingVariableError: A required variable is not set.
    """
    whole = document()
    wanted = {
        name: given
        for name, given in whole["services"].items()
        if not given.get("profiles") or profiles & set(given["profiles"])
    }
    filled = filled_in({"services": wanted, "configs": whole["configs"]}, variables)
    texts = {name: given["content"] for name, given in filled["configs"].items()}
    return {name: _service(name, given, texts, variables) for name, given in filled["services"].items()}


def filled_in(node: Any, variables: Mapping[str, str]) -> Any:
    """Return a part of the file with its variables filled in (Compose specification, *Interpolation*)."""
    if isinstance(node, dict):
        return {key: filled_in(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [filled_in(value, variables) for value in node]
    return _REFERENCE.sub(lambda found: _value(found, variables), node) if isinstance(node, str) else node


def references(node: Any) -> list[tuple[str, str | None]]:
    """Return the variables that a part of the file names, each with what follows it, such as `:-4`."""
    if isinstance(node, dict):
        return [found for value in node.values() for found in references(value)]
    if isinstance(node, list):
        return [found for value in node for found in references(value)]
    found = _REFERENCE.finditer(node) if isinstance(node, str) else ()
    return [(one["name"], one["operator"] and one["operator"] + one["word"]) for one in found if one["name"]]


def read_variables(file: Path) -> dict[str, str]:
    """Return the variables of a file such as `.env`."""
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    found = {}
    for line in lines:
        if line and not line.startswith("#"):
            one = _ASSIGNMENT.fullmatch(line)
            assert one, f"{file.name}: not an assignment: {line.partition('=')[0]}"
            found[one["name"]] = one["value"]
    return found


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "$"
    value, operator = variables.get(found["name"]), found["operator"] or ""
    if value or (value is not None and not operator.startswith(":")):
        return value
    if operator.endswith("?"):
        raise MissingVariableError(f"{found['name']}: {found['word']}")
    return found["word"] or ""


def _service(name: str, given: dict[str, Any], texts: dict[str, str], variables: Mapping[str, str]) -> Service:
    environment = given.get("environment", {})
    # A name without a value is passed through where it is set, and left out where it is not.
    passed = {key: variables.get(key) if value is None else str(value) for key, value in environment.items()}
    mounts = [volume.removesuffix(":ro").rpartition(":") for volume in given.get("volumes", [])]
    return Service(
        name=name,
        command=tuple(given.get("command", [])),
        environment={key: value for key, value in passed.items() if value is not None},
        health=_health(given.get("healthcheck", {}).get("test", [])),
        after={other: condition["condition"] for other, condition in given.get("depends_on", {}).items()},
        volumes={inside: outside for outside, _, inside in mounts},
        configs={one["target"]: texts[one["source"]] for one in given.get("configs", [])},
        replicas=int(given.get("deploy", {}).get("replicas", 1)),
    )


def _health(test: list[str]) -> tuple[str, ...]:
    kind, *words = test or ["NONE"]
    return {"CMD": tuple(words), "CMD-SHELL": ("sh", "-c", *words), "NONE": ()}[kind]
