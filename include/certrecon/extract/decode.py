"""Pages of an index to columns of values, at the speed of typed structs.

Only the kept fields become objects. The struct knows the documented fields and refuses others, so a
field that nobody documented is noticed at once: its name joins the struct, and the page is read again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from certrecon.api.rows import mended, raw_rows, text_of, text_of_raw
from certrecon.extract.fields import EntityFields
from certrecon.text import visible

Columns = list[Sequence[Any]]
"""One sequence a column, in the order of the dataset's columns."""

MAX_UNDOCUMENTED = 200
"""Undocumented fields that are told apart by name; more than that are dropped without a name."""
_MAX_NAME = 100
_UNFIT = re.compile(r'[\\"\x00-\x1f]')
"""What the name of a struct's field cannot hold; a page with such a field is read value by value."""


class PageDecoder:
    """Decodes the pages of one dataset."""

    def __init__(self, fields: EntityFields, what: str) -> None:
        """Make the struct from the dataset's documented fields; `what` names the dataset in messages."""
        self._fields = fields
        self._what = what
        self._undocumented: set[str] = set()
        self._id_position = list(fields.columns).index(fields.id_column)
        self._kept: Callable[[Any], tuple[Any, ...]] = attrgetter(*(f"kept_{name}" for name in fields.columns))
        self._decoder = self._make_decoder()

    @property
    def undocumented(self) -> tuple[str, ...]:
        """Names of the fields that came although no document has them, fit to be shown."""
        return tuple(sorted({visible(name, _MAX_NAME) for name in self._undocumented}))

    def columns(self, body: bytes) -> Columns:
        """Return the kept columns of a page; values are text, numbers, booleans or None.

        Raises:
            ResponseFormatError: The page is no JSON array of objects.
        """
        rows = self._typed(body)
        if rows is None:
            raw = raw_rows(body, self._what)
            self._learn(raw)
            rows = self._typed(mended(body))
            if rows is None:
                return [[text_of_raw(row.get(field)) for row in raw] for field in self._fields.columns.values()]
        return list(zip(*map(self._kept, rows), strict=True)) or [()] * len(self._fields.columns)

    def ids(self, columns: Columns) -> list[str | None]:
        """Return the ids of a page's rows as text."""
        values = columns[self._id_position]
        return list(values) if set(map(type, values)) == {str} else list(map(text_of, values))

    def _typed(self, body: bytes) -> list[Any] | None:
        """Return a page's rows as structs, or None where one does not fit the struct."""
        try:
            rows: list[Any] = self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return rows

    def _learn(self, raw: list[dict[str, msgspec.Raw]]) -> None:
        documented = self._fields.dropped | set(self._fields.columns.values())
        new = set().union(*raw) - documented - self._undocumented
        if new and len(self._undocumented) < MAX_UNDOCUMENTED:
            room = MAX_UNDOCUMENTED - len(self._undocumented)
            self._undocumented |= set(sorted(new)[:room])
            self._decoder = self._make_decoder()

    def _make_decoder(self) -> msgspec.json.Decoder[Any]:
        names = {f"kept_{column}": field for column, field in self._fields.columns.items()}
        ignored = sorted(name for name in self._fields.dropped | self._undocumented if not _UNFIT.search(name))
        names |= {f"ignored_{number}": field for number, field in enumerate(ignored)}
        row = msgspec.defstruct(
            "Row",
            [
                (name, str | int | float | bool | None if name.startswith("kept_") else msgspec.Raw, None)
                for name in names
            ],
            rename=names,
            forbid_unknown_fields=len(self._undocumented) < MAX_UNDOCUMENTED,
            gc=False,
        )
        return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
