"""What a webhook of 4HSE tells: which entity changed, and nothing else of what it says.

A webhook is a hint and never data (reference on both APIs, section 2.10). So its ids are the only values that are
read out of a body; everything else, medical data among it, is skipped without being taken up, kept or logged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from certrecon.api.rows import mended
from certrecon.errors import NoticeError
from certrecon.words import ChangeEvent

MAX_ID: Final = 255
"""The longest id, in characters."""

_OWN_ID: Final = {"CERTIFICATE": "certificate_id", "CERTIFICATE_ACTION": "certificate_action_id", "PERSON": "person_id"}
_LINK: Final = "CERTIFICATE_ACTION"
_MENDED: Final = "\ufffd"
"""What stands where the body had no character."""
_NOTHING: Final = msgspec.Raw(b"null")


class _Body(msgspec.Struct):
    certificate_id: Any = None
    certificate_action_id: Any = None
    person_id: Any = None
    entity_id: Any = None
    updated_fields: msgspec.Raw = _NOTHING


class _Change(msgspec.Struct):
    old: Any = None
    new: Any = None


class _LinkFields(msgspec.Struct):
    certificate_id: _Change | None = None


Form = TypeVar("Form", _Body, _LinkFields)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a hint needs of a webhook.

    Attributes:
        entity_id: The certificate, link or person that the event is about.
        certificate_ids: Of a link, the certificates that it is said to tie or to have tied, in the body's order.
    """

    entity_id: str
    certificate_ids: tuple[str, ...] = ()


def read_notice(event: ChangeEvent, body: bytes) -> Notice:
    """Return what a webhook's body tells.

    Created and deleted entities come with their fields at top level, updated ones as `entity_id` and
    `updated_fields`. The form is not told by the event alone: either id is taken, the documented one first.

    Args:
        event: What the address stands for that the body was sent to.
        body: The body as it came.

    Raises:
        NoticeError: The body is no JSON object, or has no id of the event's entity; the message quotes nothing of it.
    """
    told = _decoded(mended(body), _Body)
    if told is None:
        raise NoticeError("The body is no JSON object.")
    names = [_OWN_ID[event.entity], "entity_id"]
    if event.value.endswith("::UPDATE"):
        names.reverse()
    found = (_id(getattr(told, name), name) for name in names)
    entity_id = next((one for one in found if one is not None), None)
    if entity_id is None:
        raise NoticeError(f"The body has no {names[0]}.")
    return Notice(entity_id, _certificates(told) if event.entity == _LINK else ())


def _certificates(told: _Body) -> tuple[str, ...]:
    """Return the certificates of a link, each once; an update names the one before and the one after."""
    change = _certificate_change(told.updated_fields)
    named = (told.certificate_id, change.old, change.new) if change else (told.certificate_id,)
    ids = (_id(value, "certificate_id") for value in named)
    return tuple(dict.fromkeys(one for one in ids if one is not None))


def _certificate_change(fields: msgspec.Raw) -> _Change | None:
    # Without a change 4HSE may write an empty list, as PHP does for an empty object.
    read = _decoded(fields, _LinkFields)
    return read.certificate_id if read else None


def _decoded(text: bytes | msgspec.Raw, form: type[Form]) -> Form | None:
    """Return what a JSON object says of a form's fields; None where it is no such object."""
    try:
        return msgspec.json.decode(text, type=form)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return None


def _id(value: Any, name: str) -> str | None:
    """Return an id without white space around it; None where there is none.

    Raises:
        NoticeError: It is no text, too long, or has a character that cannot be printed.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise NoticeError(f"The body's {name} is no text.")
    trimmed = value.strip()
    if len(trimmed) > MAX_ID or not trimmed.isprintable() or _MENDED in trimmed:
        raise NoticeError(f"The body's {name} is no id: too long, or with characters that no id has.")
    return trimmed or None
