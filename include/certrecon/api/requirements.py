"""Documented requirements on what is sent, checked before any request.

A class that is sent states each field with its kind (`must(...)`, `may(...)`, `change(...)`); making an
object of it checks them all. A breach names the field, what kind of value was found and what is needed,
and never the value: it may be medical.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from enum import Enum
from typing import Any, ClassVar, Final, Protocol, Self, final

from certrecon.api.value_kinds import describe
from certrecon.errors import RequirementError

_KIND, _NEEDED, _WIRE = "kind", "needed", "wire"


@final
class Unchanged(Enum):
    """The one value that says that a field of a change stays as it is."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


class Kind(Protocol):
    """What values a field may have.

    Attributes:
        needed: The requirement in words that go on from "needs".
    """

    @property
    def needed(self) -> str:
        """The requirement in words that go on from "needs"."""

    def accepts(self, value: Any) -> bool:
        """Return whether a value that is not None meets the requirement."""

    def plain(self, value: Any) -> Any:
        """Return an accepted value as JSON writes it."""


def must(kind: Kind, wire: str | None = None) -> Mapping[str, Any]:
    """Return the `metadata` of a required field; `wire` is the vendor's name where it is not the field's."""
    return {_KIND: kind, _NEEDED: True, _WIRE: wire}


def may(kind: Kind, wire: str | None = None) -> Mapping[str, Any]:
    """Return the `metadata` of a field that is left out where it is None."""
    return {_KIND: kind, _NEEDED: False, _WIRE: wire}


@dataclass(frozen=True, slots=True)
class Breach:
    """One requirement that is not met.

    Attributes:
        field: The field, by the vendor's name.
        text: What was found and what is needed.
    """

    field: str
    text: str

    def __str__(self) -> str:
        """Return both as one clause."""
        return f"{self.field}: {self.text}"


def refuse(what: str, breaches: list[Breach]) -> RequirementError:
    """Return the exception that names every breach."""
    told = "; ".join(map(str, breaches))
    names = tuple(dict.fromkeys(breach.field for breach in breaches))
    return RequirementError(f"{what} breaks documented requirements, nothing was sent: {told}", names)


def check_value(what: str, field: str, value: Any, kind: Kind) -> None:
    """Raise `RequirementError` unless one value meets its requirement; None never does."""
    if value is None or not kind.accepts(value):
        raise refuse(what, [Breach(field, f"found {describe(value)}, needs {kind.needed}")])


def _wire_names(stated: type[Stated]) -> dict[str, str]:
    """Return the vendor's name of every field."""
    return {one.name: one.metadata[_WIRE] or one.name for one in fields(stated)}


def _breach(field: Field[Any], name: str, value: Any) -> Breach | None:
    kind: Kind = field.metadata[_KIND]
    if value is UNCHANGED and field.default is UNCHANGED:
        return None
    if value is None:
        return Breach(name, f"is missing, needs {kind.needed}") if field.metadata[_NEEDED] else None
    if kind.accepts(value):
        return None
    return Breach(name, f"found {describe(value)}, needs {kind.needed}")


@dataclass(frozen=True, slots=True, repr=False)
class Stated:
    """What can be sent; the object exists only if every documented requirement is met.

    Attributes:
        what: What it is, for messages.
        shown: The ids that may be shown in logs.
        none_counts: Whether a mapping may say None: for a field that is not given, or in a change for an emptied one.

    Raises:
        RequirementError: On making one; it names every field at fault.
    """

    what: ClassVar[str] = "What was to be sent"
    shown: ClassVar[tuple[str, ...]] = ()
    none_counts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check every field, and what fields must be to one another."""
        names = _wire_names(type(self))
        checked = (_breach(one, names[one.name], getattr(self, one.name)) for one in fields(self))
        breaches = [breach for breach in checked if breach is not None]
        if not breaches:
            breaches = self._between()
        if breaches:
            raise refuse(self.what, breaches)

    def _between(self) -> list[Breach]:
        """Return the breaches that lie between fields; each of them alone is well."""
        return []

    def _require_some(self) -> list[Breach]:
        """Return a breach where a change changes nothing; `shown` are ids that only say which row it is."""
        changed = any(getattr(self, one.name) is not UNCHANGED for one in fields(self) if one.name not in self.shown)
        return [] if changed else [Breach("(all)", "are missing, needs at least one field to change")]

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], what: str | None = None) -> Self:
        """Return the object from the vendor's names and values; `what` names it in the message.

        Raises:
            RequirementError: A name is not documented, a required one is missing, or a value is wrong.
        """
        names = _wire_names(cls)
        own = {wire: name for name, wire in names.items()}
        breaches = [Breach(str(name)[:60], "is no documented field") for name in values if name not in own]
        for one in fields(cls):
            name = names[one.name]
            absent = UNCHANGED if one.default is UNCHANGED else None
            breach = _breach(one, name, values.get(name, absent))
            if not cls.none_counts and values.get(name, absent) is None and name in values:
                breach = Breach(name, f"found {describe(None)}, needs {one.metadata[_KIND].needed}")
            breaches += [breach] if breach else []
        if breaches:
            raise refuse(what or cls.what, breaches)
        emptied = {names[one.name] for one in fields(cls) if one.default is UNCHANGED}
        return cls(**{own[name]: value for name, value in values.items() if value is not None or name in emptied})

    def as_json(self) -> dict[str, Any]:
        """Return what is sent, by the vendor's names; what is not stated is left out."""
        names = _wire_names(type(self))
        stated = ((one, getattr(self, one.name)) for one in fields(self))
        return {
            names[one.name]: None if value is None else one.metadata[_KIND].plain(value)
            for one, value in stated
            if value is not UNCHANGED and (value is not None or one.default is UNCHANGED)
        }

    def __repr__(self) -> str:
        """Return the class and its ids: everything else may be personal and does not belong into logs."""
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shown)
        return f"{type(self).__name__}({told})"


@dataclass(frozen=True, slots=True, repr=False)
class Search(Stated):
    """What rows must have to be listed; a field that is None is not asked for.

    A mapping with a None is refused like one with a blank text: whoever wrote it meant a value, and without it
    everything would be listed.
    """

    none_counts: ClassVar[bool] = False
