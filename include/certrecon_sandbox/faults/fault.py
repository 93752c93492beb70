"""What every kind of fault is, and how its parameters are read from JSON or a command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

from certrecon_sandbox.options import OptionError

if TYPE_CHECKING:
    from certrecon_sandbox.faults.exchange import Exchange

_TYPES: dict[str, type] = {"int": int, "float": float, "str": str}


class FaultError(OptionError):
    """A fault is unknown, or a parameter of it has a value it cannot have."""


def choice(default: str, *others: str) -> Any:
    """Return a field that takes one of these words."""
    return field(default=default, metadata={"choices": (default, *others)})


@dataclass(frozen=True)
class Fault:
    """A kind of fault with its parameters, which are the fields of its class.

    Attributes:
        kind: The name in the catalogue.
        only: Names or patterns of the endpoints at which it makes sense.
    """

    kind: ClassVar[str]
    only: ClassVar[tuple[str, ...]] = ("*",)

    async def play(self, exchange: Exchange) -> None:
        """Interfere with one request."""
        raise NotImplementedError

    @classmethod
    def fits(cls, endpoint: str) -> bool:
        """Tell whether the kind makes sense at an endpoint, or at some of a pattern's."""
        return any(fnmatchcase(endpoint, one) or fnmatchcase(one, endpoint) for one in cls.only)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters by name."""
        return asdict(self)


def make(kind: type[Fault], values: Mapping[str, Any]) -> Fault:
    """Return a fault with these parameters, text or JSON values.

    Raises:
        FaultError: A parameter is unknown or wrong; the message names kind, parameter and value.
    """
    known = {one.name: one for one in fields(kind)}
    for name in values:
        if name not in known:
            raise FaultError(f"{kind.kind} has no parameter {name!r}; it has {', '.join(known) or 'none'}")
    return kind(**{name: _value(kind.kind, known[name], value) for name, value in values.items()})


def _value(kind: str, parameter: Field[Any], value: Any) -> Any:
    wanted = _TYPES[str(parameter.type)]
    choices = parameter.metadata.get("choices")
    read: Any
    try:
        read = wanted(value)
    except (TypeError, ValueError, OverflowError):
        read = None
    if read is None or isinstance(value, bool) or (wanted is not str and not 0 <= read < float("inf")):
        words = {int: "a whole number", float: "a number", str: "text"}[wanted]
        raise FaultError(f"{kind}: {parameter.name} must be {words} that is not negative, not {value!r}")
    if choices and read not in choices:
        raise FaultError(f"{kind}: {parameter.name} must be one of {', '.join(choices)}, not {value!r}")
    return read


def describe(kind: type[Fault]) -> dict[str, Any]:
    """Return what a kind does and its parameters with their defaults, as plain values."""
    return {
        "kind": kind.kind,
        "does": " ".join((kind.__doc__ or "").split("\n\n", maxsplit=1)[0].split()),
        "only": list(kind.only),
        "parameters": {
            one.name: {
                "type": str(one.type),
                "default": None if one.default is MISSING else one.default,
                **({"choices": list(one.metadata["choices"])} if "choices" in one.metadata else {}),
            }
            for one in fields(kind)
        },
    }
