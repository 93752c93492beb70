"""Rows as a vendor answered them: documented fields by name and type, the others beside them.

Texts, ids and days are as received (a malformed day stays the text it was: no day would mean "never
expires"). Flags and numbers are numbers; a value that is none is an error that names row and field. What no
document describes (`Any`) is whatever came.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Self

import msgspec
import pyarrow as pa

from certrecon.api.rows import text_of_raw
from certrecon.errors import ResponseFormatError

TEXT, WHOLE, FLAG, OBJECT, ANY = "str | None", "int | None", "bool | None", "dict[str, Any] | None", "Any"
_MOST = 2**63
_YES, _NO = {"true", "1"}, {"false", "0"}
_COLUMN_TYPES = {TEXT: pa.string(), WHOLE: pa.int64(), FLAG: pa.bool_(), OBJECT: pa.string(), ANY: pa.string()}


def named(wire: str) -> Mapping[str, Any]:
    """Return the `metadata` of a field whose name the vendor spells differently."""
    return {"wire": wire}


def _whole(raw: msgspec.Raw) -> int | None:
    text = text_of_raw(raw)
    if text is None or not text.strip():
        return None
    try:
        return int({"true": "1", "false": "0"}.get(text, text))
    except ValueError:
        return _integral(text)


def _integral(text: str) -> int:
    """Return a number that is written with a point or an exponent and is a whole one all the same (JSON Schema)."""
    try:
        number = Decimal(text)
        if abs(number) < _MOST and number == number.to_integral_value():
            return int(number)
    except ArithmeticError:  # no number at all, or none that can be compared
        pass
    message = "no whole number"
    raise ValueError(message)


def _flag(raw: msgspec.Raw) -> bool | None:
    text = (text_of_raw(raw) or "").strip().lower()
    if text in _YES | _NO:
        return text in _YES
    if text:
        message = "no flag"
        raise ValueError(message)
    return None


def _object(raw: msgspec.Raw) -> dict[str, Any] | None:
    value = msgspec.json.decode(raw)
    if value in (None, [], ""):  # PHP writes an empty object as an empty list
        return None
    if not isinstance(value, dict):
        message = "no object"
        raise TypeError(message)
    return value


def _any(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return text_of_raw(raw)


_READERS: dict[str, Callable[[msgspec.Raw], Any]] = {
    TEXT: text_of_raw,
    WHOLE: _whole,
    FLAG: _flag,
    OBJECT: _object,
    ANY: _any,
}
_NEEDED = {WHOLE: "a whole number", FLAG: "true or false", OBJECT: "an object"}


def _plan(kind: type[VendorRow]) -> dict[str, tuple[str, str]]:
    """Return, by the vendor's name in lower case, each documented field's name and type."""
    cached: Callable[[Any], dict[str, tuple[str, str]]] = _planned
    return cached(kind)


@cache
def _planned(kind: Any) -> dict[str, tuple[str, str]]:
    own = (one for one in fields(kind) if one.name != "other")
    return {one.metadata.get("wire", one.name).lower(): (one.name, str(one.type)) for one in own}


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class VendorRow:
    """One row of a vendor.

    Attributes:
        other: The fields that are not documented, as received.
    """

    what: ClassVar[str] = "row"
    key: ClassVar[str] = ""
    private: ClassVar[frozenset[str]] = frozenset()

    other: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def row_id(self) -> str | None:
        """The row's own id."""
        return str(value) if (value := getattr(self, self.key)) is not None else None

    @classmethod
    def read(cls, received: Mapping[str, msgspec.Raw]) -> Self:
        """Return a row from its values as received; names are compared without regard to case.

        Raises:
            ResponseFormatError: A number, flag or object is none; names row and field, not the value.
        """
        plan, values, other = _plan(cls), dict[str, Any](), dict[str, Any]()
        for name, raw in received.items():
            known = plan.get(name.lower())
            if known is None:
                other[name] = _any(raw)
            elif values.get(known[0]) is None:
                values[known[0]] = cls._value(name, known[1], raw, received)
        return cls(**values, other=other)

    @classmethod
    def _value(cls, name: str, kind: str, raw: msgspec.Raw, received: Mapping[str, msgspec.Raw]) -> Any:
        try:
            return _READERS[kind](raw)
        except (ValueError, TypeError, RecursionError):  # msgspec.DecodeError is a ValueError
            row = cls._received_id(received) or "without id"
        message = f"{cls.what} {row[:80]}: {name} is not {_NEEDED[kind]}, as it should be"
        raise ResponseFormatError(message)

    @classmethod
    def _received_id(cls, received: Mapping[str, msgspec.Raw]) -> str | None:
        wire = next(name for name, (own, _) in _plan(cls).items() if own == cls.key)
        return next((text_of_raw(raw) for name, raw in received.items() if name.lower() == wire), None)

    @classmethod
    def columns(cls) -> dict[str, pa.DataType]:
        """Return the columns of a frame of such rows with their types, in the documented order."""
        return {name: _COLUMN_TYPES[kind] for name, kind in _plan(cls).values()}

    def __repr__(self) -> str:
        """Return the row's id alone: everything else may be personal and does not belong into logs."""
        return f"{type(self).__name__}({self.key}={self.row_id!r})"


def table_of(kind: type[VendorRow], rows: Iterable[VendorRow], columns: Iterable[str] | None = None) -> pa.Table:
    """Return rows as an Arrow table.

    Args:
        kind: What the rows are; decides the columns and their types.
        rows: The rows.
        columns: Which columns, in which order; None = all documented ones but private fields
            (medical data and free text), which are given only to who names them.

    Raises:
        ValueError: A column is no documented field.
        ResponseFormatError: A number is too large for a column; names row and field.
    """
    known = kind.columns()
    wanted = [name for name in known if name not in kind.private] if columns is None else list(columns)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        message = f"{unknown[0]!r} is no column of {kind.what}: there are {', '.join(known)}"
        raise ValueError(message)
    kept = list(rows)
    arrays = [_array(kind, name, kept) for name in wanted]
    return pa.Table.from_arrays(arrays, names=wanted)


def _array(kind: type[VendorRow], name: str, rows: list[VendorRow]) -> pa.Array:
    wanted = kind.columns()[name]
    if wanted == pa.string():
        return pa.array([_text_cell(getattr(row, name)) for row in rows], wanted)
    for row in rows:
        if not -_MOST <= int(getattr(row, name) or 0) < _MOST:
            message = f"{kind.what} {row.row_id}: {name} is a number of more than 64 bits, which no column can hold"
            raise ResponseFormatError(f"{message}. Read rows, or other columns")
    return pa.array([getattr(row, name) for row in rows], wanted)


def _text_cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
