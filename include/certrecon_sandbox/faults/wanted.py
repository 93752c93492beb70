"""Reading which fault somebody wants, from JSON or from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from certrecon_sandbox.endpoints import is_endpoint_pattern
from certrecon_sandbox.faults.catalogue import KINDS, kind_of
from certrecon_sandbox.faults.fault import FaultError, describe, make
from certrecon_sandbox.faults.switchboard import Switched

_OWN = ("endpoint", "kind", "times", "after", "chance", "seed")


def read_fault(wanted: Mapping[str, Any]) -> Switched:
    """Return a fault, ready to be switched on.

    Args:
        wanted: `endpoint`, `kind`, perhaps `times`, `after`, `chance` and `seed`, and the kind's parameters.

    Raises:
        FaultError: Something of it is unknown or wrong; the message names it.
    """
    endpoint = wanted.get("endpoint")
    if not isinstance(endpoint, str) or not is_endpoint_pattern(endpoint):
        raise FaultError(f"{endpoint!r} is neither an endpoint, as 4hse.certificate.index, nor a pattern of some")
    kind = kind_of(wanted.get("kind"))
    if not kind.fits(endpoint):
        raise FaultError(f"{kind.kind} makes no sense at {endpoint}; it is for {', '.join(kind.only)}")
    fault = make(kind, {name: value for name, value in wanted.items() if name not in _OWN})
    times = None if wanted.get("times") is None else _count("times", wanted["times"])
    after, seed = (_count(name, wanted.get(name, 0)) for name in ("after", "seed"))
    return Switched(endpoint, fault, times, after, _chance(wanted.get("chance", 1.0)), seed)


def parse_fault(text: str) -> Switched:
    """Read a fault as the command line writes it: `ENDPOINT=KIND[:name=value,name=value]`.

    Raises:
        FaultError: The text has another form, or says something unknown or wrong.
    """
    endpoint, equals, rest = text.partition("=")
    kind, _, parameters = rest.partition(":")
    pairs = [pair.partition("=") for pair in parameters.split(",") if pair]
    if not equals or not kind or not all(name and sign for name, sign, _ in pairs):
        raise FaultError(f"{text!r} is no fault; write ENDPOINT=KIND:name=value,name=value")
    values: dict[str, Any] = {name.strip(): value for name, _, value in pairs}
    return read_fault(values | {"endpoint": endpoint.strip(), "kind": kind.strip()})


def fault_schema() -> dict[str, Any]:
    """Return the JSON schema of a fault, one alternative a kind."""
    return {"oneOf": [_schema_of(name) for name in KINDS]}


def _schema_of(name: str) -> dict[str, Any]:
    described = describe(KINDS[name])
    types = {"int": "integer", "float": "number", "str": "string"}
    parameters = {
        key: {"type": types[value["type"]], "default": value["default"]}
        | ({"enum": value["choices"]} if "choices" in value else {})
        for key, value in described["parameters"].items()
    }
    own: dict[str, Any] = {
        "endpoint": {"type": "string", "examples": ["4hse.certificate.index", "ditio.*"]},
        "kind": {"const": name},
        "times": {"type": ["integer", "null"], "minimum": 0, "default": None},
        "after": {"type": "integer", "minimum": 0, "default": 0},
        "chance": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
        "seed": {"type": "integer", "minimum": 0, "default": 0},
    }
    return {
        "type": "object",
        "title": name,
        "description": described["does"],
        "required": ["endpoint", "kind"],
        "properties": own | parameters,
        "additionalProperties": False,
    }


def _count(name: str, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if number < 0 or isinstance(value, bool) or (isinstance(value, float) and value != number):
        raise FaultError(f"{name} must be a whole number that is not negative, not {value!r}")
    return number


def _chance(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= 1 or isinstance(value, bool):
        raise FaultError(f"chance must be a number from 0 to 1, not {value!r}")
    return number
