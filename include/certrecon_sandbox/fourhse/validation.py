"""The documented requirements on what is created and updated, with Yii's messages."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

from certrecon_sandbox.fourhse.entities import ACTION_TYPES, VALIDITY_UNITS
from certrecon_sandbox.fourhse.errors import FieldErrors, InvalidError
from certrecon_sandbox.table import Row

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True)
class Field:
    """One attribute that may be written."""

    name: str
    kind: str = "text"
    required: bool = False
    longest: int | None = None
    allowed: tuple[Any, ...] = ()

    @property
    def label(self) -> str:
        """The attribute's name as Yii prints it."""
        return self.name.replace("_", " ").title().removesuffix(" Id") + (" ID" if self.name.endswith("_id") else "")


CERTIFICATE_FIELDS = (
    Field("certificate_id", "uuid"),
    Field("date_release", "date", required=True),
    Field("date_expire", "date"),
    Field("name", required=True, longest=255),
    Field("note"),
    Field("action_type", required=True, allowed=ACTION_TYPES),
    Field("resource_id", "uuid", required=True),
    Field("data", "object"),
    Field("warning", "integer", allowed=(0, 1)),
    Field("tenant_id", "uuid", required=True),
    Field("validity_unit", allowed=VALIDITY_UNITS),
    Field("validity", "integer"),
)

CERTIFICATE_ACTION_FIELDS = (
    Field("certificate_action_id", "uuid"),
    Field("certificate_id", "uuid", required=True),
    Field("action_id", "uuid", required=True),
    Field("tenant_id", "uuid", required=True),
    Field("date_expire", "date"),
)


class _WrongValueError(ValueError):
    """A value that a field cannot have; the message is Yii's, without the label."""


def clean_values(fields: tuple[Field, ...], given: Row, *, partial: bool) -> Row:
    """Return the attributes of a request body, converted; what is not an attribute is ignored.

    Args:
        fields: The entity's attributes.
        given: The request body.
        partial: An update: what is not given stays as it is.

    Raises:
        InvalidError: Every wrong field with its message.
    """
    values: Row = {}
    errors: FieldErrors = []
    for field in fields:
        try:
            if field.name in given or not partial:
                value = _clean(field, given.get(field.name))
                if field.name in given:
                    values[field.name] = value
        except _WrongValueError as error:
            message = str(error).format(label=field.label)
            errors.append({"field": field.name, "message": message})
    if errors:
        raise InvalidError(errors)
    return values


def _clean(field: Field, value: Any) -> Any:
    if isinstance(value, str) and value.strip() == "":
        value = None
    if value is None:
        if field.required:
            raise _WrongValueError("{label} cannot be blank.")
        return None
    value = _READERS[field.kind](value)
    if field.longest is not None and len(value) > field.longest:
        raise _WrongValueError(f"{{label}} should contain at most {field.longest} characters.")
    if field.allowed and value not in field.allowed:
        raise _WrongValueError("{label} is invalid.")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _WrongValueError("{label} must be a string.")
    return value


def _uuid(value: Any) -> str:
    try:
        return str(uuid.UUID(_text(value)))
    except ValueError as error:
        raise _WrongValueError("{label} is not a valid UUID.") from error


def _date(value: Any) -> str:
    text = _text(value)
    try:
        if _DATE.fullmatch(text):
            dt.date.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise _WrongValueError("The format of {label} is invalid.")


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?\d{1,9}", str(value).strip(), re.ASCII):
        raise _WrongValueError("{label} must be an integer.")
    return int(str(value))


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            value = None
    if not isinstance(value, dict):
        raise _WrongValueError("{label} must be an object.")
    return value


_READERS = {"text": _text, "uuid": _uuid, "date": _date, "integer": _whole, "object": _object}
