"""One entity's rows in memory: equality indexes, cached selections, rows encoded once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

Row = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_SELECTIONS_KEPT = 64


def as_text(value: Any) -> str | None:
    """Return a value as a form would carry it, so that `1` and `"1"` compare equal."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, (int, float)) else _encode(value).decode()


@dataclass(frozen=True)
class Selection:
    """What to list: equal values, texts that contain a value, order, historicised rows or not."""

    equal: tuple[tuple[str, str], ...] = ()
    contains: tuple[tuple[str, str], ...] = ()
    sort: str | None = None
    history: bool = True


class Table:
    """Rows by primary key, in the order in which they came."""

    def __init__(self, key: str, rows: Iterable[Row] = ()) -> None:
        """Take over `rows`; they must not be changed from outside afterwards."""
        self.key = key
        self.rows: dict[str, Row] = {row[key]: row for row in rows}
        self.revision = 0
        self._order = {identity: number for number, identity in enumerate(self.rows)}
        self._next = len(self.rows)
        self._encoded: dict[str, bytes] = {}
        self._indexes: dict[str, dict[str | None, dict[str, None]]] = {}
        self._selections: OrderedDict[Selection, list[str]] = OrderedDict()

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        """Go through the rows."""
        return iter(self.rows.values())

    def get(self, identity: str) -> Row | None:
        """Return one row."""
        return self.rows.get(identity)

    def add(self, row: Row) -> Row:
        """Add a row, or replace the one with its key."""
        identity = row[self.key]
        if identity in self.rows:
            self.remove(identity)
        self.rows[identity] = row
        self._order[identity] = self._next
        self._next += 1
        for field, index in self._indexes.items():
            index.setdefault(as_text(row.get(field)), {})[identity] = None
        self._touch(identity)
        return row

    def change(self, identity: str, values: Row, drop: Iterable[str] = ()) -> Row:
        """Set some fields of a row, and take some away."""
        row = self.rows[identity]
        before = {field: as_text(row.get(field)) for field in self._indexes}
        row.update(values)
        for field in drop:
            row.pop(field, None)
        for field, old in before.items():
            new = as_text(row.get(field))
            if new != old:
                self._indexes[field][old].pop(identity)
                self._indexes[field].setdefault(new, {})[identity] = None
        self._touch(identity)
        return row

    def remove(self, identity: str) -> Row:
        """Take a row away and return it."""
        row = self.rows.pop(identity)
        del self._order[identity]
        for field, index in self._indexes.items():
            index[as_text(row.get(field))].pop(identity)
        self._touch(identity)
        return row

    def where(self, field: str, value: str) -> list[Row]:
        """Return the rows with this value, in their order."""
        return [self.rows[identity] for identity in self.select(Selection(equal=((field, value),)))]

    def select(self, selection: Selection) -> list[str]:
        """Return the keys of a selection; the list is cached, do not change it."""
        found = self._selections.get(selection)
        if found is None:
            found = self._selections[selection] = self._compute(selection)
            if len(self._selections) > _SELECTIONS_KEPT:
                self._selections.popitem(last=False)
        else:
            self._selections.move_to_end(selection)
        return found

    def serve_raw(self, identity: str, body: bytes) -> None:
        """Answer `body` for a row, whatever it is, until the row changes."""
        self._touch(identity)
        self._encoded[identity] = body

    def encode_one(self, identity: str) -> bytes:
        """Return one row as JSON."""
        return self.encode((identity,))[1:-1]

    def encode(self, identities: Iterable[str]) -> bytes:
        """Return rows as a JSON array."""
        encoded = self._encoded
        parts = []
        for identity in identities:
            part = encoded.get(identity)
            if part is None:
                part = encoded[identity] = _encode(self.rows[identity])
            parts.append(part)
        return b"[" + b",".join(parts) + b"]"

    def _touch(self, identity: str) -> None:
        self.revision += 1
        self._encoded.pop(identity, None)
        self._selections.clear()

    def _compute(self, selection: Selection) -> list[str]:
        keys = self._candidates(selection.equal)
        tests = list(_tests(selection))
        if tests:
            rows = self.rows
            keys = [key for key in keys if all(test(rows[key]) for test in tests)]
        if selection.sort:
            field = selection.sort.removeprefix("-")
            keys.sort(key=lambda key: _sort_key(self.rows[key].get(field)))
            if selection.sort.startswith("-"):
                keys.reverse()
        return keys

    def _candidates(self, equal: tuple[tuple[str, str], ...]) -> list[str]:
        if not equal:
            return list(self.rows)
        buckets: list[dict[str, None]] = [self._index(field).get(value, {}) for field, value in equal]
        smallest = min(buckets, key=len)
        return sorted(smallest, key=self._order.__getitem__)

    def _index(self, field: str) -> dict[str | None, dict[str, None]]:
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = {}
            for identity, row in self.rows.items():
                index.setdefault(as_text(row.get(field)), {})[identity] = None
        return index


def _tests(selection: Selection) -> Iterator[Callable[[Row], bool]]:
    if len(selection.equal) > 1:
        yield from (_equals(field, value) for field, value in selection.equal)
    yield from (_contains(field, value) for field, value in selection.contains)
    if not selection.history:
        yield is_current


def _equals(field: str, value: str) -> Callable[[Row], bool]:
    return lambda row: as_text(row.get(field)) == value


def _contains(field: str, value: str) -> Callable[[Row], bool]:
    part = value.casefold()
    return lambda row: part in (as_text(row.get(field)) or "").casefold()


def is_current(row: Row) -> bool:
    """Tell whether a row is not historicised; an absent flag counts as active."""
    return row.get("owned_active") is not False and row.get("parent_active") is not False


def _sort_key(value: Any) -> tuple[int, str]:
    text = as_text(value)
    return (0, "") if text is None else (1, text.casefold())
